"""Objects of the plan as JSON of REST API V2: fills the shapes of `answers.yaml`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, assert_never

from .catalogue import FOLDER, Asks, load
from .engine import Engine
from .orders import Action, may_apply
from .plan import Dependency, Follows, Needs, Opens
from .runs import JobState, Node, Run, StreamState

__all__ = [
    "dependencies_json",
    "engine_json",
    "instant",
    "job_json",
    "stream_json",
    "workstation_json",
]

_Json = dict[str, Any]


def engine_json(engine: Engine) -> _Json:
    """`EngineInfoV2`."""
    return _answer("EngineInfoV2", reference=f"RESYNCSIM-{engine.plan.seed}")


def job_json(engine: Engine, job: JobState, *, may_act: bool) -> _Json:
    """`JobInPlanV2` without its list of dependencies, which query results do not fill.

    It changes only when the job's version does.
    """
    return _answer(
        "JobInPlanV2",
        plan=engine.plan,
        job=job,
        workstation_id=engine.plan.workstation_ids[job.plan.workstation],
        stream_workstation_id=engine.plan.workstation_ids[job.stream.plan.workstation],
        status=_run_status(job, job.last),
        common_status=_common_status(job, job.last),
        logins=[job.plan.login],
        runs=[_run_json(job, run, may_act=may_act) for run in job.runs],
        time_restrictions=_time_restrictions(job),
        dependencies_stats=_dependencies_stats(job),
        actions=_actions(job, job.last, may_act=may_act, of_run=False),
    )


def stream_json(engine: Engine, stream: StreamState) -> _Json:
    """`JobStreamInPlanV2` without its jobs and its list of dependencies."""
    status = _stream_status(stream)
    started = [run.started_at for job in stream.jobs for run in job.runs if run.started_at]
    ended = [job.last.ended_at for job in stream.jobs if job.last.ended_at]
    started_at = min(started, default=None)
    ended_at = max(ended) if started and ended and stream.is_over else None
    return _answer(
        "JobStreamInPlanV2",
        plan=engine.plan,
        stream=stream,
        workstation_id=engine.plan.workstation_ids[stream.plan.workstation],
        is_monitored=stream.plan.deadline is not None,
        status=status,
        common_status="CANCELED" if status["canceled"] else _COMMON_STATUS[status["status"]],
        estimate=sum((job.plan.estimate for job in stream.jobs), timedelta()),
        started_at=started_at,
        ended_at=ended_at,
        elapsed=ended_at - started_at if started_at and ended_at else None,
        jobs_stats=_jobs_stats(stream),
        dependencies_stats=_dependencies_stats(stream),
        time_restrictions=_time_restrictions(stream),
    )


def workstation_json(engine: Engine, name: str) -> _Json:
    """`WorkstationInPlanV2`."""
    workstation = engine.plan.workstations[name]
    is_manager = workstation.type == "MANAGER"
    linked = ["LINKED", "TCP_IP_LINKED", "WRITER_UP", "JOBMAN_UP"] if workstation.is_linked else []
    manager = ["MASTER", "MANAGER", "SERVER_STARTED", "EVT_PROC_RUNNING"] if is_manager else []
    return _answer(
        "WorkstationInPlanV2",
        plan=engine.plan,
        id=engine.plan.workstation_ids[name],
        name=name,
        workstation=workstation,
        states=["IS_INITED", *linked, *manager],
        flags=["AUTO_LINK", "FULL_STATUS"] if is_manager else ["AUTO_LINK"],
        host_type="MASTER" if is_manager else "WORKSTATION",
        node_name=f"{name.lower().replace('_', '-')}.batch.example",
        host="BRK_SP" if workstation.type == "AGENT" else "MDM_SP",
    )


def dependencies_json(engine: Engine, owner: Node) -> list[_Json]:
    """`DependencyInPlanV2` and its members: those of a job or of a stream itself, in the order of the definition."""
    return [_dependency(engine, owner, number, one) for number, one in enumerate(owner.plan.dependencies)]


def instant(time: datetime) -> str:
    """As the engine writes it: UTC with milliseconds."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def _run_json(job: JobState, run: Run, *, may_act: bool) -> _Json:
    return _answer(
        "JobRunInPlanV2",
        job=job,
        run=run,
        status=_run_status(job, run),
        common_status=_common_status(job, run),
        is_rerun=run.attempt > 1,
        is_last=run is job.last,
        actions=_actions(job, run, may_act=may_act, of_run=True),
    )


def _run_status(job: JobState, run: Run) -> _Json:
    return _answer(
        "JobInPlanCompositeStatusV2",
        run=run,
        is_canceled=job.is_canceled and run is job.last,
        has_started=run.started_at is not None,
    )


def _stream_status(stream: StreamState) -> _Json:
    return _answer(
        "JobStreamInPlanCompositeStatusV2",
        stream=stream,
        is_canceled=all(job.is_canceled for job in stream.jobs),
        has_started=any(job.last.started_at for job in stream.jobs),
        has_failed=any(job.has_failed for job in stream.jobs),
    )


def _common_status(job: JobState, run: Run) -> str:
    if job.is_canceled and run is job.last:
        return "CANCELED"
    return "HELD" if run.substatus == "HOLD_PRIORITY_ZERO" else _COMMON_STATUS[run.status]


def _time_restrictions(owner: Node) -> _Json:
    is_timed, has_deadline = owner.plan.starts_at is not None, owner.plan.deadline is not None
    return _answer(
        "TimeRestrictionsInPlanV2",
        owner=owner,
        is_timed=is_timed,
        has_come=not owner.is_early if is_timed else None,
        is_in_time=not owner.is_late if has_deadline else None,
        late_action="continue" if has_deadline else None,
    )


def _dependencies_stats(owner: Node) -> _Json:
    dependencies = owner.plan.dependencies
    kinds = Counter(type(one) for one in dependencies)
    jobs = sum(isinstance(one, Follows) and one.job_id is not None for one in dependencies)
    return {
        "numberOfDependencies": len(dependencies),
        "numberOfJobDependencies": jobs,
        "numberOfJobStreamDependencies": kinds[Follows] - jobs,
        "numberOfPromptDependencies": kinds[Asks],
        "numberOfResourceDependencies": kinds[Needs],
        "numberOfFileDependencies": kinds[Opens],
        "numberOfUnresolvedDependencies": len(owner.waiting),
        "numberOfNonResourceUnresolvedDependencies": len(owner.waiting),
    }


def _jobs_stats(stream: StreamState) -> _Json:
    statuses = Counter(job.status for job in stream.jobs)
    return {
        "numberOfJob": len(stream.jobs),
        "numberOfSuccessfullJob": statuses["SUCC"],
        "numberOfExecutingJob": statuses["INTRO"] + statuses["EXEC"] + statuses["SUCCP"],
        "numberOfAbendedJob": statuses["ABEND"],
        "numberOfFailedJob": statuses["FAIL"],
        "numberOfNotRunningJob": statuses["HOLD"] + statuses["READY"],
        "numberOfUndecidedJob": 0,
    }


def _actions(job: JobState, run: Run, *, may_act: bool, of_run: bool) -> list[_Json]:
    """What the caller may do now, with the id that the action takes: rerun and log that of the run."""
    found = [{"key": "GET_JOB_LOG", "id": run.id}] if run.started_at else []
    for action in Action if may_act and run is job.last else ():
        if may_apply(action, job.legal_status) and (action is Action.RERUN or not of_run):
            object_id = run.id if action is Action.RERUN else job.plan.id
            found.append({"key": f"{action.name}_JOB", "id": object_id})
    return found


def _dependency(engine: Engine, owner: Node, number: int, one: Dependency) -> _Json:
    is_satisfied = number not in owner.waiting
    match one:
        case Follows():
            found = _predecessor(engine, owner, one)
        case Opens():
            stream = owner if isinstance(owner, StreamState) else owner.stream
            place = stream.plan.workstation
            status = "Exists" if is_satisfied else "Unavailable"
            place_id = engine.plan.workstation_ids[place]
            found = _answer(
                "FileDependencyInPlanV2", file=one, place=place, workstation_id=place_id, file_status=status
            )
        case Asks():
            status = "ANSWERED_YES" if is_satisfied else "ASKED"
            found = _answer("PromptDependencyInPlanV2", prompt=one, prompt_status=status)
        case Needs(resource=name):
            resource = engine.plan.resources[name]
            available = resource.quantity - engine.units_in_use[name]
            held = int(isinstance(owner, JobState) and owner.is_running)
            is_satisfied = held > 0 or available > 0
            found = _answer(
                "ResourceDependencyInPlanV2", name=name, resource=resource, held=held, available=available
            )
        case _:
            assert_never(one)
    return found | _answer(
        "DependencyInPlanV2",
        id=f"{owner.plan.id}-{number}",
        status="SATISFIED" if is_satisfied else "UNSATISFIED",
        is_satisfied=is_satisfied,
        sequence=number + 1,
    )


def _predecessor(engine: Engine, owner: Node, one: Follows) -> _Json:
    stream = engine.streams[one.stream_id]
    if one.job_id is None:
        status = _stream_status(stream)
        return _answer("ExternalJobStreamDependencyInPlanV2", stream=stream, predecessor_status=status)
    job = engine.jobs[one.job_id]
    is_internal = isinstance(owner, JobState) and owner.stream is stream
    schema = "InternalDependencyInPlanV2" if is_internal else "ExternalJobDependencyInPlanV2"
    return _answer(schema, stream=stream, job=job, predecessor_status=_run_status(job, job.last))


def _answer(schema: str, **values: Any) -> _Json:
    found: _Json = _FILL[schema](SimpleNamespace(**values))
    return found


def _compile(shape: Any) -> Callable[[SimpleNamespace], Any]:
    """What makes JSON of that shape out of values."""
    if isinstance(shape, dict):
        parts = [(name, _compile(part)) for name, part in shape.items()]
        return lambda values: {name: found for name, part in parts if (found := part(values)) is not None}
    root, dollar, path = shape.partition("$") if isinstance(shape, str) else ("", "", "")
    if not dollar:
        return lambda _: shape
    get = attrgetter(path)
    if root:
        return lambda values: f"{root}{get(values)}"
    return lambda values: _plain(get(values))


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return instant(value)
        case timedelta():
            hours, seconds = divmod(int(value.total_seconds()), 3600)
            parts = ((hours, "H"), (seconds // 60, "M"), (seconds % 60, "S"))
            return "PT" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0S")
    return value


_SHAPES = load(FOLDER / "answers.yaml", dict[str, _Json])
_COMMON_STATUS = _SHAPES.pop("CommonStatus")
_FILL = {schema: _compile(shape) for schema, shape in _SHAPES.items()}
