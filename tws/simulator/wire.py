"""Objects of the plan as JSON of REST API V2 (`JobInPlanV2` and friends of the vendor's OpenAPI document)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from .engine import Engine
from .plan import Asks, Dependency, Follows, Needs, Opens, WorkstationPlan
from .runs import JobState, Run, StreamState
from .transitions import Action, may_apply

__all__ = [
    "ROOT",
    "TIME_ZONE",
    "composite_status",
    "in_root",
    "instant",
    "job_json",
    "stream_json",
    "stream_status",
    "workstation_json",
]

TIME_ZONE = "America/Sao_Paulo"

_COMMON_STATUS = {
    "HOLD": "WAITING",
    "INTRO": "WAITING",
    "READY": "READY",
    "EXEC": "RUNNING",
    "SUCCP": "RUNNING",
    "SUCC": "SUCCESSFUL",
    "ABEND": "ERROR",
    "FAIL": "ERROR",
    "STUCK": "BLOCKED",
}
"""The mapping that the Dynamic Workload Console's guide publishes, for the statuses that occur here."""

_ACTION_KEYS = {
    Action.RERUN: "RERUN_JOB",
    Action.KILL: "KILL_JOB",
    Action.HOLD: "HOLD_JOB",
    Action.RELEASE: "RELEASE_JOB",
    Action.CANCEL: "CANCEL_JOB",
    Action.CONFIRM_SUCC: "CONFIRM_SUCC_JOB",
}

ROOT = "/"
"""The folder that everything is in."""
_Json = dict[str, Any]


def job_json(engine: Engine, job: JobState, *, may_act: bool) -> _Json:
    """`JobInPlanV2` without its list of dependencies, which query results do not fill.

    It changes only when the job's version does.
    """
    plan, stream, last = job.plan, job.stream.plan, job.last
    workstation = engine.plan.workstations[plan.workstation]
    return {
        "flowNodeType": "JOB",
        "engineId": "RESYNCSIM",
        "id": plan.id,
        "planId": engine.plan.id,
        "folder": ROOT,
        "name": plan.name,
        "workstationId": workstation.id,
        "workstation": in_root(plan.workstation),
        "jobStreamId": plan.stream_id,
        "jobStreamName": stream.name,
        "jobStreamWorkstationId": engine.plan.workstations[stream.workstation].id,
        "jobStreamWorkstation": in_root(stream.workstation),
        "position": plan.position,
        "key": plan.key,
        "jobDefinitionFlags": {"monitored": plan.is_critical, "aliased": False, "interactive": False},
        "jobStatusFlags": {
            "jobLate": job.is_late,
            "deadlineHasPassed": job.is_late,
            "jobStreamCancelled": False,
            "untilGone": False,
        },
        "jobOptions": {
            "noOperation": False,
            "critical": plan.is_critical,
            "requiresConfirmation": False,
            "every": False,
        },
        "lastRunCompositeStatus": composite_status(job, last),
        "lastRunCommonStatus": _common_status(job, last),
        "jobDefinition": _definition(engine, job),
        "priority": job.priority,
        "origPriority": plan.priority,
        "jobruns": [_run_json(job, run, may_act=may_act) for run in job.runs],
        "schedTime": instant(stream.scheduled_at),
        "timeZone": TIME_ZONE,
        "timeRestrictions": _time_restrictions(plan.starts_at, plan.deadline, job),
        "dependenciesStats": _dependencies_stats(plan.dependencies, job.gate.waiting),
        "actions": _actions(job, may_act=may_act),
        "archived": False,
    }


def stream_json(engine: Engine, stream: StreamState) -> _Json:
    """`JobStreamInPlanV2` without its jobs and its list of dependencies."""
    plan = stream.plan
    status = stream_status(stream)
    return {
        "flowNodeType": "JOBSTREAM",
        "engineId": "RESYNCSIM",
        "id": plan.id,
        "planId": engine.plan.id,
        "folder": ROOT,
        "name": plan.name,
        "originalJobStreamName": plan.name,
        "workstationId": engine.plan.workstations[plan.workstation].id,
        "workstation": in_root(plan.workstation),
        "key": plan.key,
        "internalIdentifier": plan.symphony_id,
        "schedTime": instant(plan.scheduled_at),
        "timeZone": TIME_ZONE,
        "jsStatusFlags": {"lateJobStream": stream.is_late, "pendingPredecessor": False},
        "jsOptions": {"monitored": plan.deadline is not None, "carryForward": True},
        "compositeStatus": status,
        "commonStatus": "CANCELED" if status["canceled"] else _COMMON_STATUS[status["status"]],
        "priority": 10,
        "origPriority": 10,
        "timeInfo": _stream_times(stream),
        "jobStreamStats": _stream_stats(stream),
        "dependenciesStats": _dependencies_stats(plan.dependencies, stream.gate.waiting),
        "timeRestrictions": _time_restrictions(plan.scheduled_at, plan.deadline, stream),
        **({} if plan.limit is None else {"limit": plan.limit}),
        "actions": [],
        "archived": False,
    }


def stream_status(stream: StreamState) -> _Json:
    """`JobStreamInPlanCompositeStatusV2`."""
    return {
        "canceled": all(job.is_canceled for job in stream.jobs),
        "cancelPending": False,
        "status": stream.status,
        "started": any(job.last.started_at for job in stream.jobs),
        "error": any(job.has_failed for job in stream.jobs),
    }


def workstation_json(engine: Engine, workstation: WorkstationPlan) -> _Json:
    """`WorkstationInPlanV2`."""
    is_manager = workstation.type == "MANAGER"
    states = ["IS_INITED"]
    if workstation.is_linked:
        states += ["LINKED", "TCP_IP_LINKED", "WRITER_UP", "JOBMAN_UP"]
    if is_manager:
        states += ["MASTER", "MANAGER", "SERVER_STARTED", "EVT_PROC_RUNNING"]
    return {
        "engineId": "RESYNCSIM",
        "id": workstation.id,
        "planId": engine.plan.id,
        "folder": ROOT,
        "name": workstation.name,
        "key": in_root(workstation.name),
        "runNumber": engine.plan.run_number,
        "description": workstation.description,
        "activeStates": states,
        "activeFlags": ["AUTO_LINK", "FULL_STATUS"] if is_manager else ["AUTO_LINK"],
        "type": workstation.type,
        "hostType": "MASTER" if is_manager else "WORKSTATION",
        "os": workstation.os,
        "timeZone": TIME_ZONE,
        "nodeName": f"{workstation.name.lower().replace('_', '-')}.batch.example",
        "tcpPort": 31111,
        "domainName": "MASTERDM",
        "limit": workstation.limit,
        "fence": 0,
        "version": "10.2.5",
        "hostWorkstation": "/BRK_SP" if workstation.type == "AGENT" else "/MDM_SP",
        "timeStarted": instant(engine.plan.start),
        "actions": [],
        "ignore": False,
        "archived": False,
    }


def instant(time: datetime) -> str:
    """As the engine writes it: UTC with milliseconds."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def _run_json(job: JobState, run: Run, *, may_act: bool) -> _Json:
    found: _Json = {
        "id": run.id,
        "name": job.plan.name,
        "jobId": job.plan.id,
        "jobKey": job.plan.key,
        "actualWorkstation": in_root(run.workstation),
        "compositeStatus": composite_status(job, run),
        "commonStatus": _common_status(job, run),
        "rerunJob": run.attempt > 1,
        "confirmed": run.is_confirmed,
        "rerunType": run.rerun_type,
        "timeInfo": _run_times(job, run),
        "submittedTime": instant(run.submitted_at),
        "lastInRerunChain": run is job.last,
        "runAttempt": run.attempt,
        "actions": _run_actions(job, run, may_act=may_act),
    }
    if run.job_number is not None:
        found["jobNumber"] = run.job_number
    if run.return_code is not None:
        found["returnCode"] = run.return_code
    return found


def _run_times(job: JobState, run: Run) -> _Json:
    times = {"estimatedDuration": _duration(job.plan.estimate)}
    if run.started_at is not None:
        times["actualStartTime"] = instant(run.started_at)
    if run.started_at is not None and run.ended_at is not None:
        times["actualEndTime"] = instant(run.ended_at)
        times["elapsedTime"] = _duration(run.ended_at - run.started_at)
    return times


def composite_status(job: JobState, run: Run) -> _Json:
    """`JobInPlanCompositeStatusV2` of one run."""
    status: _Json = {
        "canceled": job.is_canceled and run is job.last,
        "cancelPending": False,
        "status": run.status,
        "error": run.status in ("ABEND", "FAIL"),
        "started": run.started_at is not None,
        "dontRun": False,
    }
    if run.substatus is not None:
        status["substatus"] = run.substatus
    return status


def _common_status(job: JobState, run: Run) -> str:
    if job.is_canceled and run is job.last:
        return "CANCELED"
    if run.substatus == "HOLD_PRIORITY_ZERO":
        return "HELD"
    return _COMMON_STATUS[run.status]


def _definition(engine: Engine, job: JobState) -> _Json:
    plan = job.plan
    return {
        "folder": ROOT,
        "name": plan.name,
        "workstationId": engine.plan.workstations[plan.workstation].id,
        "workstation": in_root(plan.workstation),
        "description": plan.description,
        "task": {"UNIX": {"taskString": plan.script, "isCommand": "false", "userName": plan.login}},
        "isCommand": False,
        "estimatedDuration": _duration(plan.estimate),
        "userLogins": [plan.login],
        "recoveryOption": "STOP",
    }


def _time_restrictions(
    starts_at: datetime | None, deadline: datetime | None, owner: JobState | StreamState
) -> _Json:
    found: _Json = {"timeDependent": starts_at is not None}
    if starts_at is not None:
        found |= {"startTime": instant(starts_at), "startTimeSatisfied": not owner.gate.is_early}
    if deadline is not None:
        found |= {
            "deadlineTime": instant(deadline),
            "deadlineSatisfied": not owner.is_late,
            "lateAction": "continue",
        }
    return found


def _dependencies_stats(dependencies: tuple[Dependency, ...], waiting: Iterable[int]) -> _Json:
    kinds = Counter(type(one) for one in dependencies)
    jobs = sum(isinstance(one, Follows) and one.job_id is not None for one in dependencies)
    unresolved = len(tuple(waiting))
    return {
        "numberOfDependencies": len(dependencies),
        "numberOfJobDependencies": jobs,
        "numberOfJobStreamDependencies": kinds[Follows] - jobs,
        "numberOfPromptDependencies": kinds[Asks],
        "numberOfResourceDependencies": kinds[Needs],
        "numberOfFileDependencies": kinds[Opens],
        "numberOfUnresolvedDependencies": unresolved,
        "numberOfNonResourceUnresolvedDependencies": unresolved,
    }


def _stream_stats(stream: StreamState) -> _Json:
    statuses = Counter(job.status for job in stream.jobs)
    running = statuses["INTRO"] + statuses["EXEC"] + statuses["SUCCP"]
    return {
        "numberOfJob": len(stream.jobs),
        "numberOfSuccessfullJob": statuses["SUCC"],
        "numberOfExecutingJob": running,
        "numberOfAbendedJob": statuses["ABEND"],
        "numberOfFailedJob": statuses["FAIL"],
        "numberOfNotRunningJob": statuses["HOLD"] + statuses["READY"],
        "numberOfUndecidedJob": 0,
    }


def _stream_times(stream: StreamState) -> _Json:
    estimated = sum((job.plan.estimate for job in stream.jobs), timedelta())
    times = {"estimatedDuration": _duration(estimated)}
    started = [run.started_at for job in stream.jobs for run in job.runs if run.started_at]
    if started:
        times["actualStartTime"] = instant(min(started))
    ended = [job.last.ended_at for job in stream.jobs if job.last.ended_at]
    if started and ended and stream.is_over:
        times["actualEndTime"] = instant(max(ended))
        times["elapsedTime"] = _duration(max(ended) - min(started))
    return times


def _actions(job: JobState, *, may_act: bool) -> list[_Json]:
    """What the caller may do now, with the id that the action takes: rerun and log that of the run."""
    run_actions = _run_actions(job, job.last, may_act=may_act)
    if not may_act:
        return run_actions
    return run_actions + [
        {"key": key, "id": job.plan.id}
        for action, key in _ACTION_KEYS.items()
        if action is not Action.RERUN and may_apply(action, job.legal_status)
    ]


def _run_actions(job: JobState, run: Run, *, may_act: bool) -> list[_Json]:
    keys = ["GET_JOB_LOG"] if run.started_at else []
    if may_act and run is job.last and may_apply(Action.RERUN, job.legal_status):
        keys.append(_ACTION_KEYS[Action.RERUN])
    return [{"key": key, "id": run.id} for key in keys]


def _duration(span: timedelta) -> str:
    hours, seconds = divmod(int(span.total_seconds()), 3600)
    parts = ((hours, "H"), (seconds // 60, "M"), (seconds % 60, "S"))
    return "PT" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0S")


def in_root(name: str) -> str:
    """Names of workstations carry their folder."""
    return f"{ROOT}{name}"
