from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tws.mirror.past import Effort
from tws.slower import slower_streams

_START = datetime(2026, 3, 1, 2, tzinfo=UTC)


def _effort(job: str, minutes: int, *, after: int = 0, runs: int = 1, failed: int = 0) -> Effort:
    started_at = _START + timedelta(minutes=after)
    busy = timedelta(minutes=minutes)
    return Effort(
        selection=f"A#{job}",
        runs=runs,
        failed=failed,
        busy=busy,
        started_at=started_at,
        ended_at=started_at + busy,
    )


def test_streams_that_grew_come_first_by_how_much() -> None:
    before = [_effort("S.A", 10), _effort("S.B", 10, after=10), _effort("T.A", 10), _effort("U.A", 10)]
    now = [_effort("S.A", 10), _effort("S.B", 40, after=10), _effort("T.A", 15), _effort("U.A", 9)]
    found = slower_streams(before, now)
    assert [(one.selection, one.growth) for one in found] == [
        ("A#S", timedelta(minutes=30)),
        ("A#T", timedelta(minutes=5)),
    ]
    assert [job.now.selection for job in found[0].jobs] == ["A#S.B"]
    assert found[0].waited == timedelta()


def test_a_stream_whose_jobs_began_later_waited() -> None:
    before = [_effort("S.A", 10), _effort("S.B", 10, after=10)]
    now = [_effort("S.A", 10), _effort("S.B", 10, after=60)]
    (found,) = slower_streams(before, now)
    assert found.jobs == ()
    assert found.waited == timedelta(minutes=50)


def test_small_growth_and_streams_of_one_span_do_not_count() -> None:
    assert (
        slower_streams([_effort("S.A", 100), _effort("T.A", 1)], [_effort("S.A", 105), _effort("X.A", 9)])
        == ()
    )
