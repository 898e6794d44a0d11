"""Looks after changes that are under way or whose outcome is unknown, and reports where they were decided.

What is due is a row, so any process may do it, and after a crash another does. Reports are turns of their own: the
inbox takes each once, and the ledger delivers it like any answer.
"""

import asyncio
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.approval import Approval
from brain.actions.proposal import Proposal, Proposals
from brain.message import ButtonPress, Verb
from brain.tables import PROPOSALS
from brain.turns.inbox import Inbox

_ROUND = timedelta(seconds=1)
_AT_ONCE = 8
"""Proposals that one process looks after at a time."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Watch:
    """Runs beside the worker. `lease` is how long another process waits before it takes over."""

    engine: AsyncEngine
    _: KW_ONLY
    approval: Approval
    proposals: Proposals
    inbox: Inbox
    lease: timedelta
    interval: timedelta = _ROUND
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begins to look."""
        self._task = asyncio.create_task(self._run(), name="watch")

    async def aclose(self) -> None:
        """Stops looking; what is under way is taken up by the next process that watches."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def round(self) -> int:
        """Looks after all that is due now and says how many that were."""
        due = await self._claim()
        results = await asyncio.gather(*map(self._follow, due), return_exceptions=True)
        for proposal_id, failure in zip(due, results, strict=True):
            if isinstance(failure, Exception):
                _log.warning("watch_failed", proposal_id=proposal_id, error=type(failure).__name__)
        return len(due)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except (OSError, DBAPIError) as error:
                _log.warning("watch_round_failed", error=type(error).__name__)
            await asyncio.sleep(self.interval.total_seconds())

    async def _claim(self) -> list[str]:
        free = (
            select(PROPOSALS.c.id)
            .where(PROPOSALS.c.due_at <= func.now())
            .order_by(PROPOSALS.c.due_at)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        claim = (
            update(PROPOSALS)
            .where(PROPOSALS.c.id.in_(free.scalar_subquery()))
            .values(due_at=func.now() + self.lease)
            .returning(PROPOSALS.c.id)
        )
        async with self.engine.begin() as connection:
            return list((await connection.execute(claim)).scalars())

    async def _follow(self, proposal_id: str) -> None:
        if not await self.approval.follow_up(proposal_id):
            return
        proposal = await self.proposals.get(proposal_id)
        if proposal is not None:
            await self._report(proposal)
        await self.proposals.set_due(proposal_id, None)

    async def _report(self, proposal: Proposal) -> None:
        decided = await self.inbox.find(proposal.decided_turn)
        if decided is None:
            return
        report = replace(
            decided,
            delivery_id=f"outcome-{proposal.id}-{proposal.state}",
            button=ButtonPress(verb=Verb.REPORT, value=proposal.id),
            received_at=datetime.now(UTC),
            locale=proposal.locale,
        )
        await self.inbox.accept(report)
