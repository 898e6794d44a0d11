"""The tables of the brain: turns, their events, proposals and executions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

__all__ = ["EXECUTIONS", "PLAN_SNAPSHOTS", "PROPOSALS", "TURNS", "TURN_EVENTS", "UNFINISHED", "metadata"]

metadata = MetaData()

UNFINISHED = ("waiting", "running", "answered")
"""States of a turn that still needs a worker."""

TURNS = Table(
    "turns",
    metadata,
    Column("turn_id", Text, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("channel", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("order_key", Text, nullable=False),
    Column("message", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("agent", Text),
    Column("outcome", Text),
    Column("reply", JSONB),
    Column("accepted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    UniqueConstraint("channel", "tenant", "delivery_id", name="turns_delivery"),
    CheckConstraint("state IN ('waiting', 'running', 'answered', 'done')", name="turns_state"),
    Index("turns_order_key", "order_key"),
    Index(
        "turns_unfinished",
        "order_key",
        "seq",
        postgresql_where=text("state IN ('waiting', 'running', 'answered')"),
    ),
)

TURN_EVENTS = Table(
    "turn_events",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.turn_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
)

PROPOSALS = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("turn_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", JSONB, nullable=False),
    Column("consequences", JSONB, nullable=False),
    Column("requires", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    CheckConstraint(
        "state IN ('open', 'approved', 'confirmed', 'different', 'unknown', 'rejected', 'refused', 'expired')",
        name="proposals_state",
    ),
)

EXECUTIONS = Table(
    "executions",
    metadata,
    # One row for each approved proposal, ever: the key is what makes a change happen at most once.
    Column("proposal_id", Text, ForeignKey("proposals.id"), primary_key=True),
    Column("approved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Set just before the request leaves: from then on the change may have been made.
    Column("sent_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("answer", Text, nullable=False, server_default=""),
)

PLAN_SNAPSHOTS = Table(
    "plan_snapshots",
    metadata,
    Column("engine", Text, primary_key=True),
    Column("taken_at", DateTime(timezone=True), nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("failed", JSONB, nullable=False),
)
