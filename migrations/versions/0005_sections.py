"""Sections are looked up by their number: without an index that reads the whole of a long document."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the index."""
    op.execute("CREATE INDEX kb_chunks_section ON kb_chunks (document_id, section)")


def downgrade() -> None:
    """Drops the index."""
    op.execute("DROP INDEX kb_chunks_section")
