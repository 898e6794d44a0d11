"""Checks HTTP exchanges with TWS against the vendor's OpenAPI document of REST API V2.

The document lies outside the repository (it is the vendor's); `RESYNC_SHARED` names the folder that has it.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

BASE = "/twsd/api/v2"
"""Prefix of every path in the document; templates are accepted with or without it."""

DURATION = r"^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
"""ISO 8601 without years, months and weeks."""

OBSERVED_STATUSES = frozenset({405, 415, 500, 503})
"""Statuses the document does not list, although a real master gives them."""

_UNIONS = {
    "FlowNodeInPlanV2": (
        "flowNodeType",
        {"JOB": "JobInPlanV2", "JOBSTREAM": "JobStreamInPlanV2"},
    ),
    "DependencyInPlanV2": (
        "dependencyType",
        {
            "INTERNAL": "InternalDependencyInPlanV2",
            "EXTERNAL_JOB": "ExternalJobDependencyInPlanV2",
            "EXTERNAL_JOBSTREAM": "ExternalJobStreamDependencyInPlanV2",
            "JOIN": "JoinDependencyInPlanV2",
            "FILE": "FileDependencyInPlanV2",
            "RESOURCE": "ResourceDependencyInPlanV2",
            "INTERNETWORK": "InternetworkDependencyInPlanV2",
            "PROMPT": "PromptDependencyInPlanV2",
        },
    ),
}
"""The document writes these as `oneOf` of schemas that overlap, which nothing real can satisfy.

The type field tells which member is meant.
"""

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("duration")
def _is_duration(value: object) -> bool:
    return not isinstance(value, str) or re.search(DURATION, value) is not None


@_FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


def document_path() -> Path:
    """Where the document is looked for; the file may be missing."""
    shared = os.environ.get("RESYNC_SHARED", "../shared")
    return Path(shared) / "tws" / "WA_API3_v2.json"


def validate_response(method: str, path_template: str, status: int, body: Any) -> None:
    """Raises AssertionError where the document does not allow this answer.

    `body` is the decoded JSON, or a string for plain text; it is not looked at where the document gives no schema.
    Properties that the schema does not name are refused: they are misspelt names.
    """
    responses = _operation(method, path_template)["responses"]
    if str(status) not in responses:
        assert status in OBSERVED_STATUSES, f"{method} {path_template} never answers {status}"
        return
    for schema in _schemas(responses[str(status)]):
        _check(schema, body, f"{method} {path_template} {status}")


def validate_schema(name: str, value: Any) -> None:
    """Raises AssertionError where the value is not of that schema of the document."""
    _check({"$ref": f"#/components/schemas/{name}"}, value, name)


def validate_request(
    method: str,
    path_template: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> None:
    """Raises AssertionError where the document does not allow this request.

    `headers` are those of the API alone (`Justification-…`, `scope`, …), not HTTP's own.
    `body` None means no body.
    """
    operation = _operation(method, path_template)
    where = f"{method} {path_template}"
    declared = {
        (parameter["in"], parameter["name"].lower()): parameter for parameter in operation["parameters"]
    }
    sent = {("query", name.lower()): value for name, value in (query or {}).items()}
    sent |= {("header", name.lower()): value for name, value in (headers or {}).items()}
    for key, value in sent.items():
        assert key in declared, f"{where} has no {key[0]} parameter {key[1]}"
        _check(declared[key]["schema"], _coerce(declared[key]["schema"], value), f"{where} {key[1]}")
    missing = [
        key for key, p in declared.items() if p.get("required") and key[0] != "path" and key not in sent
    ]
    assert not missing, f"{where} lacks {missing}"
    if body is None:
        assert not operation.get("requestBody", {}).get("required"), f"{where} needs a body"
        return
    assert "requestBody" in operation, f"{where} takes no body"
    for schema in _schemas(operation["requestBody"]):
        # What is read-only is required of answers alone.
        fields = schema.get("properties", {})
        required = [name for name in schema.get("required", ()) if not fields[name].get("readOnly")]
        _check({**schema, "required": required} if fields else schema, body, f"{where} body")


def template_of(method: str, path: str) -> str:
    """The path template that a concrete path belongs to; the most literal one wins.

    Raises AssertionError for a path that is not in the document.
    """
    wanted = _absolute(path).split("/")
    found: list[str] = [
        template
        for template, operations in document()["paths"].items()
        if method.lower() in operations and _fits(template.split("/"), wanted)
    ]
    assert found, f"{method} {path} is not in the document"
    return min(found, key=lambda template: template.count("{"))


def _fits(template: list[str], wanted: list[str]) -> bool:
    return len(template) == len(wanted) and all(
        part.startswith("{") or part == given for part, given in zip(template, wanted, strict=True)
    )


def _operation(method: str, path_template: str) -> dict[str, Any]:
    operations = document()["paths"].get(_absolute(path_template), {})
    assert method.lower() in operations, f"{method} {path_template} is not in the document"
    return {"parameters": []} | operations[method.lower()]


def _absolute(path: str) -> str:
    return path if path.startswith(BASE) else BASE + path


def _schemas(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [content["schema"] for content in part.get("content", {}).values() if "schema" in content]


def _coerce(schema: dict[str, Any], text: str) -> Any:
    return int(text) if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text) else text


def _check(schema: dict[str, Any], value: Any, where: str) -> None:
    # The components are put beside the schema so that `#/components/…` references resolve.
    root = {**schema, "components": document()["components"]}
    errors = Draft202012Validator(root, format_checker=_FORMATS).iter_errors(value)
    lines = [f"{error.json_path}: {error.message[:300]}" for error in errors]
    assert not lines, f"{where}\n" + "\n".join(lines[:20])


@functools.cache
def document() -> dict[str, Any]:
    """The vendor's document with unions that can be told apart, refusing properties that it does not name."""
    found: dict[str, Any] = json.loads(document_path().read_text(encoding="utf-8"))
    schemas = found["components"]["schemas"]
    for schema in schemas.values():
        if "properties" in schema and not {"oneOf", "anyOf"} & schema.keys():
            schema.setdefault("additionalProperties", False)
    for name, (field, members) in _UNIONS.items():
        schemas[name] = {
            "type": "object",
            "required": [field],
            "properties": {field: {"enum": list(members)}},
            "allOf": [
                {
                    "if": {"properties": {field: {"const": value}}},
                    "then": {"$ref": f"#/components/schemas/{member}"},
                }
                for value, member in members.items()
            ],
        }
    object_type = found["paths"][f"{BASE}/plan/folder/objects-count"]["get"]["parameters"][0]
    del object_type["schema"]["allOf"][1]  # it calls the text an object, which nothing can be
    return found
