"""Where proposals are shown."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.execute(
        "CREATE TABLE postings ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " proposal_id text NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,"
        " channel text NOT NULL, tenant text NOT NULL, conversation_id text NOT NULL, message_id text NOT NULL,"
        " route jsonb NOT NULL, shown text NOT NULL DEFAULT 'open', tries integer NOT NULL DEFAULT 0,"
        " due_at timestamptz NOT NULL DEFAULT now(), posted_at timestamptz NOT NULL DEFAULT now(),"
        " CONSTRAINT postings_place UNIQUE (proposal_id, channel, tenant, conversation_id, message_id))"
    )
    op.execute(
        "CREATE INDEX postings_moving ON postings (due_at) WHERE shown IN ('open', 'approved', 'unknown')"
    )


def downgrade() -> None:
    """Drops the table."""
    op.execute("DROP TABLE postings")
