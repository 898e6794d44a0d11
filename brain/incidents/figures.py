"""How well incidents are looked after: times, noise, and what needed nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, RowMapping, extract, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.tables import ALERTS, INCIDENT_EVENTS, INCIDENTS, TURNS

_STREAMS = 20
"""Those with the most incidents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Seconds; None where it never happened."""

    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of the incidents that began in a time."""

    job_stream: str
    """Empty: of all together, or of what is no job."""
    incidents: int
    reports: int
    """How often something was reported about them, repetitions included."""
    noise: float | None
    """How much of that nobody had to read: 1 - incidents / reports; None where nothing was reported."""
    acknowledged: Span
    """From the beginning until somebody looked after it."""
    investigated: Span
    """Until it was found out why."""
    restored: Span
    """Until it was over."""
    without_people: float | None
    """The part of those that are over of which nobody had to do anything."""


async def read_figures(engine: AsyncEngine, span: timedelta) -> Sequence[Figures]:
    """First of all together, then of the job streams with the most. Raises SQLAlchemy's errors."""
    events = INCIDENT_EVENTS
    acknowledged = (
        select(func.min(events.c.at))
        .where(events.c.incident_id == INCIDENTS.c.id, events.c.kind == "acknowledge")
        .scalar_subquery()
    )
    hands = (
        select(func.count())
        .where(events.c.incident_id == INCIDENTS.c.id, events.c.actor_id != "")
        .scalar_subquery()
    )
    reports = (
        select(func.coalesce(func.sum(ALERTS.c.times), 0))
        .where(ALERTS.c.incident_id == INCIDENTS.c.id)
        .scalar_subquery()
    )
    begin = INCIDENTS.c.first_seen
    one = (
        select(
            func.coalesce(INCIDENTS.c.root["job_stream"].astext, "").label("job_stream"),
            extract("epoch", acknowledged - begin).label("acknowledged"),
            extract("epoch", TURNS.c.finished_at - begin).label("investigated"),
            extract("epoch", INCIDENTS.c.ended_at - begin).label("restored"),
            hands.label("hands"),
            reports.label("reports"),
        )
        .outerjoin(TURNS, TURNS.c.turn_id == INCIDENTS.c.turn_id)
        .where(begin > func.now() - span, INCIDENTS.c.merged_into.is_(None))
        .subquery()
    )
    is_over = one.c.restored.is_not(None)
    spans = [
        _percentile(part, one.c[name]).label(f"{name}_{label}")
        for name in ("acknowledged", "investigated", "restored")
        for part, label in ((0.5, "median"), (0.95, "p95"))
    ]
    query = (
        select(
            one.c.job_stream,
            func.grouping(one.c.job_stream).label("is_whole"),
            func.count().label("incidents"),
            func.sum(one.c.reports).label("reports"),
            func.count().filter(is_over).label("over"),
            func.count().filter(is_over, one.c.hands == 0).label("alone"),
            *spans,
        )
        .group_by(func.grouping_sets(tuple_(), tuple_(one.c.job_stream)))
        .order_by(func.grouping(one.c.job_stream).desc(), func.count().desc(), one.c.job_stream)
        .limit(_STREAMS + 1)
    )
    async with engine.connect() as connection:
        return [_read(row) for row in (await connection.execute(query)).mappings()]


def _percentile(part: float, column: ColumnElement[float]) -> ColumnElement[float]:
    return func.percentile_cont(part).within_group(column)


def _read(row: RowMapping) -> Figures:
    reports = int(row["reports"] or 0)
    return Figures(
        job_stream=row["job_stream"] or "",
        incidents=row["incidents"],
        reports=reports,
        noise=max(0.0, 1 - row["incidents"] / reports) if reports else None,
        without_people=row["alone"] / row["over"] if row["over"] else None,
        **{
            name: Span(median=row[f"{name}_median"], p95=row[f"{name}_p95"])
            for name in ("acknowledged", "investigated", "restored")
        },
    )
