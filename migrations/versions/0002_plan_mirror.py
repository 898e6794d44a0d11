"""The plan mirror and the knowledge graph."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE tws_leases (
    engine text PRIMARY KEY, owner text NOT NULL, generation bigint NOT NULL, expires_at timestamptz NOT NULL,
    failing_since timestamptz, failure text NOT NULL DEFAULT '');
CREATE TABLE tws_plans (
    engine text, began_at timestamptz, run_number integer, starts_at timestamptz, ends_at timestamptz,
    read_at timestamptz NOT NULL, revision bigint NOT NULL, base_revision bigint NOT NULL,
    PRIMARY KEY (engine, began_at));
CREATE TABLE tws_objects (
    engine text, kind text, id text, selection text NOT NULL, status text NOT NULL, substatus text,
    priority integer, canceled boolean NOT NULL, since timestamptz NOT NULL, revision bigint NOT NULL,
    content jsonb NOT NULL, PRIMARY KEY (engine, kind, id));
CREATE INDEX tws_objects_revision ON tws_objects (engine, revision);
CREATE INDEX tws_objects_selection ON tws_objects (engine, selection);
CREATE TABLE tws_changes (
    engine text NOT NULL, kind text NOT NULL, object_id text NOT NULL, selection text NOT NULL, status text NOT NULL,
    substatus text, priority integer, canceled boolean NOT NULL, valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL) PARTITION BY RANGE (valid_to);
CREATE INDEX tws_changes_selection ON tws_changes (engine, selection);
CREATE INDEX tws_changes_valid_from ON tws_changes (engine, valid_from);
CREATE TABLE tws_runs (
    engine text, run_id text, selection text NOT NULL, status text NOT NULL, return_code integer,
    workstation text NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL,
    PRIMARY KEY (engine, run_id));
CREATE INDEX tws_runs_selection ON tws_runs (engine, selection, ended_at);
CREATE INDEX tws_runs_ended_at ON tws_runs (engine, ended_at);
CREATE TABLE tws_statistics (
    engine text, selection text, runs integer NOT NULL, median interval NOT NULL, p95 interval NOT NULL,
    last_success_at timestamptz NOT NULL, revision bigint NOT NULL, PRIMARY KEY (engine, selection));
CREATE INDEX tws_statistics_revision ON tws_statistics (engine, revision);
CREATE TABLE kg_nodes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL, kind text NOT NULL, name text NOT NULL,
    valid_from timestamptz NOT NULL, valid_to timestamptz);
CREATE UNIQUE INDEX kg_nodes_open ON kg_nodes (source, kind, name) WHERE valid_to IS NULL;
CREATE INDEX kg_nodes_name ON kg_nodes (name);
CREATE TABLE kg_edges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL,
    from_node bigint NOT NULL REFERENCES kg_nodes ON DELETE CASCADE, relation text NOT NULL,
    to_node bigint NOT NULL REFERENCES kg_nodes ON DELETE CASCADE, valid_from timestamptz NOT NULL,
    valid_to timestamptz);
CREATE UNIQUE INDEX kg_edges_open ON kg_edges (from_node, relation, to_node, source) WHERE valid_to IS NULL;
CREATE INDEX kg_edges_from_node ON kg_edges (from_node);
CREATE INDEX kg_edges_to_node ON kg_edges (to_node)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was made before the upgrade")
