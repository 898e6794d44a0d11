"""First schema."""

from __future__ import annotations

from alembic import op

from migrations import metadatas

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    for metadata in metadatas():
        metadata.create_all(op.get_bind())
