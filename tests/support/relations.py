"""Facts of the graph as a test compares them."""

from __future__ import annotations

from datetime import datetime

from knowledge.documents import Chunk, Properties, Reader, Section
from knowledge.relations import Relations, View
from knowledge.split import split
from knowledge.store import Store
from tests.support.mirrored import NAME

Triple = tuple[tuple[str, str], str, tuple[str, str]]
"""Start, relation, target; the ends with their kind."""
EVERYTHING = Reader(None)


async def said_of(
    relations: Relations, *names: str, at: datetime, reader: Reader = EVERYTHING, engine: str = NAME
) -> set[Triple]:
    """What is known of the names at the moment."""
    facts = await relations.facts(names, View(reader=reader, engine=engine, at=at))
    return {(known.start, known.relation, known.target) for known in facts}


async def store_document(
    store: Store, title: str, sections: dict[str, str], *, source: str = "", **properties: object
) -> str:
    """Stores a document of sections by heading; gives its id."""
    pieces: tuple[Chunk, ...] = split(
        title, [Section(location=heading, text=words) for heading, words in sections.items()]
    )
    written = await store.write(
        title=title,
        source=source or title,
        media_type="text/markdown",
        content_hash=title,
        language="en",
        properties=Properties(**properties),  # type: ignore[arg-type]  # fields by name
        pieces=pieces,
    )
    return written.id
