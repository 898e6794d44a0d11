"""A JSON object of the engine, read leniently: pure.

Engines of different releases leave fields out and add values; whatever is missing or of another type reads as
empty, so that one odd field never hides a job from the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

__all__ = ["Fields"]

_DURATION = TypeAdapter(timedelta)


class Fields:
    """Typed views of the fields of one JSON object; of anything else, an object without fields."""

    def __init__(self, value: object) -> None:
        self._fields: Mapping[str, Any] = value if isinstance(value, Mapping) else {}

    def text(self, name: str) -> str:
        """The string, or empty."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def short_name(self, name: str) -> str:
        """`/AGENT07` as `AGENT07`: conman omits the root folder too; names in other folders stay whole."""
        text = self.text(name)
        return text[1:] if text.startswith("/") and text.count("/") == 1 else text

    def flag(self, name: str) -> bool:
        """Whether the field is true."""
        return self._fields.get(name) is True

    def integer(self, name: str) -> int | None:
        """The whole number, or None."""
        value = self._fields.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def instant(self, name: str) -> datetime | None:
        """The ISO 8601 instant in UTC, or None; one without an offset is taken as UTC."""
        try:
            value = datetime.fromisoformat(self.text(name))
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def duration(self, name: str) -> timedelta | None:
        """The ISO 8601 duration, or None."""
        text = self.text(name)
        try:
            return _DURATION.validate_python(text) if text.startswith("P") else None
        except ValidationError:
            return None

    def child(self, name: str) -> Fields:
        """The object in the field; without fields where there is none."""
        return Fields(self._fields.get(name))

    def children(self, name: str) -> tuple[Fields, ...]:
        """The objects of the list in the field."""
        return tuple(Fields(item) for item in self._items(name) if isinstance(item, Mapping))

    def texts(self, name: str) -> tuple[str, ...]:
        """The strings of the list in the field."""
        return tuple(item for item in self._items(name) if isinstance(item, str))

    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(self._fields)

    def _items(self, name: str) -> list[Any]:
        value = self._fields.get(name)
        return value if isinstance(value, list) else []
