"""The incidents: one for each trouble, with what was done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.tables import ALERTS, INCIDENT_EVENTS, INCIDENTS

from .lifecycle import ACTIVE, State, Step, after
from .troubles import Severity

Root = Mapping[str, str]
"""`job`, `job_stream`, `workstation`, `folder`; empty where the root is none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that went wrong and what is known of it."""

    id: int
    engine: str
    trouble: str
    state: State
    severity: Severity
    cause: str
    """`failed`, `workstation`, `plan`, `late`, or what is waited for."""
    subject: str
    """The root as conman selects it."""
    root: Root | None
    witness: str
    waiting: int
    """Jobs that come after the root and are not over."""
    assignee: str | None
    silenced_until: datetime | None
    merged_into: int | None
    turn_id: str | None
    """Of the investigation."""
    revision: int
    """One more with each change that is to be seen."""
    first_seen: datetime
    last_seen: datetime
    ended_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.state in ACTIVE and self.merged_into is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the timeline."""

    seq: int
    at: datetime
    actor_id: str
    """Empty: Resync itself."""
    kind: str
    detail: str


class Incidents:
    """Reads incidents. Every method raises SQLAlchemy's errors when the database is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def list(self, state: str = "", *, limit: int = 200) -> tuple[Incident, ...]:
        """Those in the state, `active` for all that are not over, empty for all; the latest first."""
        query = select(INCIDENTS).order_by(INCIDENTS.c.last_seen.desc(), INCIDENTS.c.id.desc()).limit(limit)
        if state == "active":
            query = query.where(is_active())
        elif state:
            query = query.where(INCIDENTS.c.state == state, INCIDENTS.c.merged_into.is_(None))
        async with self._single.connect() as connection:
            return tuple(map(read_incident, (await connection.execute(query)).mappings()))

    async def get(self, incident_id: int) -> Incident | None:
        """One of them."""
        async with self._single.connect() as connection:
            return await find(connection, incident_id)

    async def timeline(self, incident_id: int) -> tuple[Entry, ...]:
        """What happened, in its order."""
        columns = [INCIDENT_EVENTS.c[name] for name in ("seq", "at", "actor_id", "kind", "detail")]
        query = (
            select(*columns)
            .where(INCIDENT_EVENTS.c.incident_id == incident_id)
            .order_by(INCIDENT_EVENTS.c.seq)
        )
        async with self._single.connect() as connection:
            return tuple(Entry(**row) for row in (await connection.execute(query)).mappings())


def is_active() -> Any:
    """The condition that an incident is nobody's part and not over."""
    return INCIDENTS.c.state.in_(ACTIVE) & INCIDENTS.c.merged_into.is_(None)


async def find(connection: AsyncConnection, incident_id: int, *, lock: bool = False) -> Incident | None:
    """The incident, locked until the transaction ends where that is wanted."""
    query = select(INCIDENTS).where(INCIDENTS.c.id == incident_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else read_incident(row)


async def current(
    connection: AsyncConnection, engine: str, trouble: str, *, window: timedelta
) -> Incident | None:
    """The incident of the trouble: the active one, else one that ended within the window."""
    recent = INCIDENTS.c.ended_at > func.now() - window
    query = (
        select(INCIDENTS)
        .where(
            INCIDENTS.c.engine == engine,
            INCIDENTS.c.trouble == trouble,
            is_active() | (recent & (INCIDENTS.c.state == "resolved")) | INCIDENTS.c.merged_into.is_not(None),
        )
        .order_by(is_active().desc(), INCIDENTS.c.id.desc())
        .limit(1)
        .with_for_update()
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    found = None if row is None else read_incident(row)
    if found is not None and found.merged_into is not None:
        into = await find(connection, found.merged_into, lock=True)
        return into if into is not None and into.is_active else None
    return found


async def create(connection: AsyncConnection, values: Mapping[str, Any]) -> Incident:
    """A new incident, with the first line of its timeline."""
    made = await connection.execute(insert(INCIDENTS).values(**values).returning(INCIDENTS))
    incident = read_incident(made.mappings().one())
    await note(connection, incident.id, "opened", incident.subject)
    return incident


async def change(connection: AsyncConnection, incident_id: int, **values: Any) -> None:
    """Other values; whoever shows the incident sees that there is something new."""
    await connection.execute(
        update(INCIDENTS)
        .where(INCIDENTS.c.id == incident_id)
        .values(revision=INCIDENTS.c.revision + 1, **values)
    )


async def step(connection: AsyncConnection, incident: Incident, what: Step, *, by: str = "") -> bool:
    """Takes the step and writes it down; False where the state does not allow it."""
    state = after(incident.state, what)
    if state is None:
        return False
    ended = {"ended_at": func.now()} if state == "resolved" else {}
    began = {"ended_at": None} if what == "reopen" else {}
    await change(connection, incident.id, state=state, **ended, **began)
    if state == "resolved":
        parts = (INCIDENTS.c.merged_into == incident.id) & INCIDENTS.c.state.in_(ACTIVE)
        await connection.execute(update(INCIDENTS).where(parts).values(state=state, ended_at=func.now()))
    await note(connection, incident.id, what, by=by)
    return True


async def note(
    connection: AsyncConnection, incident_id: int, kind: str, detail: str = "", *, by: str = ""
) -> None:
    """A line of the timeline."""
    row = {"incident_id": incident_id, "kind": kind, "detail": detail, "actor_id": by}
    await connection.execute(insert(INCIDENT_EVENTS).values(**row))


async def move_alerts(
    connection: AsyncConnection, incident_id: int, into: int, seqs: Sequence[int] | None
) -> int:
    """Gives the alerts, or all of them, to another incident; how many those were."""
    moved = ALERTS.c.incident_id == incident_id
    if seqs is not None:
        moved &= ALERTS.c.seq.in_(seqs)
    # Locked in the order in which they are counted again, so that neither waits for the other.
    in_order = ALERTS.c.source.collate("C"), ALERTS.c.fingerprint.collate("C")
    await connection.execute(select(ALERTS.c.seq).where(moved).order_by(*in_order).with_for_update())
    return (await connection.execute(update(ALERTS).where(moved).values(incident_id=into))).rowcount


def read_incident(row: Mapping[str, Any] | RowMapping) -> Incident:
    """A row as an incident."""
    return Incident(**{**row, "witness": row["witness"] or ""})
