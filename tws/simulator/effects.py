"""What orders and the outside world do to an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import lifecycle, recovery
from .definition import Event, JobDefinition
from .orders import LEGAL, RANGES, Kind, Order, Verb
from .plan import JOBS, JobPlan, Outside, make_id
from .runs import JobState, Node, StreamState
from .waits import PromptState, ResourceState, Wait, WorkstationState

if TYPE_CHECKING:
    from .engine import Engine


def why_illegal(engine: Engine, order: Order) -> str | None:
    """Why the engine refuses the order in the present state; None if it does not."""
    target = _targets(engine, order.kind).get(order.object_id)
    name, values = RANGES.get(order.verb, ("", range(0)))
    if target is None:
        return "there is no such object"
    if order.verb not in LEGAL[order.kind]:
        return "the object does not know that action"
    if name and order.arguments.get(name) not in values:
        return f"{name} must be from {values.start} to {values.stop - 1}"
    if order.verb is Verb.SUBMIT:
        return _why_not_submitted(engine, order)
    status = target.legal_status if isinstance(target, Node) else getattr(target, "status", "")
    if status not in LEGAL[order.kind][order.verb]:
        return f"the status is {status}"
    if isinstance(target, JobState) and order.run_id not in (None, target.last.id):
        return "it is not the last run"
    return None


def carry_out(engine: Engine, order: Order) -> None:
    """Does what was ordered, unless it has become illegal meanwhile."""
    if why_illegal(engine, order) is None:
        target = _targets(engine, order.kind)[order.object_id]
        if order.verb is Verb.SUBMIT:
            _submit(engine, order)
        else:
            _EFFECTS[order.kind][order.verb](engine, target, order.arguments)


def submission_id(engine: Engine, order: Order) -> str:
    """The id that a submission is answered with: of the new job stream, or the composite key of the new job."""
    if order.kind is Kind.JOB_STREAM_DEFINITION:
        return engine.plan.maker.id_of("stream", _token(order))
    stream = _stream_for_job(engine, order)
    template = _template(engine, order)
    return f"{template.workstation};{stream.plan.name if stream else JOBS};{template.name}"


def happen(engine: Engine, event: Event) -> None:
    """An event of the plan's definition; of several objects with one name, to the first."""
    if event.do == "arrive":
        engine.satisfy(*engine.builder.files[event.object])
        return
    kind, object_id = next(
        (kind, object_id) for kind, object_id, name in _named(engine) if name == event.object
    )
    if event.do == "ignore":
        _set_place("is_ignored", event.to != 0)(engine, engine.workstations[object_id], {})
        return
    verb, to = Verb(event.do), event.to or 0
    arguments: dict[str, int | str | bool] = {RANGES[verb][0]: to} if verb in RANGES else {"answer": bool(to)}
    order = Order(
        at=engine.now,
        applies_at=engine.now,
        user="",
        verb=verb,
        kind=kind,
        object_id=object_id,
        arguments=arguments,
    )
    carry_out(engine, order)


def outside_ends(engine: Engine, wait: Wait) -> None:
    """The predecessor in another network has an outcome."""
    if isinstance(wait.one, Outside):
        wait.outside = wait.one.status
        if wait.outside == "SUCC":
            engine.satisfy(wait)


def _targets(engine: Engine, kind: Kind) -> Mapping[str, Any]:
    targets: dict[Kind, Mapping[str, Any]] = {
        Kind.JOB: engine.jobs,
        Kind.JOB_STREAM: engine.streams,
        Kind.WORKSTATION: engine.workstations,
        Kind.PROMPT: engine.prompts,
        Kind.RESOURCE: engine.resources,
        Kind.JOB_DEFINITION: engine.plan.job_definitions,
        Kind.JOB_STREAM_DEFINITION: engine.plan.stream_definitions,
        Kind.TASK: engine.workstations,
    }
    return targets[kind]


def _named(engine: Engine) -> Iterator[tuple[Kind, str, str]]:
    for kind in (Kind.WORKSTATION, Kind.RESOURCE, Kind.PROMPT):
        yield from ((kind, one.id, one.name) for one in _targets(engine, kind).values())
    for stream in engine.streams.values():
        yield Kind.JOB_STREAM, stream.plan.id, stream.plan.name
        yield from ((Kind.JOB, job.plan.id, f"{stream.plan.name}.{job.plan.name}") for job in stream.jobs)


# Effects on jobs and job streams.


def _rerun(engine: Engine, job: JobState, arguments: Mapping[str, Any]) -> None:
    job.is_canceled = job.is_cancel_pending = job.is_suppressed = job.is_recovering = False
    job.priority = arguments.get("priority", job.priority)
    step = str(arguments.get("from_step", ""))
    lifecycle.add_run(engine, job, "RERUN_STEP" if step else "RERUN", step)
    engine.evaluate(job)


def _kill(engine: Engine, job: JobState, _: object) -> None:
    lifecycle.end(engine, job, job.last, *lifecycle.KILLED)


def _cancel(engine: Engine, node: Node, _: object) -> None:
    engine.cancel(node)


def _cancel_pending(engine: Engine, node: Node, _: object) -> None:
    node.is_cancel_pending = True
    engine.touch(node)
    engine.evaluate(node)


def _hold(engine: Engine, node: Node, _: object) -> None:
    _set_priority(engine, node, {"priority": 0})


def _release(engine: Engine, node: Node, _: object) -> None:
    if node.priority == 0:
        _set_priority(engine, node, {"priority": node.original_priority})
    else:
        node.is_early = False
        _release_dependencies(engine, node, {})


def _release_dependencies(engine: Engine, node: Node, arguments: Mapping[str, Any]) -> None:
    """Those whose ids are named, or all."""
    named = str(arguments.get("dependencies", "")).split(",")
    for wait in node.waits:
        wait.is_satisfied |= named == [""] or wait.id in named
    node.open = [wait for wait in node.open if not wait.is_satisfied]
    engine.touch(node)
    engine.evaluate(node)


def _set_priority(engine: Engine, node: Node, arguments: Mapping[str, Any]) -> None:
    node.priority = arguments["priority"]
    engine.touch(node)
    engine.evaluate(node)


def _set_stream_limit(engine: Engine, stream: StreamState, arguments: Mapping[str, Any]) -> None:
    stream.limit = arguments["limit"]
    engine.touch(stream)
    engine.dispatcher.wake_all(stream.plan.id)


def _confirm(status: str) -> Callable[[Engine, JobState, object], None]:
    def confirm(engine: Engine, job: JobState, _: object) -> None:
        job.last.is_confirmed = True
        if job.is_running:
            job.last.status = {"SUCC": "SUCCP", "ABEND": "ABENP"}[status]
            engine.touch(job)
            return
        job.last.status, job.last.substatus = status, None
        job.is_suppressed = job.is_recovering = False
        engine.touch(job)
        lifecycle.conclude(engine, job)

    return confirm


# Effects on the other objects.


def _set_place(
    name: str, value: object = None
) -> Callable[[Engine, WorkstationState, Mapping[str, Any]], None]:
    """Sets an attribute to the value, or to the argument of that name if the value is None."""

    def set_place(engine: Engine, place: WorkstationState, arguments: Mapping[str, Any]) -> None:
        setattr(place, name, arguments[name] if value is None else value)
        for one in engine.workstations.values():
            if one is place or place in (one.members or ()):
                engine.dispatcher.wake_all(one.id)

    return set_place


def _set_quantity(engine: Engine, resource: ResourceState, arguments: Mapping[str, Any]) -> None:
    resource.quantity = arguments["quantity"]
    engine.dispatcher.wake_resource(resource)


def _reply(engine: Engine, prompt: PromptState, arguments: Mapping[str, Any]) -> None:
    is_yes = bool(arguments.get("answer"))
    prompt.status, prompt.answered_at = "ANSWERED_YES" if is_yes else "ANSWERED_NO", engine.now
    if is_yes:
        engine.satisfy(*prompt.waits)
    job = prompt.owner
    if isinstance(job, JobState) and prompt.run is job.last:
        act = recovery.go_on if is_yes else recovery.stop
        act(engine, job)


# Submissions.


def _template(engine: Engine, order: Order) -> JobPlan:
    """The job that a submission makes, but for what its stream and its place there decide."""
    given = order.arguments
    if order.kind is Kind.JOB_DEFINITION:
        known = engine.plan.job_definitions[order.object_id]
        special = known.special.model_copy(update={"starts": None, "until": None, "deadline": None})
        name = str(given.get("alias") or known.name.removesuffix(known.name_suffix))
        priority = int(given.get("priority", known.priority))
        return replace(known, name=name, priority=priority, special=special, dependencies=(), fault=None)
    name = str(given.get("alias") or given.get("name") or "JOB")
    place = engine.workstations[order.object_id].name
    return JobPlan(
        id="",
        model_id=make_id("model/job", f"{place}#{name}"),
        name=name,
        key="",
        position=0,
        stream_id="",
        workstation=place,
        login=str(given.get("login", "")),
        script=str(given.get("task", "")),
        description="",
        estimate=engine.plan.maker.AD_HOC,
        priority=int(given.get("priority", 10)),
        special=JobDefinition(),
    )


def _stream_for_job(engine: Engine, order: Order) -> StreamState | None:
    """Where a submitted job goes; None: into a stream JOBS that is still to be made."""
    if stream_id := order.arguments.get("job_stream_id"):
        return engine.streams.get(str(stream_id))
    return engine.builder.latest(_template(engine, order).workstation, JOBS)


def _why_not_submitted(engine: Engine, order: Order) -> str | None:
    if order.kind is Kind.JOB_STREAM_DEFINITION:
        return None
    stream = _stream_for_job(engine, order)
    if stream is None:
        return "there is no such job stream" if order.arguments.get("job_stream_id") else None
    name = _template(engine, order).name
    is_taken = any(job.plan.name == name for job in stream.jobs)
    return "the job stream has a job of that name" if is_taken else None


def _token(order: Order) -> str:
    """What the ids of the things submitted are made of."""
    return f"{order.kind}/{order.object_id}/{order.at.isoformat()}/{order.applies_at.isoformat()}/{order.arguments}"


def _submit(engine: Engine, order: Order) -> None:
    maker, token, at = engine.plan.maker, _token(order), order.arguments.get("at")
    starts_at = datetime.fromisoformat(str(at)) if at else engine.now
    if order.kind is Kind.JOB_STREAM_DEFINITION:
        instance = engine.plan.stream_definitions[order.object_id]
        alias = str(order.arguments.get("alias", ""))
        engine.builder.add_stream(*maker.stream(instance, token, starts_at, alias))
        return
    template = _template(engine, order)
    stream = _stream_for_job(engine, order)
    if stream is None:
        stream = engine.builder.add_stream(maker.jobs_stream(template.workstation, engine.now), ())
    plan = replace(
        template,
        id=maker.id_of("job", token),
        key=f"{stream.plan.key};{template.name}",
        position=len(stream.jobs) + 1,
        stream_id=stream.plan.id,
        starts_at=starts_at,
        until=None,
        deadline=None,
    )
    engine.builder.add_job(stream, plan)


_Effect = Callable[["Engine", Any, Mapping[str, Any]], None]
_ON_NODES: Mapping[Verb, _Effect] = {
    Verb.HOLD: _hold,
    Verb.RELEASE: _release,
    Verb.RELEASE_DEPENDENCIES: _release_dependencies,
    Verb.CANCEL: _cancel,
    Verb.CANCEL_PENDING: _cancel_pending,
    Verb.SET_PRIORITY: _set_priority,
}
_EFFECTS: Mapping[Kind, Mapping[Verb, _Effect]] = {
    Kind.JOB: {
        **_ON_NODES,
        Verb.RERUN: _rerun,
        Verb.KILL: _kill,
        Verb.CONFIRM_SUCC: _confirm("SUCC"),
        Verb.CONFIRM_ABEND: _confirm("ABEND"),
    },
    Kind.JOB_STREAM: {**_ON_NODES, Verb.SET_LIMIT: _set_stream_limit},
    Kind.WORKSTATION: {
        Verb.LINK: _set_place("is_linked", True),  # noqa: FBT003 - the value that is set
        Verb.UNLINK: _set_place("is_linked", False),  # noqa: FBT003 - the same
        Verb.START: _set_place("is_stopped", False),  # noqa: FBT003 - the same
        Verb.STOP: _set_place("is_stopped", True),  # noqa: FBT003 - the same
        Verb.SET_LIMIT: _set_place("limit"),
        Verb.SET_FENCE: _set_place("fence"),
    },
    Kind.PROMPT: {Verb.REPLY: _reply},
    Kind.RESOURCE: {Verb.SET_QUANTITY: _set_quantity},
}
