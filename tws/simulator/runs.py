"""What changes while the plan is carried out: runs, jobs and streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .catalogue import Asks, Fault
from .plan import Follows, JobPlan, Needs, Opens, StreamPlan

__all__ = ["JobState", "Node", "Run", "StreamState"]


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of a job; the first one exists, waiting, from the start of the plan."""

    id: str
    attempt: int
    submitted_at: datetime
    takes: timedelta
    """How long it will run if nobody interferes."""
    fault: Fault | None
    """Why it will not end well; None for a run that does."""
    status: str = "HOLD"
    substatus: str | None = None
    job_number: int | None = None
    return_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_confirmed: bool = False

    @property
    def rerun_type(self) -> str:
        """`REGULAR` or `RERUN`."""
        return "RERUN" if self.attempt > 1 else "REGULAR"

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly."""
        return self.status in ("ABEND", "FAIL")

    @property
    def elapsed(self) -> timedelta | None:
        """From start to end, None before that."""
        return self.ended_at - self.started_at if self.started_at and self.ended_at else None


@dataclass(slots=True, kw_only=True)
class _Waiter:
    """What must be satisfied before a job or a stream may start. What was satisfied once stays so."""

    plan: JobPlan | StreamPlan
    waiting: set[int] = field(init=False)
    """Indexes of the unsatisfied dependencies; a resource is claimed at launch and is none of them."""
    is_early: bool = False
    """Whether the earliest start is still to come."""
    is_late: bool = False

    def __post_init__(self) -> None:
        self.waiting = {n for n, one in enumerate(self.plan.dependencies) if not isinstance(one, Needs)}

    @property
    def hold_reason(self) -> str | None:
        """The substatus that says what is waited for, None if nothing is."""
        kinds = {type(self.plan.dependencies[index]) for index in self.waiting}
        if Follows in kinds:
            return "HOLD_WAITING_FOR_PREDECESSOR"
        if self.is_early:
            return "HOLD_WAITING_FOR_TIME"
        if Asks in kinds:
            return "HOLD_WAITING_FOR_PROMPT"
        return "HOLD_WAITING_FOR_FILE" if Opens in kinds else None


@dataclass(slots=True, kw_only=True)
class JobState(_Waiter):
    """A job and its runs."""

    plan: JobPlan
    stream: StreamState
    priority: int
    runs: list[Run] = field(default_factory=list)
    is_canceled: bool = False
    version: int = 0
    """Counts changes, for caches."""

    @property
    def last(self) -> Run:
        """The newest run."""
        return self.runs[-1]

    @property
    def status(self) -> str:
        """Internal status of the newest run."""
        return self.last.status

    @property
    def is_running(self) -> bool:
        """Whether it has been handed to the agent and has not ended."""
        return self.status in ("INTRO", "EXEC", "SUCCP")

    @property
    def is_over(self) -> bool:
        """Whether it has ended well or is cancelled: its successors may start."""
        return self.is_canceled or self.status == "SUCC"

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly and nobody dealt with it yet."""
        return self.last.has_failed and not self.is_canceled

    @property
    def legal_status(self) -> str:
        """The status that decides which actions are legal."""
        return "CANCL" if self.is_canceled and not self.is_running else self.status


@dataclass(slots=True, kw_only=True)
class StreamState(_Waiter):
    """A stream and its jobs; its status follows from theirs."""

    plan: StreamPlan
    jobs: list[JobState] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether every job is."""
        return all(job.is_over for job in self.jobs)

    @property
    def status(self) -> str:
        """Internal status of the stream."""
        if self.is_over:
            return "SUCC"
        if not any(run.started_at for job in self.jobs for run in job.runs):
            return "HOLD" if self.hold_reason else "READY"
        if any(job.is_running or job.status == "READY" for job in self.jobs):
            return "EXEC"
        left = [job for job in self.jobs if not job.is_over]
        failed = {job.plan.id for job in left if job.has_failed}
        if len(failed) == len(left):
            return "ABEND"
        return "STUCK" if failed and all(self._is_stuck(job, failed) for job in left) else "EXEC"

    def _is_stuck(self, job: JobState, failed: set[str]) -> bool:
        """Whether a failure keeps the job from starting; marks it, since jobs come in plan order."""
        waiting = (job.plan.dependencies[index] for index in job.waiting)
        if any(isinstance(one, Follows) and one.job_id in failed for one in waiting):
            failed.add(job.plan.id)
        return job.plan.id in failed


Node = JobState | StreamState
"""What follows and is followed."""
