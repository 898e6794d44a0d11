"""The operations of the engine's API that Resync uses: its reads, and the changes of `operations.yaml`. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from importlib import resources
from typing import Any
from urllib.parse import quote

import yaml

from .actions import Action, Change, ObjectKind
from .errors import TwsNotFoundError, TwsRejectedError

V1 = ""
V2 = "/api/v2"
"""What the paths of the two generations of the API begin with, below `/twsd`."""
_ALL_SUCCESSORS = 1000
"""Deeper than any chain of jobs."""
_OBJECT = "object_id"
"""Stands for the change's object where an operation takes it in its body."""
_PARAMETER = re.compile(r"\{\w+\}")


class Read(Enum):
    """Questions of V2: the path and the parameters that Resync may send.

    Prompts and files are asked for directly from 10.2.8 on; before, they are found as dependencies.
    """

    ENGINE_INFO = "/engine/info"
    PERMISSIONS = "/engine/read_permission"
    OBJECTS_INFO = "/objects-info"
    JOBS = "/plan/job limit offset oql plan_filter plan_id"
    JOB = "/plan/job/{job_id} plan_id"
    PREDECESSORS = "/plan/job/{job_id}/predecessors depth plan_id"
    SUCCESSORS = "/plan/job/{job_id}/successors depth plan_id"
    JOB_LOG = "/plan/job/run/{run_id}/joblog from_line to_line plan_id"
    JOB_STREAMS = "/plan/jobstream limit offset oql plan_filter plan_id"
    JOB_STREAM = "/plan/jobstream/{jobstream_id} plan_id"
    WORKSTATIONS = "/plan/workstation limit offset oql"
    WORKSTATION = "/plan/workstation/{workstation_id}"
    RESOURCES = "/plan/resource limit offset oql plan_id"
    RESOURCE = "/plan/resource/{resource_id} plan_id"
    PROMPTS = "/plan/prompt limit offset oql plan_id"
    PROMPT = "/plan/prompt/{prompt_id} plan_id"
    FILES = "/plan/file limit offset oql plan_id"
    JOB_DEFINITIONS = "/model/jobdefinition limit offset oql"
    JOB_STREAM_DEFINITIONS = "/model/jobstream limit offset oql"
    WORKSTATION_DEFINITIONS = "/model/workstation limit offset oql"

    def __init__(self, text: str) -> None:
        self.path, *self.parameters = text.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, whichever host it goes to."""

    method: str = "GET"
    path: str
    """Percent-encoded, below the API's root."""
    api: str = V2
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    """None: there is none."""
    what: str | None = None
    """The object that the path asks for, for the sentence of a `TwsNotFoundError`."""
    accept: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """How a change is asked for."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, str | bool] | None


def build_call(operation: Operation, change: Change, identifier: str) -> Call:
    """The change as the operation asks for it; `identifier` is what its path takes.

    Raises `TwsNotFoundError` for what is the id of no object, `TwsRejectedError` for arguments that are missing, too
    many, or make no sense.
    """
    sources = [*operation.query.values(), *(operation.body or {}).values()]
    known = {source.split()[0] for source in sources if isinstance(source, str)}
    if strange := sorted(change.arguments.keys() - (known - {_OBJECT})):
        raise TwsRejectedError(f"{change.action} does not take {', '.join(strange)}")
    return Call(
        method=operation.method,
        path=place(operation.path, identifier),
        query={name: str(value) for name, value in _fill(operation.query, change).items()},
        body=None if operation.body is None else _fill(operation.body, change),
        what=f"{change.kind.replace('_', ' ')} {change.selection or identifier}",
    )


def place(template: str, identifier: str) -> str:
    """The path with one segment for the id. Raises `TwsNotFoundError` for what would name another path."""
    if "{" not in template:
        return template
    if not identifier.strip("."):
        raise TwsNotFoundError(f"an object with the id {identifier!r}")
    return _PARAMETER.sub(lambda _: quote(identifier, safe=""), template)


def utc_text(value: object) -> str:
    """An ISO 8601 time as the engine takes it, in UTC. Raises ValueError for a time without an offset."""
    time = datetime.fromisoformat(str(value))
    if time.tzinfo is None:
        raise ValueError("a time needs an offset from UTC")
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fill(fields: Mapping[str, str | bool], change: Change) -> dict[str, object]:
    given = {**change.arguments, _OBJECT: change.object_id}
    filled: dict[str, object] = {}
    for name, source in fields.items():
        if isinstance(source, bool):
            filled[name] = source
            continue
        argument, form = source.split()
        if argument in given:
            try:
                filled[name] = _FORMS[form.rstrip("!")](given[argument])
            except (TypeError, ValueError) as error:
                raise TwsRejectedError(f"{change.action}: {argument}: {error}") from error
        elif form.endswith("!"):
            raise TwsRejectedError(f"{change.action} needs {argument}")
    return filled


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("must be a whole number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


_FORMS: Mapping[str, Callable[[Any], object]] = {
    "text": str,
    "whole": _whole,
    "flag": _flag,
    "instant": utc_text,
    # All of them, or so many levels.
    "successors": lambda value: {"depth": _ALL_SUCCESSORS if value is True else _whole(value)},
    "task": lambda command: {"UNIX": {"taskString": str(command), "isCommand": "true"}},
}


def _load() -> Iterator[tuple[tuple[ObjectKind, Action], Operation]]:
    data = yaml.safe_load(resources.files("tws").joinpath("operations.yaml").read_bytes())
    for kind, rows in data.items():
        for action, row in rows.items():
            method, path = row["call"].split()
            operation = Operation(method, path, row.get("query", {}), row.get("body"))
            yield (ObjectKind(kind), Action(action)), operation


CHANGES = dict(_load())
"""Which operation makes which change."""
