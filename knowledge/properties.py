"""What is declared of a document, from forms, options and front matter. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .documents import Properties
from .errors import DocumentRejectedError

DECLARED = ("readers", "language", "valid_from", "valid_to", "link")
"""The properties that people may declare; the others follow from what happens."""

_PROPERTIES = TypeAdapter(Properties)


def read_properties(declared: Mapping[str, Any]) -> Properties:
    """The properties among these values; empty ones count as not declared, other names are left out.

    Raises `DocumentRejectedError`: a mistyped reader must not open a document to everybody.
    """
    given = {name: declared[name] for name in DECLARED if declared.get(name)}
    try:
        return _PROPERTIES.validate_python(given)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, item['loc'][:1])) or 'validity'}: {item['msg']}" for item in error.errors()
        )
        raise DocumentRejectedError("; ".join(dict.fromkeys(faults))) from error


def completed(given: Properties, found: Properties) -> Properties:
    """What was given, and of the rest what the document says itself."""
    said = {field.name: getattr(given, field.name) for field in fields(given)}
    return replace(
        found,
        **{field.name: said[field.name] for field in fields(given) if said[field.name] != field.default},
    )


def dump_properties(properties: Properties) -> dict[str, Any]:
    """As JSON values, the same for equal ones; `read_dumped` reads them back."""
    values: dict[str, Any] = _PROPERTIES.dump_python(properties, mode="json")
    return values | {"readers": sorted(properties.readers)}


def read_dumped(values: Mapping[str, Any]) -> Properties:
    """What was dumped."""
    return _PROPERTIES.validate_python(dict(values))
