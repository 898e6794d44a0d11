"""Changes of any object, in bulk, watched until their outcome is known; accounts of people in TWS."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What waited for a decision was shown by another version: it has to be asked for again.
    op.execute("UPDATE proposals SET state = 'expired' WHERE state = 'open'")
    op.execute("UPDATE proposals SET state = 'unknown' WHERE state = 'approved'")
    _extend_proposals()
    _extend_executions()
    op.create_table(
        "tws_identities",
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "engine"),
    )


def _extend_proposals() -> None:
    op.add_column("proposals", sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute(
        """
        UPDATE proposals SET items = jsonb_build_array(jsonb_build_object('change', jsonb_build_object(
            'action', action, 'kind', 'job', 'object_id', target->'job_id', 'selection', target->'selection',
            'arguments', '{}'::jsonb), 'before', NULL))
        """
    )
    op.alter_column("proposals", "items", nullable=False)
    op.drop_column("proposals", "target")
    for name, value in (("engine", ""), ("rule", ""), ("identity", "service"), ("proposer_role", "operator")):
        op.add_column("proposals", sa.Column(name, sa.Text(), nullable=False, server_default=value))
        op.alter_column("proposals", name, server_default=None)
    for name in ("ticket", "decided_turn"):
        op.add_column("proposals", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("replaces", sa.Text(), nullable=True))
    op.add_column("proposals", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    for name, column in (("proposals_due", "due_at"), ("proposals_replaces", "replaces")):
        op.create_index(name, "proposals", [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))


def _extend_executions() -> None:
    for name in ("detail", "echoed_id"):
        op.add_column("executions", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("executions", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("executions", sa.Column("state", sa.Text(), nullable=False, server_default="waiting"))
    op.execute(
        "UPDATE executions SET state = proposals.state, detail = proposals.detail"
        " FROM proposals WHERE proposals.id = executions.proposal_id"
    )
    op.create_check_constraint(
        "executions_state",
        "executions",
        "state IN ('waiting', 'confirmed', 'different', 'unknown', 'refused', 'skipped')",
    )
    op.drop_constraint("executions_pkey", "executions", type_="primary")
    op.create_primary_key("executions_pkey", "executions", ["proposal_id", "position"])
