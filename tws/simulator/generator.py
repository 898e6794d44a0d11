"""Plans of any size that look like real ones, and the runs of the days before: the same seed, the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from math import exp
from random import Random
from typing import Any, Literal

from .catalogue import FOLDER, load
from .definition import Event, Fault, JobDefinition, PlanDefinition, Resource, StreamDefinition, Workstation
from .maker import generate

_AREAS = ("FIN", "DWH", "CRD", "POS", "BKP", "CRM", "LOG", "PIX", "HR", "SEC")
_STEPS = (
    "EXTRACT",
    "VALIDATE",
    "LOAD",
    "MERGE",
    "POST",
    "CALC",
    "SORT",
    "SEND",
    "REPORT",
    "ARCHIVE",
    "PURGE",
    "CHECK",
)

_RATES = load(FOLDER / "rates.yaml", dict[str, tuple[float, float]])


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run of a plan before this one."""

    day: int
    """1: yesterday."""
    workstation: str
    job_stream: str
    job: str
    starts: timedelta
    """After the start of its plan."""
    took: timedelta
    status: str


def generated(jobs: int, seed: int, features: Literal["ordinary", "all"] = "ordinary") -> PlanDefinition:
    """A plan of so many jobs; with `all`, a dense one in which everything the engine knows occurs."""
    return _Generator(jobs, seed, is_dense=features == "all").definition()


def history(definition: PlanDefinition, *, seed: int, days: int) -> Iterator[PastRun]:
    """What ran on the days before, oldest first: durations scatter around the estimates, now and then a run fails."""
    plan = generate(definition, seed=seed, start=datetime(2000, 1, 1, tzinfo=UTC), run_number=0)
    for day in range(days, 0, -1):
        random = Random(f"{seed}/{day}")
        for job in plan.jobs.values():
            stream = plan.streams[job.stream_id]
            slow = 2.0 if random.random() < _RATES["history.slow"][0] else 1.0
            yield PastRun(
                day=day,
                workstation=stream.workstation,
                job_stream=stream.name,
                job=job.name,
                starts=stream.starts_at - plan.start,
                took=timedelta(seconds=int(job.estimate.total_seconds() * slow * exp(random.gauss(0, 0.15)))),
                status="ABEND" if random.random() < _RATES["history.failed"][0] else "SUCC",
            )


class _Generator:
    def __init__(self, jobs: int, seed: int, *, is_dense: bool) -> None:
        self._jobs, self._random, self._is_dense = jobs, Random(f"{seed}/{jobs}/{is_dense}"), is_dense
        agents = [
            f"AGT_{_AREAS[n % len(_AREAS)]}{n // len(_AREAS) + 1:02}"
            for n in range(max(3, min(60, jobs // 150)))
        ]
        self._agents = [*agents, "POOL_1"]
        self._resources = [f"RES{n:03}" for n in range(1, 2 + jobs // 500)]
        self._span = 120 if is_dense else 1200
        self._known: list[tuple[str, int, list[str]]] = []
        """Streams made so far, with their start and jobs."""
        self._prompts = count(1)

    def definition(self) -> PlanDefinition:
        streams: dict[str, StreamDefinition] = {}
        faults: dict[str, Fault] = {}
        left, starts = self._jobs, 0.0
        while left:
            size = min(left, self._random.randint(3, 8 if self._is_dense else 30))
            left -= size
            name = f"{self._random.choice(_AREAS)}{len(streams) + 1:05}"
            starts += self._random.random() * 2 * self._span * size / self._jobs
            streams[name] = self._stream(name, int(starts), size)
            for job in self._known[-1][2]:
                if self._has("job.fault"):
                    minutes, heals = self._random.randint(1, 15), self._has("fault.heals")
                    code = self._random.choice((1, 2, 8, 12, 137, None))
                    faults[f"{name}.{job}"] = Fault(
                        return_code=code, minutes=minutes, heals=heals, is_launched=code is not None
                    )
        once = {f"{name}.{job}" for name, _, jobs in self._known if not streams[name].every for job in jobs}
        return PlanDefinition(
            title=f"{self._jobs} jobs, made by chance",
            workstations=self._workstations(),
            resources={
                name: Resource(
                    workstation=self._random.choice(self._agents), quantity=self._random.randint(1, 4)
                )
                for name in self._resources
            },
            streams=streams,
            faults={name: fault for name, fault in faults.items() if name in once},
            events=tuple(self._events()) if self._is_dense else (),
        )

    def _workstations(self) -> dict[str, Workstation]:
        busy = 8 + self._jobs // 1500
        found = {
            name: Workstation(
                type="AGENT",
                os="LINUX",
                description=name,
                limit=self._random.randint(1, 3) if self._is_dense else self._random.randint(busy, 3 * busy),
            )
            for name in self._agents
        }
        found["POOL_1"] = Workstation(
            type="POOL", os="OTHER", description="Pool", limit=busy, members=tuple(self._agents[:2])
        )
        return {"MDM_SP": Workstation(type="MANAGER", os="LINUX", description="Master", limit=20)} | found

    def _stream(self, name: str, starts: int, size: int) -> StreamDefinition:
        steps: list[list[str]] = []
        names = [f"{_STEPS[n % len(_STEPS)]}_{n + 1:02}" for n in range(size)]
        while names:
            width = self._random.choice((1, 1, 1, 2, 3))
            steps.append(names[:width])
            names = names[width:]
        parts = self._common("stream", starts)
        parts |= self._drawn("stream", "limit", lambda: self._random.randint(0 if self._is_dense else 1, 3))
        if self._has("stream.every"):
            overlap = self._random.choice(("parallel", "enqueue", "donotstart"))
            parts |= {"every": self._random.choice((360, 720)), "on_overlap": overlap}
        specials = {job: special for step in steps for job in step if (special := self._job(starts))}
        self._known.append((name, starts, [job for step in steps for job in step]))
        return StreamDefinition(
            workstation=self._random.choice(self._agents),
            starts=starts,
            steps=tuple(tuple(step) for step in steps),
            jobs={job: JobDefinition(**special) for job, special in specials.items()},
            **parts,
        )

    def _job(self, starts: int) -> dict[str, Any]:
        random = self._random
        parts = self._common("job", starts)
        for name in ("is_nop", "is_critical", "requires_confirmation"):
            parts |= self._drawn("job", name, lambda: True)
        parts |= self._drawn("job", "priority", lambda: random.choice((1, 20, 50, 99, 100, 101)))
        parts |= self._drawn("job", "starts", lambda: starts + random.randint(1, 90))
        parts |= self._drawn("job", "workstation", lambda: random.choice(self._agents))
        parts |= self._drawn("job", "max_minutes", lambda: random.randint(2, 20))
        parts |= self._drawn("job", "every", lambda: random.choice((30, 60)))
        if "max_minutes" in parts:
            parts["on_max"] = random.choice(("continue", "kill"))
        if "deadline" in parts:
            parts["on_late"] = random.choice(("continue", "kill"))
        if self._has("job.recovery"):
            parts["recovery"] = {
                "option": random.choice(("CONTINUE", "RERUN", "RERUN", "STOP")),
                "prompt": random.choice(("", "", "Go on?")),
                "job": random.choice(("", "CLEAN_UP")),
                "job_fails": self._has("recovery.job_fails"),
                "every": random.choice((0, 5)),
                "times": random.choice((1, 2)),
            }
        if self._has("job.when"):
            parts["follows"] = [
                *parts.get("follows", ()),
                *self._targets(1, when=random.choice((["ABEND"], ["SUCC", "FAIL"]))),
            ]
        if self._has("job.joins"):
            parts["joins"] = (
                [{"name": "JOIN", "needed": 1, "follows": self._targets(2)}] if self._known else []
            )
        return parts

    def _common(self, kind: str, starts: int) -> dict[str, Any]:
        random = self._random
        parts: dict[str, Any] = {"follows": self._targets(1)} if self._has(f"{kind}.follows") else {}
        if self._has(f"{kind}.absent"):
            absent = {
                "name": random.choice(("ELSEWHERE", "ELSEWHERE.JOB")),
                random.choice(("is_pending", "is_orphan")): True,
            }
            parts["follows"] = [*parts.get("follows", ()), absent]
        if self._has(f"{kind}.asks"):
            name = f"PR{next(self._prompts):04}" if self._has("prompt.named") else ""
            parts["asks"] = {"prompt": name, "text": "Shall it go on?"}
        soon = {"opens": (0, 90), "until": (1, 90), "deadline": (10, 240)}
        times = {name: starts + random.randint(*soon[name]) for name in soon if self._has(f"{kind}.{name}")}
        if "opens" in times:
            minute, arrives = times.pop("opens"), self._has("file.arrives")
            parts["opens"] = {f"/data/in/{random.randint(1, 9999):04}.dat": minute if arrives else None}
        if "until" in times:
            parts["on_until"] = random.choice(("doNotRun", "continue", "cancel"))
        parts |= self._drawn(kind, "needs", lambda: {random.choice(self._resources): random.randint(1, 2)})
        parts |= self._drawn(kind, "is_held", lambda: True)
        if kind == "job" and self._has("job.internetwork"):
            ends, status = (
                starts + 30 if self._has("network.ends") else None,
                random.choice(("SUCC", "ERROR")),
            )
            parts["internetwork"] = [
                {"agent": "NET1", "name": "PLANT#CLOSE.SEND", "ends": ends, "status": status}
            ]
        return parts | times

    def _targets(self, number: int, **more: Any) -> list[dict[str, Any]]:
        """Jobs and streams of before; conditions are on jobs."""
        nearby: Sequence[tuple[str, int, list[str]]] = self._known[-40:]
        found = []
        for _ in range(number if nearby else 0):
            name, _, jobs = self._random.choice(nearby)
            is_job = more or self._has("predecessor.job")
            found.append({"name": f"{name}.{self._random.choice(jobs)}" if is_job else name, **more})
        return found

    def _drawn(self, kind: str, name: str, draw: Any) -> dict[str, Any]:
        return {name: draw()} if self._has(f"{kind}.{name}") else {}

    def _has(self, feature: str) -> bool:
        return self._random.random() < _RATES[feature][self._is_dense]

    def _events(self) -> Iterator[Event]:
        """Things go wrong with workstations, and are put right again later."""
        changes: tuple[tuple[str, int | None, str, int | None], ...] = (
            ("unlink", None, "link", None),
            ("stop", None, "start", None),
            ("update-limit", 0, "update-limit", 3),
            ("update-fence", 20, "update-fence", 0),
            ("ignore", 1, "ignore", 0),
        )
        for do, to, undo, back in changes:
            minute, agent = self._random.randint(0, self._span), self._random.choice(self._agents)
            yield Event(minute=minute, do=do, object=agent, to=to)
            if self._has("event.undone"):
                yield Event(minute=minute + 60, do=undo, object=agent, to=back)
        yield Event(
            minute=self._span // 2, do="update-quantity", object=self._random.choice(self._resources), to=0
        )
