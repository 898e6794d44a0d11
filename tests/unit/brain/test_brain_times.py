"""Times with their zone, spans short enough for a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.times import clock, span

_NEW_YORK = ZoneInfo("America/New_York")
_SAO_PAULO = ZoneInfo("America/Sao_Paulo")
_UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("at", "zone", "now", "shown"),
    [
        (datetime(2026, 3, 2, 2, 14, tzinfo=UTC), _UTC, datetime(2026, 3, 2, 9, 0, tzinfo=UTC), "02:14 UTC"),
        (
            datetime(2026, 3, 1, 2, 14, tzinfo=UTC),
            _UTC,
            datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
            "2026-03-01 02:14 UTC",
        ),
        # In São Paulo both are still the evening before; today is the reader's day, not that of UTC.
        (
            datetime(2026, 3, 2, 2, 14, tzinfo=UTC),
            _SAO_PAULO,
            datetime(2026, 3, 2, 2, 50, tzinfo=UTC),
            "23:14 -03",
        ),
        (
            datetime(2026, 3, 2, 2, 14, tzinfo=UTC),
            _SAO_PAULO,
            datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
            "2026-03-01 23:14 -03",
        ),
        # The hour that comes twice: the zone's name tells which one.
        (
            datetime(2025, 11, 2, 5, 30, tzinfo=UTC),
            _NEW_YORK,
            datetime(2025, 11, 2, 12, 0, tzinfo=UTC),
            "01:30 EDT",
        ),
        (
            datetime(2025, 11, 2, 6, 30, tzinfo=UTC),
            _NEW_YORK,
            datetime(2025, 11, 2, 12, 0, tzinfo=UTC),
            "01:30 EST",
        ),
        # The hour that does not exist.
        (
            datetime(2026, 3, 8, 6, 59, tzinfo=UTC),
            _NEW_YORK,
            datetime(2026, 3, 8, 12, 0, tzinfo=UTC),
            "01:59 EST",
        ),
        (
            datetime(2026, 3, 8, 7, 0, tzinfo=UTC),
            _NEW_YORK,
            datetime(2026, 3, 8, 12, 0, tzinfo=UTC),
            "03:00 EDT",
        ),
        (None, _UTC, datetime(2026, 3, 2, 9, 0, tzinfo=UTC), "–"),
    ],
)
def test_clock(at: datetime | None, zone: ZoneInfo, now: datetime, shown: str) -> None:
    assert clock(at, zone, now=now) == shown


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=8), "8s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(minutes=1), "1m 00s"),
        (timedelta(minutes=3, seconds=20), "3m 20s"),
        (timedelta(minutes=59, seconds=59), "59m 59s"),
        (timedelta(hours=1), "1h 00m"),
        (timedelta(hours=1, minutes=5, seconds=59), "1h 05m"),
        (timedelta(days=2, hours=3), "51h 00m"),
        (timedelta(seconds=-8), "8s"),
        (None, "–"),
    ],
)
def test_span(duration: timedelta | None, shown: str) -> None:
    assert span(duration) == shown


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_longer_time_is_never_shown_as_a_shorter_one(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert _seconds(span(timedelta(seconds=shorter))) <= _seconds(span(timedelta(seconds=longer)))


def _seconds(shown: str) -> int:
    unit = {"h": 3600, "m": 60, "s": 1}
    return sum(int(part[:-1]) * unit[part[-1]] for part in shown.split())
