"""What has become of jobs and job streams: whether their successors may go on, and the status of a stream. Pure.

The rules are those of `docs/engine-rules.md`.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from .gates import holding
from .objects import FAILED_STATUSES, Dependency, Job, JobStream
from .plan import RUNNING, STARTABLE, Owner, Plan
from .recovery import Stage, stage_of

LaunchOrder = tuple[int, float, str, int, str]
_UNDECIDED = frozenset({Stage.ASKS, Stage.RUNS_JOB, Stage.RERUNS})
_FINAL = frozenset({"SUCC", "SUPPR", *FAILED_STATUSES})
_FINAL_OF_STREAM = frozenset({"SUCC", "CANCL", "ABEND", "SUPPR"})


def is_over(plan: Plan, owner: Owner) -> bool:
    """Whether it ended well, is cancelled, or failed and continues: its successors may start."""
    if isinstance(owner, JobStream):
        return owner.canceled or all(is_over(plan, job) for job in plan.jobs_of(owner.id))
    return owner.canceled or owner.status == "SUCC" or stage_of(plan, owner) is Stage.CONTINUES


def launch_order(plan: Plan, job: Job) -> LaunchOrder:
    """The lowest is launched first."""
    stream = plan.job_streams.get(job.job_stream_id)
    began = stream.scheduled_at if stream else None
    return -job.priority, began.timestamp() if began else 0.0, job.job_stream, job.position, job.id


def final_status(plan: Plan, owner: Owner) -> str | None:
    """What the conditions of a dependency are compared with; None before there is one."""
    if owner.canceled:
        return "CANCL"
    if isinstance(owner, JobStream):
        return owner.status if owner.status in _FINAL_OF_STREAM else None
    return owner.status if owner.status in _FINAL and stage_of(plan, owner) not in _UNDECIDED else None


def has_started(job: Job) -> bool:
    """Whether any of its runs was launched."""
    return any(run.job_number is not None or run.status in RUNNING for run in job.runs)


def stream_status(plan: Plan, stream: JobStream, now: datetime) -> str:
    """The internal status that a stream has by its jobs."""
    if stream.canceled:
        return "CANCL"
    jobs = plan.jobs_of(stream.id)
    left = [job for job in jobs if not is_over(plan, job)]
    if all(job.status == "SUPPR" for job in left):
        return "SUPPR" if left else "SUCC"
    if not any(map(has_started, jobs)):
        return "HOLD" if holding(plan, [stream], now) else "READY"
    if any(job.status in RUNNING for job in jobs) or any(job.status in STARTABLE for job in left):
        return "EXEC"
    blocked = {job.id for job in left if _is_blocked(plan, job)}
    if len(blocked) == len(left):
        return "ABEND"
    for job in left:  # by position, so that what waits for a blocked job is found in one pass
        if any(_waits_for(one, blocked) for one in job.dependencies):
            blocked.add(job.id)
    return "STUCK" if len(blocked) == len(left) else "EXEC"


def _is_blocked(plan: Plan, job: Job) -> bool:
    return job.status == "SUPPR" or (job.has_failed and stage_of(plan, job) in {Stage.NONE, Stage.ASKS})


def _waits_for(dependency: Dependency, blocked: Collection[str]) -> bool:
    """Whether it cannot be satisfied as long as those jobs do not go on."""
    if dependency.satisfied:
        return False
    if dependency.members:
        needed = dependency.members_needed or len(dependency.members)
        return sum(not _waits_for(member, blocked) for member in dependency.members) < needed
    return dependency.target_id in blocked


def met(dependency: Dependency, is_met: Callable[[Dependency], bool]) -> Dependency:
    """The dependency, satisfied if it is met; a join if enough of its members are."""
    if dependency.satisfied:
        return dependency
    if dependency.members:
        members = tuple(met(member, is_met) for member in dependency.members)
        needed = dependency.members_needed or len(members)
        is_done = sum(member.satisfied for member in members) >= needed
        return replace(dependency, members=members, satisfied=is_done)
    return replace(dependency, satisfied=True) if is_met(dependency) else dependency


def is_dead(plan: Plan, dependency: Dependency) -> bool:
    """Whether its conditions can no longer be met."""
    if dependency.satisfied:
        return False
    if dependency.members:
        alive = sum(not is_dead(plan, member) for member in dependency.members)
        return alive < (dependency.members_needed or len(dependency.members))
    target = plan.owner(dependency.target_id) if dependency.conditions else None
    status = final_status(plan, target) if target else None
    return status is not None and status not in dependency.conditions
