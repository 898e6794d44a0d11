"""What the engine does by itself when a job has failed: a question, a recovery job, then the rerun or its successors. Pure.

The rules are those of `docs/engine-rules.md`.
"""

from dataclasses import replace
from enum import Enum, auto
from typing import Any

from .objects import FAILED_STATUSES, CommonStatus, Job, JobRun, Prompt, Recovery
from .plan import Plan


class Stage(Enum):
    """How far the recovery of a failed job is."""

    NONE = auto()
    """There is none, or it has come to nothing: the job has failed for good."""
    ASKS = auto()
    """An operator is asked first."""
    RUNS_JOB = auto()
    """The recovery job is on its way."""
    RERUNS = auto()
    """The job will run again."""
    CONTINUES = auto()
    """Its successors go on all the same."""


_FRESH: dict[str, Any] = {"status": "HOLD", "common_status": CommonStatus.WAITING, "is_last": True}
_FRESH |= dict.fromkeys(("return_code", "job_number", "started_at", "ended_at", "elapsed"))
_PLAIN: dict[str, Any] = {"status": "HOLD", "is_critical": False, "runs": (), "dependencies": ()}
_PLAIN |= dict.fromkeys(
    ("starts_after", "latest_start", "deadline", "recovery", "recovery_details", "repeat_interval")
)


def recovery_of(job: Job) -> Recovery:
    """What the definition says; STOP where it says nothing."""
    return job.recovery_details or Recovery(option=job.recovery or "STOP")


def stage_of(plan: Plan, job: Job) -> Stage:
    """How far the recovery is; NONE for a job that has not failed."""
    recovery = recovery_of(job)
    does_continue = recovery.option.startswith("CONTINUE")
    if not job.has_failed or (job.status == "FAIL" and not does_continue):
        return Stage.NONE
    question = plan.recovery_prompt(job.id) if recovery.prompt else None
    if question and question.status in {"ASKED", "ANSWERED_NO"}:
        return Stage.ASKS if question.status == "ASKED" else Stage.NONE
    if recovery.job:
        helper = recovery_job(plan, job)
        # It runs once: a rerun by hand does not set the recovery in motion again.
        status = helper.runs[0].status if helper and helper.runs else ""
        if status != "SUCC":
            return Stage.NONE if status in FAILED_STATUSES else Stage.RUNS_JOB
    if does_continue:
        return Stage.CONTINUES
    done = sum(run.rerun_type == "RECOVERY_RERUN" for run in job.runs)
    is_left = recovery.option.startswith("RERUN") and done < (recovery.repeat_times or 1)
    return Stage.RERUNS if is_left else Stage.NONE


def recovery_job(plan: Plan, job: Job) -> Job | None:
    """The job that runs for a failed one, in its stream."""
    name = _helper_name(job)
    return next((one for one in plan.jobs_of(job.job_stream_id) if name and one.name == name), None)


def _helper_name(job: Job) -> str:
    return recovery_of(job).job.rpartition("#")[2].strip("/")


def fresh_run(job: Job, rerun_type: str) -> JobRun:
    """The next run of the job, waiting."""
    parts = _FRESH | {"attempt": len(job.runs) + 1, "rerun_type": rerun_type, "workstation": job.workstation}
    return replace(job.runs[-1], id="", **parts) if job.runs else JobRun(id="", **parts)


def new_prompt(job: Job, text: str) -> Prompt:
    """What the recovery of the job asks."""
    parts = {"job_id": job.id, "job_stream_id": job.job_stream_id}
    return Prompt(
        id=f"{job.id}/recovery",
        name="",
        number=None,
        text=text,
        status="ASKED",
        type="Restart Prompt",
        **parts,
    )


def new_recovery_job(plan: Plan, job: Job) -> Job:
    """The recovery job as the engine submits it, but for its id."""
    name = _helper_name(job)
    last = len(plan.jobs_of(job.job_stream_id)) + 1
    priority = job.original_priority or job.priority
    return replace(job, id=f"{job.id}/recovery", name=name, position=last, priority=priority, **_PLAIN)
