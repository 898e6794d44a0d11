"""What the mirror remembers: pure types."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one object was for some time, as exact as the polls are frequent."""

    kind: str
    """A value of `ObjectKind`."""
    object_id: str
    selection: str
    status: str
    substatus: str | None
    priority: int | None
    canceled: bool
    valid_from: datetime
    valid_to: datetime | None
    """None: it still is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPlan:
    """The plan at some moment."""

    run_number: int | None
    read_at: datetime
    """When that plan was read last; what happened later is not known."""
    jobs: tuple[State, ...]
    """By selection."""

    @property
    def counts(self) -> Counter[str]:
        """How many jobs had each status; cancelled ones count as `CANCL`."""
        return Counter("CANCL" if job.canceled else job.status for job in self.jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run that has ended."""

    run_id: str
    status: str
    return_code: int | None
    workstation: str
    """Where it ran."""
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The runs of one job that ended within some span."""

    selection: str
    runs: int
    failed: int
    busy: timedelta
    """All runs together."""
    started_at: datetime
    """The first."""
    ended_at: datetime
    """The last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Runs of one job that ended badly with the same return code."""

    selection: str
    return_code: int | None
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Why the mirror is not kept up at present."""

    since: datetime
    failure: str
    """The code of a `TwsError`, or the name of another error."""
