"""Engines before 10.1, which know REST API V1 only: a small part of what `TwsClient` does.

Sources: the vendor's Python and shell samples on GitHub (WorkloadAutomation/TWS_REST_API_…), the Centreon plug-in for
TWS and transcripts of a 10.2.8 master. No full description of V1 was published: only calls that were seen to work
are made.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog

from observability.metrics import Metrics

from .actions import Action, Change, ObjectKind
from .client import TwsClient
from .contents import PlanInfo
from .errors import TwsError, TwsNotFoundError, TwsProtocolError, TwsRejectedError, TwsUnsupportedError
from .fields import Fields
from .model import EngineInfo, JobStreamDefinition
from .objects import CommonStatus, Job, JobFilter, JobPage
from .operations import V1, Call, Read, place, utc_text
from .reader import Reader
from .settings import TwsSettings
from .shapes import shaped
from .wire import is_match
from .wire_model import read_job_stream_definition

_log = structlog.get_logger(__name__)
_PLAN = "/plan/current"
_ROWS = 500
"""What the vendor's samples ask for at once."""


async def connect(settings: TwsSettings, session: aiohttp.ClientSession, metrics: Metrics) -> TwsClient:
    """A client that speaks what the engine does: V2, unless the engine answers and does not know it.

    An engine that is away is taken for one that knows V2.
    """
    probe = TwsClient(settings.model_copy(update={"read_retries": 0}), session, metrics)
    try:
        await probe.engine_info()
    except TwsUnsupportedError:
        _log.info("tws_speaks_v1", engine=settings.name)
        return ClassicClient(settings, session, metrics)
    except TwsError as error:
        _log.info("tws_not_probed", engine=settings.name, reason=str(error))
    return TwsClient(settings, session, metrics)


class _NoReader(Reader):
    """Refuses what is asked in the words of V2."""

    def plan_query(self, operation: Read) -> dict[str, str]:
        # Every read of V2 asks this first.
        raise TwsUnsupportedError(f"REST API V1 has nothing like {operation.path}")


class ClassicClient(TwsClient):
    """Queries jobs, reruns them, submits job streams and reads the message log; all else is `TwsUnsupportedError`."""

    def __init__(self, settings: TwsSettings, session: aiohttp.ClientSession, metrics: Metrics) -> None:
        super().__init__(settings, session, metrics)
        self._reader = _NoReader(transport=self.transport)

    async def engine_info(self) -> EngineInfo:
        """Who answers; V1 does not tell the time zone."""
        return shaped(EngineInfo, await self._engine())

    async def plan_info(self) -> PlanInfo:
        """The plan's dates; V1 does not tell its run number."""
        engine = await self._engine()
        return PlanInfo(
            run_number=None,
            starts_at=engine.instant("synphonyPlanStart"),
            ends_at=engine.instant("synphonyPlanEnd"),
        )

    async def query_jobs(self, job_filter: JobFilter) -> JobPage:
        """The first `limit` jobs that match, each once; `total` is what was found, not what there is."""
        wanted = {
            "jobName": job_filter.name,
            "jobStreamName": job_filter.job_stream,
            "workstationName": job_filter.workstation,
        }
        found = await self._query(
            f"{_PLAN}/job/query", "jobInPlanFilter", wanted, max(_ROWS, job_filter.limit)
        )
        jobs = [_read_job(one) for one in found]
        matching = {job.id: job for job in jobs if is_match(job, job_filter)}
        return JobPage(jobs=tuple(matching.values())[: job_filter.limit], total=len(matching))

    async def job(self, job_id: str) -> Job:
        """One job by its composite key, without runs and dependencies. Raises `TwsNotFoundError`."""
        page = await self.query_jobs(JobFilter(name=job_id.rpartition(";")[2], limit=_ROWS))
        for job in page.jobs:
            if job.id == job_id:
                return job
        raise TwsNotFoundError(f"job {job_id}")

    async def job_stream_definitions(self, name: str) -> tuple[JobStreamDefinition, ...]:
        """The definitions of job streams with that name, with little more than what a submission takes."""
        found = await self._query(
            "/model/jobstream/header/query", "jobstreamFilter", {"jobStreamName": name}, _ROWS
        )
        return tuple(map(read_job_stream_definition, found))

    async def _to_call(self, change: Change) -> Call:
        match change.kind, change.action:
            case ObjectKind.JOB, Action.RERUN:
                method, path, body = "PUT", f"{_PLAN}/job/{{id}}/action/rerun", dict[str, object]()
            case ObjectKind.JOB_STREAM_DEFINITION, Action.SUBMIT:
                method, path = "POST", f"{_PLAN}/jobstream/{{id}}/action/submit_jobstream"
                body = _submission(change.arguments)
            case _:
                raise TwsUnsupportedError(f"REST API V1 has no {change.action} of a {change.kind}")
        return Call(
            method=method,
            path=place(path, change.object_id),
            api=V1,
            body=body,
            what=change.selection or change.object_id,
        )

    async def _engine(self) -> Fields:
        return Fields(await self.transport.read(Call(path="/engine/info", api=V1)))

    async def _query(self, path: str, name: str, wanted: Mapping[str, str | None], rows: int) -> list[Fields]:
        filters = {field: value for field, value in wanted.items() if value is not None}
        call = Call(
            method="POST",
            path=path,
            api=V1,
            headers={"How-Many": str(rows)},
            body={"filters": {name: filters}},
        )
        answer = await self.transport.read(call)
        if not isinstance(answer, list):
            raise TwsProtocolError(f"TWS answered {path} with JSON that is not a list")
        return [Fields(one) for one in answer]


def _submission(arguments: Mapping[str, Any]) -> dict[str, object]:
    """V1 wants to be told the time, also when it is now. Raises `TwsRejectedError`."""
    try:
        at = utc_text(str(arguments.get("at") or datetime.now(UTC).isoformat()))
    except ValueError as error:
        raise TwsRejectedError(f"at: {error}") from error
    alias = arguments.get("alias")
    named: dict[str, object] = {} if alias is None else {"alias": str(alias)}
    return {"inputArrivalTime": at, **named}


def _read_job(fields: Fields) -> Job:
    status = fields.child("status").text("commonStatus")
    known = status in CommonStatus.__members__
    return shaped(
        Job,
        fields,
        "ClassicJob",
        canceled=status == CommonStatus.CANCELED,
        common_status=CommonStatus(status) if known else CommonStatus.UNDECIDED,
        runs=(),
        dependencies=(),
        actions=frozenset(),
    )
