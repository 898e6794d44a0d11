"""What changes while the plan is carried out: runs, jobs and streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .plan import Asks, Dependency, Follows, JobPlan, Needs, Opens, StreamPlan

__all__ = ["Gate", "JobState", "Run", "StreamState"]


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of a job; the first one exists, waiting, from the start of the plan."""

    id: str
    attempt: int
    rerun_type: str
    """`REGULAR` or `RERUN`."""
    workstation: str
    submitted_at: datetime
    takes: timedelta
    """How long it will run if nobody interferes."""
    heals: bool
    """Whether it ends well."""
    status: str = "HOLD"
    substatus: str | None = None
    job_number: int | None = None
    return_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_confirmed: bool = False


@dataclass(slots=True)
class Gate:
    """What must be satisfied before a job or a stream may start. What was satisfied once stays so."""

    dependencies: tuple[Dependency, ...]
    waiting: set[int] = field(default_factory=set)
    """Indexes of the unsatisfied ones; a resource is claimed at launch and is no part of the gate."""
    is_early: bool = False
    """Whether the earliest start is still to come."""

    def __post_init__(self) -> None:
        self.waiting = {n for n, one in enumerate(self.dependencies) if not isinstance(one, Needs)}

    @property
    def reason(self) -> str | None:
        """The substatus that says what is waited for, None if the gate is open."""
        kinds = {type(self.dependencies[index]) for index in self.waiting}
        if Follows in kinds:
            return "HOLD_WAITING_FOR_PREDECESSOR"
        if self.is_early:
            return "HOLD_WAITING_FOR_TIME"
        if Asks in kinds:
            return "HOLD_WAITING_FOR_PROMPT"
        return "HOLD_WAITING_FOR_FILE" if Opens in kinds else None

    def open(self) -> None:
        """Satisfies everything, as `release` does."""
        self.waiting.clear()
        self.is_early = False


@dataclass(slots=True, kw_only=True)
class JobState:
    """A job and its runs."""

    plan: JobPlan
    stream: StreamState
    gate: Gate
    runs: list[Run]
    priority: int
    is_canceled: bool = False
    is_late: bool = False
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
        return self.status in ("ABEND", "FAIL") and not self.is_canceled

    @property
    def legal_status(self) -> str:
        """The status that decides which actions are legal."""
        return "CANCL" if self.is_canceled and not self.is_running else self.status


@dataclass(slots=True, kw_only=True)
class StreamState:
    """A stream and its jobs; its status follows from theirs."""

    plan: StreamPlan
    gate: Gate
    jobs: list[JobState] = field(default_factory=list)
    is_late: bool = False

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
            return "HOLD" if self.gate.reason else "READY"
        if any(job.is_running or job.status == "READY" for job in self.jobs):
            return "EXEC"
        left = [job for job in self.jobs if not job.is_over]
        failed = {job.plan.id for job in left if job.has_failed}
        if not failed:
            return "EXEC"
        if len(failed) == len(left):
            return "ABEND"
        return "STUCK" if all(self._is_stuck(job, failed) for job in left) else "EXEC"

    def _is_stuck(self, job: JobState, failed: set[str]) -> bool:
        """Whether a failure keeps the job from starting; marks it, since jobs come in plan order."""
        waits_for = {
            one.job_id
            for index in job.gate.waiting
            if isinstance(one := job.gate.dependencies[index], Follows)
        }
        if waits_for & failed:
            failed.add(job.plan.id)
        return job.plan.id in failed
