"""Who is told of an incident and how, and what is silenced."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Cards know the rule that chose their target."""
    op.execute(
        "ALTER TABLE incident_cards ADD way text NOT NULL DEFAULT 'card', ADD route text NOT NULL DEFAULT '',"
        " ADD planned_at timestamptz NOT NULL DEFAULT now()"
    )
    op.execute(
        "CREATE TABLE silences ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, about jsonb NOT NULL, until timestamptz NOT NULL,"
        " reason text NOT NULL, created_by text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),"
        " ended_at timestamptz)"
    )


def downgrade() -> None:
    """Takes both away."""
    op.execute("DROP TABLE silences")
    op.execute("ALTER TABLE incident_cards DROP way, DROP route, DROP planned_at")
