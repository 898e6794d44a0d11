"""The tables of the document store; the only place with their names."""

from __future__ import annotations

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)

__all__ = ["DIMENSIONS", "chunks", "documents", "metadata", "revision"]

DIMENSIONS = 384
"""Length of a vector: what all-MiniLM-L6-v2 gives."""

metadata = MetaData()

documents = Table(
    "kb_documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False, unique=True),
    Column("media_type", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("ingested_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

chunks = Table(
    "kb_chunks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("location", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("identifiers", ARRAY(Text), nullable=False),
    Column("embedding", VECTOR(DIMENSIONS)),
    Column("model", Text),
    UniqueConstraint("document_id", "position"),
    CheckConstraint("(embedding IS NULL) = (model IS NULL)", name="kb_chunks_embedding_has_model"),
    Index("kb_chunks_identifiers", "identifiers", postgresql_using="gin"),
)

revision = Table(
    "kb_revision",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("value", Uuid, nullable=False),
)
"""One row with a value that every change replaces: whoever holds the same value holds the same chunks."""
