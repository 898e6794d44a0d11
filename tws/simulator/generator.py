"""Makes a plan out of the catalogue: same seed, start and run number, same plan to the last id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from . import catalogue
from .faults import FAULTS
from .plan import (
    Asks,
    Dependency,
    Follows,
    JobPlan,
    Needs,
    Opens,
    Plan,
    Resource,
    StreamPlan,
    WorkstationPlan,
)

__all__ = ["generate"]

_SHORTEST, _LONGEST = 3, 12
"""Minutes of a job whose duration the catalogue leaves open."""


class _Row(NamedTuple):
    """One stream of the catalogue."""

    stream: str
    workstation: str
    minute: int
    jobs: tuple[str, ...]


def generate(*, seed: int, start: datetime, run_number: int) -> Plan:
    """The plan that began at `start`."""
    return _Generator(seed, start, run_number).plan()


class _Generator:
    def __init__(self, seed: int, start: datetime, run_number: int) -> None:
        self._seed, self._start, self._run_number = seed, start, run_number
        self._plan = f"{seed}/{run_number}/{start.isoformat()}"
        self._random = Random(f"{seed}/{run_number}")

    def plan(self) -> Plan:
        streams: dict[str, StreamPlan] = {}
        jobs: dict[str, JobPlan] = {}
        for number, row in enumerate(sorted(_rows(), key=lambda row: row.minute)):
            stream = self._stream(row, number)
            streams[stream.id] = stream
            jobs |= {job.id: job for job in self._jobs(row, stream)}
        return Plan(
            id=self._id("plan"),
            seed=self._seed,
            start=self._start,
            run_number=self._run_number,
            workstations={workstation.name: workstation for workstation in self._workstations()},
            resources={
                name: Resource(id=self._id("resource", name), name=name, workstation=where, quantity=units)
                for name, (where, units) in catalogue.RESOURCES.items()
            },
            streams=streams,
            jobs=jobs,
        )

    def _workstations(self) -> Iterable[WorkstationPlan]:
        for line in catalogue.WORKSTATIONS.strip().splitlines():
            name, kind, system, limit, description = line.split(maxsplit=4)
            yield WorkstationPlan(
                id=self._id("workstation", name),
                name=name,
                type=kind,
                os=system,
                limit=int(limit),
                description=description.removesuffix(" (unlinked)"),
                is_linked=not description.endswith("(unlinked)"),
            )

    def _stream(self, row: _Row, number: int) -> StreamPlan:
        details = catalogue.STREAM_DETAILS.get(row.stream, {})
        return StreamPlan(
            id=self._id("stream", row.stream),
            symphony_id="0AAAAAAAAAAAAA" + chr(65 + number // 26) + chr(65 + number % 26),
            name=row.stream,
            workstation=row.workstation,
            scheduled_at=self._at(row.minute),
            deadline=self._at(details["deadline"]) if "deadline" in details else None,
            limit=details.get("limit"),
            dependencies=self._dependencies(details),
            job_ids=tuple(self._id("job", f"{row.stream}.{_name(text)}") for text in row.jobs),
        )

    def _jobs(self, row: _Row, stream: StreamPlan) -> Iterable[JobPlan]:
        before: list[str] = []
        beside: list[str] = []
        for position, text in enumerate(row.jobs, start=1):
            name = _name(text)
            if not text.startswith("+"):
                before, beside = beside, []
            job_id = self._id("job", f"{row.stream}.{name}")
            beside.append(job_id)
            predecessors = tuple(Follows(stream_id=stream.id, job_id=job) for job in before)
            yield self._job(text, stream, position, predecessors)

    def _job(self, text: str, stream: StreamPlan, position: int, follows: tuple[Follows, ...]) -> JobPlan:
        name, _, minutes = text.lstrip("+").partition(":")
        drawn = self._random.randint(_SHORTEST * 60, _LONGEST * 60)
        details = catalogue.JOB_DETAILS.get(f"{stream.name}.{name}", {})
        area = stream.workstation.removeprefix("AGT_").rstrip("0123456789").lower()
        return JobPlan(
            id=self._id("job", f"{stream.name}.{name}"),
            name=name,
            key=f"{stream.key};{name}",
            position=position,
            stream_id=stream.id,
            workstation=stream.workstation,
            login=details.get("login", f"batch_{area}"),
            script=f"/opt/batch/{area}/{stream.name.lower()}/{name.lower()}.sh",
            description=f"{name.replace('_', ' ').capitalize()} ({stream.name})",
            estimate=timedelta(seconds=int(minutes) * 60 if minutes else drawn),
            priority=details.get("priority", 10),
            starts_at=self._at(details["starts"]) if "starts" in details else None,
            deadline=self._at(details["deadline"]) if "deadline" in details else None,
            is_critical=details.get("is_critical", False),
            is_held=details.get("is_held", False),
            dependencies=follows + self._dependencies(details),
            fault=FAULTS.get(f"{stream.name}.{name}"),
        )

    def _dependencies(self, details: dict[str, Any]) -> tuple[Dependency, ...]:
        found: list[Dependency] = []
        for target in details.get("follows", ()):
            stream, _, job = target.partition(".")
            job_id = self._id("job", target) if job else None
            found.append(Follows(stream_id=self._id("stream", stream), job_id=job_id))
        for path, minute in details.get("opens", ()):
            found.append(Opens(path=path, arrives_at=None if minute is None else self._at(minute)))
        found.extend(Needs(resource=name) for name in details.get("needs", ()))
        if "asks" in details:
            name, text, number = details["asks"]
            found.append(Asks(prompt=name, text=text, number=number))
        return tuple(found)

    def _at(self, minute: int) -> datetime:
        return self._start + timedelta(minutes=minute)

    def _id(self, kind: str, name: str = "") -> str:
        return str(uuid5(NAMESPACE_URL, f"tws:{self._plan}/{kind}/{name}"))


def _rows() -> Iterable[_Row]:
    for line in catalogue.STREAMS.strip().splitlines():
        name, where, start, *jobs = line.split()
        yield _Row(name, where, int(start), tuple(jobs))
    stream, workstation, every, names = catalogue.RECURRING
    for minute in range(0, 24 * 60, every):
        at = f"{minute // 60:02}{minute % 60:02}"
        yield _Row(f"{stream}{at}", workstation, minute + 2, tuple(f"{job}_{at}" for job in names))


def _name(text: str) -> str:
    return text.lstrip("+").partition(":")[0]
