"""What relates to what, by name, and from when to when: jobs, streams, workstations and whatever else is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .store import transaction

__all__ = ["KnowledgeGraph"]

Node = tuple[str, str]
"""Kind and name, e.g. `("job", "AGT1#PAYDAILY.PAYROLL")`."""
Edge = tuple[str, str, str, str, str]
"""Kind and name of where it starts, relation, kind and name of where it ends."""

_STAGE = (
    text("CREATE TEMPORARY TABLE kg_new_nodes (kind text, name text) ON COMMIT DROP"),
    text("""
        CREATE TEMPORARY TABLE kg_new_edges
            (from_kind text, from_name text, relation text, to_kind text, to_name text) ON COMMIT DROP
    """),
)
_SYNC = (
    text("""
        INSERT INTO kg_new_nodes
        SELECT from_kind, from_name FROM kg_new_edges UNION SELECT to_kind, to_name FROM kg_new_edges
    """),
    text("ANALYZE kg_new_nodes, kg_new_edges"),
    text("""
        INSERT INTO kg_nodes (source, kind, name, valid_from)
        SELECT DISTINCT :source, kind, name, now() FROM kg_new_nodes AS new
        WHERE NOT EXISTS (
            SELECT FROM kg_nodes AS old WHERE old.source = :source AND old.kind = new.kind AND old.name = new.name
                AND valid_to IS NULL
        )
    """),
    text("""
        CREATE TEMPORARY TABLE kg_wanted_edges ON COMMIT DROP AS
        SELECT DISTINCT start.id AS from_node, relation, target.id AS to_node FROM kg_new_edges
        JOIN kg_nodes AS start
            ON start.source = :source AND start.kind = from_kind AND start.name = from_name AND start.valid_to IS NULL
        JOIN kg_nodes AS target
            ON target.source = :source AND target.kind = to_kind AND target.name = to_name AND target.valid_to IS NULL
    """),
    text("ANALYZE kg_wanted_edges"),
    text("""
        UPDATE kg_edges AS old SET valid_to = greatest(valid_from, now())
        WHERE source = :source AND valid_to IS NULL AND NOT EXISTS (
            SELECT FROM kg_wanted_edges AS new WHERE new.from_node = old.from_node
                AND new.relation = old.relation AND new.to_node = old.to_node
        )
    """),
    text("""
        INSERT INTO kg_edges (source, from_node, relation, to_node, valid_from)
        SELECT :source, from_node, relation, to_node, now() FROM kg_wanted_edges AS new
        WHERE NOT EXISTS (
            SELECT FROM kg_edges AS old WHERE old.source = :source AND old.from_node = new.from_node
                AND old.relation = new.relation AND old.to_node = new.to_node AND valid_to IS NULL
        )
    """),
    text("""
        UPDATE kg_nodes AS old SET valid_to = greatest(valid_from, now())
        WHERE source = :source AND valid_to IS NULL AND NOT EXISTS (
            SELECT FROM kg_new_nodes AS new WHERE new.kind = old.kind AND new.name = old.name
        )
    """),
)
_FACTS = text("""
    SELECT start.kind, start.name, relation, target.kind, target.name FROM kg_edges AS edge
    JOIN kg_nodes AS start ON start.id = from_node JOIN kg_nodes AS target ON target.id = to_node
    WHERE :name IN (start.name, target.name)
        AND edge.valid_from <= :at AND (edge.valid_to IS NULL OR edge.valid_to > :at)
    ORDER BY start.name, relation, target.name
""")


class KnowledgeGraph:
    """Nodes and the relations between them; a name is exact, so whoever knows the name finds the node."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def replace_source(
        self,
        source: str,
        nodes: AsyncIterator[list[Node]],
        edges: AsyncIterator[list[Edge]],
        guard: Callable[[AsyncConnection], Awaitable[None]],
    ) -> None:
        """Makes these all that the source says from now on: opens what is new, closes what it no longer says.

        The ends of edges become nodes too. `guard` is awaited in the transaction before it writes, and may raise.
        Raises `StoreUnavailableError`; then, and if an iterator raises, nothing was changed.
        """
        async with transaction(self._engine) as connection:
            for statement in _STAGE:
                await connection.execute(statement)
            await _copy(connection, "kg_new_nodes", nodes)
            await _copy(connection, "kg_new_edges", edges)
            await guard(connection)
            for statement in _SYNC:
                await connection.execute(statement, {"source": source})

    async def edges_of(self, name: str, at: datetime) -> tuple[Edge, ...]:
        """What related to the name at that moment, whoever says so. Raises `StoreUnavailableError`."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(_FACTS, {"name": name, "at": at})
            return tuple((row[0], row[1], row[2], row[3], row[4]) for row in rows)


async def _copy(connection: AsyncConnection, table: str, pages: AsyncIterator[list[Any]]) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None, "it is connected"
    async for page in pages:
        await driver.copy_records_to_table(table, records=page)
