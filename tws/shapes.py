"""Reads dataclasses from the engine's JSON as `shapes.yaml` says where their fields are: pure."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import reduce
from importlib import resources
from typing import Any, TypeVar, get_type_hints

import yaml

from . import model, objects
from .fields import Fields

_T = TypeVar("_T")
_Read = Callable[[Fields, str], Any]
_Place = tuple[str, _Read, str]
"""The path of an object, how its field is read, the field's name."""

_READERS: dict[object, _Read] = {
    str: Fields.text,
    str | None: lambda fields, name: fields.text(name) or None,
    bool: Fields.flag,
    int: lambda fields, name: fields.integer(name) or 0,
    int | None: Fields.integer,
    datetime | None: Fields.instant,
    timedelta | None: Fields.duration,
}
_MARKS: dict[str, _Read] = {"~": Fields.short_name, "!": Fields.is_false}


def shaped(form: type[_T], fields: Fields, shape: str = "", **others: Any) -> _T:
    """The object, with other fields that the shape does not name; `shape` is that of another API."""
    nodes = {"": fields}
    for name, places in _SHAPES[shape or form.__name__]:
        for path, read, key in places:
            node = nodes.get(path)
            if node is None:
                node = nodes[path] = reduce(Fields.child, path.split("."), fields)
            others[name] = found = read(node, key)
            if found:
                break
    return form(**others)


def _places(text: str, kind: object) -> Iterator[_Place]:
    for place in text.split():
        path, _, key = place.lstrip("~!").rpartition(".")
        yield path, _MARKS.get(place[0], _READERS[kind]), key


def _load() -> Iterator[tuple[str, list[tuple[str, tuple[_Place, ...]]]]]:
    data = yaml.safe_load(resources.files("tws").joinpath("shapes.yaml").read_bytes())
    for name, shape in data.items():
        form = name.removeprefix("Classic")
        hints = get_type_hints(getattr(objects, form, None) or getattr(model, form))
        yield name, [(field, tuple(_places(text, hints[field]))) for field, text in shape.items()]


_SHAPES = dict(_load())
