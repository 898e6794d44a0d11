"""Asks the graph: what is known of a name, what depends on it, which names of runbooks are no longer in the plan."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from .documents import Kind, Reader
from .links import Node
from .statements import statements
from .store import transaction

_MOST = 500
"""Facts of one answer."""
_DEPTH = 25
"""Steps that an impact is followed."""
_REACHED = 5000
"""Steps to objects that an impact is followed over, in all."""
_LONGEST = "3s"
"""What one question may take in the database."""

(_FACTS,), (_IMPACT,), (_DRIFT,) = map(statements, ("facts", "impact", "drift"))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """On whose behalf, of which engine's plan and as of which moment the graph is asked."""

    reader: Reader
    engine: str
    at: datetime

    @property
    def values(self) -> Mapping[str, object]:
        """As the statements take it."""
        tokens = None if self.reader.tokens is None else sorted(self.reader.tokens)
        return {"tokens": tokens, "plan": f"plan:{self.engine}", "at": self.at, "most": _MOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The document that says something."""

    document_id: str
    title: str
    kind: Kind
    link: str | None
    valid_from: date | None
    """Of a case: the day on which it was resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A fact about a name that was asked for."""

    asked: str
    start: Node
    relation: str
    target: Node
    evidence: str
    """Where the document says so."""
    source: Source | None
    """None: the plan says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Something that depends on what was asked for."""

    kind: str
    name: str
    depth: int
    """Steps from what was asked for, which itself is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What depends on something, directly or not; empty where the plan does not have it."""

    reached: tuple[Reached, ...]
    """The nearest first."""
    is_cut: bool
    """Whether there may be more, beyond the limits of what is followed."""


class Relations:
    """The graph for those who ask. Names match from their end: `PAYROLL` is `AGT1#PAYDAILY.PAYROLL` too.

    Every method may raise `StoreUnavailableError`, also when the question takes too long.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def facts(
        self, names: Collection[str], view: View, *, relations: Collection[str] = ()
    ) -> tuple[Known, ...]:
        """What the plan and the documents that the reader may read say of the names; all relations, or some.

        By name, the plan first, then the newest document; at most 500.
        """
        values = {**view.values, **_asked(names), "relations": list(relations)}
        return tuple(map(_known, await self._ask(_FACTS, values)))

    async def impact(self, name: str, view: View) -> Impact:
        """What waits, directly or not, where the object cannot run or is not there."""
        limits = {"depth": _DEPTH, "reached": _REACHED}
        rows = await self._ask(_IMPACT, {**view.values, **_asked([name]), **limits})
        reached = tuple(Reached(kind=row.kind, name=row.name, depth=row.depth) for row in rows)
        is_cut = bool(rows) and (rows[0].steps >= _REACHED or rows[-1].depth >= _DEPTH)
        return Impact(reached=reached, is_cut=is_cut)

    async def drift(self, view: View, recent: timedelta) -> tuple[Known, ...]:
        """What runbooks name and no plan of so long before the moment has; by title, at most 500."""
        return tuple(map(_known, await self._ask(_DRIFT, {**view.values, "since": view.at - recent})))

    async def _ask(self, query: TextClause, values: Mapping[str, object]) -> Sequence[Any]:
        async with transaction(self._engine) as connection:
            await connection.execute(
                text("SELECT set_config('statement_timeout', :longest, true)"), {"longest": _LONGEST}
            )
            return (await connection.execute(query, values)).all()


def _asked(names: Collection[str]) -> Mapping[str, object]:
    """The names, each with what the column `short` may have for it."""
    spelled = {spelling for name in names for spelling in (name, name.upper())}
    pairs = sorted({(name, short) for name in spelled for short in (name, re.split("[#./]", name)[-1])})
    return {"names": [name for name, _ in pairs], "shorts": [short for _, short in pairs]}


def _known(row: Any) -> Known:
    document_id, title, kind, link, valid_from = row[7:]
    source = Source(document_id=document_id, title=title, kind=kind, link=link, valid_from=valid_from)
    return Known(
        asked=row.asked,
        start=(row[1], row[2]),
        relation=row[3],
        target=(row[4], row[5]),
        evidence=row[6],
        source=source if document_id else None,
    )
