"""The alerts that were accepted: stored once for each occurrence, however often it is reported."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.batches import Batches
from brain.message import Alert
from brain.tables import ALERTS

_ALERT: TypeAdapter[Alert] = TypeAdapter(Alert)
_ACCEPT = text(
    "INSERT INTO alerts AS a (source, id, fingerprint, alert, times)"
    " SELECT new.* FROM unnest("
    " CAST(:sources AS text[]), CAST(:ids AS text[]), CAST(:fingerprints AS text[]), CAST(:alerts AS jsonb[]), CAST(:times AS int[])) new"
    " ON CONFLICT ON CONSTRAINT alerts_fingerprint DO UPDATE SET times = a.times + excluded.times, last_at = now()"
    " RETURNING a.source, a.id, a.fingerprint, (xmax = 0) AS is_new"
)
"""Of arrays, so that it is the same statement for one alert and for thousands."""
_AT_ONCE = 100
"""Requests stored in one statement."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report of an occurrence."""

    fingerprint: str
    """The same for each report of it."""
    alert: Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the reports of one request."""

    id: str
    """Of the first alert."""
    duplicate: bool
    """Whether all of them had been accepted before."""
    new: int
    """How many had not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert and what is known of it."""

    seq: int
    id: str
    source: str
    alert: Alert
    times: int
    """How often it was reported."""
    received_at: datetime
    last_at: datetime


class Alerts:
    """Every method raises SQLAlchemy's errors when the database is away; then nothing was stored."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._batches = Batches(self._store, most=_AT_ONCE)

    async def accept(self, source: str, reports: Sequence[Report]) -> Taken:
        """Stores the reports, which are at least one, in one statement; accepted means stored."""
        return await self._batches.add((source, reports))

    async def _store(self, requests: Sequence[tuple[str, Sequence[Report]]]) -> Sequence[Taken]:
        """Of the same occurrence in two requests the first one's counts as new."""
        times: Counter[tuple[str, str]] = Counter()
        first: dict[tuple[str, str], Alert] = {}
        for source, reports in requests:
            for report in reports:
                times[source, report.fingerprint] += 1
                first.setdefault((source, report.fingerprint), report.alert)
        # In one order for all, so that two replicas with the same alerts do not wait for each other.
        keys = sorted(first)
        values = {
            "sources": [source for source, _ in keys],
            "ids": [uuid.uuid4().hex for _ in keys],
            "fingerprints": [fingerprint for _, fingerprint in keys],
            "alerts": [_ALERT.dump_json(first[key]).decode() for key in keys],
            "times": [times[key] for key in keys],
        }
        async with self._single.connect() as connection:
            found = {(row.source, row.fingerprint): row for row in await connection.execute(_ACCEPT, values)}
        new, taken = {key for key, row in found.items() if row.is_new}, []
        for source, reports in requests:
            own = {(source, report.fingerprint) for report in reports} & new
            new -= own
            opening = found[source, reports[0].fingerprint].id
            taken.append(Taken(id=opening, duplicate=not own, new=len(own)))
        return taken

    async def of_incident(self, incident_id: int, *, limit: int) -> tuple[StoredAlert, ...]:
        """The first alerts of the incident."""
        query = select(ALERTS).where(ALERTS.c.incident_id == incident_id).order_by(ALERTS.c.seq).limit(limit)
        async with self._single.connect() as connection:
            return tuple(map(read_alert, await connection.execute(query)))

    async def counts(self, incident_ids: Sequence[int]) -> dict[int, int]:
        """How many alerts each of the incidents has, without repetitions."""
        query = (
            select(ALERTS.c.incident_id, func.count().label("alerts"))
            .where(ALERTS.c.incident_id.in_(incident_ids))
            .group_by(ALERTS.c.incident_id)
        )
        async with self._single.connect() as connection:
            return {row.incident_id: row.alerts for row in await connection.execute(query)}


async def waiting(
    connection: AsyncConnection, *, limit: int, read_at: datetime, patience: timedelta = timedelta(0)
) -> list[StoredAlert]:
    """Those that belong to no incident yet, in the order of their arrival.

    Not those that a plan read at `read_at` was already asked about, unless their patience is over. They are locked, but
    those that are being counted again just now are left for the next round: who folds never waits for a sender, and
    so cannot stand in its way.
    """
    is_due = (
        ALERTS.c.tried.is_(None) | (ALERTS.c.tried < read_at) | (ALERTS.c.received_at < func.now() - patience)
    )
    query = select(ALERTS).where(ALERTS.c.folded_at.is_(None), is_due).order_by(ALERTS.c.seq).limit(limit)
    return [read_alert(row) for row in await connection.execute(query.with_for_update(skip_locked=True))]


async def try_again(connection: AsyncConnection, seqs: Sequence[int], read_at: datetime) -> None:
    """A plan read at that time knows of no trouble behind these alerts; one that is read later may."""
    await connection.execute(update(ALERTS).where(ALERTS.c.seq.in_(seqs)).values(tried=read_at))


async def fold(connection: AsyncConnection, seqs: Sequence[int], incident_id: int | None) -> None:
    """These alerts belong to the incident, or to none: the plan knows of no trouble."""
    await connection.execute(
        update(ALERTS)
        .where(ALERTS.c.seq.in_(seqs))
        .values(incident_id=incident_id, folded_at=func.coalesce(ALERTS.c.folded_at, func.now()))
    )


def read_alert(row: object) -> StoredAlert:
    """A row as an alert."""
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001  # SQLAlchemy's public name
    names = ("seq", "id", "source", "times", "received_at", "last_at")
    return StoredAlert(
        alert=_ALERT.validate_python(values["alert"]), **{name: values[name] for name in names}
    )
