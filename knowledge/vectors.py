"""The vectors of all texts: one for each text and model, and which texts are nearest to a question."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
import structlog
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ColumnElement, Text, any_, cast, delete, func, literal, select, text, true, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .embed import Embedder, Vectors
from .errors import EmbeddingUnavailableError
from .split import embedded
from .store import Key, transaction
from .tables import chunks, documents, models, vectors

_LOG = structlog.get_logger(__name__)

_BATCH = 64
"""Texts embedded between two commits; killed later, they are not embedded again."""
EXACT_UP_TO = 10_000
"""Chunks that are compared one by one, which takes milliseconds and misses nothing; more go by the HNSW index."""
_EF_SEARCH = 300
"""Candidates the HNSW index keeps: 0.995 of the exact answer at 100,000 chunks, 0.2 ms after 200 of them."""
_BY_INDEX = select(
    func.set_config("hnsw.ef_search", str(_EF_SEARCH), true()),
    func.set_config("hnsw.iterative_scan", "relaxed_order", true()),
    func.set_config("enable_seqscan", "off", true()),
)
"""For the transaction; one statement, as each costs a round trip."""
_EF_CONSTRUCTION = 200
"""Candidates while the index is made."""
_IS_INVALID = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
_SAMPLE = 4096
"""Vectors that tell how like the question texts are at all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a vector."""

    model: str
    vector: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Near:
    """How like the question a chunk is."""

    chunk_id: int
    key: Key
    cosine: float


class VectorIndex:
    """Embeds each text once and finds the nearest. Every method may raise `StoreUnavailableError`.

    The first embedder is the one wanted; the others are those that may have been wanted before.
    """

    def __init__(self, engine: AsyncEngine, *embedders: Embedder) -> None:
        self._engine = engine
        self._wanted = embedders[0]
        self._embedders = {embedder.model: embedder for embedder in reversed(embedders)}
        self._sampled: tuple[UUID | None, str, Vectors] | None = None

    async def answering(self) -> Embedder | None:
        """The model that answers now; None while that is one whose settings are gone."""
        query = select(models.c.name).where(models.c.state == "active")
        async with transaction(self._engine) as connection:
            active = await connection.scalar(query)
        return self._embedders.get(active) if active else self._wanted

    async def ensure(self, texts: Mapping[str, str]) -> bool:
        """Embeds the texts (by digest) that have no vector yet, in batches that are kept; False: model away."""
        answering = await self.answering()
        is_done = await self._ensure(self._wanted, texts)
        if answering not in {None, self._wanted}:
            await self._ensure(answering, texts)
        return is_done

    async def _ensure(self, embedder: Embedder, texts: Mapping[str, str]) -> bool:
        is_known = vectors.c.digest == any_(literal(list(texts), ARRAY(Text)))
        known = select(vectors.c.digest).where(vectors.c.model == embedder.model, is_known)
        async with transaction(self._engine) as connection:
            done = set((await connection.execute(known)).scalars())
        missing = [digest for digest in texts if digest not in done]
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            try:
                found = await embedder.embed([texts[digest] for digest in batch])
            except EmbeddingUnavailableError as error:
                _LOG.warning("ingest_without_embeddings", code=error.code, model=error.model)
                return False
            rows = [
                {"digest": digest, "model": embedder.model, "embedding": vector}
                for digest, vector in zip(batch, found, strict=True)
            ]
            async with transaction(self._engine) as connection:
                await connection.execute(insert(vectors).on_conflict_do_nothing(), rows)
        return True

    async def rebuild(self) -> None:
        """Embeds what has no vector of the configured model yet; then that model answers and the others' go.

        Until then the model from before answers, with the vectors that it has. Killed, it goes on where it was.
        """
        model = self._wanted.model
        lacking = (
            select(chunks.c.digest, documents.c.title, chunks.c.location, chunks.c.text)
            .join_from(chunks, documents)
            .outerjoin(vectors, (vectors.c.digest == chunks.c.digest) & (vectors.c.model == model))
            .where(vectors.c.digest.is_(None))
            .limit(_BATCH)
        )
        while True:
            async with transaction(self._engine) as connection:
                rows = (await connection.execute(lacking)).all()
            if not rows:
                break
            texts = {row.digest: embedded(row.title, row.location, row.text) for row in rows}
            if not await self._ensure(self._wanted, texts):
                return
        await self._activate()
        await self._index_many()

    async def _activate(self) -> None:
        values = {"dimensions": self._wanted.dimensions, "state": "active"}
        mine = insert(models).values(name=self._wanted.model, **values)
        async with transaction(self._engine) as connection:
            await connection.execute(mine.on_conflict_do_update(index_elements=["name"], set_=values))
            others = models.c.name != self._wanted.model
            await connection.execute(update(models).where(others).values(state="retired"))
            await connection.execute(delete(vectors).where(vectors.c.model != self._wanted.model))

    async def _index_many(self) -> None:
        """Makes the HNSW index when there are too many vectors to compare one by one."""
        async with transaction(self._engine) as connection:
            count = await connection.scalar(select(func.count()).select_from(vectors))
        if (count or 0) <= EXACT_UP_TO:
            return
        name = "kb_vectors_" + hashlib.sha256(self._wanted.model.encode()).hexdigest()[:16]
        dimensions, model = self._wanted.dimensions, self._wanted.model.replace("'", "''")
        # names and numbers of our own; a statement of definition takes no parameters
        statement = f"""
            CREATE INDEX CONCURRENTLY IF NOT EXISTS "{name}" ON kb_vectors
            USING hnsw ((embedding::halfvec({dimensions})) halfvec_cosine_ops)
            WITH (ef_construction = {_EF_CONSTRUCTION}) WHERE model = '{model}'
        """
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            if await connection.scalar(text(_IS_INVALID), {"name": name}):
                await connection.execute(
                    text(f'DROP INDEX CONCURRENTLY "{name}"')
                )  # its making was interrupted
            await connection.execute(text(statement))

    async def nearest(
        self, asked: Asked, conditions: Sequence[ColumnElement[bool]], *, among: int, limit: int
    ) -> list[Near]:
        """The chunks nearest to the question, best first, that meet the conditions on documents and chunks.

        `among` is about how many do: few are compared one by one, many looked up in the HNSW index.
        """
        async with transaction(self._engine) as connection:
            if among > EXACT_UP_TO:
                await connection.execute(_BY_INDEX)
                return await _near(connection, asked, conditions, limit, is_exact=False)
            return await _near(connection, asked, conditions, limit, is_exact=True)

    async def likeness(self, asked: Asked, digests: Collection[str]) -> Mapping[str, float]:
        """The cosine of the question and each of these texts; texts without a vector are missing."""
        query = select(vectors.c.digest, _distance(asked)).where(
            vectors.c.model == asked.model, vectors.c.digest == any_(literal(list(digests), ARRAY(Text)))
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all() if digests else ()
        return {digest: 1 - distance for digest, distance in rows}

    async def sample(self, model: str, revision: UUID | None) -> Vectors:
        """Up to 4,096 vectors, the same while the documents are: all, or those of the smallest digests."""
        if self._sampled is None or self._sampled[:2] != (revision, model):
            query = (
                select(vectors.c.embedding)
                .where(vectors.c.model == model)
                .order_by(vectors.c.digest)
                .limit(_SAMPLE)
            )
            async with transaction(self._engine) as connection:
                rows = (await connection.execute(query)).scalars().all()
            matrix = await asyncio.to_thread(np.array, rows, np.float32)
            self._sampled = revision, model, matrix
        return self._sampled[2]


def _distance(asked: Asked) -> ColumnElement[float]:
    distance: ColumnElement[float] = cast(vectors.c.embedding, HALFVEC(len(asked.vector))).cosine_distance(
        asked.vector
    )
    return distance


async def _near(
    connection: AsyncConnection,
    asked: Asked,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
    *,
    is_exact: bool,
) -> list[Near]:
    distance = _distance(asked)
    # an expression that no index is on compares one by one
    order = distance + 0.0 if is_exact else distance
    query = (
        select(chunks.c.id, chunks.c.document_id, chunks.c.section, distance.label("distance"))
        .select_from(vectors)
        .join(chunks, chunks.c.digest == vectors.c.digest)
        .join(documents, documents.c.id == chunks.c.document_id)
        # the partial index is of one model: its name has to be in the statement
        .where(vectors.c.model == literal(asked.model, literal_execute=True), *conditions)
        .order_by(order)
        .limit(limit)
    )
    rows = await connection.execute(query)
    near = [Near(row.id, (row.document_id, row.section), 1 - row.distance) for row in rows]
    return sorted(near, key=lambda one: -one.cosine)
