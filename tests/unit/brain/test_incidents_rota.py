"""Which shift ended last."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from brain.incidents.rota import last_shift

_THREE = ("22:00", "06:00", "14:00")


@pytest.mark.parametrize(
    ("times", "zone", "now", "since", "until"),
    [
        (_THREE, "UTC", "2026-03-02T06:00", "2026-03-01T22:00", "2026-03-02T06:00"),
        (_THREE, "UTC", "2026-03-02T05:59", "2026-03-01T14:00", "2026-03-01T22:00"),
        (_THREE, "UTC", "2026-03-02T23:00", "2026-03-02T14:00", "2026-03-02T22:00"),
        (_THREE, "America/Sao_Paulo", "2026-03-02T09:30", "2026-03-02T01:00", "2026-03-02T09:00"),
        (("07:00",), "UTC", "2026-03-02T06:59", "2026-02-28T07:00", "2026-03-01T07:00"),
        # In the night in which clocks go forward the shift is an hour shorter.
        (_THREE, "Europe/Lisbon", "2026-03-29T07:00", "2026-03-28T22:00", "2026-03-29T05:00"),
    ],
)
def test_the_shift_that_ended_last(
    times: tuple[str, ...], zone: str, now: str, since: str, until: str
) -> None:
    wanted = tuple(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (since, until))
    assert last_shift(times, ZoneInfo(zone), datetime.fromisoformat(now).replace(tzinfo=UTC)) == wanted
