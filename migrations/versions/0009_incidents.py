"""Alerts, and the incidents that they are folded into."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = (
    (
        "CREATE TABLE incidents ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, engine text NOT NULL, trouble text NOT NULL,"
        " state text NOT NULL DEFAULT 'open', severity text NOT NULL, cause text NOT NULL, subject text NOT NULL,"
        " root jsonb, witness text, waiting integer NOT NULL DEFAULT 0, assignee text, silenced_until timestamptz,"
        " merged_into bigint REFERENCES incidents (id) ON DELETE SET NULL, turn_id text,"
        " revision integer NOT NULL DEFAULT 1, first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL,"
        " ended_at timestamptz,"
        " CONSTRAINT incidents_state CHECK (state IN ('open', 'acknowledged', 'mitigated', 'resolved', 'closed')))"
    ),
    (
        "CREATE UNIQUE INDEX incidents_active ON incidents (engine, trouble)"
        " WHERE state IN ('open', 'acknowledged', 'mitigated') AND merged_into IS NULL"
    ),
    (
        "CREATE TABLE alerts ("
        " seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, source text NOT NULL,"
        " fingerprint text NOT NULL, alert jsonb NOT NULL, times integer NOT NULL DEFAULT 1,"
        " received_at timestamptz NOT NULL DEFAULT now(), last_at timestamptz NOT NULL DEFAULT now(),"
        " incident_id bigint REFERENCES incidents (id) ON DELETE SET NULL, tried timestamptz, folded_at timestamptz,"
        " CONSTRAINT alerts_fingerprint UNIQUE (source, fingerprint))"
    ),
    "CREATE INDEX alerts_waiting ON alerts (seq) WHERE folded_at IS NULL",
    "CREATE INDEX alerts_incident ON alerts (incident_id) WHERE incident_id IS NOT NULL",
    (
        "CREATE TABLE incident_events ("
        " seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " incident_id bigint NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,"
        " at timestamptz NOT NULL DEFAULT now(), actor_id text NOT NULL DEFAULT '', kind text NOT NULL,"
        " detail text NOT NULL DEFAULT '')"
    ),
    "CREATE INDEX incident_events_incident ON incident_events (incident_id)",
    (
        "CREATE TABLE incident_cards ("
        " incident_id bigint NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, target text NOT NULL,"
        " message_id text, shown text NOT NULL DEFAULT '', tries integer NOT NULL DEFAULT 0,"
        " due_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (incident_id, target))"
    ),
)


def upgrade() -> None:
    """Makes the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drops them."""
    for table in ("incident_cards", "incident_events", "alerts", "incidents"):
        op.execute(f"DROP TABLE {table}")
