"""Reads what a handover is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.tables import INCIDENT_EVENTS, INCIDENTS
from security.tables import audit_log
from tws.mirror.plans import Plans

from .handover import Changed, Happened, Line, Source, handover, risks
from .incidents import read_incident

_EVENTS = select(
    *(INCIDENT_EVENTS.c[name] for name in ("seq", "at", "actor_id", "kind", "detail", "incident_id")),
    INCIDENTS.c.cause,
    INCIDENTS.c.subject,
).join(INCIDENTS, INCIDENTS.c.id == INCIDENT_EVENTS.c.incident_id)
_CHANGES = select(
    *(audit_log.c[name] for name in ("seq", "at", "actor_id", "action", "target", "phase", "detail"))
).where(audit_log.c.detail.has_key("proposal_id"))
_RECORDS: Mapping[str, tuple[Select[Any], ColumnElement[int]]] = {
    "event": (_EVENTS, INCIDENT_EVENTS.c.seq),
    "audit": (_CHANGES.add_columns(audit_log.c.prev_hash, audit_log.c.hash), audit_log.c.seq),
}
_DIGITS = 18
"""A bigint has no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What happened from `since` to before `until`."""

    since: datetime
    until: datetime
    lines: tuple[Line, ...]
    as_of: datetime | None
    """When the oldest plan was read from which the risks are; None where there is none."""


@dataclass(frozen=True, slots=True)
class Shifts:
    """Makes handovers. Raises SQLAlchemy's errors when the database is away."""

    engine: AsyncEngine
    _: KW_ONLY
    plans: Plans
    engines: Sequence[str]

    async def read(self, since: datetime, until: datetime) -> Handover:
        """The handover of that time; what is at risk is by the plan as it is now."""
        events = _EVENTS.where(INCIDENT_EVENTS.c.at >= since, INCIDENT_EVENTS.c.at < until)
        changes = _CHANGES.where(audit_log.c.at >= since, audit_log.c.at < until)
        ended = INCIDENTS.c.ended_at
        opened = select(INCIDENTS).where(
            INCIDENTS.c.merged_into.is_(None),
            INCIDENTS.c.first_seen < until,
            or_(ended.is_(None), ended >= until),
        )
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            sources: list[Source] = [
                *(Happened(**row) for row in (await connection.execute(events)).mappings()),
                *(Changed(**row) for row in (await connection.execute(changes)).mappings()),
                *map(read_incident, (await connection.execute(opened)).mappings()),
            ]
        plans = {name: plan for name in self.engines if (plan := await self.plans.current(name))}
        for name, plan in plans.items():
            sources += await asyncio.to_thread(risks, name, plan, plan.read_at)
        return Handover(
            since=since,
            until=until,
            lines=handover(sources, since, until),
            as_of=min((plan.read_at for plan in plans.values()), default=None),
        )

    async def record(self, name: str) -> dict[str, object] | None:
        """The event or audit row that a line names, as it is stored; None where there is none."""
        kind, _, number = name.partition(":")
        if kind not in _RECORDS or not number.isdecimal() or len(number) > _DIGITS:
            return None
        query, seq = _RECORDS[kind]
        async with self.engine.connect() as connection:
            row = (await connection.execute(query.where(seq == int(number)))).mappings().one_or_none()
        return None if row is None else dict(row)
