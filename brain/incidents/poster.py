"""Posts each incident's card where its sources want it, and keeps it up to date in place.

What a card shows is a row, so any process finds out which ones are behind, also after a crash. A round each half a
second bounds the updates: at most two a second for each card, however many alerts come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import RowMapping, Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain import reply as replies
from brain.message import Locale
from brain.reply import Reply
from brain.tables import ALERTS, INCIDENT_CARDS, INCIDENTS, TURNS
from brain.turns.outbox import Outbox, OutboxError

from .alerts import Alerts
from .card import card
from .incidents import is_active, read_incident
from .lifecycle import ACTIVE

_ROUND = timedelta(seconds=0.5)
_AT_ONCE = 16
_MAX_TRIES = 8
_WANTED = func.concat(cast(INCIDENTS.c.revision, Text), ":", TURNS.c.reply.is_not(None))
"""What a card ought to show."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Poster:
    """Runs beside the worker."""

    engine: AsyncEngine
    _: KW_ONLY
    alerts: Alerts
    targets: Callable[[str], Outbox | None]
    """The way to a target, such as slack:T123:C456; None where there is none."""
    notify: Sequence[str]
    """Targets of all incidents."""
    by_source: Mapping[str, Sequence[str]]
    """Targets of those that the source reported."""
    locale: Locale
    zone: ZoneInfo
    interval: timedelta = _ROUND
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begins to look."""
        self._task = asyncio.create_task(self._run(), name="incident-cards")

    async def aclose(self) -> None:
        """Stops looking; the next process that looks shows the rest."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except (OSError, DBAPIError) as error:
                _log.warning("incident_cards_round_failed", error=type(error).__name__)
            await asyncio.sleep(self.interval.total_seconds())

    async def round(self) -> int:
        """Posts or updates the cards that are behind, and says how many that were."""
        await self._plan()
        behind = (
            select(INCIDENT_CARDS.c.target, INCIDENT_CARDS.c.message_id, INCIDENT_CARDS.c.tries)
            .add_columns(_WANTED.label("wanted"), TURNS.c.reply.label("found"), *INCIDENTS.c)
            .join(INCIDENTS, INCIDENTS.c.id == INCIDENT_CARDS.c.incident_id)
            .outerjoin(TURNS, TURNS.c.turn_id == INCIDENTS.c.turn_id)
            .where(
                INCIDENT_CARDS.c.shown != _WANTED,
                INCIDENT_CARDS.c.due_at <= func.now(),
                INCIDENTS.c.silenced_until.is_(None)
                | (INCIDENTS.c.silenced_until <= func.now())
                | (INCIDENTS.c.severity == "critical"),
            )
            .order_by(INCIDENT_CARDS.c.due_at)
            .limit(_AT_ONCE)
            .with_for_update(of=INCIDENT_CARDS, skip_locked=True)
        )
        async with self.engine.begin() as connection:
            rows = (await connection.execute(behind)).mappings().all()
            alerts = await self.alerts.counts([row["id"] for row in rows]) if rows else {}
            shown = await asyncio.gather(*(self._show(row, alerts.get(row["id"], 0)) for row in rows))
            for row, values in zip(rows, shown, strict=True):
                mine = (INCIDENT_CARDS.c.incident_id == row["id"]) & (
                    INCIDENT_CARDS.c.target == row["target"]
                )
                await connection.execute(update(INCIDENT_CARDS).where(mine).values(**values))
        return len(rows)

    async def _plan(self) -> None:
        """A row for each card that is to be posted: of active incidents, to all targets of those who reported it."""
        missing = (
            select(INCIDENTS.c.id, func.array_agg(ALERTS.c.source.distinct()).label("sources"))
            .outerjoin(ALERTS, ALERTS.c.incident_id == INCIDENTS.c.id)
            .where(is_active(), INCIDENTS.c.state.in_(ACTIVE))
            .group_by(INCIDENTS.c.id)
        )
        async with self.engine.begin() as connection:
            rows = [
                {"incident_id": row.id, "target": target}
                for row in await connection.execute(missing)
                for target in self._targets_of(row.sources)
            ]
            if rows:
                await connection.execute(insert(INCIDENT_CARDS).values(rows).on_conflict_do_nothing())

    def _targets_of(self, sources: Sequence[str | None]) -> list[str]:
        of_sources = (target for source in sources if source for target in self.by_source.get(source, ()))
        return list(dict.fromkeys((*self.notify, *of_sources)))

    async def _show(self, row: RowMapping, alerts: int) -> dict[str, object]:
        """Posts the card, or puts it in the place of the one before; gives the row's new values."""
        values = {name: row[name] for name in INCIDENTS.c.keys()}  # noqa: SIM118  # a collection of columns
        incident = read_incident(values)
        reply = card(
            incident,
            alerts,
            _reply(row["found"]),
            locale=self.locale,
            zone=self.zone,
            now=datetime.now(UTC),
        )
        done = {"shown": row["wanted"], "tries": 0}
        outbox = self.targets(row["target"])
        if outbox is None:
            _log.error("incident_target_unknown", target=row["target"])
            return done
        try:
            if row["message_id"] is None:
                return {**done, "message_id": await outbox.send(reply)}
            await outbox.replace(row["message_id"], reply)
        except OutboxError as error:
            _log.warning("incident_card_not_shown", incident=incident.id, reason=str(error))
            if not error.retryable or row["tries"] >= _MAX_TRIES:
                return done
            pause = timedelta(seconds=2 ** row["tries"])
            return {"tries": row["tries"] + 1, "due_at": func.now() + pause}
        return done


def _reply(stored: object) -> Reply | None:
    return None if stored is None else replies.from_jsonable(stored)
