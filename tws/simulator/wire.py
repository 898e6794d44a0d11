"""Objects of the plan as JSON of REST API V2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from .engine import Engine
from .gates import DEAD, closed
from .orders import LEGAL, Kind, Verb
from .plan import Follows, Join, Needs, Opens, Outside, make_id
from .runs import JobState, Node, Run, StreamState
from .shapes import COMMON_STATUS, answer
from .waits import FILE, PROMPT, RESOURCE, PromptState, ResourceState, Wait, WorkstationState

_Json = dict[str, Any]
_May = Callable[[Kind, Verb], bool]
_SUFFIXES = {
    Kind.JOB: "JOB",
    Kind.JOB_STREAM: "JOBSTREAM",
    Kind.WORKSTATION: "WORKSTATION",
    Kind.PROMPT: "PROMPT",
    Kind.RESOURCE: "RESOURCE",
}
"""Of the keys of actions."""


def engine_json(engine: Engine) -> _Json:
    """`EngineInfoV2`."""
    return answer("EngineInfoV2", reference=f"RESYNCSIM-{engine.plan.seed}")


def job_json(engine: Engine, job: JobState, *, may: _May) -> _Json:
    """`JobInPlanV2` without its list of dependencies, which query results do not fill.

    It changes only when the job's version does; `may` says what the caller has the right to.
    """
    special = job.plan.special
    return answer(
        "JobInPlanV2",
        plan=engine.plan,
        job=job,
        workstation_id=engine.plan.workstation_ids.get(job.plan.workstation),
        stream_workstation_id=engine.plan.workstation_ids.get(job.stream.plan.workstation),
        status=_run_status(job, job.last),
        common_status=_common_status(job, job.last),
        logins=[job.plan.login],
        recovery=_recovery(job),
        is_repeated=special.every is not None,
        repeat_interval=_minutes(special.every),
        runs=[_run_json(job, run, may=may) for run in job.runs],
        time_restrictions=_time_restrictions(job),
        dependencies_stats=_dependencies_stats(job),
        actions=_job_actions(job, job.last, may=may, of_run=False),
    )


def stream_json(engine: Engine, stream: StreamState, *, may: _May) -> _Json:
    """`JobStreamInPlanV2` without its jobs and its list of dependencies; it changes only when its version does."""
    started = [run.started_at for job in stream.jobs for run in job.runs if run.started_at]
    ended = [job.last.ended_at for job in stream.jobs if job.last.ended_at]
    started_at = min(started, default=None)
    ended_at = max(ended) if started and ended and stream.is_over else None
    is_held = stream.priority == 0 and stream.status in ("HOLD", "READY")
    return answer(
        "JobStreamInPlanV2",
        plan=engine.plan,
        stream=stream,
        workstation_id=engine.plan.workstation_ids.get(stream.plan.workstation),
        is_monitored=stream.plan.deadline is not None,
        is_pending=any(wait.is_pending for wait in stream.waits),
        status=_stream_status(stream),
        common_status="HELD" if is_held else COMMON_STATUS[stream.status],
        estimate=sum((job.plan.estimate for job in stream.jobs), timedelta()),
        started_at=started_at,
        ended_at=ended_at,
        elapsed=ended_at - started_at if started_at and ended_at else None,
        jobs_stats=_jobs_stats(stream),
        dependencies_stats=_dependencies_stats(stream),
        time_restrictions=_time_restrictions(stream),
        actions=_actions(Kind.JOB_STREAM, stream.plan.id, stream.status, may),
    )


def workstation_json(engine: Engine, workstation: WorkstationState, *, may: _May) -> _Json:
    """`WorkstationInPlanV2`."""
    is_manager = workstation.plan.type == "MANAGER"
    linked = ["LINKED", "TCP_IP_LINKED", "WRITER_UP"] if workstation.is_linked else []
    running = [] if workstation.is_stopped else ["JOBMAN_UP"]
    manager = ["MASTER", "MANAGER", "SERVER_STARTED", "EVT_PROC_RUNNING"] if is_manager else []
    return answer(
        "WorkstationInPlanV2",
        plan=engine.plan,
        workstation=workstation,
        states=["IS_INITED", *linked, *running, *manager],
        flags=["AUTO_LINK", "FULL_STATUS"] if is_manager else ["AUTO_LINK"],
        host_type="MASTER" if is_manager else "WORKSTATION",
        node_name=f"{workstation.name.lower().replace('_', '-')}.batch.example",
        host="BRK_SP" if workstation.plan.type == "AGENT" else "MDM_SP",
        actions=_actions(Kind.WORKSTATION, workstation.id, "", may),
    )


def resource_json(engine: Engine, resource: ResourceState, *, may: _May) -> _Json:
    """`ResourceInPlanV2`."""
    holders = [
        answer(
            "ResourceHolderInPlan",
            stream=node.stream if isinstance(node, JobState) else node,
            job=node if isinstance(node, JobState) else None,
            quantity=units,
        )
        for node, units in resource.holders.items()
    ]
    return answer(
        "ResourceInPlanV2",
        resource=resource,
        key=f"/{resource.workstation}#/{resource.name}",
        workstation_id=engine.plan.workstation_ids.get(resource.workstation),
        holders=holders,
        status="AVAILABLE" if resource.free > 0 else "NOT_AVAILABLE",
        actions=_actions(Kind.RESOURCE, resource.id, "", may),
    )


def prompt_json(engine: Engine, prompt: PromptState, *, may: _May) -> _Json:
    """`PromptInPlanV2`; only a prompt without a name belongs to a job or stream."""
    job = prompt.owner if isinstance(prompt.owner, JobState) else None
    return answer(
        "PromptInPlanV2",
        plan=engine.plan,
        prompt=prompt,
        key=f"/{prompt.name or prompt.number}",
        job=job,
        stream=job.stream if job else prompt.owner,
        actions=_actions(Kind.PROMPT, prompt.id, prompt.status, may),
    )


def dependencies_json(engine: Engine, owner: Node) -> list[_Json]:
    """`DependencyInPlanV2` and its members: those of a job or of a stream itself, in the order of the definition."""
    return [_dependency(engine, wait) for wait in owner.waits]


def _run_json(job: JobState, run: Run, *, may: _May) -> _Json:
    return answer(
        "JobRunInstanceV2",
        job=job,
        run=run,
        status=_run_status(job, run),
        common_status=_common_status(job, run),
        is_rerun=run.attempt > 1,
        is_last=run is job.last,
        actions=_job_actions(job, run, may=may, of_run=True),
    )


def _run_status(job: JobState, run: Run) -> _Json:
    is_last = run is job.last
    return answer(
        "JobInPlanCompositeStatusV2",
        run=run,
        is_canceled=job.is_canceled and is_last,
        is_cancel_pending=job.is_cancel_pending and is_last,
        has_started=run.started_at is not None,
        is_dead=is_last and run.status == "SUPPR" and any(gate.cause in DEAD for gate in closed(job)),
    )


def _stream_status(stream: StreamState) -> _Json:
    return answer(
        "JobStreamInPlanCompositeStatusV2",
        stream=stream,
        has_started=any(job.last.started_at for job in stream.jobs),
        has_failed=any(job.has_failed for job in stream.jobs),
    )


def _common_status(job: JobState, run: Run) -> str:
    if job.is_canceled and run is job.last:
        return "CANCELED"
    is_held = job.priority == 0 and run is job.last and job.is_waiting
    return "HELD" if is_held else COMMON_STATUS[run.status]


def _recovery(job: JobState) -> SimpleNamespace:
    recovery = job.plan.special.recovery
    has_prompt = recovery.prompt and recovery.option != "STOP"
    return SimpleNamespace(
        option=f"{recovery.option}_PROMPT" if has_prompt else recovery.option,
        job=f"/{job.plan.workstation}#/{recovery.job}" if recovery.job else None,
        job_name=recovery.job or None,
        workstation=f"/{job.plan.workstation}" if recovery.job else None,
        prompt=recovery.prompt or None,
        every=_minutes(recovery.every) if recovery.option == "RERUN" else None,
        times=recovery.times if recovery.option == "RERUN" else None,
    )


def _time_restrictions(owner: Node) -> _Json:
    plan, job = owner.plan, owner.plan.special if isinstance(owner, JobState) else None
    return answer(
        "TimeRestrictionsInPlanV2",
        owner=owner,
        is_timed=owner.starts_at is not None,
        has_come=not owner.is_early if owner.starts_at else None,
        may_still_start=not owner.is_until_gone if plan.until else None,
        late_start_action=plan.special.on_until if plan.until else None,
        is_in_time=not owner.is_late if plan.deadline else None,
        late_action=(job.on_late if job else "continue") if plan.deadline else None,
        max_duration=_minutes(job.max_minutes) if job else None,
        max_duration_action=job.on_max if job and job.max_minutes else None,
    )


def _minutes(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(minutes=count)


def _dependencies_stats(owner: Node) -> _Json:
    kinds = Counter(type(wait.one) for wait in owner.waits)
    families = Counter(wait.family for wait in owner.waits)
    jobs = sum(isinstance(wait.one, Follows) and isinstance(wait.target, JobState) for wait in owner.waits)
    return {
        "numberOfDependencies": len(owner.waits),
        "numberOfJobDependencies": jobs,
        "numberOfJobStreamDependencies": kinds[Follows] - jobs,
        "numberOfInternetworkDependencies": kinds[Outside],
        "numberOfPromptDependencies": families[PROMPT],
        "numberOfResourceDependencies": families[RESOURCE],
        "numberOfFileDependencies": families[FILE],
        "numberOfUnresolvedDependencies": len(owner.open),
        "numberOfNonResourceUnresolvedDependencies": len(owner.open),
    }


def _jobs_stats(stream: StreamState) -> _Json:
    statuses = Counter(job.status for job in stream.jobs)
    return {
        "numberOfJob": len(stream.jobs),
        "numberOfSuccessfullJob": statuses["SUCC"],
        "numberOfExecutingJob": sum(job.is_running for job in stream.jobs),
        "numberOfAbendedJob": statuses["ABEND"],
        "numberOfFailedJob": statuses["FAIL"],
        "numberOfNotRunningJob": sum(job.is_waiting for job in stream.jobs),
        "numberOfUndecidedJob": 0,
    }


def _job_actions(job: JobState, run: Run, *, may: _May, of_run: bool) -> list[_Json]:
    """What the caller may do now, with the id that the action takes: rerun and log that of the run."""
    found = [{"key": "GET_JOB_LOG", "id": run.id}] if run.started_at else []
    if run is not job.last:
        return found
    for action in _actions(Kind.JOB, job.plan.id, job.legal_status, may):
        if action["key"] == "RERUN_JOB":
            found.append(action | {"id": run.id})
        elif not of_run:
            found.append(action)
    return found


def _actions(kind: Kind, object_id: str, status: str, may: _May) -> list[_Json]:
    return [
        {"key": f"{verb.upper().replace('-', '_')}_{_SUFFIXES[kind]}", "id": object_id}
        for verb, statuses in LEGAL[kind].items()
        if status in statuses and may(kind, verb)
    ]


def _dependency(engine: Engine, wait: Wait) -> _Json:
    owner, is_satisfied = wait.owner, wait.is_satisfied
    match wait.one:
        case Follows():
            found = _predecessor(wait)
        case Join():
            members = [_dependency(engine, member) for member in wait.members]
            criteria = "ALL" if wait.one.needed == len(members) else "AT_LEAST"
            found = answer("JoinDependencyInPlanV2", join=wait.one, members=members, criteria=criteria)
        case Outside():
            found = answer("InternetworkDependencyInPlanV2", outside=wait.one, status=wait.outside)
        case Opens(path=path):
            place = (owner.stream if isinstance(owner, JobState) else owner).plan.workstation
            found = answer(
                "FileDependencyInPlanV2",
                id=make_id(f"{engine.plan.id}/file", f"{place}#{path}"),
                plan=engine.plan,
                path=path,
                place=place,
                workstation_id=engine.plan.workstation_ids.get(place),
                file_status="Exists" if is_satisfied else "Unavailable",
            )
        case Needs(quantity=quantity):
            held = wait.resource.holders.get(owner, 0) if wait.resource else 0
            is_satisfied = is_satisfied or held > 0
            found = answer("ResourceDependencyInPlanV2", resource=wait.resource, quantity=quantity, held=held)
        case _:
            found = answer("PromptDependencyInPlanV2", prompt=wait.prompt)
    return found | answer(
        "DependencyInPlanV2",
        id=wait.id,
        status="SATISFIED" if is_satisfied else "UNSATISFIED",
        is_satisfied=is_satisfied,
        sequence=wait.number + 1,
    )


def _predecessor(wait: Wait) -> _Json:
    target, one = wait.target, wait.one
    job = target if isinstance(target, JobState) else None
    stream = job.stream if job else target
    names = one.target if isinstance(one, Follows) else ""
    conditions: Sequence[str] = one.conditions if isinstance(one, Follows) else ()
    is_internal = job is not None and isinstance(wait.owner, JobState) and wait.owner.stream is stream
    is_job = job is not None or "." in names
    external = "ExternalJobDependencyInPlanV2" if is_job else "ExternalJobStreamDependencyInPlanV2"
    stream_status = _stream_status(target) if isinstance(target, StreamState) else None
    return answer(
        "InternalDependencyInPlanV2" if is_internal else external,
        stream=stream,
        job=job,
        stream_name=stream.plan.name if isinstance(stream, StreamState) else names.partition(".")[0],
        job_name=job.plan.name if job else names.partition(".")[2],
        conditions=list(conditions) or None,
        is_conditional=bool(conditions),
        is_pending=wait.is_pending,
        is_orphan=target is None and not wait.is_pending,
        predecessor_status=_run_status(job, job.last) if job else stream_status,
    )
