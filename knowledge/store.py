"""Writes and reads documents and their chunks in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, Text, cast, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .documents import Chunk, Document
from .embed import Vectors
from .errors import StoreUnavailableError
from .tables import chunks, documents, revision

__all__ = ["Store", "WordRows", "transaction"]

_COUNT = select(func.count()).where(chunks.c.document_id == documents.c.id).scalar_subquery()
_DOCUMENTS = select(
    cast(documents.c.id, Text).label("id"),
    *(column for column in documents.c if column is not documents.c.id),
    _COUNT.label("chunks"),
)
"""Columns named like the fields of `Document`."""


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, isolation: str | None = None) -> AsyncIterator[AsyncConnection]:
    """One transaction; a database that is away becomes `StoreUnavailableError`."""
    try:
        async with engine.connect() as connection:
            if isolation:
                await connection.execution_options(isolation_level=isolation)
            async with connection.begin():
                yield connection
    except (DBAPIError, OSError, TimeoutError) as error:
        raise StoreUnavailableError(type(error).__name__) from error


class WordRows(NamedTuple):
    """Everything a word index is made of, as of one revision."""

    revision: UUID | None
    """None before the first document."""
    ids: Sequence[int]
    texts: Sequence[str]
    """Title, location and text of each chunk, in the order of `ids`."""


class Store:
    """The documents. Every method may raise `StoreUnavailableError`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(
        self,
        *,
        title: str,
        source: str,
        media_type: str,
        content_hash: str,
        pieces: Sequence[Chunk],
        vectors: Vectors | None,
        model: str,
    ) -> Document:
        """Puts a document in the place of the one from the same source, if any, in one transaction.

        The document keeps its id when it is replaced. `vectors` has a row for each piece, or is None: then
        the document is found by words and identifiers only.
        """
        values = {"title": title, "media_type": media_type, "content_hash": content_hash}
        upsert = (
            insert(documents)
            .values(id=uuid4(), source=source, **values)
            .on_conflict_do_update(
                index_elements=[documents.c.source], set_={**values, "ingested_at": func.now()}
            )
            .returning(documents.c.id)
        )
        async with transaction(self._engine) as connection:
            document_id: UUID = (await connection.execute(upsert)).scalar_one()
            await connection.execute(delete(chunks).where(chunks.c.document_id == document_id))
            rows = [
                {
                    "document_id": document_id,
                    "position": piece.position,
                    "location": piece.location,
                    "text": piece.text,
                    "identifiers": sorted(piece.identifiers),
                    "embedding": None if vectors is None else vectors[index],
                    "model": None if vectors is None else model,
                }
                for index, piece in enumerate(pieces)
            ]
            await connection.execute(chunks.insert(), rows)
            await _mark_changed(connection)
            written = (await connection.execute(_DOCUMENTS.where(documents.c.id == document_id))).one()
        return _document(written)

    async def list(self) -> tuple[Document, ...]:
        """All documents by title, then source."""
        rows = await self._fetch(_DOCUMENTS.order_by(documents.c.title, documents.c.source))
        return tuple(map(_document, rows))

    async def get(self, document_id: str) -> Document | None:
        """The document, None where there is none with this id (or the id is no id)."""
        key = _key(document_id)
        return await self._find(documents.c.id == key) if key else None

    async def find(self, source: str) -> Document | None:
        """The document from this source."""
        return await self._find(documents.c.source == source)

    async def read(self, document_id: str) -> tuple[Chunk, ...]:
        """The chunks of a document in reading order; empty where there is none."""
        query = select(chunks.c.position, chunks.c.location, chunks.c.text, chunks.c.identifiers)
        of_document = query.where(chunks.c.document_id == _key(document_id)).order_by(chunks.c.position)
        return tuple(
            Chunk(position=position, location=location, text=text, identifiers=frozenset(identifiers))
            for position, location, text, identifiers in await self._fetch(of_document)
        )

    async def has_vectors(self, document_id: str, model: str) -> bool:
        """Whether every chunk of the document has a vector of this model."""
        lacking = exists().where(
            chunks.c.document_id == _key(document_id), chunks.c.model.is_distinct_from(model)
        )
        return not (await self._fetch(select(lacking)))[0][0]

    async def delete(self, document_id: str) -> bool:
        """Removes a document with all that was made of it; False where there is none."""
        async with transaction(self._engine) as connection:
            query = delete(documents).where(documents.c.id == _key(document_id)).returning(documents.c.id)
            is_gone = (await connection.execute(query)).first() is not None
            if is_gone:
                await _mark_changed(connection)
        return is_gone

    async def revision(self) -> UUID | None:
        """A value that differs after each change; None before the first."""
        rows = await self._fetch(select(revision.c.value))
        return rows[0][0] if rows else None

    async def load_words(self) -> WordRows:
        """All texts with the revision they are of."""
        text = func.concat_ws("\n", documents.c.title, chunks.c.location, chunks.c.text).label("text")
        query = select(chunks.c.id, text).join_from(chunks, documents).order_by(chunks.c.id)
        # both statements see the same moment, so the revision never claims more than was read
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            current = (await connection.execute(select(revision.c.value))).scalar()
            rows = (await connection.execute(query)).all()
        return WordRows(current, [row.id for row in rows], [row.text for row in rows])

    async def _find(self, condition: ColumnElement[bool]) -> Document | None:
        rows = await self._fetch(_DOCUMENTS.where(condition))
        return _document(rows[0]) if rows else None

    async def _fetch(self, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        async with transaction(self._engine) as connection:
            return (await connection.execute(query)).all()


async def _mark_changed(connection: AsyncConnection) -> None:
    value = uuid4()
    statement = insert(revision).values(id=1, value=value)
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"value": value}))


def _document(row: Any) -> Document:
    return Document(**row._asdict())


def _key(document_id: str) -> UUID | None:
    try:
        return UUID(document_id)
    except ValueError:
        return None
