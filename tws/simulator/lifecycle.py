"""The life of a run: made, launched, started, ended, and what follows by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from . import recovery
from .gates import closed
from .plan import make_id
from .runs import JobState, Run

if TYPE_CHECKING:
    from .engine import Engine

_LAUNCH = timedelta(seconds=2)
"""From the hand-over to the agent (INTRO) to the start (EXEC)."""

_RERUN_SECONDS = (20, 45)
"""A rerun resumes at the script's checkpoint: short enough to watch."""

KILLED = "KILLED", 9
"""How a kill ends a run, and the return code: the signal."""


def add_run(engine: Engine, job: JobState, rerun_type: str, step: str = "") -> Run:
    """Another run, waiting."""
    attempt = len(job.runs) + 1
    run_id = make_id("run", f"{job.plan.id}/{attempt}")
    fault, chance = job.plan.fault, int(run_id[:8], 16) / 2**32
    if rerun_type not in ("REGULAR", "RERUN_EVERY"):
        takes = timedelta(seconds=int(_RERUN_SECONDS[0] + chance * (_RERUN_SECONDS[1] - _RERUN_SECONDS[0])))
        fault = None if fault and fault.heals else fault
    elif fault:
        takes = timedelta(minutes=fault.minutes)
    else:
        takes = timedelta(seconds=int(job.plan.estimate.total_seconds() * (0.85 + 0.35 * chance)))
    run = Run(
        id=run_id,
        attempt=attempt,
        rerun_type=rerun_type,
        step=step or None,
        submitted_at=engine.now,
        takes=takes,
        fault=fault,
        workstation=job.workstation.name,
    )
    job.runs.append(run)
    engine.job_of_run[run_id] = job
    engine.touch(job)
    return run


def launch(engine: Engine, job: JobState) -> None:
    """Hands the job to its agent; of a pool, to the member that runs the fewest jobs."""
    engine.dispatcher.withdraw(job)
    run, place = job.last, job.workstation
    for node in (job, job.stream):
        for wait in node.needs:
            if wait.resource is not None and node not in wait.resource.holders:
                wait.resource.holders[node] = wait.units
                wait.resource.in_use += wait.units
    if place.members is not None:
        member = min(
            (one for one in place.members if one.is_up), key=lambda one: (one.busy + one.pooled, one.name)
        )
        member.pooled += 1
        run.workstation = member.name
    place.busy += 1
    job.stream.busy += 1
    run.status, run.substatus, run.job_number = "INTRO", None, next(engine.job_numbers)
    engine.touch(job)
    engine.at(engine.now + _LAUNCH, _start, job, run)
    _refresh(engine, job)


def end(engine: Engine, job: JobState, run: Run, status: str, return_code: int | None) -> None:
    """Ends a run that has not ended yet."""
    if run.ended_at is not None:
        return
    if status != "KILLED":
        planned = "PEND" if job.plan.special.requires_confirmation else status
        status = {"SUCCP": "SUCC", "ABENP": "ABEND"}.get(run.status, planned)
    run.status = "ABEND" if status == "KILLED" else status
    run.return_code, run.ended_at = return_code, engine.now
    _free_place(engine, job, run)
    engine.give_back(job)
    engine.touch(job)
    conclude(engine, job)


def conclude(engine: Engine, job: JobState) -> None:
    """What follows by itself once the last run has a final status."""
    if job.has_failed and not job.is_canceled:
        recovery.recover(engine, job)
    engine.settle(job)
    if job.recovers:
        recovery.recovery_job_ended(engine, job)
    if job.status == "SUCC" and job.plan.special.every and job.last.is_bound and not job.is_canceled:
        _repeat(engine, job)


def _start(engine: Engine, job: JobState, run: Run) -> None:
    run.status, run.started_at = "EXEC", engine.now
    engine.touch(job)
    special = job.plan.special
    status, return_code = (run.fault.status, run.fault.return_code) if run.fault else ("SUCC", 0)
    engine.at(engine.now + run.takes, end, job, run, status, return_code)
    if special.max_minutes is not None and special.on_max == "kill":
        engine.at(engine.now + timedelta(minutes=special.max_minutes), end, job, run, *KILLED)


def _free_place(engine: Engine, job: JobState, run: Run) -> None:
    place = job.workstation
    for member in place.members or ():
        member.pooled -= member.name == run.workstation
    place.busy -= 1
    job.stream.busy -= 1
    for key in (place.id, job.stream.plan.id):
        engine.dispatcher.wake(key)
    _refresh(engine, job)


def _refresh(engine: Engine, job: JobState) -> None:
    """Where the last place was taken or became free, those who wait for a resource wait for a place first, or again."""
    for key, one in ((job.workstation.id, job.workstation), (job.stream.plan.id, job.stream)):
        if one.limit is not None and one.busy in (one.limit - 1, one.limit):
            for waiting in engine.dispatcher.short_of_resource(key):
                engine.show(waiting, next(closed(waiting), None))


def _repeat(engine: Engine, job: JobState) -> None:
    """The next run of a job that repeats."""
    minutes = job.plan.special.every or 0
    starts_at = (job.starts_at or job.last.started_at or engine.now) + timedelta(minutes=minutes)
    if job.plan.until is None or max(starts_at, engine.now) < job.plan.until:
        add_run(engine, job, "RERUN_EVERY")
        job.starts_at, job.is_early = starts_at, starts_at > engine.now
        engine.at(starts_at, type(engine).arrive, job, starts_at)
        engine.evaluate(job)
