"""The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), built from the endpoints themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from .endpoint import Endpoint
from .idempotency import HEADER
from .models import Problem

Json: TypeAlias = dict[str, Any]
_Refs: TypeAlias = Mapping[Any, Json]
"""References by model and mode: `validation` of requests, `serialization` of answers."""

_REF: Final = "#/components/schemas/{model}"
_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
_STREAM: Final = (
    "Server-sent events, of a turn: `progress` and `delta` with `{text}`, then `reply` with the same object as the JSON "
    "answer, or `problem` with a problem document. Each event has an id; `GET /api/v1/turns/{turn_id}` with "
    "`Last-Event-ID` goes on after it. Of a board: `board` with the whole of it, at once and whenever it has changed; "
    "the stream ends after a while."
)
_DESCRIPTION: Final = (
    "Ask about jobs and job streams of IBM/HCL Workload Automation, and decide on the changes it proposes. "
    "Errors are problem documents (RFC 9457) with a stable `code`."
)
_STATUSES: Final = {200: "Done", 201: "Created", 202: "Still running", 204: "Removed", 503: "Down"}


def build_document(endpoints: Iterable[Endpoint], *, version: str, server: str | None) -> Json:
    """The whole document, as plain JSON values; `server` is the public address, None for wherever it is read."""
    endpoints = tuple(endpoints)
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    models += [(each.request, "validation") for each in endpoints if each.request]
    models += [(model, "serialization") for each in endpoints for model in each.responses.values() if model]
    refs, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    paths: Json = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Resync", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": server or "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in endpoints)],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(endpoint: Endpoint, refs: _Refs) -> Json:
    operation: Json = {
        "operationId": f"{endpoint.tag}_{endpoint.handle.__name__}",
        "summary": (endpoint.handle.__doc__ or "").partition("\n")[0].removesuffix("."),
        "tags": [endpoint.tag],
        "security": [{"bearer": []}] if endpoint.permission else [],
        "responses": _responses(endpoint, refs),
    }
    if endpoint.permission:
        operation["description"] = f"Needs the permission `{endpoint.permission}`."
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    if endpoint.request:
        schema = refs[endpoint.request, "validation"]
        content = {endpoint.request.media_type: {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint) -> list[Json]:
    path = [{"name": name, "in": "path", "required": True, "schema": _ID} for name in endpoint.parameters]
    key = {
        "name": HEADER,
        "in": "header",
        "description": "Repeats under the same key have one effect and one answer, for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }
    asked = endpoint.query.model_json_schema() if endpoint.query else {"properties": {}}
    query = [
        {"name": name, "in": "query", "required": name in asked.get("required", ()), "schema": schema}
        for name, schema in asked["properties"].items()
    ]
    return [*path, *query, *([key] if endpoint.is_idempotent else [])]


def _responses(endpoint: Endpoint, refs: _Refs) -> Json:
    responses: Json = {}
    for status, model in endpoint.responses.items():
        content: Json = {"application/json": {"schema": refs[model, "serialization"]}} if model else {}
        if endpoint.streams and status == HTTPStatus.OK:
            content["text/event-stream"] = {"schema": {"type": "string", "description": _STREAM}}
        responses[str(status)] = {"description": _STATUSES[status], "content": content}
    problem = {"application/problem+json": {"schema": refs[Problem, "serialization"]}}
    for status in endpoint.errors:
        known = responses.setdefault(str(status), {"description": "Problem", "content": {}})
        known["content"] |= problem
    return dict(sorted(responses.items()))
