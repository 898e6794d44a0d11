"""What was handed in to be read, in PostgreSQL: an order is stored and queued in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from pgqueuer import AsyncpgDriver, Queries
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import ColumnElement, Text, cast, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from .documents import IngestReport, Properties
from .properties import dump_properties, read_dumped
from .store import transaction
from .tables import ingests

ENTRYPOINT = "ingests"
"""The queue's entry point; the payload is a source, and a worker reads what waits under it, the oldest first."""

_LOOK_EVERY = 0.1
"""Seconds between two looks at an order that somebody waits for."""
_MOST_SHOWN = 50
_KEEP = timedelta(days=30)
_REPORTS = TypeAdapter(list[IngestReport])


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Something to read that a worker has taken."""

    id: UUID
    source: str
    media_type: str | None
    data: bytes | None
    """None: the source is the address of a page."""
    properties: Properties
    attempts: int
    """1 the first time; more after a worker died with it."""


class OrderStatus(BaseModel):
    """How far something is that was handed in."""

    id: str
    source: str
    state: Literal["queued", "running", "done", "failed"]
    """Failed: none of its documents was taken."""
    reports: list[IngestReport]
    """One a document, when it is finished."""
    created_at: datetime
    finished_at: datetime | None


class Orders:
    """Every method may raise `StoreUnavailableError`; then nothing was stored."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def accept(
        self,
        source: str,
        data: bytes | None,
        *,
        media_type: str | None = None,
        properties: Properties,
        requested_by: str,
    ) -> str:
        """Stores it durably and gives its id; without data the source is the address of a page."""
        row = {
            "id": (key := uuid4()),
            "source": source,
            "media_type": media_type,
            "data": data,
            "properties": dump_properties(properties),
            "requested_by": requested_by,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(ingests.insert().values(row))
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None, "it is connected"
            await Queries(AsyncpgDriver(raw.driver_connection)).enqueue(ENTRYPOINT, source.encode())
        return str(key)

    async def get(self, order_id: str, requested_by: str, *, wait_seconds: float = 0) -> OrderStatus | None:
        """How far it is, as soon as it is finished or after that time; None where it is not this person's."""
        try:
            of_person = (ingests.c.id == UUID(order_id), ingests.c.requested_by == requested_by)
        except ValueError:
            return None
        until = asyncio.get_running_loop().time() + wait_seconds
        while (found := await self._find(*of_person)) and found[0].finished_at is None:
            if asyncio.get_running_loop().time() >= until:
                break
            await asyncio.sleep(_LOOK_EVERY)
        return found[0] if found else None

    async def recent(self, requested_by: str) -> Sequence[OrderStatus]:
        """What the person handed in, the newest first, at most 50."""
        return await self._find(ingests.c.requested_by == requested_by)

    async def waiting(self, *, older_than: timedelta) -> Sequence[str]:
        """Sources of what was handed in so long ago and is not finished."""
        is_left = (ingests.c.finished_at.is_(None), ingests.c.created_at < func.now() - older_than)
        async with transaction(self._engine) as connection:
            return (await connection.scalars(select(ingests.c.source).where(*is_left).distinct())).all()

    async def take(self, source: str) -> Order | None:
        """The oldest unfinished order of this source, marked as running; the source is to be held meanwhile."""
        oldest = (
            select(ingests.c.id)
            .where(ingests.c.source == source, ingests.c.finished_at.is_(None))
            .order_by(ingests.c.created_at, ingests.c.id)
            .limit(1)
            .scalar_subquery()
        )
        columns = (ingests.c.id, ingests.c.source, ingests.c.media_type, ingests.c.data, ingests.c.properties)
        mark = update(ingests).where(ingests.c.id == oldest)
        mark = mark.values(state="running", attempts=ingests.c.attempts + 1)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(mark.returning(*columns, ingests.c.attempts))).one_or_none()
        if row is None:
            return None
        return Order(**row._asdict() | {"properties": read_dumped(row.properties)})

    async def finish(self, order: Order, reports: Sequence[IngestReport]) -> None:
        """Stores how it went, and lets go of the data and of orders long past."""
        is_failed = all(report.outcome == "rejected" for report in reports)
        done = update(ingests).where(ingests.c.id == order.id)
        done = done.values(
            state="failed" if is_failed else "done",
            reports=_REPORTS.dump_python(list(reports), mode="json"),
            data=None,
            finished_at=func.now(),
        )
        async with transaction(self._engine) as connection:
            await connection.execute(done)
            await connection.execute(delete(ingests).where(ingests.c.finished_at < func.now() - _KEEP))

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """Holds what goes by this name against all processes; yields whether it was free."""
        key = {"key": f"knowledge {name}"}
        locks = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        async with locks.connect() as connection:
            lock = text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))")
            is_held = bool((await connection.execute(lock, key)).scalar())
            try:
                yield is_held
            finally:
                if is_held:
                    try:
                        unlock = text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))")
                        await connection.execute(unlock, key)
                    except DBAPIError:
                        # The connection is gone, and the lock with it.
                        await connection.invalidate()

    async def _find(self, *conditions: ColumnElement[bool]) -> Sequence[OrderStatus]:
        columns = (ingests.c.source, ingests.c.state, ingests.c.reports, ingests.c.created_at)
        query = select(cast(ingests.c.id, Text).label("id"), *columns, ingests.c.finished_at)
        query = query.where(*conditions).order_by(ingests.c.created_at.desc()).limit(_MOST_SHOWN)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [OrderStatus.model_validate(row._asdict()) for row in rows]
