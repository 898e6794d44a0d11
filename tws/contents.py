"""All that is in a plan at one moment, and how long its jobs usually run: pure types."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .objects import Job, JobStream, Prompt, Resource, Workstation


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInfo:
    """Which plan an engine works on."""

    run_number: int | None
    """One more at each extension; None where the engine does not say."""
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatistics:
    """How long a job usually runs, over its successful runs."""

    runs: int
    median: timedelta
    p95: timedelta
    last_success_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContents(PlanInfo):
    """Everything in the plan of one engine as it was read."""

    engine: str
    """The name that Resync gives the engine."""
    read_at: datetime
    jobs: tuple[Job, ...]
    job_streams: tuple[JobStream, ...]
    workstations: tuple[Workstation, ...]
    resources: tuple[Resource, ...]
    prompts: tuple[Prompt, ...]
