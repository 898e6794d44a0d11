"""The tables of the plan mirror: the plan as it is, what it was before, and who keeps it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()


def _columns(kind: type[sa.types.TypeEngine[Any]], *names: str) -> tuple[sa.Column[Any], ...]:
    """Columns that always have a value."""
    return tuple(sa.Column(name, kind, nullable=False) for name in names)


def _times(*names: str) -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names)


def _state() -> tuple[sa.Column[Any], ...]:
    """What the history keeps of an object."""
    optional = (sa.Column("substatus", sa.Text), sa.Column("priority", sa.Integer))
    return (*_columns(sa.Text, "selection", "status"), *optional, *_columns(sa.Boolean, "canceled"))


LEASES = sa.Table(
    "tws_leases",
    metadata,
    sa.Column("engine", sa.Text, primary_key=True),
    *_columns(sa.Text, "owner"),
    # One more with each new owner: who writes must show the present one.
    *_columns(sa.BigInteger, "generation"),
    *_times("expires_at"),
    sa.Column("failing_since", sa.DateTime(timezone=True)),
    sa.Column("failure", sa.Text, nullable=False, server_default=""),
)

PLANS = sa.Table(
    "tws_plans",
    metadata,
    sa.Column("engine", sa.Text, primary_key=True),
    # When it was first seen; the newest one is the present plan.
    sa.Column("began_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("run_number", sa.Integer),
    sa.Column("starts_at", sa.DateTime(timezone=True)),
    sa.Column("ends_at", sa.DateTime(timezone=True)),
    *_times("read_at"),
    # `base_revision` is that of the last change that took objects away: older copies are loaded anew.
    *_columns(sa.BigInteger, "revision", "base_revision"),
)

OBJECTS = sa.Table(
    "tws_objects",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("engine", "kind", "id")),
    *_state(),
    # Since when status, substatus, priority and cancellation are what they are.
    *_times("since"),
    *_columns(sa.BigInteger, "revision"),
    *_columns(JSONB, "content"),
    sa.Index("tws_objects_revision", "engine", "revision"),
    sa.Index("tws_objects_selection", "engine", "selection"),
)

CHANGES = sa.Table(
    "tws_changes",
    metadata,
    # States that have ended. Partitioned by their end, so that a partition to drop answers no question any more.
    *_columns(sa.Text, "engine", "kind", "object_id"),
    *_state(),
    *_times("valid_from", "valid_to"),
    sa.Index("tws_changes_selection", "engine", "selection"),
    sa.Index("tws_changes_valid_from", "engine", "valid_from"),
    postgresql_partition_by="RANGE (valid_to)",
)

RUNS = sa.Table(
    "tws_runs",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("engine", "run_id")),
    *_columns(sa.Text, "selection", "status"),
    sa.Column("return_code", sa.Integer),
    *_columns(sa.Text, "workstation"),
    *_times("started_at", "ended_at"),
    sa.Index("tws_runs_selection", "engine", "selection", "ended_at"),
    sa.Index("tws_runs_ended_at", "engine", "ended_at"),
)

STATISTICS = sa.Table(
    "tws_statistics",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("engine", "selection")),
    *_columns(sa.Integer, "runs"),
    *_columns(sa.Interval, "median", "p95"),
    *_times("last_success_at"),
    *_columns(sa.BigInteger, "revision"),
    sa.Index("tws_statistics_revision", "engine", "revision"),
)
