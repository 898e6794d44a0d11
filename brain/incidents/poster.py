"""Posts each incident's card where the rules want it, and keeps it up to date in place.

What a card shows is a row, so any process finds out which ones are behind, also after a crash. A round each half a
second bounds the updates: at most two a second for each card, however many alerts come. What waits for a list is posted
as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, RowMapping, Text, case, cast, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain import reply as replies
from brain.message import Locale
from brain.reply import Reply
from brain.tables import INCIDENT_CARDS, INCIDENTS, TURNS
from brain.turns.outbox import Outbox, OutboxError

from .alerts import Alerts
from .card import card, digest
from .incidents import Incident, read_incident
from .router import Router

_ROUND = timedelta(seconds=0.5)
_AT_ONCE = 16
_MAX_TRIES = 8
_WANTED = case(
    (INCIDENT_CARDS.c.target.like("mail:%"), case((INCIDENTS.c.ended_at.is_(None), "there"), else_="over")),
    else_=func.concat(cast(INCIDENTS.c.revision, Text), ":", TURNS.c.reply.is_not(None)),
)
"""What a card ought to show; a mail cannot change, so there is one more at the end."""
_IN_CHAT = INCIDENT_CARDS.c.target.regexp_match("^(slack|teams):")

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Poster:
    """Runs beside the worker."""

    engine: AsyncEngine
    _: KW_ONLY
    alerts: Alerts
    targets: Callable[[str], Outbox | None]
    """The way to a target, such as slack:T123:C456; None where there is none."""
    router: Router
    locale: Locale
    zone: ZoneInfo
    interval: timedelta = _ROUND
    _tasks: tuple[asyncio.Task[None], ...] = field(default=(), init=False)

    def start(self) -> None:
        """Begins to look."""
        # A mail server or a webhook that is slow must not keep the chats waiting.
        self._tasks = (
            asyncio.create_task(self._run(_IN_CHAT), name="incident-cards"),
            asyncio.create_task(self._run(~_IN_CHAT), name="incident-mails"),
        )

    async def aclose(self) -> None:
        """Stops looking; the next process that looks shows the rest."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, those: ColumnElement[bool]) -> None:
        while True:
            try:
                hushed = await self.router.plan()
                await self.post(hushed, those)
                await self.post_lists(hushed, those)
            except (OSError, DBAPIError) as error:
                _log.warning("incident_cards_round_failed", error=type(error).__name__)
            except Exception:  # noqa: BLE001  # a fault of ours must not end the rounds
                _log.exception("incident_cards_round_failed")
            await asyncio.sleep(self.interval.total_seconds())

    async def post(self, hushed: Collection[int], those: ColumnElement[bool]) -> int:
        """Posts or updates those cards that are behind, but of the hushed ones; says how many that were."""
        behind = (
            select(INCIDENT_CARDS.c.target, INCIDENT_CARDS.c.message_id, INCIDENT_CARDS.c.tries)
            .add_columns(_WANTED.label("wanted"), TURNS.c.reply.label("found"), *INCIDENTS.c)
            .join(INCIDENTS, INCIDENTS.c.id == INCIDENT_CARDS.c.incident_id)
            .outerjoin(TURNS, TURNS.c.turn_id == INCIDENTS.c.turn_id)
            .where(
                those,
                INCIDENT_CARDS.c.way == "card",
                INCIDENT_CARDS.c.incident_id.not_in(hushed),
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

    async def post_lists(self, hushed: Collection[int], those: ColumnElement[bool]) -> int:
        """Posts those lists of which the time has come; says how many. If that crashes, a list may come twice."""
        of_target = (INCIDENT_CARDS.c.way == "digest") & those & INCIDENT_CARDS.c.incident_id.not_in(hushed)
        due = select(INCIDENT_CARDS.c.target, INCIDENT_CARDS.c.route).where(
            of_target, INCIDENT_CARDS.c.due_at <= func.now()
        )
        async with self.engine.connect() as connection:
            found = (await connection.execute(due.distinct())).all()
        now = self.router.clock()
        ready = [(row.target, row.route) for row in found if not self.router.routes.is_quiet(row.route, now)]
        for target, route in ready:
            await self._list(
                target, of_target & (INCIDENT_CARDS.c.target == target) & (INCIDENT_CARDS.c.route == route)
            )
        return len(ready)

    async def _list(self, target: str, mine: ColumnElement[bool]) -> None:
        query = (
            select(INCIDENT_CARDS.c.tries, *INCIDENTS.c)
            .join(INCIDENTS, INCIDENTS.c.id == INCIDENT_CARDS.c.incident_id)
            .where(mine)
            .order_by(INCIDENTS.c.id)
            .with_for_update(of=INCIDENT_CARDS, skip_locked=True)
        )
        async with self.engine.begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
            if not rows:
                return
            incidents = [_read(row) for row in rows]
            reply = digest(incidents, locale=self.locale, zone=self.zone, now=datetime.now(UTC))
            values = await self._send_list(target, reply, tries=max(row["tries"] for row in rows))
            told = mine & INCIDENT_CARDS.c.incident_id.in_([one.id for one in incidents])
            await connection.execute(update(INCIDENT_CARDS).where(told).values(**values))

    async def _send_list(self, target: str, reply: Reply, *, tries: int) -> dict[str, object]:
        """Posts the list; gives the new values of its rows."""
        outbox = self.targets(target)
        if outbox is None:
            _log.error("incident_target_unknown", target=target)
            return {"way": "listed", "tries": 0}
        try:
            await outbox.send(reply)
        except OutboxError as error:
            _log.warning("incident_list_not_posted", target=target, reason=str(error))
            if error.retryable and tries < _MAX_TRIES:
                return {"tries": tries + 1, "due_at": func.now() + timedelta(seconds=2**tries)}
        return {"way": "listed", "tries": 0}

    async def _show(self, row: RowMapping, alerts: int) -> dict[str, object]:
        """Posts the card, or puts it in the place of the one before; gives the row's new values."""
        incident = _read(row)
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


def _read(row: RowMapping) -> Incident:
    return read_incident({name: row[name] for name in INCIDENTS.c.keys()})  # noqa: SIM118  # a collection of columns


def _reply(stored: object) -> Reply | None:
    return None if stored is None else replies.from_jsonable(stored)
