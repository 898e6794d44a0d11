"""First schema."""

from __future__ import annotations

from alembic import op

from migrations import metadatas
from security.tables import AUDIT_TRIGGER_SQL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    for metadata in metadatas():
        metadata.create_all(op.get_bind())
    for statement in AUDIT_TRIGGER_SQL:
        op.execute(statement)
