"""The handovers that are posted at the ends of shifts."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table, and finds events by their time."""
    op.execute(
        "CREATE TABLE handovers ("
        " shift_end timestamptz NOT NULL, target text NOT NULL, sent_at timestamptz,"
        " tries integer NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(),"
        " PRIMARY KEY (shift_end, target))"
    )
    op.execute("CREATE INDEX incident_events_at ON incident_events (at)")


def downgrade() -> None:
    """Takes both away."""
    op.execute("DROP INDEX incident_events_at")
    op.execute("DROP TABLE handovers")
