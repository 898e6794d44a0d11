"""Spans of time on a wall's clock, as rules name them: nights, freezes, maintenance. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[_Day, ...] = get_args(_Day)
Days: TypeAlias = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=31))]
"""Seconds or ISO 8601, at most 31 days."""
RULES = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, str_min_length=1)
"""How models of rules are read."""


def _read_dates(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, _, last = value.partition("..")
    return (first, last or first)


_Dates = Annotated[tuple[date, date], BeforeValidator(_read_dates)]


class Window(BaseModel):
    """A span of time: it holds while a clock on the wall in its zone shows a time in it.

    So at the end of summer time an hour that is shown twice counts twice, and at its beginning a time that no
    clock shows never comes. From 22:00 to 06:00 goes over midnight and belongs to the day on which it began.
    """

    model_config = RULES

    dates: tuple[_Dates, ...] = ()
    """`2026-12-24` or `2026-12-24..2027-01-02`, the last day included; empty means every date."""
    weekdays: frozenset[_Day] = frozenset(_DAYS)
    begins: Annotated[time, Field(alias="from")] = time(0)
    ends: Annotated[time, Field(alias="to")] = time(0)
    """Exclusive; the same as `from` means a whole day."""
    time_zone: ZoneInfo | None = None

    def covers(self, now: datetime, zone: tzinfo) -> bool:
        """Whether the moment lies in the window; `zone` counts where the window has none of its own."""
        local = now.astimezone(self.time_zone or zone)
        clock, today = local.time(), local.date()
        if self.begins < self.ends:
            return self.begins <= clock < self.ends and self._has(today)
        yesterday = today - timedelta(days=1)
        return (clock >= self.begins and self._has(today)) or (clock < self.ends and self._has(yesterday))

    def _has(self, day: date) -> bool:
        in_dates = not self.dates or any(first <= day <= last for first, last in self.dates)
        return in_dates and _DAYS[day.weekday()] in self.weekdays
