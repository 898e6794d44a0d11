"""Makes the plan out of its definition: instances, ids, and who follows whom."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple

from .definition import Instance, JobDefinition, PlanDefinition, Predecessor, StreamDefinition
from .plan import (
    JOBS,
    Dependency,
    Follows,
    JobPlan,
    Join,
    Needs,
    Opens,
    Outside,
    Plan,
    StreamPlan,
    make_id,
    uncollected,
)

_SHORTEST, _LONGEST = 3 * 60, 12 * 60
"""Seconds of a job whose duration the definition leaves open."""
_LETTERS = 14
"""Of a stream's number in Symphony, after `0A`."""


def generate(definition: PlanDefinition, *, seed: int, start: datetime, run_number: int) -> Plan:
    """The plan that began at `start`: same definition, seed, start and run number, same plan to the last id."""
    maker = Maker(definition, seed, start, run_number)
    streams: dict[str, StreamPlan] = {}
    jobs: dict[str, JobPlan] = {}
    with uncollected():
        for one in maker.instances:
            stream, jobs_of_stream = maker.stream(one, _key_of(one), start + timedelta(minutes=one.starts))
            streams[stream.id] = stream
            jobs |= {job.id: job for job in jobs_of_stream}
    return Plan(
        id=maker.id_of("plan"),
        seed=seed,
        start=start,
        run_number=run_number,
        definition=definition,
        workstations=definition.workstations,
        workstation_ids={name: maker.id_of("workstation", name) for name in definition.workstations},
        resources=definition.resources,
        streams=streams,
        jobs=jobs,
        stream_definitions={
            make_id("model/stream", one.definition_name): one for one in reversed(maker.instances)
        },
        job_definitions={job.model_id: job for job in reversed(jobs.values())},
        maker=maker,
    )


def _key_of(instance: Instance) -> str:
    return f"{instance.name}@{instance.starts}"


class _Place(NamedTuple):
    """Where an instance stands."""

    instance: Instance
    key: str
    """What its ids are made of."""
    zero: datetime
    """What the minutes of its definition count from."""

    def at(self, minute: int | None) -> datetime | None:
        return None if minute is None else self.zero + timedelta(minutes=minute)


class Maker:
    """Of one plan; also of what is submitted to it."""

    AD_HOC = timedelta(minutes=2)
    """Duration of a job without definition."""

    def __init__(self, definition: PlanDefinition, seed: int, start: datetime, run_number: int) -> None:
        self.instances = definition.instances()
        self._faults = definition.faults
        self._plan = f"{seed}/{run_number}/{start.isoformat()}"
        self._random = Random(seed)
        self._numbers = count(run_number * 1_000_000)
        self._by_name: dict[str, list[Instance]] = defaultdict(list)
        for instance in self.instances:
            self._by_name[instance.name].append(instance)

    def id_of(self, kind: str, name: str = "") -> str:
        """The id of something in this plan."""
        return make_id(f"{self._plan}/{kind}", name)

    def stream(
        self, instance: Instance, key: str, starts_at: datetime, alias: str = ""
    ) -> tuple[StreamPlan, list[JobPlan]]:
        """An instance with its jobs; `key` is what their ids are made of."""
        place = _Place(instance, key, starts_at - timedelta(minutes=instance.starts))
        definition = instance.definition
        stream = StreamPlan(
            id=self.id_of("stream", key),
            model_id=make_id("model/stream", instance.definition_name),
            symphony_id=self._symphony_id(),
            name=alias or instance.name,
            definition_name=instance.definition_name,
            workstation=definition.workstation,
            starts_at=starts_at,
            until=place.at(definition.until),
            deadline=place.at(definition.deadline),
            limit=definition.limit,
            special=definition,
            dependencies=tuple(self._dependencies(definition, place)),
        )
        return stream, list(self._jobs(stream, place))

    def jobs_stream(self, workstation: str, now: datetime) -> StreamPlan:
        """The stream of jobs that belong to none."""
        return StreamPlan(
            id=self.id_of("stream", f"{workstation}/{JOBS}"),
            model_id=make_id("model/stream", JOBS),
            symphony_id=self._symphony_id(),
            name=JOBS,
            definition_name=JOBS,
            workstation=workstation,
            starts_at=now,
            special=StreamDefinition(workstation=workstation, starts=0, steps=()),
        )

    def _symphony_id(self) -> str:
        number, letters = next(self._numbers), ""
        while len(letters) < _LETTERS:
            number, digit = divmod(number, 26)
            letters = chr(65 + digit) + letters
        return f"0A{letters}"

    def _jobs(self, stream: StreamPlan, place: _Place) -> Iterator[JobPlan]:
        follows: list[Dependency] = []
        positions = count(1)
        for step in place.instance.definition.expanded(place.instance.suffix):
            jobs = [self._job(name, one, stream, place, next(positions), follows) for name, one in step]
            yield from jobs
            follows = [Follows(stream_id=stream.id, job_id=job.id) for job in jobs]

    def _job(
        self,
        name: str,
        special: JobDefinition,
        stream: StreamPlan,
        place: _Place,
        position: int,
        follows: list[Dependency],
    ) -> JobPlan:
        drawn = timedelta(seconds=self._random.randint(_SHORTEST, _LONGEST))
        workstation = special.workstation or stream.workstation
        area = workstation.removeprefix("AGT_").rstrip("0123456789").lower()
        return JobPlan(
            id=self.id_of("job", f"{place.key}.{name}"),
            model_id=make_id("model/job", f"{workstation}#{name.removesuffix(place.instance.suffix)}"),
            name=name,
            name_suffix=place.instance.suffix,
            key=f"{stream.key};{name}",
            position=position,
            stream_id=stream.id,
            workstation=workstation,
            login=special.login or f"batch_{area}",
            script=f"/opt/batch/{area}/{stream.name.lower()}/{name.lower()}.sh",
            description=f"{name.replace('_', ' ').capitalize()} ({stream.name})",
            estimate=drawn if special.minutes is None else timedelta(minutes=special.minutes),
            priority=special.priority,
            starts_at=place.at(special.starts),
            until=place.at(special.until),
            deadline=place.at(special.deadline),
            special=special,
            dependencies=(*follows, *self._dependencies(special, place)),
            fault=self._faults.get(f"{place.instance.name}.{name}"),
        )

    def _dependencies(self, owner: JobDefinition | StreamDefinition, place: _Place) -> Iterator[Dependency]:
        yield from (self._follows(one, place) for one in owner.follows)
        for join in owner.joins if isinstance(owner, JobDefinition) else ():
            members = tuple(self._follows(one, place) for one in join.follows)
            yield Join(name=join.name, needed=join.needed, members=members)
        for one in owner.internetwork:
            yield Outside(agent=one.agent, target=one.name, ends_at=place.at(one.ends), status=one.status)
        yield from owner.asks
        yield from (Opens(path=path, arrives_at=place.at(minute)) for path, minute in owner.opens.items())
        yield from (Needs(resource=name, quantity=units) for name, units in owner.needs.items())

    def _follows(self, one: Predecessor, place: _Place) -> Follows:
        name, _, job = one.name.partition(".")
        if one.is_pending or one.is_orphan:
            is_pending = not one.is_orphan
            return Follows(
                stream_id="",
                target=one.name,
                conditions=one.when,
                is_pending=is_pending,
                is_orphan=one.is_orphan,
            )
        key = place.key
        if name != place.instance.name:
            found = self._by_name[name]
            closest = bisect_right(found, place.instance.starts, key=lambda one: one.starts) - 1
            key = _key_of(found[max(closest, 0)])
        job_id = self.id_of("job", f"{key}.{job}") if job else None
        return Follows(
            stream_id=self.id_of("stream", key), job_id=job_id, target=one.name, conditions=one.when
        )
