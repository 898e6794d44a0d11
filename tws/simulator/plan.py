"""The plan as it is at its start: what runs where, when and after what. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .faults import Fault

__all__ = [
    "Asks",
    "Dependency",
    "Follows",
    "JobPlan",
    "Needs",
    "Opens",
    "Plan",
    "Resource",
    "StreamPlan",
    "WorkstationPlan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """A predecessor that must end well: a job, or a whole stream."""

    stream_id: str
    job_id: str | None = None
    """None: the whole stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opens:
    """A file that must exist on the owner's workstation."""

    path: str
    arrives_at: datetime | None
    """None: nobody delivers it today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """A question an operator must answer with yes."""

    prompt: str
    text: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Units of a resource, held from launch to end."""

    resource: str
    quantity: int = 1


Dependency = Follows | Opens | Asks | Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkstationPlan:
    """A workstation, its limit and whether it is linked."""

    id: str
    name: str
    type: str
    """Value of the enum `WorkstationType`."""
    os: str
    description: str
    limit: int
    """Jobs at a time; 0 stops everything but `hi` and `go`."""
    is_linked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource with so many units."""

    id: str
    name: str
    workstation: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job of the plan."""

    id: str
    name: str
    key: str
    """Composite key `workstation;stream id;job`."""
    position: int
    """1 for the first job of the stream."""
    stream_id: str
    workstation: str
    login: str
    script: str
    description: str
    estimate: timedelta
    priority: int = 10
    starts_at: datetime | None = None
    deadline: datetime | None = None
    is_critical: bool = False
    is_held: bool = False
    """Whether it starts the day with priority 0."""
    dependencies: tuple[Dependency, ...] = ()
    fault: Fault | None = None
    """Why it will not end well; None for a job that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """A job stream instance of the plan."""

    id: str
    symphony_id: str
    """16 characters beginning with `0A`, as Symphony numbers its streams."""
    name: str
    workstation: str
    scheduled_at: datetime
    deadline: datetime | None
    limit: int | None
    dependencies: tuple[Dependency, ...]
    job_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        """Composite key `workstation;stream id`."""
        return f"{self.workstation};{self.symphony_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One production plan."""

    id: str
    seed: int
    start: datetime
    run_number: int
    workstations: dict[str, WorkstationPlan] = field(repr=False)
    """By name."""
    resources: dict[str, Resource] = field(repr=False)
    """By name."""
    streams: dict[str, StreamPlan] = field(repr=False)
    """By id, in order of scheduled time."""
    jobs: dict[str, JobPlan] = field(repr=False)
    """By id, in the order of streams and of positions in them."""
