"""What one shift hands over to the next. Pure.

Each line is made of exactly one record and names it, so that without a record exactly its line is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

from tws.forecast import forecast
from tws.plan import Plan

from .incidents import Incident
from .troubles import Severity

Section: TypeAlias = Literal["failed", "done", "open", "risk"]

SECTIONS: Final[tuple[Section, ...]] = ("failed", "done", "open", "risk")
_AHEAD = timedelta(hours=8)
"""How far the next shift looks."""
_TROUBLE = frozenset({"opened", "reopen"})
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A row of `incident_events`, with what never changes of its incident."""

    seq: int
    at: datetime
    actor_id: str
    """Empty: Resync itself."""
    kind: str
    detail: str
    incident_id: int
    cause: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A row of `audit_log` about a change to TWS: what was decided, or what became of it."""

    seq: int
    at: datetime
    actor_id: str
    action: str
    target: str
    phase: str
    detail: Mapping[str, Any]

    @property
    def state(self) -> str:
        """`approved`, or how it ended."""
        return "approved" if self.phase == "before" else str(self.detail.get("state"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A job whose deadline is in danger."""

    engine: str
    job_id: str
    subject: str
    deadline: datetime | None
    expected: datetime | None
    """Its end; None: nobody can say."""
    because: str
    """The job that decides over it, and can be worked on."""


Source: TypeAlias = Happened | Changed | Incident | Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the handover."""

    section: Section
    record: str
    """What it is made of: `event:12`, `audit:7`, `incident:3`, or `job:` with engine and id of a job of the plan."""
    at: datetime | None
    by: str
    """Empty: Resync itself, or nobody."""
    source: Source


def handover(sources: Iterable[Source], since: datetime, until: datetime) -> tuple[Line, ...]:
    """What went wrong and was done from `since` to before `until`, what was open then, and what is at risk after it.

    What is open comes by its severity, all else by its time.
    """
    return tuple(sorted((line for one in sources if (line := _line(one, since, until))), key=_place))


def _place(line: Line) -> tuple[object, ...]:
    """By section, severity and time; numbers of the same time in their order, 9 before 10."""
    severity = _SEVERITIES.index(line.source.severity) if isinstance(line.source, Incident) else 0
    return SECTIONS.index(line.section), severity, line.at or _LAST, len(line.record), line.record


def risks(engine: str, plan: Plan, now: datetime) -> list[Risk]:
    """The critical jobs, and those with a deadline, that are expected to miss it or wait for what nobody can say."""
    expected = forecast(plan, now)
    return [
        Risk(
            engine=engine,
            job_id=job.id,
            subject=job.selection,
            deadline=job.deadline,
            expected=expected.of(job.id).end,
            because=hot.job.selection,
        )
        for hot in expected.hot_list()
        for job in hot.endangers
        if job.deadline or not expected.of(job.id).end
    ]


def _line(source: Source, since: datetime, until: datetime) -> Line | None:
    match source:
        case Happened() | Changed() if not since <= source.at < until:
            return None
        case Happened():
            section: Section = "failed" if source.kind in _TROUBLE else "done"
            return _of(source, section, f"event:{source.seq}", source.at, source.actor_id)
        case Changed():
            return _of(source, "done", f"audit:{source.seq}", source.at, source.actor_id)
        case Incident():
            is_over = source.ended_at is not None and source.ended_at < until
            if is_over or source.merged_into is not None or source.first_seen >= until:
                return None
            return _of(source, "open", f"incident:{source.id}", source.first_seen, source.assignee or "")
        case Risk():
            if source.deadline is not None and source.deadline >= until + _AHEAD:
                return None
            return _of(source, "risk", f"job:{source.engine}/{source.job_id}", source.deadline, "")


def _of(source: Source, section: Section, record: str, at: datetime | None, by: str) -> Line:
    return Line(section=section, record=record, at=at, by=by, source=source)
