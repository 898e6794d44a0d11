"""The plan's objects with TWS's own names in snake case: pure types.

Source of names and enums: the vendor's OpenAPI document of REST API V2 (`JobInPlanV2` and friends).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FAILED_STATUSES = frozenset({"ABEND", "FAIL"})
"""Internal statuses of a job that ended badly and may be rerun."""


class CommonStatus(StrEnum):
    """The engine's summary of the internal status (enum `CommonStatusV2`)."""

    WAITING = "WAITING"
    WAITING_FOR_TRIGGER = "WAITING_FOR_TRIGGER"
    READY = "READY"
    READY_PREV_WS_NONREP = "READY_PREV_WS_NONREP"
    COMPLETED = "COMPLETED"
    SUPPRESS_BY_COND = "SUPPRESS_BY_COND"
    INTERRUPTED = "INTERRUPTED"
    DUMMY_COMPLETED = "DUMMY_COMPLETED"
    RUNNING = "RUNNING"
    SUCCESSFUL = "SUCCESSFUL"
    ERROR = "ERROR"
    CANCELED = "CANCELED"
    HELD = "HELD"
    UNDECIDED = "UNDECIDED"
    BLOCKED = "BLOCKED"
    SUPPRESS = "SUPPRESS"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job in the plan; a rerun appends another."""

    id: str
    """The run id: what `rerun` and the job log take."""
    status: str
    """Internal status as TWS prints it, e.g. `ABEND`."""
    common_status: CommonStatus
    return_code: int | None
    attempt: int
    """1 for the first run, one more for each rerun."""
    is_last: bool
    rerun_type: str
    job_number: int | None
    workstation: str
    """Where it really ran (pools choose)."""
    started_at: datetime | None
    ended_at: datetime | None
    elapsed: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing a job waits for."""

    type: str
    """`INTERNAL`, `EXTERNAL_JOB`, `EXTERNAL_JOBSTREAM`, `RESOURCE`, `FILE`, `PROMPT`, …"""
    target: str
    """What it is on, as conman writes it: `wks#stream.job`, a file name, a resource, a prompt."""
    target_id: str | None
    """The predecessor's job or job stream id, where it has one."""
    satisfied: bool
    predecessor_status: str | None = None
    """Internal status of the predecessor, `CANCL` where it is cancelled."""
    id: str = ""
    """Of the dependency; for a prompt the id that a reply takes."""
    is_pending: bool = False
    """The predecessor is not in the plan yet (`[P]`)."""
    is_orphan: bool = False
    """The predecessor was pending and can no longer come (`[o]`)."""
    conditions: tuple[str, ...] = ()
    """Statuses or output conditions that satisfy it; empty means SUCC."""
    quantity: int | None = None
    """Units of a resource that are needed."""
    available: int | None = None
    """Units of a resource that are free."""
    held: int = 0
    """Units of a resource that its owner holds."""
    prompt_status: str | None = None
    """`NOT_ASKED`, `ASKED`, `ANSWERED_YES`, `ANSWERED_NO`."""
    prompt_number: int | None = None
    """Changes with each plan."""
    members: tuple["Dependency", ...] = ()
    """Of a join."""
    members_needed: int | None = None
    """How many of a join's members must be satisfied; None means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What the engine does by itself when the job ends badly."""

    option: str
    """`STOP`, `CONTINUE`, `RERUN`, `CONTINUE_PROMPT`, `RERUN_PROMPT`."""
    job: str = ""
    """Recovery job, as `workstation#job`; empty without one."""
    prompt: str = ""
    """Text of the question asked first; empty without one."""
    repeat_every: timedelta | None = None
    repeat_times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Something that belongs to a workstation."""

    id: str
    """UUID-like; what most operations take."""
    name: str
    workstation: str

    @property
    def selection(self) -> str:
        """`workstation#name`, as conman selects it."""
        return f"{self.workstation}#{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled(Placed):
    """What jobs and job streams of the plan have in common."""

    key: str
    folder: str
    status: str
    """Internal status; of a job that of its last run."""
    substatus: str | None = None
    common_status: CommonStatus
    canceled: bool
    priority: int
    """0 to 101; 0 is held."""
    original_priority: int | None = None
    """What a release of a hold restores."""
    scheduled_at: datetime | None
    """Input arrival time of the job stream."""
    starts_after: datetime | None = None
    """`at`: earliest start."""
    is_start_satisfied: bool = False
    """`starts_after` has come, or was released."""
    latest_start: datetime | None = None
    """`until`."""
    has_until_passed: bool = False
    on_late_start: str = ""
    """What happens once `latest_start` has passed: `doNotRun`, `continue`, `cancel`."""
    deadline: datetime | None
    is_late: bool
    is_monitored: bool = False
    estimated_duration: timedelta | None = None
    dependencies: tuple[Dependency, ...] = ()
    """Its own: a job waits for those of its job stream besides."""
    is_cancel_pending: bool = False
    """Is cancelled as soon as its dependencies are resolved."""
    actions: frozenset[str]
    """Keys of the actions the engine allows the caller now, e.g. `RERUN_JOB`."""
    time_zone: str = ""
    definition_id: str = ""
    """Model id of its definition: what a submit takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Scheduled):
    """A job in the plan."""

    job_stream: str
    job_stream_id: str
    job_stream_workstation: str
    is_critical: bool
    recovery: str | None
    """`STOP`, `CONTINUE`, `RERUN`, …"""
    login: str
    task: str
    """Script or command, where the engine returns one."""
    description: str
    runs: tuple[JobRun, ...]
    """Oldest first; empty before the first launch."""
    position: int = 0
    """In the job stream, from 1."""
    is_stream_canceled: bool = False
    requires_confirmation: bool = False
    is_no_operation: bool = False
    repeat_interval: timedelta | None = None
    """`every`."""
    on_deadline: str = ""
    """`continue` or `kill`."""
    max_duration: timedelta | None = None
    on_max_duration: str = ""
    """`continue` or `kill`."""
    min_duration: timedelta | None = None
    critical_start: datetime | None = None
    """The latest start that still meets the deadline of the critical job it leads to."""
    recovery_details: Recovery | None = None
    success_condition: str = ""
    """Which return codes are a success, e.g. `RC<4`; empty means `RC=0`."""

    @property
    def last_run(self) -> JobRun | None:
        """The newest run."""
        return next((run for run in reversed(self.runs) if run.is_last), self.runs[-1] if self.runs else None)

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly and was neither cancelled nor rerun."""
        return self.status in FAILED_STATUSES and not self.canceled

    @property
    def selection(self) -> str:
        """`workstation#stream.job`, as conman selects it."""
        return f"{self.job_stream_workstation}#{self.job_stream}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStream(Scheduled):
    """A job stream instance in the plan."""

    limit: int | None
    jobs_total: int
    jobs_successful: int
    jobs_running: int
    jobs_abended: int
    jobs_failed: int
    is_carried_forward: bool = False
    """It comes from the plan before."""
    carries_forward: bool = False
    """It goes on to the next plan if it does not finish."""
    has_pending_predecessor: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workstation:
    """A workstation in the plan."""

    id: str
    name: str
    type: str
    is_linked: bool
    is_running: bool
    """Whether jobman (or the agent's JobManager) is up."""
    limit: int
    fence: int
    host: str
    run_number: int | None
    """The plan's run number: one more at each extension."""
    is_ignored: bool = False
    """Left out of the plan: nothing runs on it."""
    folder: str = "/"
    domain: str = ""
    version: str = ""
    members: tuple[str, ...] | None = None
    """Of a pool: the names of its agents; None where that is not known."""

    @property
    def selection(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Placed):
    """A resource in the plan."""

    quantity: int
    available: int
    """May be negative after a release of a job that waited for it."""
    holders: tuple[str, ...] = ()
    """Keys of the jobs that hold units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A question in the plan that an operator answers."""

    id: str
    name: str
    """Empty for a local prompt."""
    number: int | None
    """Changes with each plan."""
    text: str
    status: str
    """`NOT_ASKED`, `ASKED`, `ANSWERED_YES`, `ANSWERED_NO`."""
    type: str
    """`Predefined Prompt`, `Ad Hoc Prompt`, or `Restart Prompt` for one that a recovery asks."""
    job_id: str | None = None
    job_stream_id: str | None = None

    @property
    def selection(self) -> str:
        """Its name; of a local prompt its number."""
        return self.name or str(self.number or self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLog:
    """A job log or a window of it; untrusted text."""

    run_id: str
    text: str
    is_truncated: bool
    """Whether the client cut it at its size limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs of the plan to list; fields are combined with AND, an empty filter means all."""

    name: str | None = None
    """Exact, or with `@` for any characters and `?` for one."""
    job_stream: str | None = None
    workstation: str | None = None
    """The workstation of the job."""
    statuses: tuple[str, ...] = ()
    """Internal statuses."""
    common_statuses: tuple[CommonStatus, ...] = ()
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStreamFilter:
    """Which job streams of the plan to list."""

    name: str | None = None
    workstation: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A first part of the matching jobs."""

    jobs: tuple[Job, ...]
    total: int
    """How many match in all."""
