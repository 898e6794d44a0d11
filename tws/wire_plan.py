"""Reads the plan's objects from the engine's JSON, what `shapes.yaml` alone cannot say: pure."""

import re
from dataclasses import replace

from .fields import Fields
from .objects import (
    CommonStatus,
    Dependency,
    Job,
    JobRun,
    JobStream,
    Prompt,
    Recovery,
    Resource,
    Workstation,
)
from .shapes import shaped

_SCRIPT = re.compile(r"<(?:\w+:)?(?:script|command)>(.*?)</", re.DOTALL)
"""The script or command inside the XML (JSDL) that some job types have for a task."""
_NO_LIMIT = -1
"""How the engine writes that a job stream has no limit."""


def read_flow_node(fields: Fields) -> Job | JobStream:
    """A predecessor or successor: `flowNodeType` says which; engines that omit it show it by their own fields."""
    kind = fields.text("flowNodeType")
    if kind == "JOBSTREAM" or (not kind and "originalJobStreamName" in fields.names()):
        return read_job_stream(fields)
    return read_job(fields)


def read_job(fields: Fields) -> Job:
    """One job. Its status is that of its last run; a job that never ran has it in a field of its own."""
    nodes = fields.children("jobruns")
    runs = tuple(_read_run(run, number) for number, run in enumerate(nodes, start=1))
    status = fields.child("lastRunCompositeStatus").text("status")
    definition = fields.child("jobDefinition")
    last_run = next((run for run in reversed(runs) if run.is_last), runs[-1] if runs else None)
    common_status = fields.text("lastRunCommonStatus") or (last_run.common_status if last_run else "")
    return shaped(
        Job,
        fields,
        status=status or (last_run.status if last_run else ""),
        common_status=_read_common_status(common_status),
        login=", ".join(definition.texts("userLogins")),
        task=read_task(definition.child("task")),
        runs=runs,
        dependencies=tuple(map(read_dependency, fields.children("dependencies"))),
        actions=_read_actions(fields, *nodes[-1:]),
        recovery_details=_read_recovery(definition),
        success_condition=_read_success_condition(nodes[-1:]),
    )


def read_job_stream(fields: Fields) -> JobStream:
    """One job stream, without its jobs."""
    limit = fields.integer("limit")
    return shaped(
        JobStream,
        fields,
        common_status=_read_common_status(fields.text("commonStatus")),
        limit=None if limit == _NO_LIMIT else limit,
        dependencies=tuple(map(read_dependency, fields.children("dependencies"))),
        actions=_read_actions(fields),
    )


def read_workstation(fields: Fields) -> Workstation:
    """One workstation."""
    states = frozenset(fields.texts("activeStates"))
    is_linked = bool(states & {"LINKED", "FULLY_LINKED"})
    return shaped(Workstation, fields, is_linked=is_linked, is_running="JOBMAN_UP" in states)


def read_resource(fields: Fields) -> Resource:
    """One resource with those that hold units of it."""
    holders = (one.text("jobKey") or one.text("jobStream") for one in fields.children("holders"))
    return shaped(Resource, fields, holders=tuple(holders))


def read_prompt(fields: Fields) -> Prompt:
    """One prompt."""
    return shaped(Prompt, fields)


def read_prompt_of(owner: Fields, dependency: Fields) -> Prompt:
    """The prompt that a job or job stream waits for; one without a name belongs to it."""
    prompt = read_prompt(dependency)
    if prompt.name:
        return prompt
    is_job = "jobStreamId" in owner.names()
    stream_id = owner.text("jobStreamId" if is_job else "id")
    return replace(prompt, job_id=owner.text("id") if is_job else None, job_stream_id=stream_id)


def read_dependency(fields: Fields) -> Dependency:
    """One dependency of any type; a type of a newer release keeps its name and has its id for a target."""
    is_counted = fields.text("criteria") == "AT_LEAST"
    return shaped(
        Dependency,
        fields,
        target=_read_target(fields) or fields.text("id"),
        satisfied=fields.flag("satisfied") or fields.text("dependencyStatus") == "SATISFIED",
        predecessor_status=_read_predecessor_status(fields),
        conditions=(*fields.texts("statusConditions"), *fields.texts("outputConditions")),
        members=tuple(map(read_dependency, fields.children("members"))),
        members_needed=fields.integer("joinQuantity") if is_counted else None,
    )


def read_task(task: Fields) -> str:
    """The task is one object keyed by job type, or a JSDL document under such a key."""
    for kind in task.names():
        line = task.child(kind).text("taskString")
        script = _SCRIPT.search(task.text(kind))
        if line or script:
            return line or (script[1].strip() if script else "")
    return task.text("taskString")


def _read_run(fields: Fields, number: int) -> JobRun:
    status = _read_common_status(fields.text("commonStatus"))
    return shaped(JobRun, fields, common_status=status, attempt=fields.integer("runAttempt") or number)


def _read_common_status(text: str) -> CommonStatus:
    # A status of a newer release is not a reason to fail: the internal status keeps its own text.
    return CommonStatus(text) if text in CommonStatus.__members__ else CommonStatus.UNDECIDED


def _read_actions(*nodes: Fields) -> frozenset[str]:
    return frozenset(action.text("key") for node in nodes for action in node.children("actions")) - {""}


def _read_recovery(definition: Fields) -> Recovery | None:
    if not definition.text("recoveryOption"):
        return None
    job = definition.text("recoveryJobName")
    place = definition.short_name("recoveryJobWorkstation")
    return shaped(Recovery, definition, job=_on_workstation(place, job) if job else "")


def _read_success_condition(last_run: tuple[Fields, ...]) -> str:
    """Of several output conditions that mean success any will do."""
    conditions = (condition for run in last_run for condition in run.children("outputConditions"))
    return " OR ".join(
        condition.text("mappingExpression")
        for condition in conditions
        if condition.flag("isSuccCondition") or condition.flag("succCondition")
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
