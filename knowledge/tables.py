"""The tables of the document store and the knowledge graph; the only place with their names."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

_NOW = sa.func.now()
_NO_TEXTS = sa.text("'{}'::text[]")
_SHORT = """
    CASE WHEN kind IN ('job', 'job_stream', 'resource', 'name') THEN regexp_replace(name, '^.*[#./]', '') ELSE name END
"""


def _moment(name: str, *, is_now: bool = False) -> sa.Column[datetime]:
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, nullable=False, server_default=_NOW) if is_now else sa.Column(name, moment)


documents = sa.Table(
    "kb_documents",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("source", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False, server_default="document"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False, server_default="en"),
    # Of the bytes, the recipe and the declared properties: the same hash is the same document.
    sa.Column("content_hash", sa.Text, nullable=False),
    # `role:operator`, `group:sap`; empty: whoever may ask.
    sa.Column("readers", sa.ARRAY(sa.Text), nullable=False, server_default=_NO_TEXTS),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_to", sa.Date),
    sa.Column("link", sa.Text),
    # Above 1 for what helped, below for what did not.
    sa.Column("weight", sa.Float, nullable=False, server_default="1"),
    _moment("ingested_at", is_now=True),
    sa.CheckConstraint("kind IN ('document', 'case', 'correction')", name="kb_documents_kind"),
)

chunks = sa.Table(
    "kb_chunks",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    # Chunks of one section, in order, are its text.
    sa.Column("section", sa.Integer, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("identifiers", sa.ARRAY(sa.Text), nullable=False),
    # Of what is embedded: the key of its vectors.
    sa.Column("digest", sa.Text, nullable=False),
    sa.UniqueConstraint("document_id", "position"),
    sa.Index("kb_chunks_identifiers", "identifiers", postgresql_using="gin"),
    sa.Index("kb_chunks_digest", "digest"),
    sa.Index("kb_chunks_section", "document_id", "section"),
)

vectors = sa.Table(
    "kb_vectors",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("embedding", HALFVEC(), nullable=False),
)
"""One vector of a model for each text that any chunk has, so that nothing is embedded twice."""

models = sa.Table(
    "kb_models",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("dimensions", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.CheckConstraint("state IN ('active', 'retired')", name="kb_models_state"),
)
"""The embedding models that vectors are of; the active one answers while the next is being built."""

revision = sa.Table(
    "kb_revision",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    sa.Column("value", sa.Uuid, nullable=False),
)
"""One row with a value that every change replaces: whoever holds the same value holds the same chunks."""

ingests = sa.Table(
    "kb_ingests",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text),
    # Gone when it was read.
    sa.Column("data", sa.LargeBinary),
    sa.Column("properties", JSONB, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    # One entry a document: what an archive holds is many.
    sa.Column("reports", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _moment("created_at", is_now=True),
    _moment("finished_at"),
    sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="kb_ingests_state"),
    sa.Index("kb_ingests_unfinished", "created_at", postgresql_where=sa.text("finished_at IS NULL")),
)
"""What was handed in to be read."""

answers = sa.Table(
    "kb_answers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("question", sa.Text, nullable=False),
    # Identifiers, numbers, dates, verb class and negation of the question: a hit has the same.
    sa.Column("signature", sa.Text, nullable=False),
    # What whoever asked may read: a hit may read the same.
    sa.Column("readers", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("embedding", HALFVEC(), nullable=False),
    sa.Column("answer", JSONB, nullable=False),
    _moment("created_at", is_now=True),
    sa.Index("kb_answers_signature", "signature"),
)
"""Answers from documents, kept while no document changes."""

feedback = sa.Table(
    "kb_feedback",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("turn_id", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("correction", sa.Text, nullable=False, server_default=""),
    # The documents that the answer cited.
    sa.Column("sources", sa.ARRAY(sa.Text), nullable=False, server_default=_NO_TEXTS),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("decided_by", sa.Text),
    _moment("decided_at"),
    _moment("created_at", is_now=True),
    sa.UniqueConstraint("turn_id", "actor_id"),
    sa.CheckConstraint("verdict IN ('good', 'bad')", name="kb_feedback_verdict"),
    sa.CheckConstraint("state IN ('open', 'accepted', 'rejected')", name="kb_feedback_state"),
)
"""What people said of answers; corrections wait until somebody accepts them."""

glossary = sa.Table(
    "kb_glossary",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("notion", sa.Text, nullable=False, unique=True),
    sa.Column("added_by", sa.Text, nullable=False),
    _moment("added_at", is_now=True),
)
"""Lines like those of `glossary.yaml` that this site added."""

thresholds = sa.Table(
    "kb_thresholds",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    _moment("set_at", is_now=True),
)
"""What this site uses instead of the calibrated values."""

nodes = sa.Table(
    "kg_nodes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    # What people call it: `PAYROLL` for `AGT1#PAYDAILY.PAYROLL`.
    sa.Column("short", sa.Text, sa.Computed(_SHORT, persisted=True)),
    # Of the document that says so; its facts go with it and are seen by its readers only.
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE")),
    sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
    # None while the source still names it.
    sa.Column("valid_to", sa.DateTime(timezone=True)),
    sa.Index(
        "kg_nodes_open", "source", "kind", "name", unique=True, postgresql_where=sa.text("valid_to IS NULL")
    ),
    sa.Index("kg_nodes_short", "short"),
    sa.Index("kg_nodes_document", "document_id"),
)

edges = sa.Table(
    "kg_edges",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("from_node", sa.ForeignKey(nodes.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("relation", sa.Text, nullable=False),
    sa.Column("to_node", sa.ForeignKey(nodes.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE")),
    # Where it says so, as a reader would look it up.
    sa.Column("evidence", sa.Text, nullable=False, server_default=""),
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
    sa.Index("kg_edges_document", "document_id"),
)
