"""The kinds of objects in the plan: where the engine keeps each, how it is shown, named and addressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from . import wire
from .engine import Engine
from .orders import Kind

NODES = (Kind.JOB, Kind.JOB_STREAM)
"""Kinds that have dependencies."""


class PlanKind(NamedTuple):
    """One kind."""

    path: str
    """Its part of the REST paths; in capitals it ends the keys of its actions, e.g. `RERUN_JOB`."""
    objects: Callable[[Engine], Mapping[str, Any]]
    """By id, in the plan's order."""
    to_json: Callable[..., dict[str, Any]]
    """Function of engine, object and `may`."""
    label: Callable[[Any], str]
    """As conman writes it."""

    @property
    def object_type(self) -> str:
        """In the enum `ActionObjectType`."""
        return f"{self.path.upper()}_IN_PLAN"


def _job_label(job: Any) -> str:
    return f"{_stream_label(job.stream)}.{job.plan.name}"


def _stream_label(stream: Any) -> str:
    return f"{stream.plan.workstation}#{stream.plan.name}"


KINDS: Mapping[Kind, PlanKind] = {
    Kind.JOB: PlanKind("job", attrgetter("jobs"), wire.job_json, _job_label),
    Kind.JOB_STREAM: PlanKind("jobstream", attrgetter("streams"), wire.stream_json, _stream_label),
    Kind.WORKSTATION: PlanKind(
        "workstation", attrgetter("workstations"), wire.workstation_json, attrgetter("name")
    ),
    Kind.RESOURCE: PlanKind(
        "resource", attrgetter("resources"), wire.resource_json, lambda one: f"{one.workstation}#{one.name}"
    ),
    Kind.PROMPT: PlanKind(
        "prompt", attrgetter("prompts"), wire.prompt_json, lambda one: one.name or str(one.number)
    ),
}


def nobody(*_: object) -> bool:
    """Rights of a reader to whom actions do not matter."""
    return False
