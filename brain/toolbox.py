"""What agents can do for one person in one turn; each tool checks that person's permission first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from brain.actions.approval import Approval
from brain.actions.consequences import consequences
from brain.actions.execution import Result
from brain.actions.policy import Action, Requirement, legal_actions
from brain.actions.proposal import Proposal, Proposals
from brain.message import Channel, Locale, Verb
from brain.snapshots import PlanSnapshot, PlanSnapshots
from knowledge.documents import SearchResult
from knowledge.search import Search
from security.roles import Actor, Permission
from tws.client import TwsClient
from tws.errors import TwsError
from tws.objects import (
    CommonStatus,
    Job,
    JobFilter,
    JobLog,
    JobPage,
    JobStream,
    JobStreamFilter,
    Workstation,
)

__all__ = ["NotPermittedError", "Toolbox", "Tools"]

_COUNTED = (
    CommonStatus.SUCCESSFUL,
    CommonStatus.RUNNING,
    CommonStatus.READY,
    CommonStatus.WAITING,
    CommonStatus.HELD,
)
_FAILED_SHOWN = 50


class NotPermittedError(Exception):
    """The person may not do this; the reply says so."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"needs the permission {permission}")
        self.permission = permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the toolboxes of all turns share."""

    tws: TwsClient
    search: Search
    proposals: Proposals
    approval: Approval
    snapshots: PlanSnapshots
    second_person: frozenset[Action]
    may_write: bool

    def for_turn(self, *, actor: Actor, channel: Channel, turn_id: str) -> Toolbox:
        """The tools as this person may use them."""
        return Toolbox(self, actor=actor, channel=channel, turn_id=turn_id)


class Toolbox:
    """The catalogue. Reads raise TWS's errors; `propose` and `decide` are the only ways to a change."""

    def __init__(self, tools: Tools, *, actor: Actor, channel: Channel, turn_id: str) -> None:
        self._tools = tools
        self._channel = channel
        self._turn_id = turn_id
        self.actor = actor

    async def query_jobs(self, job_filter: JobFilter) -> JobPage:
        """Jobs of the plan."""
        self._need(Permission.ASK)
        return await self._tools.tws.query_jobs(job_filter)

    async def job(self, job_id: str) -> Job:
        """One job with its runs and dependencies."""
        self._need(Permission.ASK)
        return await self._tools.tws.job(job_id)

    async def job_log(self, run_id: str) -> JobLog:
        """The log of a run: untrusted text."""
        self._need(Permission.ASK)
        return await self._tools.tws.job_log(run_id)

    async def predecessors(self, job_id: str) -> tuple[Job | JobStream, ...]:
        """What the job directly follows."""
        self._need(Permission.ASK)
        return await self._tools.tws.predecessors(job_id)

    async def successors(self, job_id: str) -> tuple[Job | JobStream, ...]:
        """What directly follows the job."""
        self._need(Permission.ASK)
        return await self._tools.tws.successors(job_id)

    async def job_streams(self, stream_filter: JobStreamFilter) -> tuple[JobStream, ...]:
        """Job streams of the plan."""
        self._need(Permission.ASK)
        return await self._tools.tws.query_job_streams(stream_filter)

    async def workstations(self) -> tuple[Workstation, ...]:
        """All workstations of the plan."""
        self._need(Permission.ASK)
        return await self._tools.tws.workstations()

    async def search(self, query: str, *, k: int = 5) -> SearchResult:
        """Passages of manuals and runbooks."""
        self._need(Permission.ASK)
        return await self._tools.search.search(query, k=k)

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
        return await self._tools.snapshots.keep(counts, failed.jobs)

    async def remember_plan(self) -> None:
        """Keeps an overview now and then, so that an outage finds fresh data. Never fails an answer."""
        if self._tools.snapshots.is_due:
            with suppress(TwsError):
                await self.overview()

    async def last_known(self) -> PlanSnapshot | None:
        """The last overview that could be read."""
        return await self._tools.snapshots.latest()

    def offers(self, job: Job) -> tuple[Action, ...]:
        """The changes worth a button. Whoever presses is checked then; on an alert anybody may be reading."""
        may_press = self.actor.may(Permission.PROPOSE) or self._channel is Channel.WEBHOOK
        return legal_actions(job) if self._tools.may_write and may_press else ()

    @property
    def may_write(self) -> bool:
        """Whether this installation changes plans at all."""
        return self._tools.may_write

    async def propose(self, action: Action, job: Job, locale: Locale, *, reason: str = "") -> Proposal:
        """Stores a proposal with its consequences; nothing happens before somebody approves it."""
        self._need(Permission.PROPOSE)
        requires: Requirement = "second_person" if action in self._tools.second_person else "self"
        effects = consequences(action, job, await self.successors(job.id), locale)
        return await self._tools.proposals.create(
            turn_id=self._turn_id,
            action=action,
            job=job,
            consequences=effects,
            requires=requires,
            locale=locale,
            proposed_by=self.actor.actor_id,
            reason=reason,
        )

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """A proposal as it stands."""
        self._need(Permission.ASK)
        return await self._tools.proposals.get(proposal_id)

    async def decide(self, proposal_id: str, verb: Verb, *, reason: str, locale: Locale) -> Result:
        """Approves or rejects; `Approval` checks who may."""
        return await self._tools.approval.decide(
            proposal_id, verb, actor=self.actor, channel=self._channel, reason=reason, locale=locale
        )

    def _need(self, permission: Permission) -> None:
        if not self.actor.may(permission):
            raise NotPermittedError(permission)
