"""The plan as it is at its start: what runs where, when and after what. Pure data, made out of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import NAMESPACE_URL, uuid5

from .catalogue import (
    FOLDER,
    Asks,
    Fault,
    JobDefinition,
    Night,
    Resource,
    StreamDefinition,
    Workstation,
    load,
)

__all__ = ["Dependency", "Follows", "JobPlan", "Needs", "Opens", "Plan", "StreamPlan", "generate"]

_NIGHT = load(FOLDER / "plans" / "night.yaml", Night)
_SHORTEST, _LONGEST = 3 * 60, 12 * 60
"""Seconds of a job whose duration the catalogue leaves open."""


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
class Needs:
    """A unit of a resource, held from launch to end."""

    resource: str


Dependency = Follows | Opens | Asks | Needs


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
    starts_at: datetime | None
    deadline: datetime | None
    special: JobDefinition
    dependencies: tuple[Dependency, ...]
    fault: Fault | None
    """Why it will not end well; None for a job that does."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The resources it holds a unit of while it runs."""
        return tuple(one.resource for one in self.dependencies if isinstance(one, Needs))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """A job stream instance of the plan."""

    id: str
    symphony_id: str
    """16 characters beginning with `0A`, as Symphony numbers its streams."""
    name: str
    workstation: str
    starts_at: datetime
    """Its scheduled time and its earliest start."""
    deadline: datetime | None
    limit: int | None
    dependencies: tuple[Dependency, ...]

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


def generate(*, seed: int, start: datetime, run_number: int) -> Plan:
    """The plan that began at `start`: same seed, start and run number, same plan to the last id."""
    return _Generator(seed, start, run_number).plan()


class _Generator:
    def __init__(self, seed: int, start: datetime, run_number: int) -> None:
        self._seed, self._start, self._run_number = seed, start, run_number
        self._plan = f"{seed}/{run_number}/{start.isoformat()}"
        self._random = Random(f"{seed}/{run_number}")

    def plan(self) -> Plan:
        streams: dict[str, StreamPlan] = {}
        jobs: dict[str, JobPlan] = {}
        for number, (name, definition) in enumerate(_NIGHT.instances().items()):
            stream = self._stream(name, definition, number)
            streams[stream.id] = stream
            jobs |= {job.id: job for job in self._jobs(definition, stream)}
        return Plan(
            id=self._id("plan"),
            seed=self._seed,
            start=self._start,
            run_number=self._run_number,
            workstations=_NIGHT.workstations,
            workstation_ids={name: self._id("workstation", name) for name in _NIGHT.workstations},
            resources=_NIGHT.resources,
            streams=streams,
            jobs=jobs,
        )

    def _stream(self, name: str, definition: StreamDefinition, number: int) -> StreamPlan:
        return StreamPlan(
            id=self._id("stream", name),
            symphony_id="0AAAAAAAAAAAAA" + chr(65 + number // 26) + chr(65 + number % 26),
            name=name,
            workstation=definition.workstation,
            starts_at=self._start + timedelta(minutes=definition.starts),
            deadline=self._at(definition.deadline),
            limit=definition.limit,
            dependencies=tuple(self._dependencies(definition)),
        )

    def _jobs(self, definition: StreamDefinition, stream: StreamPlan) -> Iterator[JobPlan]:
        follows: list[Dependency] = []
        positions = count(1)
        for step in definition.steps:
            specials = {name: definition.jobs.get(name, JobDefinition()) for name in step}
            jobs = [self._job(name, one, stream, next(positions), follows) for name, one in specials.items()]
            yield from jobs
            follows = [Follows(stream_id=stream.id, job_id=job.id) for job in jobs]

    def _job(
        self, name: str, special: JobDefinition, stream: StreamPlan, position: int, follows: list[Dependency]
    ) -> JobPlan:
        drawn = timedelta(seconds=self._random.randint(_SHORTEST, _LONGEST))
        area = stream.workstation.removeprefix("AGT_").rstrip("0123456789").lower()
        return JobPlan(
            id=self._id("job", f"{stream.name}.{name}"),
            name=name,
            key=f"{stream.key};{name}",
            position=position,
            stream_id=stream.id,
            workstation=stream.workstation,
            login=special.login or f"batch_{area}",
            script=f"/opt/batch/{area}/{stream.name.lower()}/{name.lower()}.sh",
            description=f"{name.replace('_', ' ').capitalize()} ({stream.name})",
            estimate=drawn if special.minutes is None else timedelta(minutes=special.minutes),
            starts_at=self._at(special.starts),
            deadline=self._at(special.deadline),
            special=special,
            dependencies=(*follows, *self._dependencies(special)),
            fault=_NIGHT.faults.get(f"{stream.name}.{name}"),
        )

    def _dependencies(self, owner: JobDefinition | StreamDefinition) -> Iterator[Dependency]:
        for target in owner.follows:
            stream, _, job = target.partition(".")
            job_id = self._id("job", target) if job else None
            yield Follows(stream_id=self._id("stream", stream), job_id=job_id)
        for path, minute in owner.opens.items():
            yield Opens(path=path, arrives_at=self._at(minute))
        if isinstance(owner, JobDefinition):
            yield from (Needs(resource=name) for name in owner.needs)
            if owner.asks:
                yield owner.asks

    def _at(self, minute: int | None) -> datetime | None:
        return None if minute is None else self._start + timedelta(minutes=minute)

    def _id(self, kind: str, name: str = "") -> str:
        return str(uuid5(NAMESPACE_URL, f"tws:{self._plan}/{kind}/{name}"))
