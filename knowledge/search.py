"""Finds passages: exact identifiers, words and vectors, fused to one ranking."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import structlog
from sqlalchemy import ColumnElement, Text, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .documents import Passage, SearchResult
from .embed import MiniLmEmbedder, Vectors
from .errors import EmbeddingUnavailableError, FilterRejectedError
from .evidence import Evidence, Fused, NameHits, Ranking
from .store import transaction
from .tables import chunks, documents
from .terms import extract, is_generic, language
from .words import WordHit, Words

__all__ = ["FILTERS", "Search"]

_LOG = structlog.get_logger(__name__)

_DEPTH = 50
"""How far down each ranking is read; passages below never reach the first few."""

FILTERS: Mapping[str, ColumnElement[str]] = {
    "document_id": cast(documents.c.id, Text),
    "title": documents.c.title,
    "source": documents.c.source,
    "media_type": documents.c.media_type,
}
"""What a search can be narrowed by, each with the exact value."""

_Conditions: TypeAlias = Sequence[ColumnElement[bool]]


class Search:
    """The search over all documents; safe to use from many tasks at once."""

    def __init__(self, engine: AsyncEngine, embedder: MiniLmEmbedder, words: Words) -> None:
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
        words = await self._by_words(query, conditions)
        async with transaction(self._engine) as connection:
            evidence = Evidence(
                names=await _by_name(connection, query, conditions),
                words=words,
                likeness=await _by_vector(connection, vector, self._embedder.model, conditions),
                is_foreign=language(query) not in self._embedder.languages,
            )
            found = await _read(connection, evidence.ranked()[:_DEPTH])
        best: dict[tuple[str, str], int] = {}
        for chunk_id, passage in found.items():
            best.setdefault((passage.document_id, passage.location), chunk_id)
        ids = list(best.values())[:k]
        return SearchResult(
            passages=tuple(found[chunk_id] for chunk_id in ids),
            answerable=bool(ids) and evidence.answers(ids[0]),
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


async def _by_name(connection: AsyncConnection, query: str, conditions: _Conditions) -> NameHits:
    asked = extract(query)
    wanted = literal(sorted(asked), ARRAY(Text))
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.identifiers)
        .join_from(chunks, documents)
        .where(chunks.c.identifiers.op("&&")(wanted), *conditions)
    )
    shared = {row.id: asked.intersection(row.identifiers) for row in rows}
    spread = Counter(name for names in shared.values() for name in names)
    return NameHits(
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


async def _read(connection: AsyncConnection, fused: Sequence[Fused]) -> dict[int, Passage]:
    """The passages by chunk id, in the same order, without those that were replaced in the meantime."""
    columns = (chunks.c.id, chunks.c.document_id, documents.c.title, chunks.c.location, chunks.c.text)
    of_fused = chunks.c.id.in_([item.chunk_id for item in fused])
    rows = await connection.execute(select(*columns).join_from(chunks, documents).where(of_fused))
    by_id = {row.id: row for row in rows}
    return {
        item.chunk_id: Passage(
            document_id=str(row.document_id),
            document_title=row.title,
            location=row.location,
            text=row.text,
            score=item.score,
            matched=item.ways,
        )
        for item in fused
        if (row := by_id.get(item.chunk_id)) is not None
    }
