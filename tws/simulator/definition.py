"""What `plans/*.yaml` say: workstations, resources, streams, why some jobs fail, and what happens from outside.

Times are minutes after the start of the plan, durations minutes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

Loc = tuple[str | int, ...]
"""Keys that lead to a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workstation:
    """A workstation as the plan begins."""

    type: str
    """Value of the enum `WorkstationType`."""
    os: str
    description: str
    limit: int
    """Jobs at a time; 0 stops everything but `hi` and `go`."""
    fence: int = 0
    is_linked: bool = True
    is_stopped: bool = False
    """Whether jobman is down."""
    is_ignored: bool = False
    members: tuple[str, ...] = ()
    """Of a pool: its agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource with so many units."""

    workstation: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a job ends badly."""

    return_code: int | None
    """None where nothing was launched."""
    minutes: int
    """How long the first run lasts."""
    script: str = "{t} ended with errors"
    """The output, a template."""
    heals: bool = False
    """Whether a rerun succeeds, because the cause went away meanwhile."""
    is_launched: bool = True
    """False: the job could not even be launched, its status is FAIL and not ABEND."""

    @property
    def status(self) -> str:
        """Of a run that ends so."""
        return "ABEND" if self.is_launched else "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """A question an operator must answer with yes."""

    text: str
    prompt: str = ""
    """Name of a prompt that several owners share; empty for one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happens from outside."""

    minute: int
    do: str
    """A verb of `orders.py`, or `arrive` (a file), `ignore` (a workstation)."""
    object: str
    """Name of a workstation, resource, prompt, stream, `STREAM.JOB`, or path of a file."""
    to: int | None = None
    """Priority, limit, fence, quantity; 0 or 1 for the answer to a prompt."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Predecessor(_Model):
    """Whom a job or stream follows."""

    name: str
    """`STREAM` or `STREAM.JOB`; of several instances the closest one before."""
    when: tuple[Literal["SUCC", "ABEND", "FAIL", "SUPPR"], ...] = ()
    """Final statuses that satisfy it; empty: SUCC."""
    is_pending: bool = False
    """It is not in this plan and may come with a later one."""
    is_orphan: bool = False
    """It cannot come any more."""


class Internetwork(_Model):
    """A predecessor in another network."""

    agent: str
    name: str
    """As that network names it."""
    ends: int | None = None
    """When its outcome gets known; None: never."""
    status: Literal["SUCC", "ABEND", "ERROR"] = "SUCC"


class RecoveryDefinition(_Model):
    """What happens by itself when a job ends in ABEND."""

    option: Literal["STOP", "CONTINUE", "RERUN"] = "STOP"
    prompt: str = ""
    """Question asked first."""
    every: int = 0
    """Interval before a rerun."""
    times: int = 1
    job: str = ""
    """Name of a recovery job, which runs once before anything else."""
    job_minutes: int = 2
    job_fails: bool = False


def _wrapped(kind: type, wrap: Any) -> BeforeValidator:
    """Lets the short form of a value stand for the long one."""
    return BeforeValidator(lambda value: wrap(value) if isinstance(value, kind) else value)


_Step = Annotated[tuple[str, ...], _wrapped(str, lambda name: [name])]
"""Jobs side by side; one job may stand without its list, `NAME*5` for `NAME_001` to `NAME_005`."""
_Follows = tuple[Annotated[Predecessor, _wrapped(str, lambda name: {"name": name})], ...]
_Needs = Annotated[dict[str, int], _wrapped(list, lambda names: dict.fromkeys(names, 1))]
_Asks = Annotated[tuple[Asks, ...], _wrapped(dict, lambda one: [one])]


class JoinDefinition(_Model):
    """So many of several predecessors."""

    name: str
    needed: int
    follows: _Follows


class _Definition(_Model):
    """What jobs and streams have in common."""

    follows: _Follows = ()
    internetwork: tuple[Internetwork, ...] = ()
    opens: dict[str, int | None] = {}
    """Files, with the minute of their arrival; None: nobody delivers it today."""
    needs: _Needs = {}
    """Resources with units; a list stands for one unit each."""
    asks: _Asks = ()
    until: int | None = None
    on_until: Literal["doNotRun", "continue", "cancel"] = "doNotRun"
    deadline: int | None = None
    is_held: bool = False
    """Whether it starts the day with priority 0."""


class JobDefinition(_Definition):
    """What is special about a job."""

    workstation: str | None = None
    """None: that of its stream."""
    minutes: int | None = None
    """Estimated duration; None: it is drawn."""
    starts: int | None = None
    """Earliest start."""
    login: str | None = None
    """Logon; None: the usual one of its area."""
    priority: int = 10
    joins: tuple[JoinDefinition, ...] = ()
    every: int | None = None
    """Repeated after so many minutes, until `until`."""
    on_late: Literal["continue", "kill"] = "continue"
    max_minutes: int | None = None
    on_max: Literal["continue", "kill"] = "continue"
    requires_confirmation: bool = False
    is_critical: bool = False
    is_nop: bool = False
    recovery: RecoveryDefinition = RecoveryDefinition()


_ORDINARY = JobDefinition()


class StreamDefinition(_Definition):
    """A stream. The jobs of a step run side by side; each waits for the whole step before it."""

    workstation: str
    starts: int
    every: int | None = None
    """Repeated all day after so many minutes; None: it is there once."""
    on_overlap: Literal["parallel", "enqueue", "donotstart"] | None = None
    """What an instance does while the one before still runs. None: streams and jobs are named after the hour."""
    repeat: int | None = None
    """So many streams alike, numbered from 001."""
    limit: int | None = None
    carries_forward: bool = True
    """Whether it goes on in the next plan if it has not ended."""
    steps: tuple[_Step, ...]
    jobs: dict[str, JobDefinition] = {}
    """By name, those with something special about them."""

    def expanded(self, suffix: str = "") -> list[list[tuple[str, JobDefinition]]]:
        """The steps with the names of their jobs and what is special about each."""
        return [[one for pattern in step for one in self._alike(pattern, suffix)] for step in self.steps]

    def _alike(self, pattern: str, suffix: str) -> Iterator[tuple[str, JobDefinition]]:
        base, _, count = pattern.partition("*")
        numbers = [f"_{number:03}" for number in range(1, int(count) + 1)] if count else [""]
        yield from ((f"{base}{number}{suffix}", self.jobs.get(base, _ORDINARY)) for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A stream at one of its times."""

    name: str
    starts: int
    suffix: str
    """Of its jobs' names."""
    definition_name: str
    definition: StreamDefinition


class PlanDefinition(_Model):
    """A file of `plans`."""

    title: str = ""
    seen_at: int = 360
    """The minute that the plan is made for: what the title promises is there."""
    is_extended: bool = True
    """Whether the next plan follows at its end."""
    workstations: dict[str, Workstation]
    resources: dict[str, Resource] = {}
    streams: dict[str, StreamDefinition]
    faults: dict[str, Fault] = {}
    """By `STREAM.JOB`."""
    events: tuple[Event, ...] = ()

    def instances(self) -> list[Instance]:
        """Every stream at each of its times, in order of start."""
        found = [
            Instance(
                name=name + number + hour,
                starts=stream.starts + minute,
                suffix=f"_{hour}" if hour else "",
                definition_name=name + number,
                definition=stream,
            )
            for name, stream in self.streams.items()
            for number in ([f"{n:03}" for n in range(1, stream.repeat + 1)] if stream.repeat else [""])
            for minute in range(0, 24 * 60, stream.every or 24 * 60)
            for hour in [
                f"{minute // 60:02}{minute % 60:02}" if stream.every and not stream.on_overlap else ""
            ]
        ]
        return sorted(found, key=lambda one: one.starts)

    def problems(self) -> Iterator[tuple[Loc, str]]:
        """Names that nothing has, with the keys they stand under."""
        instances = self.instances()
        jobs = {
            f"{one.name}.{job}"
            for one in instances
            for step in one.definition.expanded(one.suffix)
            for job, _ in step
        }
        owners = list(self._owners())
        named = {asked.prompt for _, one in owners for asked in one.asks} | {
            f for _, one in owners for f in one.opens
        }
        nodes = jobs | {one.name for one in instances}
        objects = nodes | named | self.workstations.keys() | self.resources.keys()
        checks: list[_Check] = [(("faults",), self.faults, jobs)]
        checks += [
            (("workstations", name, "members"), one.members, self.workstations)
            for name, one in self.workstations.items()
        ]
        checks += [(("events", n, "object"), [event.object], objects) for n, event in enumerate(self.events)]
        for loc, one in owners:
            checks += self._names_in(loc, one, nodes)
        for loc, names, known in checks:
            if unknown := [name for name in names if name not in known]:
                yield loc, f"nothing is named {', '.join(unknown)}"
        for loc, one in owners:
            if isinstance(one, StreamDefinition) and any(before.when for before in one.follows):
                yield (*loc, "follows"), "only jobs have conditions"

    def _owners(self) -> Iterator[tuple[Loc, StreamDefinition | JobDefinition]]:
        for name, stream in self.streams.items():
            yield ("streams", name), stream
            yield from ((("streams", name, "jobs", job), special) for job, special in stream.jobs.items())

    def _names_in(
        self, loc: Loc, one: StreamDefinition | JobDefinition, nodes: Container[str]
    ) -> Iterator[_Check]:
        yield (*loc, "needs"), one.needs, self.resources
        yield (*loc, "follows"), _present(one.follows), nodes
        yield (*loc, "workstation"), [one.workstation] if one.workstation else [], self.workstations
        if isinstance(one, JobDefinition):
            yield from (((*loc, "joins"), _present(join.follows), nodes) for join in one.joins)
        else:
            yield (
                (*loc, "jobs"),
                one.jobs,
                {pattern.partition("*")[0] for step in one.steps for pattern in step},
            )


_Check = tuple[Loc, Iterable[str], Container[str]]
"""Where names stand, the names, and those there are."""


def _present(follows: Iterable[Predecessor]) -> list[str]:
    return [one.name for one in follows if not (one.is_pending or one.is_orphan)]
