"""The ledger of model calls."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.execute(
        "CREATE TABLE model_calls ("
        " id text PRIMARY KEY, turn_id text NOT NULL, actor_id text NOT NULL, channel text NOT NULL,"
        " task text NOT NULL, model text NOT NULL, started_at timestamptz NOT NULL DEFAULT now(),"
        " latency_ms integer, input_tokens integer NOT NULL, output_tokens integer NOT NULL, cost numeric,"
        " outcome text NOT NULL DEFAULT 'running', reason text NOT NULL DEFAULT '', sent json,"
        " CONSTRAINT model_calls_outcome CHECK (outcome IN ('running', 'ok', 'refused', 'unavailable')))"
    )
    op.execute("CREATE INDEX model_calls_started_at ON model_calls (started_at)")
    op.execute("CREATE INDEX model_calls_turn_id ON model_calls (turn_id)")


def downgrade() -> None:
    """Drops the table."""
    op.execute("DROP TABLE model_calls")
