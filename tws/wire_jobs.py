"""Reads jobs and job streams of the plan from the engine's JSON: pure.

Source of the fields: `JobInPlanV2` and `JobStreamInPlanV2` of the vendor's OpenAPI document of REST API V2.
"""

from __future__ import annotations

import re

from .fields import Fields
from .objects import CommonStatus, Job, JobRun, JobStream
from .wire_dependencies import read_dependency
from .wire_names import without_root

__all__ = ["read_flow_node", "read_job", "read_job_stream"]

_SCRIPT = re.compile(r"<(?:\w+:)?(?:script|command)>(.*?)</", re.DOTALL)
"""The script or command inside the XML (JSDL) that some job types have for a task."""


def read_flow_node(fields: Fields) -> Job | JobStream:
    """A predecessor or successor: `flowNodeType` says which; engines that omit it show it by their own fields."""
    kind = fields.text("flowNodeType")
    if kind == "JOBSTREAM" or (not kind and "originalJobStreamName" in fields.names()):
        return read_job_stream(fields)
    return read_job(fields)


def read_job(fields: Fields) -> Job:
    """One job. Its status is that of its last run; a job that never ran has it in a field of its own."""
    runs = tuple(_read_run(run, number) for number, run in enumerate(fields.children("jobruns"), start=1))
    status = fields.child("lastRunCompositeStatus")
    definition = fields.child("jobDefinition")
    times = fields.child("timeRestrictions")
    flags = fields.child("jobStatusFlags")
    last_run = next((run for run in reversed(runs) if run.is_last), runs[-1] if runs else None)
    return Job(
        id=fields.text("id"),
        name=fields.text("name"),
        job_stream=fields.text("jobStreamName"),
        job_stream_id=fields.text("jobStreamId"),
        job_stream_workstation=without_root(fields.text("jobStreamWorkstation")),
        workstation=without_root(fields.text("workstation")),
        key=fields.text("key"),
        folder=fields.text("folder"),
        status=status.text("status") or (last_run.status if last_run else ""),
        substatus=status.text("substatus") or None,
        common_status=_read_common_status(
            fields.text("lastRunCommonStatus") or (last_run.common_status if last_run else "")
        ),
        canceled=status.flag("canceled"),
        priority=fields.integer("priority") or 0,
        scheduled_at=fields.instant("schedTime"),
        starts_after=times.instant("startTime"),
        latest_start=times.instant("latestStartTime"),
        deadline=times.instant("deadlineTime"),
        is_late=flags.flag("jobLate") or flags.flag("deadlineHasPassed"),
        is_critical=fields.child("jobOptions").flag("critical"),
        is_monitored=fields.child("jobDefinitionFlags").flag("monitored"),
        estimated_duration=definition.duration("estimatedDuration"),
        recovery=definition.text("recoveryOption") or None,
        login=", ".join(definition.texts("userLogins")),
        task=_read_task(definition.child("task")),
        description=definition.text("description"),
        runs=runs,
        dependencies=tuple(read_dependency(dependency) for dependency in fields.children("dependencies")),
        actions=_read_actions(fields, *fields.children("jobruns")[-1:]),
    )


def read_job_stream(fields: Fields) -> JobStream:
    """One job stream, without its jobs."""
    status = fields.child("compositeStatus")
    stats = fields.child("jobStreamStats")
    return JobStream(
        id=fields.text("id"),
        name=fields.text("name"),
        workstation=without_root(fields.text("workstation")),
        key=fields.text("key"),
        folder=fields.text("folder"),
        status=status.text("status"),
        common_status=_read_common_status(fields.text("commonStatus")),
        canceled=status.flag("canceled"),
        priority=fields.integer("priority") or 0,
        limit=fields.integer("limit"),
        scheduled_at=fields.instant("schedTime"),
        deadline=fields.child("timeRestrictions").instant("deadlineTime"),
        is_late=fields.child("jsStatusFlags").flag("lateJobStream"),
        jobs_total=stats.integer("numberOfJob") or 0,
        jobs_successful=stats.integer("numberOfSuccessfullJob") or 0,
        jobs_running=stats.integer("numberOfExecutingJob") or 0,
        jobs_abended=stats.integer("numberOfAbendedJob") or 0,
        jobs_failed=stats.integer("numberOfFailedJob") or 0,
        actions=_read_actions(fields),
    )


def _read_run(fields: Fields, number: int) -> JobRun:
    times = fields.child("timeInfo")
    return JobRun(
        id=fields.text("id"),
        status=fields.child("compositeStatus").text("status"),
        common_status=_read_common_status(fields.text("commonStatus")),
        return_code=fields.integer("returnCode"),
        attempt=fields.integer("runAttempt") or number,
        is_last=fields.flag("lastInRerunChain"),
        rerun_type=fields.text("rerunType"),
        job_number=fields.integer("jobNumber"),
        workstation=without_root(fields.text("actualWorkstation")),
        started_at=times.instant("actualStartTime"),
        ended_at=times.instant("actualEndTime"),
        elapsed=times.duration("elapsedTime"),
    )


def _read_common_status(text: str) -> CommonStatus:
    # A status of a newer release is not a reason to fail: the internal status keeps its own text.
    return CommonStatus(text) if text in CommonStatus.__members__ else CommonStatus.UNDECIDED


def _read_actions(*nodes: Fields) -> frozenset[str]:
    return frozenset(action.text("key") for node in nodes for action in node.children("actions")) - {""}


def _read_task(task: Fields) -> str:
    """The task is one object keyed by job type, or a JSDL document under such a key."""
    for kind in task.names():
        line = task.child(kind).text("taskString")
        script = _SCRIPT.search(task.text(kind))
        if line or script:
            return line or (script[1].strip() if script else "")
    return task.text("taskString")
