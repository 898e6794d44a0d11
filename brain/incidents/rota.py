"""Posts the handover where incidents are posted, at the end of each shift.

Which targets have it is a row for each, claimed just before it is posted: of several processes one posts, and none a
second time, whichever dies. It is lost only if that one dies in the moment between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Locale
from brain.reply import Reply
from brain.tables import HANDOVERS
from brain.turns.outbox import Outbox, OutboxError

from .handover_card import card
from .shifts import Shifts

_ROUND = timedelta(seconds=5)
_SETTLED = timedelta(seconds=15)
"""Events bear the time at which their transaction began: the last ones of a shift are there a moment later."""
_LATEST = timedelta(hours=1)
"""After that nobody waits for it any more."""

_log = structlog.get_logger(__name__)


def last_shift(times: Sequence[str], zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """When the shift that ended last began and ended, in UTC, from the times of day at which shifts end."""
    today = now.astimezone(zone).date()
    ends = {
        datetime.combine(today - timedelta(days=days), time.fromisoformat(each), zone).astimezone(UTC)
        for days in range(3)
        for each in times
    }
    since, until = sorted(end for end in ends if end <= now)[-2:]
    return since, until


@dataclass(slots=True)
class Rota:
    """Runs beside the worker, where shifts are set."""

    engine: AsyncEngine
    _: KW_ONLY
    shifts: Shifts
    times: Sequence[str]
    """Times of day at which shifts end."""
    targets: Callable[[str], Outbox | None]
    """The way to a target, such as slack:T123:C456; None where there is none."""
    notify: Sequence[str]
    locale: Locale
    zone: ZoneInfo
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _posting: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def start(self) -> None:
        """Begins to look at the clock."""
        if self.times and self.notify:
            self._task = asyncio.create_task(self._run(), name="handovers")

    async def aclose(self) -> None:
        """Stops looking, but not in the middle of posting; another process posts what is left."""
        if self._task is not None:
            async with self._posting:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except (OSError, DBAPIError) as error:
                _log.warning("handover_round_failed", error=type(error).__name__)
            except Exception:  # noqa: BLE001  # a fault of ours must not end the rounds
                _log.exception("handover_round_failed")
            await asyncio.sleep(_ROUND.total_seconds())

    async def round(self) -> int:
        """Posts what is to be posted of the last shift, and says to how many targets."""
        now = self.clock()
        since, until = last_shift(self.times, self.zone, now - _SETTLED)
        if now - until > _LATEST:
            return 0
        if not await self._is_wanted(until):
            return 0
        reply = card(await self.shifts.read(since, until), self.locale, self.zone)
        posted = 0
        while True:
            async with self._posting:
                target = await self._claim(until)
                if target is None:
                    return posted
                await self._post(until, target, reply)
            posted += 1

    async def _is_wanted(self, until: datetime) -> bool:
        """Whether a target still lacks it."""
        rows = [{"shift_end": until, "target": target} for target in dict.fromkeys(self.notify)]
        async with self.engine.begin() as connection:
            await connection.execute(insert(HANDOVERS).values(rows).on_conflict_do_nothing())
            return bool((await connection.execute(select(exists(_due(until))))).scalar())

    async def _claim(self, until: datetime) -> str | None:
        """A target that only the caller posts to from now on."""
        free = _due(until).limit(1).with_for_update(skip_locked=True).scalar_subquery()
        claim = update(HANDOVERS).where(HANDOVERS.c.shift_end == until, HANDOVERS.c.target == free)
        async with self.engine.begin() as connection:
            target: str | None = await connection.scalar(
                claim.values(sent_at=func.now()).returning(HANDOVERS.c.target)
            )
            return target

    async def _post(self, until: datetime, target: str, reply: Reply) -> None:
        outbox = self.targets(target)
        if outbox is None:
            _log.error("handover_target_unknown", target=target)
            return
        try:
            await outbox.send(reply)
        except OutboxError as error:
            _log.warning("handover_not_posted", target=target, reason=str(error))
            if error.retryable:
                await self._give_back(until, target)

    async def _give_back(self, until: datetime, target: str) -> None:
        """The channel did not take it: somebody tries again, later each time."""
        mine = (HANDOVERS.c.shift_end == until) & (HANDOVERS.c.target == target)
        pause = func.make_interval(0, 0, 0, 0, 0, 0, func.power(2, HANDOVERS.c.tries))
        values = {"sent_at": None, "tries": HANDOVERS.c.tries + 1, "due_at": func.now() + pause}
        async with self.engine.begin() as connection:
            await connection.execute(update(HANDOVERS).where(mine).values(**values))


def _due(until: datetime) -> Select[tuple[str]]:
    """The targets that the handover is to be posted to now."""
    return select(HANDOVERS.c.target).where(
        HANDOVERS.c.shift_end == until, HANDOVERS.c.sent_at.is_(None), HANDOVERS.c.due_at <= func.now()
    )
