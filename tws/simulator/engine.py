"""Carries a plan out in simulated time.

The state is a pure function of the plan, the orders and the time: events run in the order of their times,
chance is drawn from ids, and no clock is read here.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import assert_never
from uuid import NAMESPACE_URL, uuid5

from .orders import Action, Order, may_apply
from .plan import Follows, Opens, Plan
from .runs import JobState, Node, Run, StreamState

__all__ = ["Engine"]

_LAUNCH = timedelta(seconds=2)
"""From the hand-over to the agent (INTRO) to the start (EXEC)."""

_RERUN_SECONDS = (20, 45)
"""A rerun resumes at the script's checkpoint: short enough to watch."""

_OVERRIDES_LIMIT = 100
"""Priority `hi`; it and `go` (101) override the limit of a workstation, not that of a stream."""

_KILLED = 9
"""Return code of a killed job: the signal."""


class Engine:
    """The plan in motion. Not thread-safe."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.now = plan.start
        """Simulated time up to which everything has happened."""
        self.streams: dict[str, StreamState] = {}
        self.jobs: dict[str, JobState] = {}
        self.job_of_run: dict[str, JobState] = {}
        self.followers: dict[str, list[tuple[Node, int]]] = defaultdict(list)
        """By id of the job or stream followed: who follows it, and the index of that dependency."""
        self.units_in_use: Counter[str] = Counter()
        """By name of a resource: how many units running jobs hold."""
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._job_numbers = itertools.count(10_000 + plan.run_number)
        self._ready: dict[str, JobState] = {}
        self._busy: Counter[str] = Counter()
        """Running jobs by workstation."""
        self._build()

    def advance(self, to: datetime) -> None:
        """Lets everything happen that is due by then. A time in the past changes nothing."""
        while self._events and self._events[0][0] <= to:
            self.now, _, event = heapq.heappop(self._events)
            event()
            self._dispatch()
        self.now = max(self.now, to)

    def is_legal(self, order: Order) -> bool:
        """Whether the engine would accept the order in the present state."""
        job = self.jobs[order.job_id]
        return order.run_id in (None, job.last.id) and may_apply(order.action, job.legal_status)

    def submit(self, order: Order) -> None:
        """Plans the order's effect. It is dropped if it is no longer legal by then, as batchman drops it."""
        self._at(order.applies_at, lambda: self._apply(order))

    def predecessors(self, job: JobState, depth: int) -> Iterable[Node]:
        """What the job follows, nearest first, each once; 0 steps give nothing."""

        def followed(node: Node) -> Iterable[Node]:
            follows = (one for one in node.plan.dependencies if isinstance(one, Follows))
            return (self.jobs[one.job_id] if one.job_id else self.streams[one.stream_id] for one in follows)

        return _walk(job, depth, followed)

    def successors(self, job: JobState, depth: int) -> Iterable[Node]:
        """What follows the job, nearest first, each once."""
        return _walk(job, depth, lambda node: (owner for owner, _ in self.followers[node.plan.id]))

    def _build(self) -> None:
        for stream in self.plan.streams.values():
            self.streams[stream.id] = StreamState(plan=stream)
        for job in self.plan.jobs.values():
            owner, priority = self.streams[job.stream_id], 0 if job.special.is_held else job.special.priority
            state = JobState(plan=job, stream=owner, priority=priority)
            self.jobs[job.id] = state
            owner.jobs.append(state)
            self._add_run(state)
        nodes: list[Node] = [*self.streams.values(), *self.jobs.values()]
        for node in nodes:
            self._watch(node)
        for state in self.jobs.values():
            self._evaluate(state)
        self._dispatch()

    def _watch(self, owner: Node) -> None:
        starts_at = owner.plan.starts_at
        if starts_at is not None and starts_at > self.plan.start:
            owner.is_early = True
            self._at(starts_at, lambda: self._arrive(owner))
        for index, dependency in enumerate(owner.plan.dependencies):
            match dependency:
                case Follows():
                    self.followers[dependency.job_id or dependency.stream_id].append((owner, index))
                case Opens(arrives_at=datetime() as arrives_at):
                    self._at(arrives_at, partial(self._satisfy, owner, index))
        if owner.plan.deadline is not None:
            self._at(owner.plan.deadline, lambda: self._miss_deadline(owner))

    def _at(self, when: datetime, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._sequence), event))

    def _arrive(self, owner: Node) -> None:
        owner.is_early = False
        self._evaluate(owner)

    def _satisfy(self, owner: Node, index: int) -> None:
        owner.waiting.discard(index)
        self._evaluate(owner)

    def _miss_deadline(self, owner: Node) -> None:
        owner.is_late = not owner.is_over
        if isinstance(owner, JobState):
            owner.version += 1

    def _evaluate(self, owner: Node) -> None:
        """Brings a job, or a stream's jobs, not yet launched to the status that dependencies give them."""
        if isinstance(owner, StreamState):
            for job in owner.jobs:
                self._evaluate(job)
            return
        owner.version += 1
        self._ready.pop(owner.plan.id, None)
        if owner.is_canceled or owner.status not in ("HOLD", "READY"):
            return
        reason = None
        if owner.priority == 0:
            reason = "HOLD_PRIORITY_ZERO"
        elif owner.last.attempt == 1:  # a rerun has no dependencies
            reason = owner.stream.hold_reason or owner.hold_reason
        owner.last.status, owner.last.substatus = ("HOLD", reason) if reason else ("READY", None)
        if reason is None:
            self._ready[owner.plan.id] = owner

    def _dispatch(self) -> None:
        """Launches what may be launched, highest priority first."""
        for job in sorted(self._ready.values(), key=lambda job: -job.priority):
            obstacle = self._obstacle(job)
            if obstacle is None:
                self._launch(job)
            elif obstacle != job.last.substatus:
                job.last.substatus = obstacle
                job.version += 1

    def _obstacle(self, job: JobState) -> str | None:
        workstation, stream = self.plan.workstations[job.plan.workstation], job.stream
        if not workstation.is_linked:
            return "READY_WAITING_FOR_AGENT"
        if self._busy[job.plan.workstation] >= workstation.limit and job.priority < _OVERRIDES_LIMIT:
            return "READY_WAITING_FOR_LIMIT"
        if stream.plan.limit is not None and sum(one.is_running for one in stream.jobs) >= stream.plan.limit:
            return "READY_WAITING_FOR_LIMIT"
        if any(self.units_in_use[name] >= self.plan.resources[name].quantity for name in job.plan.needs):
            return "READY_WAITING_FOR_RESOURCES"
        return None

    def _launch(self, job: JobState) -> None:
        del self._ready[job.plan.id]
        self._busy[job.plan.workstation] += 1
        self.units_in_use.update(job.plan.needs)
        run = job.last
        run.status, run.substatus, run.job_number = "INTRO", None, next(self._job_numbers)
        job.version += 1
        self._at(self.now + _LAUNCH, lambda: self._start(job, run))

    def _start(self, job: JobState, run: Run) -> None:
        run.status, run.started_at = "EXEC", self.now
        job.version += 1
        status, return_code = (run.fault.status, run.fault.return_code) if run.fault else ("SUCC", 0)
        self._at(self.now + run.takes, lambda: self._end(job, run, status, return_code))

    def _end(self, job: JobState, run: Run, status: str, return_code: int | None) -> None:
        if run.ended_at is not None:  # killed before
            return
        run.status = "SUCC" if run.is_confirmed else status
        run.return_code, run.ended_at = return_code, self.now
        self._busy[job.plan.workstation] -= 1
        self.units_in_use.subtract(job.plan.needs)
        job.version += 1
        self._release_followers(job)

    def _release_followers(self, job: JobState) -> None:
        for node in (job, job.stream):
            for owner, index in self.followers[node.plan.id] if node.is_over else ():
                self._satisfy(owner, index)

    def _apply(self, order: Order) -> None:
        if not self.is_legal(order):
            return
        job = self.jobs[order.job_id]
        match order.action:
            case Action.RERUN:
                job.is_canceled = False
                self._add_run(job)
            case Action.KILL:
                self._end(job, job.last, "ABEND", _KILLED)
            case Action.HOLD:
                job.priority = 0
            case Action.RELEASE if job.priority == 0:
                job.priority = job.plan.special.priority
            case Action.RELEASE:
                job.waiting, job.is_early = set(), False
            case Action.CANCEL:
                job.is_canceled = True
                self._release_followers(job)
            case Action.CONFIRM_SUCC:
                job.last.is_confirmed = True
                job.last.status = "SUCCP" if job.is_running else "SUCC"
                self._release_followers(job)
            case _:
                assert_never(order.action)
        self._evaluate(job)

    def _add_run(self, job: JobState) -> None:
        attempt = len(job.runs) + 1
        run_id = str(uuid5(NAMESPACE_URL, f"tws-run:{job.plan.id}/{attempt}"))
        random, fault = Random(run_id), job.plan.fault
        if attempt > 1:
            takes = timedelta(seconds=random.randint(*_RERUN_SECONDS))
            fault = None if fault and fault.heals else fault
        elif fault:
            takes = timedelta(minutes=fault.minutes)
        else:
            takes = timedelta(seconds=int(job.plan.estimate.total_seconds() * random.uniform(0.85, 1.2)))
        job.runs.append(Run(id=run_id, attempt=attempt, submitted_at=self.now, takes=takes, fault=fault))
        self.job_of_run[run_id] = job


def _walk(start: Node, depth: int, step: Callable[[Node], Iterable[Node]]) -> Iterable[Node]:
    found: dict[str, Node] = {}
    edge: Iterable[Node] = [start]
    while depth and edge:
        following = {node.plan.id: node for here in edge for node in step(here) if node is not start}
        edge = [node for node in following.values() if node.plan.id not in found]
        found |= following
        depth -= 1
    return found.values()
