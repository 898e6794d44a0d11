"""What is wrong in a plan, and which of it stands behind an alert. Pure.

A trouble is the root, not what follows from it: of a chain of waiting jobs the one that failed, of the jobs on a lost
workstation the workstation, of everything the plan that was not extended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from brain.message import Alert
from tws.actions import PlanObject
from tws.forecast import forecast
from tws.gates import WAITING, Cause
from tws.objects import Dependency, Job, JobStream, Workstation
from tws.outcomes import is_over
from tws.plan import RUNNING, Plan
from tws.why import FirstCause, first_causes, reasons

Severity: TypeAlias = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""

_EXTENSION = frozenset({"FINAL", "FINALPOSTREPORTS"})
"""The streams that extend the plan, as the product delivers them."""
_BY_SOMEBODY = frozenset({"PROMPT", "FILE", "RESOURCE"})
"""Dependencies that no job fulfils by ending."""
_MEANT = frozenset(
    {
        Cause.CANCELED,
        Cause.STREAM_CANCELED,
        Cause.SUPPRESSED,
        Cause.HELD,
        Cause.STREAM_HELD,
        Cause.WORKSTATION_IGNORED,
    }
)
"""What somebody wanted: an incident only once a job is late by it."""
_LOST = frozenset({Cause.WORKSTATION_UNLINKED, Cause.WORKSTATION_STOPPED})
_LATE = frozenset({"JobLate", "JobUntil", "JobExceededMaximumDuration", "JobStreamLate", "JobStreamUntil"})
"""Events by which TWS says that something takes too long."""
_MANY = 10
"""Waiting jobs from which on a failure is more than its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that somebody has to look after."""

    key: str
    """The same while it lasts."""
    cause: str
    """`failed`, `workstation`, `plan`, `late`, or what a job waits for as in `tws.gates.Cause`."""
    root: PlanObject | Dependency
    witness: str = ""
    """Id of a job that waits because of it."""


def all_troubles(plan: Plan, now: datetime) -> Iterator[Trouble]:
    """What the plan itself shows without any alert; the same one may come several times."""
    for job in plan.jobs.values():
        if job.has_failed or is_late(plan, job, now) or _is_stuck(plan, job, now):
            trouble = behind_job(plan, job, now)
            if trouble is not None:
                yield trouble
    for workstation in plan.workstations.values():
        if is_lost(workstation) and plan.startable(workstation.name):
            yield _of_workstation(workstation)


def behind(plan: Plan, alert: Alert, now: datetime) -> Trouble | None:
    """The trouble that the alert is about; None where the plan knows of none (any more)."""
    jobs, is_late_there = subjects(plan, alert), alert.event in _LATE
    found = [trouble for job in jobs if (trouble := behind_job(plan, job, now, is_told_late=is_late_there))]
    if found:
        return min(found, key=lambda one: one.cause != "failed")
    workstation = plan.workstations.get(alert.workstation)
    if workstation is not None and is_lost(workstation) and not alert.job:
        return _of_workstation(workstation)
    if not jobs and (alert.job or alert.job_stream):
        return _extension(plan)
    return None


def subjects(plan: Plan, alert: Alert) -> list[Job]:
    """The jobs that the alert may be about: the failed instance before others, of a stream all of its jobs."""
    if alert.job:
        name = f"{alert.job_stream_workstation}#{alert.job_stream}.{alert.job}"
        named = plan.named(name) if alert.job_stream_workstation else plan.named(alert.job)
        jobs = [
            one
            for one in named
            if isinstance(one, Job) and (not alert.job_stream or one.job_stream == alert.job_stream)
        ]
    elif alert.job_stream:
        streams = [one for one in plan.named(alert.job_stream) if isinstance(one, JobStream)]
        jobs = [job for stream in streams for job in plan.jobs_of(stream.id)]
    else:
        return []
    return sorted(jobs, key=lambda job: (not job.has_failed, is_over(plan, job), job.id))


def behind_job(plan: Plan, job: Job, now: datetime, *, is_told_late: bool = False) -> Trouble | None:
    """The trouble that the job is in, or that it waits for; None for one that goes well or waits for nothing amiss.

    `is_told_late` where somebody else knows that it takes too long.
    """
    if job.has_failed:
        return _of_failed(plan, job)
    late = (is_told_late and not is_over(plan, job)) or is_late(plan, job, now)
    if job.status in WAITING and not job.canceled:
        causes = first_causes(plan, job, now)
        lasting = [one for one in causes if not one.reason.passes]
        # What passes by itself is in nobody's way, unless it takes too long.
        for cause in (*lasting, *(causes if late else ())):
            trouble = _of_cause(plan, job, cause)
            if trouble is not None:
                return trouble
    return _of_late(job, witness=job) if late else None


def is_late(plan: Plan, job: Job, now: datetime) -> bool:
    """Whether its deadline or that of its job stream, or the latest time for its start, has passed."""
    if is_over(plan, job) or job.canceled:
        return False
    missed = job.status in WAITING and job.latest_start is not None and job.latest_start < now
    stream = plan.job_streams.get(job.job_stream_id)
    return missed or any(
        one.is_late or (one.deadline is not None and one.deadline < now) for one in (job, stream) if one
    )


def _is_stuck(plan: Plan, job: Job, now: datetime) -> bool:
    """Whether the job could start, and nothing of what keeps it from that passes by itself."""
    if job.status not in WAITING or job.canceled:
        return False
    if not all(one.satisfied or one.type in _BY_SOMEBODY for one in job.dependencies):
        return False
    found = reasons(plan, job, now)
    return bool(found) and not any(one.passes or one.cause in _MEANT for one in found)


def is_lost(workstation: Workstation) -> bool:
    """Whether nothing can be launched there, and something should."""
    return not (workstation.is_ignored or (workstation.is_linked and workstation.is_running))


def still(plan: Plan, trouble: str, witness: str, now: datetime) -> Literal["on", "moving", "over"]:
    """How the trouble with this key stands: `moving` is a failed job that was started anew."""
    kind, _, rest = trouble.partition(":")
    if kind == "split":
        return "on"
    if kind == "workstation":
        found = plan.workstations.get(rest)
        return "on" if found is not None and is_lost(found) else "over"
    job = plan.jobs.get(witness)
    if job is None or job.canceled:
        return "over"
    # What was too late once is so until it is over, also where only an alert said so.
    now_behind = behind_job(plan, job, now, is_told_late=kind not in {"job", "plan"})
    if now_behind is not None and now_behind.key == trouble:
        return "on"
    return "over" if is_over(plan, job) or kind not in {"job", "plan"} else "moving"


def root_of(plan: Plan, trouble: str, witness: str) -> Job | Workstation | None:
    """The workstation, or the job that is in trouble or waits."""
    kind, _, rest = trouble.partition(":")
    return plan.workstations.get(rest) if kind == "workstation" else plan.jobs.get(witness)


def waiting_for(plan: Plan, trouble: str, witness: str) -> list[Job]:
    """The jobs that come after it and are not over: critical ones first, then by their deadlines."""
    kind, _, rest = trouble.partition(":")
    starts = plan.startable(rest) if kind == "workstation" else {witness}
    after = plan.after(starts) - {witness}
    jobs = [
        job for one in after if (job := plan.jobs.get(one)) and not is_over(plan, job) and not job.canceled
    ]
    return sorted(jobs, key=lambda job: (not job.is_critical, _deadline(job), job.selection))


def endangered(plan: Plan, now: datetime) -> frozenset[str]:
    """Ids of the jobs that are expected to miss their deadlines. Takes a while."""
    return frozenset(job.id for hot in forecast(plan, now).hot_list() for job in hot.endangers)


def severity_of(
    plan: Plan, root: object, waiting: Sequence[Job], now: datetime, at_risk: Collection[str] = ()
) -> Severity:
    """From what is at stake: a critical or late job, a deadline in danger or many jobs, some, none."""
    jobs = [*waiting, *([root] if isinstance(root, Job) else [])]
    if any(job.is_critical or is_late(plan, job, now) for job in jobs):
        return "critical"
    if len(waiting) >= _MANY or isinstance(root, Workstation) or any(job.id in at_risk for job in jobs):
        return "high"
    return "medium" if waiting else "low"


def _of_failed(plan: Plan, job: Job) -> Trouble:
    if job.job_stream in _EXTENSION:
        return Trouble(key="plan:", cause="plan", root=job, witness=job.id)
    workstation = plan.workstations.get(job.workstation)
    if workstation is not None and is_lost(workstation):
        return _of_workstation(workstation)
    return Trouble(key=f"job:{job.id}", cause="failed", root=job, witness=job.id)


def _of_cause(plan: Plan, job: Job, cause: FirstCause) -> Trouble | None:
    reason = cause.reason
    about = reason.about or reason.owner
    if about is None or about is job:
        return None
    if isinstance(about, Job) and about.has_failed:
        return _of_failed(plan, about)
    if isinstance(about, Job) and about.status in RUNNING:
        return _of_late(about, witness=job)
    last = cause.chain[-1]
    if isinstance(last, Job) and last.has_failed:
        return _of_failed(plan, last)
    if isinstance(about, Workstation) and reason.cause in _LOST:
        return _of_workstation(about)
    key = about.id if not isinstance(about, Workstation) else about.name
    return Trouble(key=f"{reason.cause}:{key}", cause=reason.cause, root=about, witness=job.id)


def _of_late(job: Job, *, witness: Job) -> Trouble:
    return Trouble(key=f"late:{job.id}", cause="late", root=job, witness=witness.id)


def _of_workstation(workstation: Workstation) -> Trouble:
    return Trouble(key=f"workstation:{workstation.name}", cause="workstation", root=workstation)


def _extension(plan: Plan) -> Trouble | None:
    """The failed extension of the plan, which stands behind everything that is not in it."""
    streams = [one for name in _EXTENSION for one in plan.named(name) if isinstance(one, JobStream)]
    failed = (job for stream in streams for job in plan.jobs_of(stream.id) if job.has_failed)
    return next((_of_failed(plan, job) for job in failed), None)


def _deadline(job: Job) -> float:
    return job.deadline.timestamp() if job.deadline else float("inf")
