"""Conversations of Teams that may be written to without being asked."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.execute(
        "CREATE TABLE teams_conversations ("
        " tenant text NOT NULL, conversation_id text NOT NULL, route jsonb NOT NULL,"
        " seen_at timestamptz NOT NULL DEFAULT now(), dead_at timestamptz,"
        " PRIMARY KEY (tenant, conversation_id))"
    )


def downgrade() -> None:
    """Drops it."""
    op.execute("DROP TABLE teams_conversations")
