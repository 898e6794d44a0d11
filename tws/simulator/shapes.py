"""Fills the shapes of `answers.yaml`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from .catalogue import FOLDER, load

_Json = dict[str, Any]


def instant(time: datetime) -> str:
    """As the engine writes it: UTC with milliseconds."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def answer(schema: str, **values: Any) -> _Json:
    """JSON of that schema, filled with the values."""
    found: _Json = _FILL[schema](values)
    return found


def _compile(shape: Any) -> Callable[[dict[str, Any]], Any]:
    """What makes JSON of that shape out of values."""
    if isinstance(shape, dict):
        parts = [(name, _compile(part)) for name, part in shape.items()]
        return lambda values: {name: found for name, part in parts if (found := part(values)) is not None}
    root, dollar, path = shape.partition("$") if isinstance(shape, str) else ("", "", "")
    if not dollar:
        return lambda _: shape
    name, _, attributes = path.partition(".")
    get: Callable[[Any], Any] = attrgetter(attributes) if attributes else lambda value: value

    def fill(values: dict[str, Any]) -> Any:
        value = values[name]
        if value is None:
            return None
        return f"{root}{get(value)}" if root else _plain(get(value))

    return fill


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, timedelta):
        hours, seconds = divmod(int(value.total_seconds()), 3600)
        parts = ((hours, "H"), (seconds // 60, "M"), (seconds % 60, "S"))
        return "PT" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0S")
    return value


_SHAPES = load(FOLDER / "answers.yaml", dict[str, _Json])
COMMON_STATUS = _SHAPES.pop("CommonStatus")
_FILL = {schema: _compile(shape) for schema, shape in _SHAPES.items()}
