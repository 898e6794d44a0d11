"""What changes while the plan is carried out: runs, jobs and streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .definition import Fault
from .plan import JobPlan, StreamPlan
from .waits import PromptState, Wait, WorkstationState

FAILED = ("ABEND", "FAIL")
RUNNING = ("INTRO", "EXEC", "SUCCP", "ABENP")
WAITING = ("HOLD", "READY", "FENCE")


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """One run of a job; the first one exists, waiting, from the start of the plan."""

    id: str
    attempt: int
    rerun_type: str
    """`REGULAR`, `RERUN`, `RERUN_STEP`, `RECOVERY_RERUN`, `RERUN_EVERY`."""
    step: str | None = None
    """The step that it begins with."""
    submitted_at: datetime
    takes: timedelta
    """How long it will run if nobody interferes."""
    fault: Fault | None
    """Why it will not end well; None for a run that does."""
    workstation: str
    """Where it runs: of a pool, the member that was chosen."""
    status: str = "HOLD"
    substatus: str | None = None
    job_number: int | None = None
    return_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_confirmed: bool = False
    is_forgiven: bool = False
    """It failed, and its successors go on all the same."""

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly."""
        return self.status in FAILED

    @property
    def is_bound(self) -> bool:
        """Whether it waits for dependencies and times: a rerun does not."""
        return self.rerun_type in ("REGULAR", "RERUN_EVERY")

    @property
    def elapsed(self) -> timedelta | None:
        """From start to end, None before that."""
        return self.ended_at - self.started_at if self.started_at and self.ended_at else None


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiter:
    """What jobs and streams have in common."""

    plan: JobPlan | StreamPlan
    priority: int
    starts_at: datetime | None
    """Earliest start; of a job that repeats, of its next run."""
    is_early: bool = False
    """Whether that is still to come."""
    waits: list[Wait] = field(default_factory=list)
    """Every dependency, in the order of the definition."""
    open: list[Wait] = field(default_factory=list)
    """Those that hold it, by family; a resource is claimed at launch and is none of them."""
    needs: list[Wait] = field(default_factory=list)
    """Its dependencies on resources."""
    is_late: bool = False
    is_until_gone: bool = False
    is_canceled: bool = False
    is_cancel_pending: bool = False
    version: int = 0
    """Counts changes, for caches."""

    @property
    def original_priority(self) -> int:
        """What a release out of a hold restores."""
        return self.plan.priority


@dataclass(slots=True, kw_only=True, eq=False)
class JobState(_Waiter):
    """A job and its runs."""

    plan: JobPlan
    stream: StreamState
    workstation: WorkstationState
    runs: list[Run] = field(default_factory=list)
    is_suppressed: bool = False
    """A condition on a predecessor cannot be met any more."""
    recovery_prompt: PromptState | None = None
    recovers: JobState | None = None
    """The failed job that this one runs for."""
    recoveries: int = 0
    """How many times a recovery has rerun it."""
    is_recovering: bool = False
    """Whether what follows by itself after a failure is still under way."""
    ticket: int = 0
    """The dispatcher's: an entry of a queue with an older one is void."""

    @property
    def last(self) -> Run:
        """The newest run."""
        return self.runs[-1]

    @property
    def status(self) -> str:
        """Internal status of the newest run."""
        return self.runs[-1].status

    @property
    def is_waiting(self) -> bool:
        """Whether it may still be launched."""
        return self.runs[-1].status in WAITING and not self.is_canceled

    @property
    def is_unlaunched(self) -> bool:
        """Whether its last run was not launched, and perhaps never will be."""
        return self.runs[-1].status in (*WAITING, "SUPPR")

    @property
    def is_running(self) -> bool:
        """Whether it has been handed to the agent and has not ended."""
        return self.runs[-1].status in RUNNING

    @property
    def is_over(self) -> bool:
        """Whether it has ended well or is cancelled: its successors may start."""
        return self.is_canceled or self.runs[-1].status == "SUCC" or self.runs[-1].is_forgiven

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly and nobody dealt with it yet."""
        return self.last.has_failed and not self.is_over

    @property
    def is_asking(self) -> bool:
        """Whether it failed and an operator is asked what to do."""
        prompt = self.recovery_prompt
        return (
            self.last.has_failed
            and prompt is not None
            and prompt.status == "ASKED"
            and prompt.run is self.last
        )

    @property
    def final_status(self) -> str | None:
        """What conditions are compared with, None before there is one."""
        if self.is_canceled:
            return "CANCL"
        is_final = self.status in ("SUCC", "SUPPR", *FAILED) and not self.is_recovering
        return self.status if is_final else None

    @property
    def legal_status(self) -> str:
        """The status that decides which orders are legal."""
        return "CANCL" if self.is_canceled and not self.is_running else self.status

    @property
    def launch_order(self) -> tuple[int, datetime, str, int, str]:
        """The lowest is launched first."""
        stream = self.stream.plan
        return -self.priority, stream.starts_at, stream.name, self.plan.position, self.plan.id


@dataclass(slots=True, kw_only=True, eq=False)
class StreamState(_Waiter):
    """A stream and its jobs; its status follows from theirs."""

    plan: StreamPlan
    limit: int | None
    jobs: list[JobState] = field(default_factory=list)
    busy: int = 0
    """How many of its jobs run."""
    is_carried: bool = False
    """Whether it comes from the plan before."""
    seen: tuple[int, str] = (-1, "")
    """Version and the status at that version."""

    @property
    def is_over(self) -> bool:
        """Whether it is cancelled or every job is over: its successors may start."""
        return self.is_canceled or all(job.is_over for job in self.jobs)

    @property
    def final_status(self) -> str | None:
        """What conditions are compared with, None before there is one."""
        return self.status if self.status in ("SUCC", "CANCL", "ABEND", "SUPPR") else None

    @property
    def is_asking(self) -> bool:
        """Recovery prompts are the jobs' own."""
        return False

    @property
    def status(self) -> str:
        """Internal status of the stream."""
        if self.seen[0] != self.version:
            self.seen = (self.version, self._status())
        return self.seen[1]

    @property
    def legal_status(self) -> str:
        """The status that decides which orders are legal."""
        return self.status

    def _status(self) -> str:
        if self.is_canceled:
            return "CANCL"
        left = [job for job in self.jobs if not job.is_over]
        if not left:
            return "SUCC"
        blocked = {
            job for job in left if job.status == "SUPPR" or (job.has_failed and not self._goes_on(job))
        }
        if all(job.status == "SUPPR" for job in left):
            return "SUPPR"
        if not any(run.job_number for job in self.jobs for run in job.runs):
            is_closed = self.priority == 0 or self.is_early or self.open
            return "HOLD" if is_closed else "READY"
        if any(job.is_running for job in self.jobs) or any(job.status in ("READY", "FENCE") for job in left):
            return "EXEC"
        if len(blocked) == len(left):
            return "ABEND"
        for job in left:  # in plan order, so that what waits for a blocked job is found in one pass
            if any(wait.is_stuck_on(blocked) for wait in job.open):
                blocked.add(job)
        return "STUCK" if len(blocked) == len(left) else "EXEC"

    @staticmethod
    def _goes_on(job: JobState) -> bool:
        """Whether a recovery will follow that nobody needs to allow."""
        return job.is_recovering and not job.is_asking


Node = JobState | StreamState
"""What follows and is followed."""
