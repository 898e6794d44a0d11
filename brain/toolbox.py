"""What agents can do for one person in one turn; each tool checks that person's permission first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

from brain.actions.approval import Approval, Press, Result
from brain.actions.judge import Judge
from brain.actions.policy import Requirement
from brain.actions.proposal import Item, Proposal, Proposals, Wish
from brain.actions.proposer import Proposer, Refusal
from brain.coverage import Coverage, coverage
from brain.incidents.desk import Desk
from brain.incidents.incidents import Incident
from brain.incidents.lifecycle import Step
from brain.incidents.shifts import Handover, Shifts
from brain.message import Channel, Locale, Verb
from brain.ratings import Ratings
from brain.snapshots import PlanSnapshot, PlanSnapshots
from knowledge.cache import AnswerCache, Asking
from knowledge.documents import Passage, Reader, SearchResult
from knowledge.relations import Impact, Known, Relations, View
from knowledge.search import Search
from security.roles import Actor, Permission, Role
from tws.actions import Action, Change, ObjectKind, PlanObject, kind_of, legal_actions
from tws.cache import CachedReads
from tws.client import TwsClient
from tws.engines import Engines
from tws.errors import TwsError
from tws.mirror.past import Effort, PastPlan, PastRun
from tws.mirror.plans import Plans
from tws.model import JobDefinition, JobStreamDefinition
from tws.objects import (
    CommonStatus,
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
from tws.plan import Plan

_P = ParamSpec("_P")
_T = TypeVar("_T")

_COUNTED = (
    CommonStatus.SUCCESSFUL,
    CommonStatus.RUNNING,
    CommonStatus.READY,
    CommonStatus.WAITING,
    CommonStatus.HELD,
)
_FAILED_SHOWN = 50
_NEW = timedelta(seconds=5)
"""An answer that is older says how old it is."""
_LISTED = frozenset({"RERUN_JOB", "HOLD_JOB", "RELEASE_JOB", "CANCEL_JOB", "KILL_JOB", "CONFIRM_SUCC_JOB"})
"""Keys that a master is known to list among the actions of a job."""


class NotPermittedError(Exception):
    """The person may not do this; the reply says so."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"needs the permission {permission}")
        self.permission = permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the toolboxes of all turns share."""

    engines: Engines
    reads: Mapping[str, CachedReads]
    """Answers of each engine to questions; what a change depends on is never taken from there."""
    search: Search
    answers: AnswerCache
    proposals: Proposals
    proposer: Proposer
    judge: Judge
    plans: Plans
    relations: Relations
    approval: Approval
    snapshots: Mapping[str, PlanSnapshots]
    """By engine."""
    desk: Desk
    shifts: Shifts
    ratings: Ratings

    def for_turn(self, *, actor: Actor, channel: Channel, turn_id: str) -> Toolbox:
        """The tools as this person may use them, on the default engine."""
        return Toolbox(self, actor=actor, channel=channel, turn_id=turn_id)


class Toolbox:
    """The catalogue. Reads raise TWS's errors; `propose` and `decide` are the only ways to a change."""

    def __init__(self, tools: Tools, *, actor: Actor, channel: Channel, turn_id: str) -> None:
        self._tools = tools
        self._channel = channel
        self._turn_id = turn_id
        self._plan: Plan | None = None
        self.actor = actor
        self.engine = tools.engines.names[0]
        """Name of the engine that everything is asked of."""
        self._as_of: datetime | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """Names of all engines, the default one first."""
        return self._tools.engines.names

    @property
    def age(self) -> timedelta | None:
        """How old the oldest answer of the engine is; None while it makes no difference."""
        age = datetime.now(UTC) - self._as_of if self._as_of else timedelta()
        return age if age > _NEW else None

    def use(self, engine: str) -> None:
        """From now on everything is asked of this one of `engines`."""
        self.engine, self._plan = engine, None

    async def _ask(
        self, read: Callable[Concatenate[TwsClient, _P], Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        self._need(Permission.ASK)
        known = await self._tools.reads[self.engine].ask(read, *args, **kwargs)
        self._as_of = min(self._as_of or known.as_of, known.as_of)
        return known.value

    async def query_jobs(self, job_filter: JobFilter) -> JobPage:
        """Jobs of the plan."""
        return await self._ask(TwsClient.query_jobs, job_filter)

    async def job(self, job_id: str) -> Job:
        """One job with its runs and dependencies."""
        return await self._ask(TwsClient.job, job_id)

    async def job_log(self, run_id: str) -> JobLog:
        """The log of a run: untrusted text."""
        return await self._ask(TwsClient.job_log, run_id)

    async def job_log_window(self, run_id: str, first_line: int, last_line: int) -> JobLog:
        """Some lines of the log of a run, counted from 1: untrusted text."""
        return await self._ask(TwsClient.job_log_window, run_id, first_line, last_line)

    async def predecessors(self, job_id: str, depth: int | None = None) -> tuple[Job | JobStream, ...]:
        """What the job follows, directly or over so many steps."""
        return await self._ask(TwsClient.predecessors, job_id, depth)

    async def successors(self, job_id: str) -> tuple[Job | JobStream, ...]:
        """What directly follows the job."""
        return await self._ask(TwsClient.successors, job_id)

    async def job_streams(self, stream_filter: JobStreamFilter) -> tuple[JobStream, ...]:
        """Job streams of the plan."""
        return await self._ask(TwsClient.query_job_streams, stream_filter)

    async def job_stream(self, stream_id: str) -> JobStream:
        """One job stream with its dependencies."""
        return await self._ask(TwsClient.job_stream, stream_id)

    async def workstations(self) -> tuple[Workstation, ...]:
        """All workstations of the plan."""
        return await self._ask(TwsClient.workstations)

    async def resources(self) -> tuple[Resource, ...]:
        """All resources of the plan."""
        return await self._ask(TwsClient.resources)

    async def prompts(self) -> tuple[Prompt, ...]:
        """All prompts of the plan."""
        return await self._ask(TwsClient.prompts)

    async def definitions(self, kind: ObjectKind, name: str) -> Sequence[JobDefinition | JobStreamDefinition]:
        """Definitions of jobs or of job streams with that name, as a submission takes them."""
        if kind is ObjectKind.JOB_DEFINITION:
            return await self._ask(TwsClient.job_definitions, name)
        return await self._ask(TwsClient.job_stream_definitions, name)

    async def search(self, query: str, *, k: int = 5) -> SearchResult:
        """Passages of manuals and runbooks."""
        self._need(Permission.ASK)
        return await self._tools.search.search(query, reader=Reader(self.actor.readers), k=k)

    async def look_up(self, question: str, locale: Locale) -> Asking | None:
        """What was answered to the same question of somebody with the same rights; None where nothing is kept."""
        self._need(Permission.ASK)
        return await self._tools.answers.look_up(
            question, reader=Reader(self.actor.readers), locale=locale.value
        )

    async def keep_answer(
        self, asking: Asking, answer: Mapping[str, object], sources: Sequence[Passage]
    ) -> None:
        """Keeps an answer from documents for the next time."""
        await self._tools.answers.keep(asking, answer, sources)

    async def overview(self) -> PlanSnapshot:
        """Counts by status and the failed jobs; kept as the last known data for when TWS is away."""
        failed, *counted = await asyncio.gather(
            self.query_jobs(JobFilter(common_statuses=(CommonStatus.ERROR,), limit=_FAILED_SHOWN)),
            *(self.query_jobs(JobFilter(common_statuses=(status,), limit=1)) for status in _COUNTED),
        )
        counts: Mapping[str, int] = {
            CommonStatus.ERROR: failed.total,
            **{status: page.total for status, page in zip(_COUNTED, counted, strict=True)},
        }
        return await self._tools.snapshots[self.engine].keep(counts, failed.jobs)

    async def remember_plan(self) -> None:
        """Keeps an overview now and then, so that an outage finds fresh data. Never fails an answer."""
        if self._tools.snapshots[self.engine].is_due:
            with suppress(TwsError):
                await self.overview()

    async def last_known(self) -> PlanSnapshot | None:
        """The last overview that could be read."""
        return await self._tools.snapshots[self.engine].latest()

    async def plan(self) -> Plan | None:
        """The mirrored plan, the same throughout the turn; None while there is none."""
        self._need(Permission.ASK)
        self._plan = self._plan or await self._tools.judge.plan(self.engine)
        return self._plan

    async def plan_at(self, moment: datetime) -> PastPlan | None:
        """The plan as it was at the moment; None where the mirror does not know."""
        self._need(Permission.ASK)
        return await self._tools.plans.at(self.engine, moment)

    async def past_runs(self, selection: str) -> tuple[PastRun, ...]:
        """The last runs of the job over all plans, newest first."""
        self._need(Permission.ASK)
        return await self._tools.plans.past_runs(self.engine, selection)

    async def efforts(self, since: datetime, until: datetime) -> tuple[Effort, ...]:
        """What each job ran between two moments."""
        self._need(Permission.ASK)
        return await self._tools.plans.efforts(self.engine, since, until)

    async def facts(
        self, *names: str, at: datetime | None = None, relations: Collection[str] = ()
    ) -> tuple[Known, ...]:
        """What the plan and the documents say of the names, now or at the moment; all relations, or some."""
        return await self._tools.relations.facts(names, self._view(at), relations=relations)

    async def impact(self, name: str, at: datetime | None = None) -> Impact:
        """What depends on the object."""
        return await self._tools.relations.impact(name, self._view(at))

    async def coverage(self) -> Coverage:
        """What fails without a runbook, and what runbooks name that is gone."""
        return await coverage(self._tools.relations, self._tools.plans, self._view())

    def _view(self, at: datetime | None = None) -> View:
        self._need(Permission.ASK)
        return View(reader=Reader(self.actor.readers), engine=self.engine, at=at or datetime.now(UTC))

    async def incidents(self) -> tuple[Incident, ...]:
        """The incidents that are not over."""
        self._need(Permission.ASK)
        return await self._tools.desk.incidents.list("active")

    async def handover(self, span: timedelta) -> Handover:
        """What the shift that ends now hands over."""
        self._need(Permission.ASK)
        return await self._tools.shifts.read((now := datetime.now(UTC)) - span, now)

    async def step_incident(self, incident_id: int, what: Step) -> Incident:
        """Acknowledges or resolves it in the person's name. Raises `IncidentError`."""
        return await self._tools.desk.step(incident_id, what, by=self.actor, channel=self._channel)

    async def assign_incident(self, incident_id: int, to: str) -> Incident:
        """Makes somebody responsible. Raises `IncidentError`."""
        return await self._tools.desk.assign(incident_id, to, by=self.actor, channel=self._channel)

    async def silence_incident(self, incident_id: int, until: datetime) -> Incident:
        """Posts nothing more of it until then, unless it becomes critical. Raises `IncidentError`."""
        return await self._tools.desk.silence(incident_id, until, by=self.actor, channel=self._channel)

    @property
    def ratings(self) -> Ratings:
        """What was answered before."""
        self._need(Permission.ASK)
        return self._tools.ratings

    def offers(self, target: PlanObject) -> tuple[Action, ...]:
        """The changes worth a button: legal now, allowed by the engine and by the policy for this person.

        Whoever presses is checked again then; on an alert anybody may be reading.
        """
        if not self.may_write:
            return ()
        role = Role.SUPERVISOR if self._channel is Channel.WEBHOOK else self.actor.role
        return tuple(
            action
            for action in legal_actions(target)
            if _engine_allows(action, target) and self._may(role, action, target)
        )

    def _may(self, role: Role, action: Action, target: PlanObject) -> bool:
        change = Change(action=action, kind=kind_of(target), object_id=target.id, selection="")
        item = Item(change=change, before=target)
        decision = self._tools.judge.decide_one(role, self.engine, item, self._plan)
        return decision.requirement is not Requirement.DENIED

    @property
    def may_write(self) -> bool:
        """Whether the engine's plan is changed at all."""
        return self._tools.engines.get(self.engine).settings.write

    async def propose(
        self, change: Change, locale: Locale, *, reason: str = "", ticket: str = "", origin: str = ""
    ) -> Proposal | Refusal:
        """Stores a proposal with its consequences; nothing happens before somebody approves it.

        `origin` is a `brain.claims.Source` where the object's name was read there and typed by nobody.
        """
        return await self._propose((change,), locale, reason, ticket, origin)

    async def propose_bulk(
        self,
        action: Action,
        jobs: Sequence[Job],
        locale: Locale,
        *,
        reason: str = "",
        ticket: str = "",
        origin: str = "",
    ) -> Proposal | Refusal:
        """One proposal for the same action on many jobs; the first is the trial for the others."""
        changes = [
            Change(action=action, kind=kind_of(job), object_id=job.id, selection=job.selection)
            for job in jobs
        ]
        return await self._propose(changes, locale, reason, ticket, origin)

    async def _propose(
        self, changes: Sequence[Change], locale: Locale, reason: str, ticket: str, origin: str = ""
    ) -> Proposal | Refusal:
        wish = Wish(
            proposed_by=self.actor.actor_id,
            proposer_role=self.actor.role,
            turn_id=self._turn_id,
            locale=locale,
            engine=self.engine,
            reason=reason,
            ticket=ticket,
        )
        return await self._tools.proposer.propose(changes, wish, origin)

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """A proposal as it stands."""
        self._need(Permission.ASK)
        return await self._tools.proposals.get(proposal_id)

    async def open_proposals(self) -> list[Proposal]:
        """What waits for a decision, the oldest first."""
        self._need(Permission.ASK)
        return await self._tools.proposals.waiting()

    def forget(self) -> None:
        """What is asked of the engine from now on is read anew."""
        self._tools.reads[self.engine].forget()

    async def decide(self, proposal_id: str, verb: Verb, *, reason: str, locale: Locale) -> Result:
        """Approves, rejects or reports; `Approval` checks who may."""
        press = Press(
            verb=verb,
            actor=self.actor,
            channel=self._channel,
            turn_id=self._turn_id,
            locale=locale,
            reason=reason,
        )
        try:
            return await self._tools.approval.decide(proposal_id, press)
        finally:
            for reads in self._tools.reads.values():
                reads.forget()

    def _need(self, permission: Permission) -> None:
        if not self.actor.may(permission):
            raise NotPermittedError(permission)


def _engine_allows(action: Action, target: PlanObject) -> bool:
    """What the engine lists for its caller; it does not name all actions, and in some reads none."""
    listed: frozenset[str] = getattr(target, "actions", frozenset())
    key = f"{action.upper()}_JOB"
    return not listed or key not in _LISTED or key in listed
