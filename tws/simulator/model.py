"""Definitions as JSON of REST API V2: fills the shapes of `model.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .catalogue import FOLDER, load
from .definition import Instance
from .engine import Engine
from .orders import Kind

_Json = dict[str, Any]
_SHAPES = load(FOLDER / "model.yaml", dict[Kind, _Json])


def definitions(engine: Engine, kind: Kind) -> Mapping[str, _Json]:
    """`ModelObjectJobDefinition`, `ModelObjectJobStream` or `ModelObjectWorkstation` by model id."""
    return dict(_MAKERS[kind](engine))


def filled(shape: Any, **values: Any) -> Any:
    """The shape with its texts formatted."""
    if isinstance(shape, dict):
        return {name: filled(part, **values) for name, part in shape.items()}
    return shape.format(**values)


def _jobs(engine: Engine) -> Iterator[tuple[str, _Json]]:
    for model_id, job in engine.plan.job_definitions.items():
        name = job.name.removesuffix(job.name_suffix)
        yield model_id, filled(_SHAPES[Kind.JOB_DEFINITION], id=model_id, name=name, job=job)


def _streams(engine: Engine) -> Iterator[tuple[str, _Json]]:
    for model_id, stream in engine.plan.stream_definitions.items():
        name = stream.definition_name
        found = filled(_SHAPES[Kind.JOB_STREAM_DEFINITION], id=model_id, name=name, stream=stream)
        found["def"] |= {"jobs": _jobs_of(stream), "onOverlap": stream.definition.on_overlap or "parallel"}
        found["def"]["options"] = ["carryForward"] if stream.definition.carries_forward else []
        yield model_id, found


def _jobs_of(stream: Instance) -> list[_Json]:
    own = stream.definition.workstation
    jobs = (job for step in stream.definition.expanded() for job in step)
    return [{"name": name, "workstation": f"/{special.workstation or own}"} for name, special in jobs]


def _workstations(engine: Engine) -> Iterator[tuple[str, _Json]]:
    for model_id, one in engine.workstations.items():
        found = filled(_SHAPES[Kind.WORKSTATION_DEFINITION], id=model_id, one=one)
        if one.plan.members:
            found["def"]["members"] = [{"workstation": f"/{name}"} for name in one.plan.members]
        yield model_id, found


_MAKERS: Mapping[Kind, Callable[[Engine], Iterator[tuple[str, _Json]]]] = {
    Kind.JOB_DEFINITION: _jobs,
    Kind.JOB_STREAM_DEFINITION: _streams,
    Kind.WORKSTATION_DEFINITION: _workstations,
}
