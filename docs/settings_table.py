"""Writes docs/settings.md from the settings themselves: `make docs`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ByteSize, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from client_settings import ClientSettings
from settings import Settings

PAGE = Path(__file__).parent / "settings.md"

_HEAD = """\
# Settings

Each setting is an environment variable, or a line in the file `.env` of the working folder; the environment
wins. `resync check` shows what is in force, with secrets masked, and `resync serve` names what is unsafe and
does not start. Durations are ISO 8601 (`PT30S`, `PT15M`) where no unit is in the name; sizes are bytes or
like `20MiB`; lists and objects are JSON. This page is written by `make docs`.
"""
_KINDS = {
    bool: "`true`, `false`",
    int: "number",
    float: "number",
    Decimal: "number",
    ByteSize: "size",
    Path: "path",
    SecretStr: "secret",
    timedelta: "duration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    title: str
    rows: tuple[tuple[str, FieldInfo], ...]


def names() -> set[str]:
    """The variables of all settings."""
    return {name for section in _sections() for name, _ in section.rows}


def render() -> str:
    """The page: a table for each section, in the order in which the settings declare them."""
    return "\n".join([_HEAD, *map(_table, _sections())])


def _sections() -> Iterator[_Section]:
    general, nested = [], []
    for name, field in Settings.model_fields.items():
        variable, model = f"RESYNC_{name.upper()}", _model_of(field.annotation)
        if model is None:
            general.append((variable, field))
        else:
            title = f"{field.description} (`{variable}__…`)"
            nested.append(_Section(title=title, rows=tuple(_rows(model, variable))))
    yield _Section(title="General", rows=tuple(general))
    yield from nested
    commands = tuple((f"RESYNC_{name.upper()}", field) for name, field in ClientSettings.model_fields.items())
    yield _Section(title="Commands", rows=commands)


def _rows(model: type[BaseModel], variable: str) -> Iterator[tuple[str, FieldInfo]]:
    """The variables of a section with those of the sections in it."""
    for name, field in model.model_fields.items():
        inner, within = f"{variable}__{name.upper()}", _model_of(field.annotation)
        if within is None:
            yield inner, field
        else:
            yield from _rows(within, inner)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, also an optional one; several under names of their own are a value."""
    if get_origin(annotation) in {dict, tuple}:
        return None
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _table(section: _Section) -> str:
    rows = [
        f"| `{name}` | {_kind(field.annotation)} | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in section.rows
    ]
    head = ["| variable | value | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {section.title.replace('. (', ' (')}", "", *head, *rows, ""])


def _kind(annotation: Any) -> str:
    if annotation in _KINDS:
        return _KINDS[annotation]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if get_origin(annotation) in {dict, frozenset, tuple}:
        return "JSON"
    inner = [_kind(argument) for argument in get_args(annotation) if argument is not type(None)]
    return inner[0] if inner else "text"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        value = field.get_default(call_default_factory=True, validated_data={})
    else:
        value = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None or (isinstance(value, SecretStr) and not value.get_secret_value()):
        return ""
    plain = to_jsonable_python(sorted(value) if isinstance(value, frozenset) else value)
    shown = plain if isinstance(plain, str) else json.dumps(plain)
    return f"`{shown}`" if shown not in {"", "[]", "{}"} else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render())
