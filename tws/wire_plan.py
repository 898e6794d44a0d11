"""Reads the plan's objects from the engine's JSON: pure.

Source of the fields: `JobInPlanV2`, `JobStreamInPlanV2`, `DependencyInPlanV2` with its members and
`WorkstationInPlanV2` of the vendor's OpenAPI document of REST API V2.
"""

from __future__ import annotations

import re

from .fields import Fields
from .objects import CommonStatus, Dependency, Job, JobRun, JobStream, Workstation

__all__ = ["read_flow_node", "read_job", "read_job_stream", "read_workstation"]

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
        job_stream_workstation=fields.short_name("jobStreamWorkstation"),
        workstation=fields.short_name("workstation"),
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
        dependencies=tuple(_read_dependency(dependency) for dependency in fields.children("dependencies")),
        actions=_read_actions(fields, *fields.children("jobruns")[-1:]),
    )


def read_job_stream(fields: Fields) -> JobStream:
    """One job stream, without its jobs."""
    status = fields.child("compositeStatus")
    stats = fields.child("jobStreamStats")
    return JobStream(
        id=fields.text("id"),
        name=fields.text("name"),
        workstation=fields.short_name("workstation"),
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


def read_workstation(fields: Fields) -> Workstation:
    """One workstation."""
    states = frozenset(fields.texts("activeStates"))
    return Workstation(
        id=fields.text("id"),
        name=fields.text("name"),
        type=fields.text("type"),
        is_linked=bool(states & {"LINKED", "FULLY_LINKED"}),
        is_running="JOBMAN_UP" in states,
        limit=fields.integer("limit") or 0,
        fence=fields.integer("fence") or 0,
        host=fields.text("hostWorkstation") or fields.text("host") or fields.text("nodeName"),
        run_number=fields.integer("runNumber"),
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
        workstation=fields.short_name("actualWorkstation"),
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


def _read_dependency(fields: Fields) -> Dependency:
    """One dependency of any type; a type of a newer release keeps its name and has its id for a target."""
    return Dependency(
        type=fields.text("dependencyType"),
        target=_read_target(fields) or fields.text("id"),
        target_id=fields.text("jobId") or fields.text("jobStreamId") or None,
        satisfied=fields.flag("satisfied") or fields.text("dependencyStatus") == "SATISFIED",
        predecessor_status=_read_predecessor_status(fields),
    )


def _read_target(fields: Fields) -> str:
    match fields.text("dependencyType"):
        case "INTERNAL" | "EXTERNAL_JOB" | "EXTERNAL_JOBSTREAM":
            names = (fields.text("jobStreamName"), fields.text("jobName"))
            return _on_workstation(fields.short_name("jobStreamWorkstation"), ".".join(filter(None, names)))
        case "FILE":
            file = fields.child("file")
            return _on_workstation(file.short_name("workstation"), file.text("name"))
        case "RESOURCE":
            return _on_workstation(fields.short_name("workstation"), fields.text("name"))
        case "PROMPT":
            return fields.text("promptName") or fields.text("text")
        case "INTERNETWORK":
            return f"{fields.text('networkAgent')}::{fields.text('dependency')}"
        case "JOIN":
            members = ", ".join(_read_target(member) for member in fields.children("members"))
            return f"{fields.text('joinName')} ({members})"
        case _:
            return ""


def _on_workstation(workstation: str, name: str) -> str:
    return f"{workstation}#{name}" if workstation else name


def _read_predecessor_status(fields: Fields) -> str | None:
    """A cancelled predecessor is shown as such, whatever it was before."""
    for name in ("predecessorStatus", "jobInPlanCompositeStatus", "jobStreamInPlanCompositeStatus"):
        status = fields.child(name)
        if status.names():
            return "CANCL" if status.flag("canceled") else status.text("status") or None
    return None
