"""What an engine does by itself when a job fails: question, recovery job, then CONTINUE or RERUN."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from . import lifecycle
from .definition import Fault, JobDefinition
from .plan import JobPlan, make_id
from .runs import JobState, Run

if TYPE_CHECKING:
    from .engine import Engine


def recover(engine: Engine, job: JobState) -> None:
    """What the definition wants done after a failure. What could not be launched is not run again by itself."""
    recovery = job.plan.special.recovery
    if job.status == "FAIL" and recovery.option != "CONTINUE":
        return
    job.is_recovering = True
    if recovery.prompt:
        job.recovery_prompt = engine.builder.ask(job, recovery.prompt)
        job.recovery_prompt.status, job.recovery_prompt.asked_at = "ASKED", engine.now
    else:
        go_on(engine, job)


def go_on(engine: Engine, job: JobState) -> None:
    """What comes after the question: the recovery job, unless it ran before."""
    recovery = job.plan.special.recovery
    if not _is_pending(job):
        return
    if not recovery.job or any(one.recovers is job for one in job.stream.jobs):
        _finish(engine, job)
        return
    plan = JobPlan(
        id=make_id("recovery", job.plan.id),
        model_id=make_id("model/job", f"{job.plan.workstation}#{recovery.job}"),
        name=recovery.job,
        key=f"{job.stream.plan.key};{recovery.job}",
        position=len(job.stream.jobs) + 1,
        stream_id=job.plan.stream_id,
        workstation=job.plan.workstation,
        login=job.plan.login,
        script=f"/opt/batch/recovery/{recovery.job.lower()}.sh",
        description=f"Recovery of {job.plan.name}",
        estimate=timedelta(minutes=recovery.job_minutes),
        priority=job.plan.priority,
        special=JobDefinition(),
        fault=Fault(return_code=1, minutes=recovery.job_minutes) if recovery.job_fails else None,
    )
    engine.builder.add_job(job.stream, plan, recovers=job)


def recovery_job_ended(engine: Engine, job: JobState) -> None:
    """The recovery goes on only if its job ended well."""
    failed = job.recovers
    if failed is not None and _is_pending(failed):
        if job.status == "SUCC":
            _finish(engine, failed)
        else:
            stop(engine, failed)


def stop(engine: Engine, job: JobState) -> None:
    """Nothing more follows by itself."""
    job.is_recovering = False
    engine.touch(job)
    engine.settle(job)


def _is_pending(job: JobState) -> bool:
    return job.is_recovering and job.has_failed


def _finish(engine: Engine, job: JobState) -> None:
    recovery = job.plan.special.recovery
    if recovery.option == "RERUN" and job.recoveries < recovery.times:
        job.recoveries += 1
        engine.at(engine.now + timedelta(minutes=recovery.every), _rerun, job, job.last)
        return
    job.last.is_forgiven = recovery.option == "CONTINUE"
    stop(engine, job)


def _rerun(engine: Engine, job: JobState, run: Run) -> None:
    if _is_pending(job) and job.last is run:
        job.is_recovering = False
        lifecycle.add_run(engine, job, "RECOVERY_RERUN")
        engine.evaluate(job)
