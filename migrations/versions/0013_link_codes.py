"""Codes by which people link their accounts in chats."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.execute(
        "CREATE TABLE link_codes ("
        " code_hash text CONSTRAINT pk_link_codes PRIMARY KEY,"
        " username text NOT NULL CONSTRAINT fk_link_codes_username_users REFERENCES users (username) ON DELETE CASCADE,"
        " expires_at timestamptz NOT NULL)"
    )


def downgrade() -> None:
    """Takes it away."""
    op.execute("DROP TABLE link_codes")
