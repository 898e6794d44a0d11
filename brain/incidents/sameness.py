"""By what a source's reports are about the same occurrence, and what another rule would have made of past ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import DateTime, Numeric, cast, extract, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Alert, delivery_digest
from brain.tables import ALERTS
from brain.windows import Days

AlertField: TypeAlias = Literal[
    "event", "engine", "job_stream_workstation", "job_stream", "job", "workstation", "internal_status"
]

_SHOWN = 20


class Sameness(BaseModel):
    """Reports are of one occurrence that agree in all fields and in the span of time that they fall into."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    fields: tuple[AlertField, ...] = Field(min_length=1)
    """Attributes of the canonical alert."""
    within: Days = timedelta(hours=1)
    """How long such a span is, counted from 1970-01-01T00:00:00Z (seconds or ISO 8601)."""

    @field_validator("within")
    @classmethod
    def _is_long(cls, within: timedelta) -> timedelta:
        if within < timedelta(seconds=1):
            raise ValueError("a span has at least a second")
        return within

    def fingerprint(self, alert: Alert, received_at: datetime) -> str:
        """The same for all reports of the occurrence."""
        happened = min(alert.happened_at or received_at, received_at)
        span = int(happened.timestamp() // self.within.total_seconds())
        return delivery_digest("same", *(str(getattr(alert, name)) for name in self.fields), str(span))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Occurrences that would have been one."""

    values: Sequence[str]
    """Of the fields, in their order."""
    occurrences: int
    reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SamenessPreview:
    """What the rule would have made of the reports of a time."""

    reports: int
    occurrences: int
    """As they were told apart."""
    would_be: int
    """By the rule."""
    groups: Sequence[Group]
    """The twenty that are most."""


async def preview(engine: AsyncEngine, source: str, rule: Sameness, span: timedelta) -> SamenessPreview:
    """Looks at the source's past alerts and changes none. A rule can merge more, and never split.

    Raises SQLAlchemy's errors.
    """
    told = cast(ALERTS.c.alert["happened_at"].astext, DateTime(timezone=True))
    happened = func.least(func.coalesce(told, ALERTS.c.received_at), ALERTS.c.received_at)
    number = func.floor(cast(extract("epoch", happened), Numeric) / rule.within.total_seconds())
    fields = [func.coalesce(ALERTS.c.alert[name].astext, "").label(name) for name in rule.fields]
    groups = (
        select(*fields, func.count().label("occurrences"), func.sum(ALERTS.c.times).label("reports"))
        .where(ALERTS.c.source == source, ALERTS.c.received_at > func.now() - span)
        .group_by(*fields, number)
        .subquery()
    )
    sums = select(
        func.coalesce(func.sum(groups.c.reports), 0),
        func.coalesce(func.sum(groups.c.occurrences), 0),
        func.count(),
    )
    most = select(groups).order_by(groups.c.occurrences.desc(), groups.c.reports.desc()).limit(_SHOWN)
    async with engine.connect() as connection:
        reports, occurrences, would_be = (await connection.execute(sums.select_from(groups))).one()
        rows = (await connection.execute(most)).mappings().all()
    return SamenessPreview(
        reports=int(reports),
        occurrences=int(occurrences),
        would_be=would_be,
        groups=[
            Group(
                values=[row[name] for name in rule.fields],
                occurrences=row["occurrences"],
                reports=row["reports"],
            )
            for row in rows
        ],
    )
