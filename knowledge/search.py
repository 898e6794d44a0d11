"""Finds passages: exact identifiers, words and vectors, fused to one ranking."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from sqlalchemy import ColumnElement, Row, Text, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .documents import Passage, SearchResult
from .embed import Embedder, Vectors
from .errors import EmbeddingUnavailableError, FilterRejectedError
from .fusion import Fused, Ranking, fuse
from .identifiers import extract, is_generic
from .store import transaction
from .tables import chunks, documents
from .words import WordHit, Words

__all__ = ["FILTERS", "Search"]

_LOG = structlog.get_logger(__name__)

_DEPTH = 50
"""How far down each ranking is read; passages below never reach the first few."""
_ENOUGH_COVERAGE = 0.5
"""Share of the question's words, weighted by rarity, that an answering passage has at least."""
_ENOUGH_LIKENESS = 0.5
"""Cosine that MiniLM gives an answering passage at least; unrelated texts mostly stay below 0.3."""

FILTERS: Mapping[str, ColumnElement[str]] = {
    "document_id": cast(documents.c.id, Text),
    "title": documents.c.title,
    "source": documents.c.source,
    "media_type": documents.c.media_type,
}
"""What a search can be narrowed by, each with the exact value."""

_Conditions: TypeAlias = Sequence[ColumnElement[bool]]
_Rows: TypeAlias = Mapping[int, Row[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _NameHits:
    """The chunks that have an identifier of the question."""

    asks_by_name: bool
    """Whether the question has a telling identifier, more than a return code."""
    ranking: Ranking
    """By how rare the identifiers are that the chunk has."""
    told: frozenset[int]
    """The chunks that have a telling one."""


class Search:
    """The search over all documents; safe to use from many tasks at once."""

    def __init__(self, engine: AsyncEngine, embedder: Embedder, words: Words) -> None:
        self._engine = engine
        self._embedder = embedder
        self._words = words

    async def search(
        self, query: str, *, k: int = 5, filters: Mapping[str, str] | None = None
    ) -> SearchResult:
        """The `k` best passages, at most one of a section.

        Without the embedding model the answer comes from the rest and says so in `degraded`. Raises
        `FilterRejectedError` for a filter not in `FILTERS`, and `StoreUnavailableError`.
        """
        conditions = _conditions(filters or {})
        vector, degraded = await self._embed(query)
        word_hits = await self._by_words(query, conditions)
        async with transaction(self._engine) as connection:
            name_hits = await _by_name(connection, query, conditions)
            likeness = await _by_vector(connection, vector, self._embedder.model, conditions)
            fused = fuse(
                {
                    "identifier": name_hits.ranking,
                    "words": {hit.chunk_id: hit.score for hit in word_hits},
                    "vector": likeness,
                }
            )[:_DEPTH]
            rows = await _read(connection, fused)
        best = _one_per_section(fused, rows)[:k]
        return SearchResult(
            passages=tuple(_passage(item, rows[item.chunk_id]) for item in best),
            answerable=bool(best) and _answers(best[0].chunk_id, name_hits, word_hits, likeness),
            degraded=degraded,
        )

    async def _embed(self, query: str) -> tuple[Vectors | None, tuple[str, ...]]:
        try:
            return (await self._embedder.embed([query]))[0], ()
        except EmbeddingUnavailableError as error:
            _LOG.warning("search_without_embeddings", code=error.code, model=error.model)
            return None, ("embeddings",)

    async def _by_words(self, query: str, conditions: _Conditions) -> list[WordHit]:
        index = await self._words.current()
        allowed: frozenset[int] | None = None
        if conditions:
            async with transaction(self._engine) as connection:
                ids = select(chunks.c.id).join_from(chunks, documents).where(*conditions)
                allowed = frozenset((await connection.execute(ids)).scalars())
        return await asyncio.to_thread(index.search, query, _DEPTH, allowed)


def _conditions(filters: Mapping[str, str]) -> _Conditions:
    unknown = tuple(sorted(set(filters) - set(FILTERS)))
    if unknown:
        raise FilterRejectedError(unknown, tuple(FILTERS))
    return [FILTERS[name] == value for name, value in filters.items()]


async def _by_name(connection: AsyncConnection, query: str, conditions: _Conditions) -> _NameHits:
    asked = extract(query)
    wanted = literal(sorted(asked), ARRAY(Text))
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.identifiers)
        .join_from(chunks, documents)
        .where(chunks.c.identifiers.op("&&")(wanted), *conditions)
    )
    shared = {row.id: asked.intersection(row.identifiers) for row in rows}
    spread = Counter(name for names in shared.values() for name in names)
    return _NameHits(
        asks_by_name=not all(map(is_generic, asked)),
        ranking={chunk_id: sum(1 / spread[name] for name in names) for chunk_id, names in shared.items()},
        told=frozenset(chunk_id for chunk_id, names in shared.items() if not all(map(is_generic, names))),
    )


async def _by_vector(
    connection: AsyncConnection, vector: Vectors | None, model: str, conditions: _Conditions
) -> Ranking:
    """Cosines by exact comparison with every chunk: milliseconds at tens of thousands, and nothing missed."""
    if vector is None:
        return {}
    distance = chunks.c.embedding.cosine_distance(vector)
    rows = await connection.execute(
        select(chunks.c.id, (1 - distance).label("cosine"))
        .join_from(chunks, documents)
        .where(chunks.c.model == model, *conditions)
        .order_by(distance)
        .limit(_DEPTH)
    )
    return {row.id: row.cosine for row in rows}


async def _read(connection: AsyncConnection, fused: Sequence[Fused]) -> _Rows:
    """The rows of the chunks; those that were replaced in the meantime are missing."""
    ids = [item.chunk_id for item in fused]
    query = select(chunks, documents.c.title).join_from(chunks, documents).where(chunks.c.id.in_(ids))
    return {row.id: row for row in await connection.execute(query)}


def _one_per_section(fused: Sequence[Fused], rows: _Rows) -> list[Fused]:
    present = [item for item in fused if item.chunk_id in rows]
    best: dict[tuple[object, str], Fused] = {}
    for item in present:
        row = rows[item.chunk_id]
        best.setdefault((row.document_id, row.location), item)
    return list(best.values())


def _answers(chunk_id: int, name_hits: _NameHits, word_hits: Sequence[WordHit], likeness: Ranking) -> bool:
    """Whether a chunk is close enough to answer from.

    It has a name of the question, or most of its words, or means nearly the same. A question by name is
    not answered by likeness: a passage without the name is about something else.
    """
    coverage = next((hit.coverage for hit in word_hits if hit.chunk_id == chunk_id), 0.0)
    is_alike = likeness.get(chunk_id, 0.0) >= _ENOUGH_LIKENESS
    return (
        chunk_id in name_hits.told
        or coverage >= _ENOUGH_COVERAGE
        or (is_alike and not name_hits.asks_by_name)
    )


def _passage(item: Fused, row: Row[Any]) -> Passage:
    return Passage(
        document_id=str(row.document_id),
        document_title=row.title,
        location=row.location,
        text=row.text,
        score=item.score,
        matched=item.ways,
    )
