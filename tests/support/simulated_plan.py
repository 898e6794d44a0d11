"""What the product reads of a simulated plan, and orders to it that say the same as a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from tws.actions import Action, Change
from tws.contents import PlanContents
from tws.fields import Fields
from tws.objects import Workstation
from tws.simulator import wire
from tws.simulator.engine import Engine
from tws.simulator.orders import Kind, Order, Verb
from tws.simulator.runs import WorkstationState
from tws.wire_plan import read_job, read_job_stream, read_prompt, read_resource, read_workstation

_T = TypeVar("_T")


def contents_of(engine: Engine) -> PlanContents:
    """The plan as its JSON reads."""
    return PlanContents(
        engine="SIM",
        read_at=engine.now,
        run_number=engine.plan.run_number,
        starts_at=engine.plan.start,
        ends_at=None,
        jobs=_read(engine, engine.jobs.values(), wire.job_json, read_job, has_dependencies=True),
        job_streams=_read(
            engine, engine.streams.values(), wire.stream_json, read_job_stream, has_dependencies=True
        ),
        workstations=tuple(_workstation(engine, one) for one in engine.workstations.values()),
        resources=_read(engine, engine.resources.values(), wire.resource_json, read_resource),
        prompts=_read(engine, engine.prompts.values(), wire.prompt_json, read_prompt),
    )


def order_for(engine: Engine, change: Change) -> Order:
    """The same as an order that takes effect now."""
    reply = change.action in {Action.REPLY_YES, Action.REPLY_NO}
    return Order(
        at=engine.now,
        applies_at=engine.now,
        user="operator",
        verb=Verb.REPLY if reply else Verb[change.action.name],
        kind=Kind(change.kind.value),
        object_id=change.object_id,
        arguments={"answer": change.action is Action.REPLY_YES} if reply else dict(change.arguments),
    )


def _read(
    engine: Engine,
    nodes: Iterable[Any],
    to_json: Callable[..., dict[str, Any]],
    read: Callable[[Fields], _T],
    *,
    has_dependencies: bool = False,
) -> tuple[_T, ...]:
    def fields(node: Any) -> Fields:
        more = {"dependencies": wire.dependencies_json(engine, node)} if has_dependencies else {}
        return Fields(to_json(engine, node, may=lambda *_: False) | more)

    return tuple(read(fields(node)) for node in nodes)


def _workstation(engine: Engine, state: WorkstationState) -> Workstation:
    """With the members of a pool, which only its definition names."""
    (found,) = _read(engine, [state], wire.workstation_json, read_workstation)
    members = None if state.members is None else tuple(member.name for member in state.members)
    return replace(found, members=members)
