"""The table of the REST API: requests that may be repeated."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text, func

metadata = MetaData()

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    metadata,
    Column("actor_id", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # SHA-256 of the request's meaning, so that another request under the same key is noticed.
    Column("fingerprint", Text, nullable=False),
    # Null while the first request is still running.
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("idempotency_keys_created_at", "created_at"),
)
