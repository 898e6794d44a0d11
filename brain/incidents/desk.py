"""What people do about incidents: each change is audited, in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from brain.tables import ALERTS
from security.audit import AuditEntry, AuditLog
from security.roles import Actor, Permission

from .incidents import Incident, Incidents, change, create, find, move_alerts, note, step
from .lifecycle import Step


class IncidentError(Exception):
    """What was asked for cannot be done; the message says why. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Every method raises `IncidentError`: `forbidden`, `not_found`, `not_possible`; and SQLAlchemy's errors."""

    incidents: Incidents
    audit: AuditLog

    async def step(self, incident_id: int, what: Step, *, by: Actor, channel: str) -> Incident:
        """Acknowledges or resolves. Who acknowledges is the assignee, if nobody was."""
        async with self.incidents.engine.begin() as connection:
            incident = await self._for_change(connection, incident_id, by)
            if not await step(connection, incident, what, by=by.actor_id):
                raise IncidentError("not_possible", f"It is {incident.state}: it cannot be taken to {what}.")
            if what == "acknowledge" and incident.assignee is None:
                await change(connection, incident_id, assignee=by.actor_id)
            return await self._done(connection, incident_id, what, "", by, channel)

    async def assign(self, incident_id: int, to: str, *, by: Actor, channel: str) -> Incident:
        """Makes somebody responsible; empty: nobody."""
        async with self.incidents.engine.begin() as connection:
            await self._for_change(connection, incident_id, by)
            await change(connection, incident_id, assignee=to or None)
            await note(connection, incident_id, "assign", to, by=by.actor_id)
            return await self._done(connection, incident_id, "assign", to, by, channel)

    async def silence(self, incident_id: int, until: datetime, *, by: Actor, channel: str) -> Incident:
        """Posts nothing more of it until then, unless it becomes critical; a time in the past ends that."""
        if until.tzinfo is None:
            raise IncidentError("not_possible", "The time needs its zone, as in 2026-03-02T04:00:00-03:00.")
        async with self.incidents.engine.begin() as connection:
            await self._for_change(connection, incident_id, by)
            silenced = until.astimezone(UTC) if until > datetime.now(UTC) else None
            await change(connection, incident_id, silenced_until=silenced)
            await note(connection, incident_id, "silence", until.isoformat(), by=by.actor_id)
            return await self._done(connection, incident_id, "silence", until.isoformat(), by, channel)

    async def note(self, incident_id: int, words: str, *, by: Actor, channel: str) -> Incident:
        """Writes into the timeline."""
        async with self.incidents.engine.begin() as connection:
            await self._for_change(connection, incident_id, by)
            await note(connection, incident_id, "note", words, by=by.actor_id)
            return await self._done(connection, incident_id, "note", "", by, channel)

    async def merge(self, incident_id: int, into: int, *, by: Actor, channel: str) -> Incident:
        """Makes it a part of another incident of the same engine, which gets its alerts."""
        async with self.incidents.engine.begin() as connection:
            # Both are locked in one order, so that two merges do not wait for each other.
            for number in sorted({incident_id, into}):
                await find(connection, number, lock=True)
            incident = await self._for_change(connection, incident_id, by)
            other = await self._for_change(connection, into, by)
            if (
                incident_id == into
                or not other.is_active
                or incident.merged_into
                or incident.engine != other.engine
            ):
                raise IncidentError("not_possible", "Only into another active incident of the same engine.")
            count = await move_alerts(connection, incident_id, into, None)
            await change(connection, incident_id, merged_into=into)
            await change(connection, into, first_seen=min(incident.first_seen, other.first_seen))
            await note(connection, incident_id, "merge", str(into), by=by.actor_id)
            await note(
                connection, into, "merged", f"{incident_id}: {incident.subject}, {count}", by=by.actor_id
            )
            return await self._done(connection, into, "merge", str(incident_id), by, channel)

    async def split(self, incident_id: int, alert_ids: Sequence[str], *, by: Actor, channel: str) -> Incident:
        """Makes an incident of its own of some of the alerts."""
        async with self.incidents.engine.begin() as connection:
            incident = await self._for_change(connection, incident_id, by)
            mine = select(ALERTS).where(ALERTS.c.incident_id == incident_id, ALERTS.c.id.in_(alert_ids))
            rows = (await connection.execute(mine.order_by(ALERTS.c.seq))).all()
            if not rows or len(rows) != len(set(alert_ids)):
                raise IncidentError("not_possible", "Name alerts of this incident by their ids.")
            first = rows[0].alert
            made = await create(
                connection,
                {
                    "engine": incident.engine,
                    "trouble": f"split:{uuid.uuid4().hex}",
                    "cause": incident.cause,
                    "subject": f"{first['job_stream_workstation']}#{first['job_stream']}.{first['job']}".strip(
                        "#."
                    ),
                    "root": {
                        "job": first["job"],
                        "job_stream": first["job_stream"],
                        "workstation": first["job_stream_workstation"] or first["workstation"],
                    },
                    "severity": incident.severity,
                    "first_seen": rows[0].received_at,
                    "last_seen": rows[-1].last_at,
                },
            )
            await move_alerts(connection, incident_id, made.id, [row.seq for row in rows])
            await change(connection, incident_id)
            await note(connection, incident_id, "split", str(made.id), by=by.actor_id)
            return await self._done(connection, made.id, "split", str(incident_id), by, channel)

    async def _for_change(self, connection: AsyncConnection, incident_id: int, by: Actor) -> Incident:
        if not by.may(Permission.PROPOSE):
            raise IncidentError("forbidden", "Your role may look at incidents, and not change them.")
        incident = await find(connection, incident_id, lock=True)
        if incident is None:
            raise IncidentError("not_found", "There is no such incident.")
        return incident

    async def _done(
        self, connection: AsyncConnection, incident_id: int, what: str, detail: str, by: Actor, channel: str
    ) -> Incident:
        """Audits the change and gives the incident as it is now."""
        await self.audit.append(
            connection,
            AuditEntry(
                actor_id=by.actor_id,
                channel=channel,
                action=f"incident_{what}",
                target=f"incident {incident_id}",
                phase="other",
                detail={"value": detail},
            ),
        )
        found = await find(connection, incident_id)
        assert found is not None, "it is locked"
        return found
