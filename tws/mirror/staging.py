"""What one poll has read, collected outside any transaction and then merged into the mirror by a single one.

Pages are copied into a temporary table, so memory is bounded by a page and a poll that breaks off leaves nothing.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tws.actions import PlanObject
from tws.contents import PlanInfo

from . import statements
from .codec import Row, encode
from .source import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a poll changed."""

    written: int
    """New and changed objects."""
    removed: int
    is_new_plan: bool


class Staging:
    """The objects read so far."""

    def __init__(self, connection: AsyncConnection, engine_name: str) -> None:
        self._connection = connection
        self._engine_name = engine_name

    @classmethod
    @asynccontextmanager
    async def opened(cls, engine: AsyncEngine, engine_name: str) -> AsyncIterator[Self]:
        """An empty one on a connection of its own."""
        async with engine.connect() as connection:
            for statement in statements.STAGE:
                await connection.execute(statement)
            await connection.commit()
            yield cls(connection, engine_name)

    async def add(self, objects: Iterable[PlanObject]) -> None:
        """Takes a page; of an object that comes twice the later one counts."""
        pooled = await self._connection.get_raw_connection()
        assert pooled.driver_connection is not None, "it was just connected"
        await pooled.driver_connection.copy_records_to_table(
            "tws_staged", records=list(map(encode, objects)), columns=Row._fields
        )

    async def merge(
        self, *, info: PlanInfo, whole_kinds: Collection[str], read_at: datetime, guard: Guard
    ) -> Merged:
        """Writes what differs from the mirror, in one transaction; all of it or nothing.

        Of `whole_kinds` everything was read: what is in the mirror and was not added has left the plan.
        """
        values = {
            "engine": self._engine_name,
            "at": read_at,
            "whole": list(whole_kinds),
            "run_number": info.run_number,
            "starts_at": info.starts_at,
            "ends_at": info.ends_at,
        }
        async with self._connection.begin():
            for statement in statements.PREPARE:
                await self._connection.execute(statement)
            await guard(self._connection)
            plan = (
                await self._connection.execute(statements.PLAN, {"engine": self._engine_name})
            ).one_or_none()
            is_new = plan is None or plan.run_number != info.run_number
            before, base = (plan.revision, plan.base_revision) if plan else (0, 0)
            began_at = read_at if plan is None or is_new else plan.began_at
            values |= {"revision": before + 1, "began_at": began_at}
            removed = await self._count(statements.REMOVE, values)
            await self._count(statements.SIEVE, values)
            await self._count(statements.REMEMBER, values)
            written = await self._count(statements.WRITE, values)
            if await self._count(statements.RUNS, values):
                await self._count(statements.STATISTICS, values)
            revision = before + bool(is_new or removed or written)
            values |= {"revision": revision, "base_revision": revision if is_new or removed else base}
            await self._count(statements.STORE_PLAN, values)
            await self._count(statements.RECOVER, values)
        return Merged(written=written, removed=removed, is_new_plan=is_new)

    async def _count(self, statement: TextClause, values: dict[str, object]) -> int:
        return (await self._connection.execute(statement, values)).rowcount
