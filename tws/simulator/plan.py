"""The plan as it is at its start: what runs where, when and after what. Pure data, made out of the catalogue."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha1
from typing import TYPE_CHECKING

from .definition import (
    Asks,
    Fault,
    Instance,
    JobDefinition,
    PlanDefinition,
    Resource,
    StreamDefinition,
    Workstation,
)

if TYPE_CHECKING:
    from .maker import Maker

JOBS = "JOBS"
"""The stream that jobs are submitted into that belong to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """A predecessor: a job, or a whole stream."""

    stream_id: str
    """Empty where the predecessor is not in the plan."""
    job_id: str | None = None
    """None: the whole stream."""
    target: str = ""
    """`STREAM` or `STREAM.JOB`, for one that is not in the plan."""
    conditions: tuple[str, ...] = ()
    """Final statuses that satisfy it; empty: SUCC."""
    is_pending: bool = False
    is_orphan: bool = False
    is_overlap: bool = False
    """The predecessor is an earlier instance of the same stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """So many of several predecessors."""

    name: str
    needed: int
    members: tuple[Follows, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A predecessor in another network."""

    agent: str
    target: str
    ends_at: datetime | None
    status: str
    """What it ends in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opens:
    """A file that must exist on the owner's workstation."""

    path: str
    arrives_at: datetime | None
    """None: nobody delivers it today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Units of a resource, held from launch to end."""

    resource: str
    quantity: int


Dependency = Follows | Join | Outside | Opens | Asks | Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job of the plan."""

    id: str
    model_id: str
    """Of its definition."""
    name: str
    name_suffix: str = ""
    """What tells it from the same job of other instances; part of the name."""
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
    priority: int
    starts_at: datetime | None = None
    until: datetime | None = None
    deadline: datetime | None = None
    special: JobDefinition
    dependencies: tuple[Dependency, ...] = ()
    fault: Fault | None = None
    """Why it will not end well; None for a job that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """A job stream instance of the plan."""

    id: str
    model_id: str
    """Of its definition."""
    symphony_id: str
    """16 characters beginning with `0A`, as Symphony numbers its streams."""
    name: str
    definition_name: str
    workstation: str
    starts_at: datetime
    """Its scheduled time and its earliest start."""
    priority: int = 10
    until: datetime | None = None
    deadline: datetime | None = None
    limit: int | None = None
    special: StreamDefinition
    dependencies: tuple[Dependency, ...] = ()

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
    definition: PlanDefinition = field(repr=False)
    workstations: dict[str, Workstation] = field(repr=False)
    """By name."""
    workstation_ids: dict[str, str] = field(repr=False)
    """By name, in the same order: a workstation has another id in each plan."""
    resources: dict[str, Resource] = field(repr=False)
    """By name."""
    streams: dict[str, StreamPlan] = field(repr=False)
    """By id, in order of scheduled time."""
    jobs: dict[str, JobPlan] = field(repr=False)
    """By id, in the order of streams and of positions in them."""
    stream_definitions: dict[str, Instance] = field(repr=False)
    """By model id: what a submission makes another instance of."""
    job_definitions: dict[str, JobPlan] = field(repr=False)
    """By model id: what a submission makes a copy of."""
    maker: Maker = field(repr=False)
    """Makes instances that are submitted."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection: going over all that is there while 100,000 jobs are made takes longer than making them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def make_id(kind: str, name: str) -> str:
    """The same id for the same name: a UUID of version 5 but for its namespace."""
    digits = sha1(f"tws:{kind}/{name}".encode(), usedforsecurity=False).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
