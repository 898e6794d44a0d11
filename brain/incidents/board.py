"""What is wrong now and how the plans stand, for everybody who watches: read once for all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.tables import INCIDENTS
from tws.mirror.plans import Plans
from tws.plan import Plan

from .alerts import Alerts
from .incidents import Incident, is_active, read_incident
from .troubles import is_late, is_lost

_LOOK = timedelta(seconds=1)
_RECENT = timedelta(hours=1)
"""For so long what is over stays on the board."""
_MOST = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanState:
    """How the plan of an engine stands."""

    engine: str
    run_number: int | None
    read_at: datetime
    jobs: Mapping[str, int]
    """How many jobs are in which internal status."""
    failed: int
    late: int
    lost: Sequence[str]
    """Workstations on which nothing can start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """What everybody sees who watches."""

    incidents: Sequence[tuple[Incident, int]]
    """With the number of their alerts; those that are over within the last hour too."""
    plans: Sequence[PlanState]


@dataclass(slots=True)
class Board:
    """Looks once a second for as long as somebody watches, however many they are."""

    engine: AsyncEngine
    _: KW_ONLY
    alerts: Alerts
    plans: Plans
    engines: Sequence[str]
    _watchers: set[asyncio.Queue[BoardState]] = field(default_factory=set, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _known: dict[str, PlanState] = field(default_factory=dict, init=False)
    """Plans that were counted already."""

    async def read(self) -> BoardState:
        """The board now. Raises SQLAlchemy's errors."""
        query = (
            select(INCIDENTS)
            .where(
                INCIDENTS.c.merged_into.is_(None),
                or_(is_active(), INCIDENTS.c.ended_at > func.now() - _RECENT),
            )
            .order_by(INCIDENTS.c.ended_at.desc().nulls_first(), INCIDENTS.c.first_seen.desc())
            .limit(_MOST)
        )
        async with self.engine.connect() as connection:
            found = [read_incident(row) for row in (await connection.execute(query)).mappings()]
        counts = await self.alerts.counts([one.id for one in found]) if found else {}
        plans = [state for name in self.engines if (state := await self._plan(name)) is not None]
        return BoardState(incidents=[(one, counts.get(one.id, 0)) for one in found], plans=plans)

    async def follow(self) -> AsyncGenerator[BoardState]:
        """The board now, and again whenever it has changed. Raises SQLAlchemy's errors at the beginning only."""
        changes: asyncio.Queue[BoardState] = asyncio.Queue(maxsize=1)
        # Before the first look, or what changes right after it would be missed.
        self._watchers.add(changes)
        try:
            first = await self.read()
            if self._task is None:
                self._task = asyncio.create_task(self._look(first), name="board")
            yield first
            while True:
                yield await changes.get()
        finally:
            self._watchers.discard(changes)
            if not self._watchers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _look(self, last: BoardState) -> None:
        while True:
            await asyncio.sleep(_LOOK.total_seconds())
            try:
                now = await self.read()
            except (OSError, DBAPIError) as error:
                _log.warning("board_not_read", error=type(error).__name__)
                continue
            except Exception:  # noqa: BLE001  # a fault of ours must not leave everybody with an old board
                _log.exception("board_not_read")
                continue
            if now != last:
                last = now
                for watcher in self._watchers:
                    # Who is slow sees the latest state, and not each one before.
                    if watcher.full():
                        watcher.get_nowait()
                    watcher.put_nowait(now)

    async def _plan(self, name: str) -> PlanState | None:
        plan = await self.plans.current(name)
        if plan is None:
            return None
        known = self._known.get(name)
        if known is None or known.read_at != plan.read_at:
            known = self._known[name] = await asyncio.to_thread(_count, name, plan)
        return known


def _count(name: str, plan: Plan) -> PlanState:
    now, jobs = datetime.now(UTC), plan.jobs.values()
    return PlanState(
        engine=name,
        run_number=plan.run_number,
        read_at=plan.read_at,
        jobs=dict(sorted(Counter(job.status for job in jobs).items())),
        failed=sum(job.has_failed for job in jobs),
        late=sum(is_late(plan, job, now) for job in jobs),
        lost=sorted(one.name for one in plan.workstations.values() if is_lost(one)),
    )
