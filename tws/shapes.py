"""Reads dataclasses from the engine's JSON as `shapes.yaml` says where their fields are: pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from importlib import resources
from typing import Any, TypeVar, get_type_hints

import yaml

from . import model, objects
from .fields import Fields

__all__ = ["shaped"]

_T = TypeVar("_T")
_Get = Callable[[Fields], Any]

_READERS: dict[object, Callable[[Fields, str], Any]] = {
    str: Fields.text,
    str | None: lambda fields, name: fields.text(name) or None,
    bool: Fields.flag,
    int: lambda fields, name: fields.integer(name) or 0,
    int | None: Fields.integer,
    datetime | None: Fields.instant,
    timedelta | None: Fields.duration,
}


def shaped(form: type[_T], fields: Fields, shape: str = "", **others: Any) -> _T:
    """The object, with other fields that the shape does not name; `shape` is that of another API."""
    return form(**{name: get(fields) for name, get in _SHAPES[shape or form.__name__]}, **others)


def _compile(places: str, kind: object) -> _Get:
    gets = [_compile_one(place, _READERS[kind]) for place in places.split()]
    if len(gets) == 1:
        return gets[0]

    def first(fields: Fields) -> Any:
        for get in gets:
            found = get(fields)
            if found:
                break
        return found

    return first


def _compile_one(place: str, read: Callable[[Fields, str], Any]) -> _Get:
    read = {"~": Fields.short_name, "!": Fields.is_false}.get(place[0], read)
    *parents, name = place.lstrip("~!").split(".")
    if not parents:
        return lambda fields: read(fields, name)
    return lambda fields: read(reduce(Fields.child, parents, fields), name)


def _load() -> dict[str, tuple[tuple[str, _Get], ...]]:
    found = {}
    data = yaml.safe_load(resources.files("tws").joinpath("shapes.yaml").read_bytes())
    for name, shape in data.items():
        form = name.removeprefix("Classic")
        hints = get_type_hints(getattr(objects, form, None) or getattr(model, form))
        found[name] = tuple((field, _compile(places, hints[field])) for field, places in shape.items())
    return found


_SHAPES = _load()
