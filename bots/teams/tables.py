"""The table of Teams: conversations that may be written to without being asked."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

TEAMS_CONVERSATIONS = Table(
    "teams_conversations",
    metadata,
    Column("tenant", Text, primary_key=True),
    # Of the chat or channel, without the thread.
    Column("conversation_id", Text, primary_key=True),
    Column("route", JSONB, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Since when Teams refuses what is sent there; null while it does not.
    Column("dead_at", DateTime(timezone=True)),
)
