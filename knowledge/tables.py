"""The tables of the document store and the knowledge graph; the only place with their names."""

from __future__ import annotations

import sqlalchemy as sa
from pgvector.sqlalchemy import VECTOR

__all__ = ["DIMENSIONS", "chunks", "documents", "edges", "metadata", "nodes", "revision"]

DIMENSIONS = 384
"""Length of a vector: what all-MiniLM-L6-v2 gives."""

metadata = sa.MetaData()

documents = sa.Table(
    "kb_documents",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False, unique=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("ingested_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

chunks = sa.Table(
    "kb_chunks",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("identifiers", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("embedding", VECTOR(DIMENSIONS)),
    sa.Column("model", sa.Text),
    sa.UniqueConstraint("document_id", "position"),
    sa.CheckConstraint("(embedding IS NULL) = (model IS NULL)", name="kb_chunks_embedding_has_model"),
    sa.Index("kb_chunks_identifiers", "identifiers", postgresql_using="gin"),
)

revision = sa.Table(
    "kb_revision",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    sa.Column("value", sa.Uuid, nullable=False),
)
"""One row with a value that every change replaces: whoever holds the same value holds the same chunks."""

nodes = sa.Table(
    "kg_nodes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
    # None while the source still names it.
    sa.Column("valid_to", sa.DateTime(timezone=True)),
    sa.Index(
        "kg_nodes_open", "source", "kind", "name", unique=True, postgresql_where=sa.text("valid_to IS NULL")
    ),
    sa.Index("kg_nodes_name", "name"),
)

edges = sa.Table(
    "kg_edges",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("from_node", sa.ForeignKey(nodes.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("relation", sa.Text, nullable=False),
    sa.Column("to_node", sa.ForeignKey(nodes.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
    sa.Column("valid_to", sa.DateTime(timezone=True)),
    sa.Index(
        "kg_edges_open",
        *("from_node", "relation", "to_node", "source"),
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    ),
    sa.Index("kg_edges_from_node", "from_node"),
    sa.Index("kg_edges_to_node", "to_node"),
)
