"""The tables of the brain: turns, proposals, executions, accounts in TWS, model calls, alerts and incidents."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

UNFINISHED = ("waiting", "running", "answered")
"""States of a turn that still needs a worker."""

TURNS = Table(
    "turns",
    metadata,
    Column("turn_id", Text, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("channel", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("order_key", Text, nullable=False),
    Column("message", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("agent", Text),
    Column("outcome", Text),
    Column("reply", JSONB),
    Column("accepted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    UniqueConstraint("channel", "tenant", "delivery_id", name="turns_delivery"),
    CheckConstraint("state IN ('waiting', 'running', 'answered', 'done')", name="turns_state"),
    Index("turns_order_key", "order_key"),
    Index(
        "turns_unfinished",
        "order_key",
        "seq",
        postgresql_where=text("state IN ('waiting', 'running', 'answered')"),
    ),
)

TURN_EVENTS = Table(
    "turn_events",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.turn_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
)

PROPOSALS = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("turn_id", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("action", Text, nullable=False),
    # The changes, each with its object as it was: several for one action on many jobs.
    Column("items", JSONB, nullable=False),
    Column("consequences", JSONB, nullable=False),
    Column("requires", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposer_role", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    # The proposal whose place it takes: that one was void, or stopped before its end.
    Column("replaces", Text),
    Column("state", Text, nullable=False, server_default="open"),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_turn", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("ticket", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    # When the watch looks after it next: it is under way, or its outcome is not known or not reported yet.
    Column("due_at", DateTime(timezone=True)),
    CheckConstraint(
        "state IN ('open', 'approved', 'confirmed', 'different', 'unknown', 'rejected', 'refused', 'expired')",
        name="proposals_state",
    ),
    Index("proposals_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("proposals_replaces", "replaces", postgresql_where=text("replaces IS NOT NULL")),
)

EXECUTIONS = Table(
    "executions",
    metadata,
    # One row for each change that was approved, ever: the key is what makes it happen at most once.
    Column("proposal_id", Text, ForeignKey("proposals.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, server_default="0"),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("detail", Text, nullable=False, server_default=""),
    Column("approved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Set just before the request leaves: from then on the change may have been made.
    Column("sent_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("answer", Text, nullable=False, server_default=""),
    Column("echoed_id", Text, nullable=False, server_default=""),
    CheckConstraint(
        "state IN ('waiting', 'confirmed', 'different', 'unknown', 'refused', 'skipped')",
        name="executions_state",
    ),
)

POSTING_MOVES = ("open", "approved", "unknown")
"""States of a proposal after which a message that shows it may have to change."""

POSTINGS = Table(
    "postings",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("proposal_id", Text, ForeignKey("proposals.id", ondelete="CASCADE"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("route", JSONB, nullable=False),
    # The state of the proposal that the message shows.
    Column("shown", Text, nullable=False, server_default="open"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("posted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint(
        "proposal_id", "channel", "tenant", "conversation_id", "message_id", name="postings_place"
    ),
    Index("postings_moving", "due_at", postgresql_where=text("shown IN ('open', 'approved', 'unknown')")),
)

TWS_IDENTITIES = Table(
    "tws_identities",
    metadata,
    Column("actor_id", Text, primary_key=True),
    Column("engine", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

PLAN_SNAPSHOTS = Table(
    "plan_snapshots",
    metadata,
    Column("engine", Text, primary_key=True),
    Column("taken_at", DateTime(timezone=True), nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("failed", JSONB, nullable=False),
)

MODEL_CALLS = Table(
    "model_calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("turn_id", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("latency_ms", Integer),
    # While it runs, and for good if its process dies, the most that it may use.
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost", Numeric),
    Column("outcome", Text, nullable=False, server_default="running"),
    Column("reason", Text, nullable=False, server_default=""),
    # Not JSONB, which refuses some characters that job logs have.
    Column("sent", JSON(none_as_null=True)),
    CheckConstraint(
        "outcome IN ('running', 'ok', 'refused', 'unavailable')",
        name="model_calls_outcome",
    ),
    Index("model_calls_started_at", "started_at"),
    Index("model_calls_turn_id", "turn_id"),
)

ALERTS = Table(
    "alerts",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    # The same for all reports of one occurrence; further ones are counted.
    Column("fingerprint", Text, nullable=False),
    Column("alert", JSONB, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("incident_id", BigInteger, ForeignKey("incidents.id", ondelete="SET NULL")),
    # When the plan was read that last knew of no trouble behind it; a later one may.
    Column("tried", DateTime(timezone=True)),
    # Set once it is known which incident it belongs to, or that the plan knows of no trouble.
    Column("folded_at", DateTime(timezone=True)),
    UniqueConstraint("source", "fingerprint", name="alerts_fingerprint"),
    Index("alerts_waiting", "seq", postgresql_where=text("folded_at IS NULL")),
    Index("alerts_incident", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
)

INCIDENTS = Table(
    "incidents",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("engine", Text, nullable=False),
    # What is wrong, the same while it lasts: `job:` and the id of the one that failed, `workstation:` and its name, …
    Column("trouble", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("severity", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("root", JSONB),
    # A job that waits because of it, where the trouble itself has no status.
    Column("witness", Text),
    Column("waiting", Integer, nullable=False, server_default="0"),
    Column("assignee", Text),
    Column("silenced_until", DateTime(timezone=True)),
    Column("merged_into", BigInteger, ForeignKey("incidents.id", ondelete="SET NULL")),
    Column("turn_id", Text),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("first_seen", DateTime(timezone=True), nullable=False),
    Column("last_seen", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint(
        "state IN ('open', 'acknowledged', 'mitigated', 'resolved', 'closed')", name="incidents_state"
    ),
    # One at a time for each trouble, whoever finds it first.
    Index(
        "incidents_active",
        "engine",
        "trouble",
        unique=True,
        postgresql_where=text("state IN ('open', 'acknowledged', 'mitigated') AND merged_into IS NULL"),
    ),
)

INCIDENT_EVENTS = Table(
    "incident_events",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("incident_id", BigInteger, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Empty: Resync itself.
    Column("actor_id", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Index("incident_events_incident", "incident_id"),
    Index("incident_events_at", "at"),
)

INCIDENT_CARDS = Table(
    "incident_cards",
    metadata,
    Column("incident_id", BigInteger, ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    # As in the settings: slack:T123:C456.
    Column("target", Text, primary_key=True),
    # `card`, `digest` while it waits for its list, `listed` once it was in one.
    Column("way", Text, nullable=False, server_default="card"),
    # The name of the rule that chose the target.
    Column("route", Text, nullable=False, server_default=""),
    Column("planned_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("message_id", Text),
    # What the card shows: the incident's revision, and whether the investigation is part of it.
    Column("shown", Text, nullable=False, server_default=""),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

SILENCES = Table(
    "silences",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # What it is about: patterns of engine, folder, workstation, job_stream and job.
    Column("about", JSONB, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
)

HANDOVERS = Table(
    "handovers",
    metadata,
    # The end of the shift.
    Column("shift_end", DateTime(timezone=True), primary_key=True),
    # As in the settings: slack:T123:C456.
    Column("target", Text, primary_key=True),
    # Set just before it is posted: from then on it may be there. Taken back where the channel did not take it.
    Column("sent_at", DateTime(timezone=True)),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
