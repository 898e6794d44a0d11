"""Writes and reads documents and their chunks in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    any_,
    cast,
    delete,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .documents import Chunk, Document, Properties, Reader
from .errors import StoreUnavailableError
from .linking import link_document
from .links import facts_of
from .tables import answers, chunks, documents, feedback, glossary, ingests, revision, vectors

_COUNT = select(func.count()).where(chunks.c.document_id == documents.c.id).scalar_subquery()
_DOCUMENTS = select(
    cast(documents.c.id, Text).label("id"),
    *(column for column in documents.c if column is not documents.c.id),
    _COUNT.label("chunks"),
)
"""Columns named like the fields of `Document`."""
_FIRST = func.min(chunks.c.id).label("id")
_SECTIONS = (
    select(_FIRST, documents.c.id, chunks.c.section, documents.c.language, documents.c.readers)
    .join_from(chunks, documents)
    .group_by(documents.c.id, chunks.c.section)
    .order_by(_FIRST)
)
_TEXTS = (
    select(
        _FIRST,
        func.concat_ws(
            "\n", documents.c.title, func.nullif(func.min(chunks.c.location), documents.c.title)
        ).label("heading"),
        func.string_agg(chunks.c.text, aggregate_order_by(literal("\n"), chunks.c.position)).label("text"),
    )
    .join_from(chunks, documents)
    .group_by(documents.c.id, chunks.c.section)
)
_STEP = 1.25
"""How much one verdict changes the weight of a document."""
_MAX_WEIGHT = 2.0


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


def readable(reader: Reader) -> ColumnElement[bool]:
    """Whether the reader may see a row of `documents`."""
    if reader.tokens is None:
        return true()
    tokens = literal(sorted(reader.tokens), ARRAY(Text))
    return (func.cardinality(documents.c.readers) == 0) | documents.c.readers.op("&&")(tokens)


OnRemoved: TypeAlias = Callable[[AsyncConnection, Sequence[UUID]], Awaitable[None]]
"""Told of documents inside the transaction that removes them, so that what quotes them goes with them."""
Key: TypeAlias = tuple[UUID, int]
"""A section: the document and its place in there."""


class SectionRow(NamedTuple):
    """A section of a document."""

    id: int
    """Of its first chunk: a section with the same id has not changed."""
    document_id: UUID
    section: int
    language: str
    readers: Sequence[str]


class WordRows(NamedTuple):
    """Everything a word index is made of, as of one revision."""

    revision: UUID | None
    """None before the first document."""
    sections: Sequence[SectionRow]
    texts: Mapping[int, tuple[str, str]]
    """Headings and text of the sections that were not known, by id."""
    notions: Sequence[str]
    """What the site added to the glossary."""


class Store:
    """The documents. Every method may raise `StoreUnavailableError`."""

    def __init__(self, engine: AsyncEngine, on_removed: Sequence[OnRemoved] = ()) -> None:
        self._engine = engine
        self._on_removed = on_removed

    async def write(
        self,
        *,
        title: str,
        source: str,
        media_type: str,
        content_hash: str,
        language: str,
        properties: Properties,
        pieces: Sequence[Chunk],
    ) -> Document:
        """Puts a document in the place of the one from the same source, if any, in one transaction.

        The document keeps its id when it is replaced, and its weight unless another one is given.
        """
        values = {
            **asdict(properties),
            "readers": sorted(properties.readers),
            "title": title,
            "media_type": media_type,
            "content_hash": content_hash,
            "language": language,
        }
        changed = {**values, "ingested_at": func.now()}
        if properties.weight == Properties().weight:
            del changed["weight"]
        upsert = (
            insert(documents)
            .values(id=uuid4(), source=source, **values)
            .on_conflict_do_update(index_elements=[documents.c.source], set_=changed)
            .returning(documents.c.id)
        )
        facts = await asyncio.to_thread(facts_of, title, pieces)
        async with transaction(self._engine) as connection:
            await mark_changed(connection)
            document_id: UUID = (await connection.execute(upsert)).scalar_one()
            old = await _drop_chunks(connection, [document_id])
            rows = [
                {
                    "document_id": document_id,
                    **asdict(piece),
                    "identifiers": sorted(piece.identifiers),
                }
                for piece in pieces
            ]
            await connection.execute(chunks.insert(), rows)
            await _drop_vectors(connection, old)
            await link_document(connection, document_id, facts)
            written = (await connection.execute(_DOCUMENTS.where(documents.c.id == document_id))).one()
        return _document(written)

    async def list(self, reader: Reader) -> tuple[Document, ...]:
        """The documents by title, then source."""
        query = _DOCUMENTS.where(readable(reader)).order_by(documents.c.title, documents.c.source)
        return tuple(map(_document, await self._fetch(query)))

    async def get(self, document_id: str, reader: Reader) -> Document | None:
        """The document, None where the reader sees none with this id (or the id is no id)."""
        return await self._find(documents.c.id == _key(document_id), readable(reader))

    async def find(self, source: str) -> Document | None:
        """The document from this source, whoever may read it."""
        return await self._find(documents.c.source == source)

    async def sources(self, under: str) -> frozenset[str]:
        """All sources that begin so."""
        query = select(documents.c.source).where(documents.c.source.startswith(under, autoescape=True))
        return frozenset(row.source for row in await self._fetch(query))

    async def is_taken(self, source: str, reader: Reader) -> bool:
        """Whether what comes from this source, or out of this archive, would replace what the reader may not read."""
        inside = documents.c.source.startswith(f"{source}!/", autoescape=True)
        return await self._find((documents.c.source == source) | inside, ~readable(reader)) is not None

    async def read(self, document_id: str, reader: Reader) -> tuple[Chunk, ...]:
        """The chunks of a document in reading order; empty where the reader sees none."""
        columns = (column for column in chunks.c if column.name not in {"id", "document_id"})
        of_document = select(*columns).join_from(chunks, documents)
        rows = await self._fetch(
            of_document.where(documents.c.id == _key(document_id), readable(reader)).order_by(
                chunks.c.position
            )
        )
        return tuple(Chunk(**row._asdict() | {"identifiers": frozenset(row.identifiers)}) for row in rows)

    async def delete(self, document_id: str) -> bool:
        """Removes a document with all that was made of it; False where there is none."""
        return bool(await self._delete(documents.c.id == _key(document_id)))

    async def delete_source(self, source: str) -> bool:
        """Removes the document from this source; False where there is none."""
        return bool(await self._delete(documents.c.source == source))

    async def _delete(self, condition: ColumnElement[bool]) -> int:
        async with transaction(self._engine) as connection:
            ids = (await connection.execute(select(documents.c.id).where(condition))).scalars().all()
            if not ids:
                return 0
            await mark_changed(connection)
            old = await _drop_chunks(connection, ids)
            await connection.execute(delete(documents).where(documents.c.id.in_(ids)))
            await _drop_vectors(connection, old)
            for forget in (_forget, *self._on_removed):
                await forget(connection, ids)
        return len(ids)

    async def weigh(self, document_id: str, verdict: Literal["good", "bad"]) -> None:
        """Lets a document count for more or less in searches, from half to twice; what is not there is left alone."""
        factor = _STEP if verdict == "good" else 1 / _STEP
        weight = func.least(_MAX_WEIGHT, func.greatest(1 / _MAX_WEIGHT, documents.c.weight * factor))
        async with transaction(self._engine) as connection:
            await mark_changed(connection)
            await connection.execute(
                update(documents).where(documents.c.id == _key(document_id)).values(weight=weight)
            )

    async def revision(self) -> UUID | None:
        """A value that differs after each change; None before the first."""
        rows = await self._fetch(select(revision.c.value))
        return rows[0][0] if rows else None

    async def load_words(self, known: Collection[int]) -> WordRows:
        """All sections, and the texts of those whose id is not known, with the revision they are of."""
        # the statements see the same moment, so the revision never claims more than was read
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            current = (await connection.execute(select(revision.c.value))).scalar()
            notions = (await connection.execute(select(glossary.c.notion))).scalars().all()
            sections = [SectionRow(*row) async for row in await connection.stream(_SECTIONS)]
            new = [row.id for row in sections if row.id not in known]
            first = select(chunks.c.document_id, chunks.c.section).where(
                chunks.c.id == any_(literal(new, ARRAY(BigInteger)))
            )
            query = _TEXTS.where(tuple_(chunks.c.document_id, chunks.c.section).in_(first))
            texts = {row.id: (row.heading, row.text) async for row in await connection.stream(query)}
        return WordRows(current, sections, texts, notions)

    async def _find(self, *conditions: ColumnElement[bool]) -> Document | None:
        rows = await self._fetch(_DOCUMENTS.where(*conditions).limit(1))
        return _document(rows[0]) if rows else None

    async def _fetch(self, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        async with transaction(self._engine) as connection:
            return (await connection.execute(query)).all()


async def mark_changed(connection: AsyncConnection) -> None:
    """First of all in a change: writers take turns here, so that each sees the texts that others still have."""
    value = uuid4()
    statement = insert(revision).values(id=1, value=value)
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"value": value}))
    await connection.execute(delete(answers))


async def _forget(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Removes the documents from what answers cited, and how they were handed in."""
    for document_id in map(str, ids):
        cites = update(feedback).where(literal(document_id) == any_(feedback.c.sources))
        await connection.execute(cites.values(sources=func.array_remove(feedback.c.sources, document_id)))
        handed_in = ingests.c.reports.contains([{"document_id": document_id}])
        await connection.execute(delete(ingests).where(handed_in))


async def _drop_chunks(connection: AsyncConnection, ids: Sequence[UUID]) -> Sequence[str]:
    """Removes the documents' chunks and gives their digests."""
    drop = delete(chunks).where(chunks.c.document_id.in_(ids)).returning(chunks.c.digest)
    return (await connection.execute(drop)).scalars().all()


async def _drop_vectors(connection: AsyncConnection, digests: Sequence[str]) -> None:
    """Removes the vectors of those texts that no document has any more."""
    is_used = select(chunks.c.id).where(chunks.c.digest == vectors.c.digest).exists()
    given = any_(literal(list(digests), ARRAY(Text)))
    await connection.execute(delete(vectors).where(vectors.c.digest == given, ~is_used))


def _document(row: Any) -> Document:
    return Document(**row._asdict() | {"readers": frozenset(row.readers)})


def _key(document_id: str) -> UUID | None:
    try:
        return UUID(document_id)
    except ValueError:
        return None
