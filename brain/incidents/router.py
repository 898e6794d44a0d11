"""Applies the rules to the incidents there are: a row for each card or line that somebody is to get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.tables import ALERTS, INCIDENT_CARDS, INCIDENT_EVENTS, INCIDENTS

from .incidents import Incident, is_active, read_incident
from .lifecycle import ACTIVE
from .routes import HOUR, Delivery, Routes, Subject, Told
from .silences import Silence, Silences

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('incident-routes'))")
_MAIL_WAITS = timedelta(seconds=30)
"""A mail cannot change: it waits for what the investigation finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Who would be told now."""

    deliveries: tuple[Delivery, ...]
    hushed_by: str | None
    """The maintenance or silence because of which nobody is."""
    unreached: tuple[str, ...]
    """People that rules name and that no channel knows."""


@dataclass(frozen=True, slots=True)
class Router:
    """Every method raises SQLAlchemy's errors when the database is away."""

    engine: AsyncEngine
    _: KW_ONLY
    routes: Routes
    silences: Silences
    reach: Callable[[str], Awaitable[Collection[str]]]
    """The targets of a person, by the user name."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def plan(self) -> frozenset[int]:
        """Makes the rows that are missing; gives the active incidents of which nothing is to be posted now."""
        silences, rows = await self.silences.active(), await self._active()
        subjects = {int(row["id"]): subject_of(_incident(row), row["sources"]) for row in rows}
        hushed = {number for number, subject in subjects.items() if self._hushed_by(subject, silences)}
        loud = [row for row in rows if row["id"] not in hushed]
        if loud:
            reach = await self._reach()
            async with self.engine.begin() as connection:
                # One process decides at a time, so that limits hold.
                if (await connection.execute(_LOCK)).scalar():
                    await self._plan(connection, loud, subjects, reach)
        return frozenset(hushed)

    async def preview(self, subject: Subject, *, unacknowledged_for: timedelta) -> Preview:
        """Who would be told now of such an incident, if nobody had acknowledged it for so long."""
        async with self.engine.connect() as connection:
            told = await self._told(connection)
        reach = await self._reach()
        deliveries = self.routes.deliveries(
            subject, self.clock(), unacknowledged_for=unacknowledged_for, told=told, reach=reach
        )
        hushed_by = self._hushed_by(subject, await self.silences.active())
        return Preview(
            deliveries=() if hushed_by else tuple(deliveries),
            hushed_by=hushed_by,
            unreached=tuple(sorted(name for name, places in reach.items() if not places)),
        )

    def _hushed_by(self, subject: Subject, silences: Sequence[Silence]) -> str | None:
        if name := self.routes.under_maintenance(subject, self.clock()):
            return name
        if subject.severity == "critical":
            return None
        return next((one.about.name for one in silences if one.about.is_about(subject)), None)

    async def _active(self) -> Sequence[RowMapping]:
        """Active incidents with their sources and the time since which nobody looks after them."""
        sources = (
            select(func.array_agg(ALERTS.c.source.distinct()))
            .where(ALERTS.c.incident_id == INCIDENTS.c.id)
            .scalar_subquery()
        )
        opened = (
            select(func.max(INCIDENT_EVENTS.c.at))
            .where(
                INCIDENT_EVENTS.c.incident_id == INCIDENTS.c.id,
                INCIDENT_EVENTS.c.kind.in_(("opened", "reopen")),
            )
            .scalar_subquery()
        )
        query = select(*INCIDENTS.c, sources.label("sources"), opened.label("opened_at"))
        query = query.where(is_active(), INCIDENTS.c.state.in_(ACTIVE)).order_by(INCIDENTS.c.id)
        async with self.engine.connect() as connection:
            return (await connection.execute(query)).mappings().all()

    async def _plan(
        self,
        connection: AsyncConnection,
        rows: Sequence[RowMapping],
        subjects: Mapping[int, Subject],
        reach: Mapping[str, Collection[str]],
    ) -> None:
        columns = (INCIDENT_CARDS.c.incident_id, INCIDENT_CARDS.c.target, INCIDENT_CARDS.c.way)
        mine = INCIDENT_CARDS.c.incident_id.in_([row["id"] for row in rows])
        known = {
            (row.incident_id, row.target): row.way
            for row in await connection.execute(select(*columns).where(mine))
        }
        told, now = await self._told(connection), self.clock()
        for row in rows:
            subject = subjects[row["id"]]
            waits = now - (row["opened_at"] or row["first_seen"]) if row["state"] == "open" else None
            for one in self.routes.deliveries(subject, now, unacknowledged_for=waits, told=told, reach=reach):
                way = known.get((row["id"], one.target))
                if way is None:
                    await connection.execute(
                        insert(INCIDENT_CARDS).values(**_row(row["id"], one)).on_conflict_do_nothing()
                    )
                    if one.way == "card":
                        told.count(one.target, subject.what)
                elif way != "card" and subject.severity == "critical":
                    is_it = (INCIDENT_CARDS.c.incident_id == row["id"]) & (
                        INCIDENT_CARDS.c.target == one.target
                    )
                    await connection.execute(
                        update(INCIDENT_CARDS).where(is_it).values(way="card", due_at=func.now())
                    )

    async def _told(self, connection: AsyncConnection) -> Told:
        """What the limits count."""
        told = Told()
        if self.routes.has_limits:
            query = (
                select(INCIDENT_CARDS.c.target, INCIDENTS.c.subject)
                .join(INCIDENTS, INCIDENTS.c.id == INCIDENT_CARDS.c.incident_id)
                .where(INCIDENT_CARDS.c.way == "card", INCIDENT_CARDS.c.planned_at > func.now() - HOUR)
            )
            for row in await connection.execute(query):
                told.count(row.target, row.subject)
        return told

    async def _reach(self) -> dict[str, Collection[str]]:
        return {person: await self.reach(person.partition(":")[2]) for person in sorted(self.routes.people)}


def subject_of(incident: Incident, sources: Sequence[str | None] | None) -> Subject:
    """What the rules look at."""
    root = incident.root or {}
    return Subject(
        what=incident.subject,
        engine=incident.engine,
        folder=root.get("folder", ""),
        workstation=root.get("workstation", ""),
        job_stream=root.get("job_stream", ""),
        job=root.get("job", ""),
        severity=incident.severity,
        sources=frozenset(source for source in sources or () if source),
    )


def _incident(row: RowMapping) -> Incident:
    return read_incident({name: row[name] for name in INCIDENTS.c.keys()})  # noqa: SIM118  # a collection of columns


def _row(incident_id: int, delivery: Delivery) -> dict[str, Any]:
    wait = delivery.wait
    if delivery.way == "card" and delivery.target.startswith("mail:"):
        wait = _MAIL_WAITS
    return {
        "incident_id": incident_id,
        "target": delivery.target,
        "route": delivery.route,
        "way": delivery.way,
        "due_at": func.now() + wait,
    }
