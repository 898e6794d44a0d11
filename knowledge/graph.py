"""What relates to what, by name, and from when to when, as plans say it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .links import Node
from .statements import statements
from .store import transaction

Edge = tuple[str, str, str, str, str]
"""Kind and name of where it starts, relation, kind and name of where it ends."""

_STAGE, _SYNC = statements("stage"), statements("sync")


class KnowledgeGraph:
    """Writes nodes and the relations between them; `Relations` reads them.

    What a source says is true from the moment it was read until it says otherwise.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def replace_source(
        self,
        source: str,
        nodes: AsyncIterator[list[Node]],
        edges: AsyncIterator[list[Edge]],
        guard: Callable[[AsyncConnection], Awaitable[None]],
        at: datetime,
        oldest: datetime,
    ) -> None:
        """Makes these all that the source says from `at` on: opens what is new, closes what it no longer says.

        The ends of edges become nodes too. What was closed before `oldest` goes. `guard` is awaited in the
        transaction before it writes, and may raise. Raises `StoreUnavailableError`; then, and if an iterator raises,
        nothing was changed.
        """
        async with transaction(self._engine) as connection:
            for statement in _STAGE:
                await connection.execute(statement)
            await _copy(connection, "kg_new_nodes", nodes)
            await _copy(connection, "kg_new_edges", edges)
            await guard(connection)
            for statement in _SYNC:
                await connection.execute(statement, {"source": source, "at": at, "oldest": oldest})


async def _copy(connection: AsyncConnection, table: str, pages: AsyncIterator[list[Any]]) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None, "it is connected"
    async for page in pages:
        await driver.copy_records_to_table(table, records=page)
