"""Carries a plan out in simulated time.

The state is a pure function of the plan, the orders and the time: events run in the order of their times,
chance is drawn from ids, and no clock is read here.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import assert_never
from uuid import NAMESPACE_URL, uuid5

from .orders import Order
from .plan import Follows, JobPlan, Needs, Opens, Plan
from .runs import Gate, JobState, Run, StreamState
from .transitions import Action, may_apply

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
        self.followers: dict[str, list[tuple[StreamState | JobState, int]]] = defaultdict(list)
        """By id of the job or stream followed: who follows it, and the index of that dependency."""
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._job_numbers = itertools.count(10_000 + plan.run_number)
        self._ready: dict[str, JobState] = {}
        self._busy: defaultdict[str, int] = defaultdict(int)
        """Running jobs by workstation."""
        self._held: defaultdict[str, int] = defaultdict(int)
        """Units in use by resource."""
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
        if order.run_id is not None and order.run_id != job.last.id:
            return False
        return may_apply(order.action, job.legal_status)

    def submit(self, order: Order) -> None:
        """Plans the order's effect. It is dropped if it is no longer legal by then, as batchman drops it."""
        self._at(order.applies_at, lambda: self._apply(order))

    def units_in_use(self, resource: str) -> int:
        """How many units running jobs hold."""
        return self._held[resource]

    def _build(self) -> None:
        for stream in self.plan.streams.values():
            self.streams[stream.id] = StreamState(plan=stream, gate=Gate(stream.dependencies))
        for job in self.plan.jobs.values():
            stream_state = self.streams[job.stream_id]
            state = JobState(
                plan=job,
                stream=stream_state,
                gate=Gate(job.dependencies),
                runs=[],
                priority=0 if job.is_held else job.priority,
            )
            self.jobs[job.id] = state
            stream_state.jobs.append(state)
            self._add_run(state, "REGULAR")
        for stream_state in self.streams.values():
            self._watch(stream_state)
        for state in self.jobs.values():
            self._watch(state)
        for state in self.jobs.values():
            self._evaluate(state)
        self._dispatch()

    def _watch(self, owner: StreamState | JobState) -> None:
        starts_at = owner.plan.starts_at if isinstance(owner, JobState) else owner.plan.scheduled_at
        if starts_at is not None and starts_at > self.plan.start:
            owner.gate.is_early = True
            self._at(starts_at, lambda: self._arrive(owner))
        for index, dependency in enumerate(owner.gate.dependencies):
            match dependency:
                case Follows():
                    self.followers[dependency.job_id or dependency.stream_id].append((owner, index))
                case Opens(arrives_at=datetime() as arrives_at):
                    self._at(arrives_at, partial(self._satisfy, owner, index))
        if owner.plan.deadline is not None:
            self._at(owner.plan.deadline, lambda: self._miss_deadline(owner))

    def _at(self, when: datetime, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._sequence), event))

    def _arrive(self, owner: StreamState | JobState) -> None:
        owner.gate.is_early = False
        self._evaluate_owner(owner)

    def _satisfy(self, owner: StreamState | JobState, index: int) -> None:
        owner.gate.waiting.discard(index)
        self._evaluate_owner(owner)

    def _miss_deadline(self, owner: StreamState | JobState) -> None:
        if not owner.is_over:
            owner.is_late = True
            if isinstance(owner, JobState):
                owner.version += 1

    def _evaluate_owner(self, owner: StreamState | JobState) -> None:
        for job in [owner] if isinstance(owner, JobState) else owner.jobs:
            self._evaluate(job)

    def _evaluate(self, job: JobState) -> None:
        """Brings a job that has not been launched to the status its dependencies give it."""
        job.version += 1
        self._ready.pop(job.plan.id, None)
        if job.is_canceled or job.status not in ("HOLD", "READY"):
            return
        reason = None
        if job.priority == 0:
            reason = "HOLD_PRIORITY_ZERO"
        elif job.last.attempt == 1:  # a rerun has no dependencies
            reason = job.stream.gate.reason or job.gate.reason
        job.last.status, job.last.substatus = ("HOLD", reason) if reason else ("READY", None)
        if reason is None:
            self._ready[job.plan.id] = job

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
        workstation = self.plan.workstations[job.plan.workstation]
        if not workstation.is_linked:
            return "READY_WAITING_FOR_AGENT"
        if self._busy[workstation.name] >= workstation.limit and job.priority < _OVERRIDES_LIMIT:
            return "READY_WAITING_FOR_LIMIT"
        stream = job.stream
        if stream.plan.limit is not None and sum(one.is_running for one in stream.jobs) >= stream.plan.limit:
            return "READY_WAITING_FOR_LIMIT"
        for need in _needs(job.plan):
            if self._held[need.resource] + need.quantity > self.plan.resources[need.resource].quantity:
                return "READY_WAITING_FOR_RESOURCES"
        return None

    def _launch(self, job: JobState) -> None:
        del self._ready[job.plan.id]
        self._busy[job.plan.workstation] += 1
        for need in _needs(job.plan):
            self._held[need.resource] += need.quantity
        run = job.last
        run.status, run.substatus, run.job_number = "INTRO", None, next(self._job_numbers)
        job.version += 1
        self._at(self.now + _LAUNCH, lambda: self._start(job, run))

    def _start(self, job: JobState, run: Run) -> None:
        run.status, run.started_at = "EXEC", self.now
        job.version += 1
        status, return_code = _outcome(job.plan, run)
        self._at(self.now + run.takes, lambda: self._end(job, run, status, return_code))

    def _end(self, job: JobState, run: Run, status: str, return_code: int | None) -> None:
        if run.ended_at is not None:  # killed before
            return
        run.status = "SUCC" if run.is_confirmed else status
        run.return_code, run.ended_at = return_code, self.now
        self._busy[job.plan.workstation] -= 1
        for need in _needs(job.plan):
            self._held[need.resource] -= need.quantity
        job.version += 1
        self._release_followers(job)

    def _release_followers(self, job: JobState) -> None:
        if job.is_over:
            for owner, index in self.followers[job.plan.id]:
                self._satisfy(owner, index)
        if job.stream.is_over:
            for owner, index in self.followers[job.stream.plan.id]:
                self._satisfy(owner, index)

    def _apply(self, order: Order) -> None:
        if not self.is_legal(order):
            return
        job = self.jobs[order.job_id]
        match order.action:
            case Action.RERUN:
                job.is_canceled = False
                self._add_run(job, "RERUN")
            case Action.KILL:
                self._end(job, job.last, "ABEND", _KILLED)
            case Action.HOLD:
                job.priority = 0
            case Action.RELEASE:
                self._release(job)
            case Action.CANCEL:
                job.is_canceled = True
                self._release_followers(job)
            case Action.CONFIRM_SUCC:
                self._confirm(job)
            case _:
                assert_never(order.action)
        self._evaluate(job)

    def _release(self, job: JobState) -> None:
        if job.priority == 0:
            job.priority = job.plan.priority
        else:
            job.gate.open()

    def _confirm(self, job: JobState) -> None:
        job.last.is_confirmed = True
        if job.is_running:
            job.last.status = "SUCCP"
        else:
            job.last.status = "SUCC"
            self._release_followers(job)

    def _add_run(self, job: JobState, rerun_type: str) -> None:
        attempt = len(job.runs) + 1
        run_id = str(uuid5(NAMESPACE_URL, f"tws-run:{job.plan.id}/{attempt}"))
        run = Run(
            id=run_id,
            attempt=attempt,
            rerun_type=rerun_type,
            workstation=job.plan.workstation,
            submitted_at=self.now,
            takes=_duration(job.plan, run_id, attempt),
            heals=attempt > 1 and job.plan.fault is not None and job.plan.fault.heals,
        )
        job.runs.append(run)
        self.job_of_run[run_id] = job


def _needs(job: JobPlan) -> Iterator[Needs]:
    return (one for one in job.dependencies if isinstance(one, Needs))


def _outcome(job: JobPlan, run: Run) -> tuple[str, int | None]:
    """Status and return code that the run ends with if nobody interferes."""
    if job.fault is None or run.heals:
        return "SUCC", 0
    return ("ABEND" if job.fault.is_launched else "FAIL"), job.fault.return_code


def _duration(job: JobPlan, run_id: str, attempt: int) -> timedelta:
    random = Random(run_id)
    if attempt > 1:
        return timedelta(seconds=random.randint(*_RERUN_SECONDS))
    if job.fault is not None:
        return timedelta(minutes=job.fault.minutes)
    return timedelta(seconds=int(job.estimate.total_seconds() * random.uniform(0.85, 1.2)))
