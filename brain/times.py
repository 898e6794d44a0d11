"""Times and spans for people: always with their zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def clock(at: datetime | None, zone: ZoneInfo, *, now: datetime) -> str:
    """`02:14 UTC`, with the date when it is not today; `–` for no time."""
    if at is None:
        return "–"
    local = at.astimezone(zone)
    is_today = local.date() == now.astimezone(zone).date()
    return f"{local:%H:%M %Z}" if is_today else f"{local:%Y-%m-%d %H:%M %Z}"


def span(duration: timedelta | None) -> str:
    """`1h 05m`, `3m 20s` or `8s`; `–` for none."""
    if duration is None:
        return "–"
    seconds = int(abs(duration.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds % 60:02}s" if minutes else f"{seconds}s"
