"""Writes what a document says into the graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from .links import Fact
from .statements import statements

_LINK = statements("link")


async def link_document(connection: AsyncConnection, document_id: UUID, facts: Sequence[Fact]) -> None:
    """Makes these all that the document says, in the transaction that writes it; they go with the document."""
    said = json.dumps([asdict(fact) for fact in facts])
    values = {"document_id": document_id, "source": f"document:{document_id}", "facts": said}
    for statement in _LINK:
        await connection.execute(statement, values)
