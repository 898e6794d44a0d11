"""A JSON object of the engine, read leniently: pure.

Engines of different releases leave fields out and add values; whatever is missing or of another type reads as
empty, so that one odd field never hides a job from the operator.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .errors import TwsProtocolError

_DURATION = TypeAdapter(timedelta)


class Fields:
    """Typed views of the fields of one JSON object; of anything else, an object without fields."""

    __slots__ = ("_fields",)

    def __init__(self, value: object) -> None:
        self._fields: dict[str, Any] = value if isinstance(value, dict) else {}

    def text(self, name: str) -> str:
        """The string, or empty; without NUL, which PostgreSQL would refuse."""
        value = self._fields.get(name)
        return value.replace("\x00", "") if isinstance(value, str) else ""

    def short_name(self, name: str) -> str:
        """`/AGENT07` as `AGENT07`: conman omits the root folder too; names in other folders stay whole."""
        text = self.text(name)
        return text[1:] if text.startswith("/") and text.count("/") == 1 else text

    def flag(self, name: str) -> bool:
        """Whether the field is true."""
        return self._fields.get(name) is True

    def is_false(self, name: str) -> bool:
        """Whether the field is false, and not only missing."""
        return self._fields.get(name) is False

    def integer(self, name: str) -> int | None:
        """The whole number, or None."""
        value = self._fields.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def instant(self, name: str) -> datetime | None:
        """The ISO 8601 instant in UTC, or None.

        Raises `TwsProtocolError` for a time without an offset: which instant it is nobody can tell, least of all in
        the hour that a change of daylight saving time repeats.
        """
        try:
            value = datetime.fromisoformat(self.text(name))
            if value.tzinfo is not None:
                return value.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        raise TwsProtocolError(f"TWS gave {name} without an offset from UTC")

    def duration(self, name: str) -> timedelta | None:
        """The ISO 8601 duration, or None; also where it is negative, as after a clock was set back."""
        text = self.text(name)
        try:
            value = _DURATION.validate_python(text) if text.startswith("P") else None
        except ValidationError:
            return None
        return None if value is None or value < timedelta() else value

    def child(self, name: str) -> "Fields":
        """The object in the field; without fields where there is none."""
        return Fields(self._fields.get(name))

    def children(self, name: str) -> "tuple[Fields, ...]":
        """The objects of the list in the field."""
        return tuple(Fields(item) for item in self._items(name) if isinstance(item, dict))

    def texts(self, name: str) -> tuple[str, ...]:
        """The strings of the list in the field."""
        return tuple(item.replace("\x00", "") for item in self._items(name) if isinstance(item, str))

    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(self._fields)

    def _items(self, name: str) -> list[Any]:
        value = self._fields.get(name)
        return value if isinstance(value, list) else []
