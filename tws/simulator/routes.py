"""The operations of REST API V2 that the simulator answers, read from `routes.yaml`; the document made from them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from .catalogue import FOLDER, load
from .orders import Kind, Verb

BASE = "/twsd/api/v2"
"""Prefix of every path."""

INTEGERS = frozenset(
    "limit offset depth from_line to_line priority quantity max_object_affected".split()  # noqa: SIM905 - to read
)
"""The query parameters that are whole numbers; all others are text."""


class Operation(BaseModel):
    """One method of one path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    path: str
    """Below `BASE`, e.g. `/plan/job/{job_id}`."""
    does: str
    kind: Kind | None = None
    verb: Verb | None = None
    answer: str = ""
    query: tuple[str, ...] = ()
    body: str = ""
    needs_body: bool = False

    @property
    def id_field(self) -> str:
        """Name of the id in the path; empty without one."""
        return "".join(re.findall(r"\{(\w+)\}", self.path))


def _operations() -> Iterable[Operation]:
    for place, row in load(FOLDER / "routes.yaml", dict[str, dict[str, Any]]).items():
        method, path = place.split()
        yield Operation(method=method, path=path, **row)


OPERATIONS = tuple(sorted(_operations(), key=lambda one: bool(one.id_field)))
"""Those without an id in their path come first: they would be taken for ids."""


def document() -> dict[str, Any]:
    """The OpenAPI document of the operations. Schemas are only named: their contents are the vendor's."""
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(BASE + one.path, {})[one.method.lower()] = _described(one)
    names = {name for one in OPERATIONS for name in (one.answer, one.body) if name}
    schemes = {"Basic": {"type": "http", "scheme": "basic"}, "JWT": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Workload Automation, simulated", "version": "10.2.5"},
        "security": [{name: []} for name in schemes],
        "paths": paths,
        "components": {
            "schemas": {name: {"title": name} for name in sorted(names)},
            "securitySchemes": schemes,
        },
    }


_ERRORS = {
    str(status.value): {"description": status.phrase} for status in map(HTTPStatus, (400, 401, 403, 404))
}


def _described(one: Operation) -> dict[str, Any]:
    places = [("path", one.id_field)] if one.id_field else []
    parameters = [
        {
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": {"type": "integer" if name in INTEGERS else "string"},
        }
        for place, name in [*places, *(("query", name) for name in one.query)]
    ]
    described: dict[str, Any] = {
        "parameters": parameters,
        "responses": {"200": _content(one.answer), **_ERRORS},
    }
    if one.body:
        described["requestBody"] = {"required": one.needs_body, **_content(one.body)}
    return described


def _content(schema: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    content = {"content": {"application/json": {"schema": reference}}} if schema else {}
    return {"description": schema or "Described by the vendor", **content}
