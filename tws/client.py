"""One method per question, and one for every change, over REST API V2 of the master's engine server."""

from collections.abc import AsyncIterator, Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Self

import aiohttp

from observability.metrics import Metrics

from . import oql, wire, wire_model, wire_plan
from .actions import Action, Change, ObjectKind, PlanObject
from .contents import PlanInfo
from .credentials import Credentials
from .errors import (
    TwsDeniedError,
    TwsNotFoundError,
    TwsProtocolError,
    TwsRejectedError,
    TwsUnreachableError,
    TwsUnsupportedError,
)
from .fields import Fields
from .job_logs import JobLogs
from .justification import Justification
from .link import Link
from .model import ActionInfo, EngineInfo, JobDefinition, JobStreamDefinition, PlanFile
from .objects import (
    Job,
    JobFilter,
    JobLog,
    JobPage,
    JobStream,
    JobStreamFilter,
    Prompt,
    Resource,
    Workstation,
)
from .operations import CHANGES, V1, Call, Read, build_call
from .reader import WHOLE, Reader
from .settings import TwsSettings
from .shapes import shaped
from .transport import Transport

_POOL = "POOL"
"""The type of a workstation whose jobs run on one of its members."""
_SINGLE: Mapping[ObjectKind, tuple[Read, Callable[[Fields], PlanObject]]] = {
    ObjectKind.JOB_STREAM: (Read.JOB_STREAM, wire_plan.read_job_stream),
    ObjectKind.WORKSTATION: (Read.WORKSTATION, wire_plan.read_workstation),
    ObjectKind.RESOURCE: (Read.RESOURCE, wire_plan.read_resource),
    ObjectKind.PROMPT: (Read.PROMPT, wire_plan.read_prompt),
}
"""How one object of each kind is asked for, and read; a job takes more than that."""


class TwsClient:
    """What Resync can ask of one engine, and do in its plan, under one account.

    Every method raises the errors of `tws.errors` and nothing else. Reads are tried again when the engine does not
    answer; changes never, since the engine may have made the one that got no answer. An answer to a change only
    means that the engine accepted it: whoever made it reads the plan until the effect shows.
    """

    def __init__(self, settings: TwsSettings, session: aiohttp.ClientSession, metrics: Metrics) -> None:
        link = Link(settings, session, metrics)
        self._settings = settings
        self._reader = Reader(transport=Transport(link, settings.credentials))

    @property
    def name(self) -> str:
        """What Resync calls the engine."""
        return self._settings.name

    @property
    def settings(self) -> TwsSettings:
        """How the engine is reached."""
        return self._settings

    @property
    def transport(self) -> Transport:
        """The way to the engine, for the parts of this package."""
        return self._reader.transport

    @property
    def clock_skew(self) -> timedelta | None:
        """How far the engine's clock is ahead of ours, to the second, at its last answer; None before any."""
        return self.transport.link.clock_skew

    def acting_as(self, credentials: Credentials) -> Self:
        """The same engine, asked under another account."""
        other = copy(self)
        transport = self.transport.acting_as(credentials)
        other._reader = replace(self._reader, transport=transport)  # noqa: SLF001 - of this class
        return other

    def in_plan(self, plan_id: str) -> Self:
        """The same engine, asked about another plan, e.g. an archived one. Only the current plan can be changed."""
        other = copy(self)
        other._reader = replace(self._reader, plan_id=plan_id)  # noqa: SLF001 - of this class
        return other

    async def engine_info(self) -> EngineInfo:
        """Who answers; also the cheapest proof that the engine is up and takes the credentials."""
        return shaped(EngineInfo, Fields(await self._reader.read(Read.ENGINE_INFO)))

    async def plan_info(self) -> PlanInfo:
        """Which plan the engine works on. Its dates come from REST API V1; None where an engine has that no more."""
        rows = await self._reader.read(Read.WORKSTATIONS, query={"limit": "1"})
        numbers = [one.run_number for one in wire.read_results(rows, wire_plan.read_workstation)]
        try:
            dates = Fields(await self.transport.read(Call(path="/engine/info", api=V1)))
        except (TwsDeniedError, TwsProtocolError, TwsRejectedError):
            dates = Fields({})
        return PlanInfo(
            run_number=numbers[0] if numbers else None,
            starts_at=dates.instant("synphonyPlanStart"),
            ends_at=dates.instant("synphonyPlanEnd"),
        )

    async def permissions(self) -> Mapping[str, frozenset[str]]:
        """What the account may do, by type of object as the Security file names it, e.g. `RERUN` on `JOB`."""
        return wire_model.read_permissions(await self._reader.read(Read.PERMISSIONS))

    async def objects_info(self) -> Mapping[str, tuple[ActionInfo, ...]]:
        """The actions that the engine knows by type of object, e.g. `JOB_IN_PLAN`."""
        return wire_model.read_actions(await self._reader.read(Read.OBJECTS_INFO))

    async def query_jobs(self, job_filter: JobFilter) -> JobPage:
        """The first `limit` jobs whose present state matches, by name, each once.

        `total` is the engine's count. Where statuses are asked for and there are more jobs than `limit`, it may
        include jobs that had such a status in an earlier run only.
        """
        try:
            query = wire.build_job_query(job_filter)
        except oql.ImpossibleValueError:
            return JobPage(jobs=(), total=0)
        jobs, total = await self._reader.collect(
            Read.JOBS,
            query,
            job_filter.limit,
            wire_plan.read_job,
            lambda job: wire.is_match(job, job_filter),
        )
        return JobPage(jobs=jobs, total=total)

    async def query_job_streams(self, stream_filter: JobStreamFilter) -> tuple[JobStream, ...]:
        """The first `limit` job streams that match, by name, each once."""
        try:
            query = wire.build_job_stream_query(stream_filter)
        except oql.ImpossibleValueError:
            return ()
        rows, _ = await self._reader.collect(
            Read.JOB_STREAMS, query, stream_filter.limit, wire_plan.read_job_stream
        )
        return rows

    async def job(self, job_id: str) -> Job:
        """One job with its runs and dependencies, by its id or by the key that a submission echoed.

        Raises `TwsNotFoundError`.
        """
        if ";" in job_id:
            job_id = await self._id_of(job_id)
        return wire_plan.read_job(Fields(await self._reader.read(Read.JOB, job_id)))

    async def job_stream(self, stream_id: str) -> JobStream:
        """One job stream with its dependencies. Raises `TwsNotFoundError`."""
        return wire_plan.read_job_stream(Fields(await self._reader.read(Read.JOB_STREAM, stream_id)))

    async def read_object(self, kind: ObjectKind, object_id: str) -> PlanObject:
        """One object of the plan. Raises `TwsNotFoundError`, also for a definition: it is not in the plan.

        Engines that cannot be asked for one prompt are asked for all.
        """
        if kind is ObjectKind.JOB:
            return await self.job(object_id)
        if kind not in _SINGLE:
            raise TwsNotFoundError(f"the definition {object_id}")
        operation, read = _SINGLE[kind]
        try:
            return read(Fields(await self._reader.read(operation, object_id)))
        except (TwsNotFoundError, TwsUnsupportedError):
            for prompt in await self.prompts() if kind is ObjectKind.PROMPT else ():
                if prompt.id == object_id:
                    return prompt
            raise

    async def workstations(self) -> tuple[Workstation, ...]:
        """All workstations of the plan, each once; pools with the members that their definitions name."""
        places = await self._reader.all_of(Read.WORKSTATIONS, wire_plan.read_workstation)
        return tuple([await self._with_members(one) if one.type == _POOL else one for one in places])

    async def resources(self) -> tuple[Resource, ...]:
        """All resources of the plan, each once."""
        return await self._reader.all_of(Read.RESOURCES, wire_plan.read_resource)

    async def prompts(self) -> tuple[Prompt, ...]:
        """All prompts of the plan, each once; before 10.2.8 those that jobs and job streams wait for."""
        try:
            return await self._reader.all_of(Read.PROMPTS, wire_plan.read_prompt)
        except TwsUnsupportedError:
            prompts = [
                wire_plan.read_prompt_of(owner, one)
                async for owner, one in self._reader.dependencies("PROMPT", oql.Field.PROMPT_DEPENDENCIES)
            ]
            return tuple({prompt.id: prompt for prompt in prompts}.values())

    async def files(self) -> tuple[PlanFile, ...]:
        """All files that something in the plan waits for, each once."""
        try:
            return await self._reader.all_of(Read.FILES, _read_file)
        except TwsUnsupportedError:
            files = [
                _read_file(one.child("file"))
                async for _, one in self._reader.dependencies("FILE", oql.Field.FILE_DEPENDENCIES)
            ]
            return tuple({file.id: file for file in files}.values())

    async def all_jobs(self, *conditions: oql.Condition) -> AsyncIterator[tuple[Job, ...]]:
        """The jobs to which all conditions apply, with their dependencies, page by page.

        A job that is added meanwhile may be given twice or be missing; which plan it is may be asked before and after.
        """
        async for page in self._reader.pages(Read.JOBS, conditions, wire_plan.read_job, WHOLE):
            yield page

    async def all_job_streams(
        self, *conditions: oql.Condition, with_dependencies: bool = True
    ) -> AsyncIterator[tuple[JobStream, ...]]:
        """The job streams to which all conditions apply, page by page, like `all_jobs`."""
        headers = WHOLE if with_dependencies else {}
        async for page in self._reader.pages(
            Read.JOB_STREAMS, conditions, wire_plan.read_job_stream, headers
        ):
            yield page

    async def predecessors(self, job_id: str, depth: int | None = None) -> tuple[Job | JobStream, ...]:
        """What the job follows; how far is the engine's choice without `depth`. Raises `TwsNotFoundError`."""
        return await self._flow_nodes(Read.PREDECESSORS, job_id, depth)

    async def successors(self, job_id: str, depth: int | None = None) -> tuple[Job | JobStream, ...]:
        """What follows the job; how far is the engine's choice without `depth`. Raises `TwsNotFoundError`."""
        return await self._flow_nodes(Read.SUCCESSORS, job_id, depth)

    async def job_definitions(self, name: str) -> tuple[JobDefinition, ...]:
        """The definitions of jobs with that name, which may have `@` and `?`."""
        return await self._reader.named(Read.JOB_DEFINITIONS, name, wire_model.read_job_definition)

    async def job_stream_definitions(self, name: str) -> tuple[JobStreamDefinition, ...]:
        """The definitions of job streams with that name, which may have `@` and `?`."""
        return await self._reader.named(
            Read.JOB_STREAM_DEFINITIONS, name, wire_model.read_job_stream_definition
        )

    async def job_log(self, run_id: str) -> JobLog:
        """The log of one run; of a long one the beginning, the end and lines between them that look like errors.

        However long it is, no more than a few MB are transferred. Raises `TwsNotFoundError`.
        """
        return await self._job_logs().ends(run_id)

    async def job_log_window(self, run_id: str, first_line: int, last_line: int) -> JobLog:
        """Lines of the log of one run, counted from 1, both included; fewer where it ends before.

        Raises `TwsNotFoundError`, and `TwsRejectedError` for lines that cannot be.
        """
        return await self._job_logs().window(run_id, first_line, last_line)

    async def carry_out(self, change: Change, justification: Justification) -> str:
        """Asks for a change, once, and gives the id that the engine echoes; empty where it echoes none.

        Raises `TwsRejectedError` when the engine refuses it, or when its arguments make no sense,
        `TwsUnreachableError` when there was no answer: `was_sent` tells whether the change may have been made.
        """
        if not self._settings.write:
            raise TwsDeniedError(403, "Resync may not change this plan: RESYNC_TWS__WRITE is off")
        if not self._reader.is_current_plan:
            raise TwsRejectedError("only the current plan can be changed")
        call = await self._to_call(change)
        headers = {**call.headers, **justification.headers()}
        return wire.read_change(await self.transport.change(replace(call, headers=headers)))

    async def _with_members(self, pool: Workstation) -> Workstation:
        """Who may not read definitions is not told the members; the pool stays as the plan has it."""
        try:
            found = await self._reader.named(Read.WORKSTATION_DEFINITIONS, pool.name, wire_model.read_members)
        except (TwsDeniedError, TwsRejectedError, TwsUnsupportedError):
            return pool
        return replace(pool, members=found[0]) if len(found) == 1 else pool

    async def _to_call(self, change: Change) -> Call:
        operation = CHANGES.get((change.kind, change.action))
        if operation is None:
            raise TwsRejectedError(f"there is no {change.action} of a {change.kind}")
        is_rerun = change.action is Action.RERUN
        identifier = await self._last_run_id(change) if is_rerun else change.object_id
        return build_call(operation, change, identifier)

    async def _last_run_id(self, change: Change) -> str:
        try:
            last_run = (await self.job(change.object_id)).last_run
        except TwsUnreachableError as outage:
            # Only the question was sent, not the change.
            raise TwsUnreachableError(outage.url, outage.reason, was_sent=False) from outage
        if last_run is None:
            raise TwsRejectedError(f"{change.selection} has not run")
        return last_run.id

    async def _id_of(self, key: str) -> str:
        """The id of the newest job with that key."""
        try:
            query = wire.build_key_query(key)
        except oql.ImpossibleValueError:
            raise TwsNotFoundError(f"job {key}") from None
        jobs, _ = await self._reader.collect(Read.JOBS, query, 1, wire_plan.read_job)
        if not jobs:
            raise TwsNotFoundError(f"job {key}")
        return jobs[0].id

    def _job_logs(self) -> JobLogs:
        most_bytes = self._settings.max_log_bytes
        return JobLogs(self.transport, most_bytes, self._reader.plan_query(Read.JOB_LOG))

    async def _flow_nodes(
        self, operation: Read, job_id: str, depth: int | None
    ) -> tuple[Job | JobStream, ...]:
        query = {} if depth is None else {"depth": str(depth)}
        return wire.read_results(await self._reader.read(operation, job_id, query), wire_plan.read_flow_node)


def _read_file(fields: Fields) -> PlanFile:
    return shaped(PlanFile, fields)
