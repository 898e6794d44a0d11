from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.plan import AT, make_dependency, make_job, make_plan, make_run, make_stream, make_waiting
from tws.actions import PlanObject
from tws.contents import RunStatistics
from tws.forecast import Forecast, forecast
from tws.objects import Dependency, Job, JobStream
from tws.plan import Plan

MINUTE = timedelta(minutes=1)


def on(target: Job | JobStream, **changes: Any) -> Dependency:
    return make_dependency(**{"id": target.id, "target_id": target.id} | changes)


def job(name: str, *after: Job | JobStream, minutes: int | None = 10, **changes: Any) -> Job:
    takes = None if minutes is None else minutes * MINUTE
    waits = tuple(map(on, after))
    names = {"id": name, "name": name, "estimated_duration": takes}
    return make_waiting(**names | {"dependencies": waits} | changes)


def ends(plan: Plan | Forecast, *names: str) -> list[int | None]:
    """In minutes from now."""
    found = plan if isinstance(plan, Forecast) else forecast(plan, AT)
    times = (found.of(name).end for name in names)
    return [None if time is None else int((time - AT) / MINUTE) for time in times]


def test_a_job_ends_after_all_that_it_follows() -> None:
    a, b = job("a", minutes=10), job("b", minutes=30)
    c = job("c", a, b, minutes=5)
    d = job("d", c, minutes=1)
    assert ends(make_plan(a, b, c, d), "a", "b", "c", "d") == [10, 30, 35, 36]


def test_what_jobs_usually_take_counts_before_what_somebody_estimated() -> None:
    a = job("a", minutes=10)
    plan = make_plan(a)
    usual = RunStatistics(runs=9, median=4 * MINUTE, p95=9 * MINUTE)
    assert ends(with_statistics(plan, {a.selection: usual}), "a") == [4]


def with_statistics(plan: Plan, statistics: dict[str, RunStatistics]) -> Plan:
    plan.statistics = statistics
    return plan


def test_without_either_nothing_can_be_said_of_it_and_of_all_after_it() -> None:
    a, b = job("a", minutes=None), job("b")
    c, d = job("c", a), job("d", b)
    assert ends(make_plan(a, b, c, d), "a", "b", "c", "d") == [None, 10, None, 20]


def test_what_runs_ends_when_it_usually_does_or_any_moment_if_it_is_late() -> None:
    run = make_run(status="EXEC", started_at=AT - 5 * MINUTE, ended_at=None)
    a = job("a", status="EXEC", runs=(run,))
    b = job("b", status="EXEC", runs=(run,), minutes=2)
    assert ends(make_plan(a, b), "a", "b") == [5, 0]


def test_what_is_over_holds_nobody_up() -> None:
    done, canceled = make_job(id="a", status="SUCC"), make_waiting(id="b", canceled=True)
    assert ends(make_plan(done, canceled, job("c", done, canceled)), "c") == [10]


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 0},
        {"status": "ABEND"},
        {"status": "SUPPR"},
        {"status": "PEND"},
        {"dependencies": (make_dependency(type="FILE", target_id=None),)},
        {"dependencies": (make_dependency(type="PROMPT", target_id=None),)},
        {"dependencies": (make_dependency(type="EXTERNAL_JOB", target_id=None, is_pending=True),)},
        {"latest_start": AT, "starts_after": AT + MINUTE, "on_late_start": "doNotRun"},
    ],
)
def test_where_a_person_must_act_or_nobody_knows_when_nothing_can_be_said(changes: dict[str, Any]) -> None:
    a = job("a", **changes)
    assert ends(make_plan(a, job("b", a)), "a", "b") == [None, None]


def test_a_job_starts_at_its_time_and_not_before_its_stream() -> None:
    stream = make_stream(status="HOLD", starts_after=AT + 60 * MINUTE)
    early, late = job("a", starts_after=AT + MINUTE), job("b", starts_after=AT + 90 * MINUTE)
    released = job("c", starts_after=AT + 90 * MINUTE, is_start_satisfied=True)
    assert ends(make_plan(stream, early, late, released), "a", "b", "c") == [70, 100, 70]


def test_a_stream_ends_with_its_last_job_and_holds_up_who_follows_it() -> None:
    a, b = job("a"), job("b", minutes=40)
    stream = make_stream(status="READY")
    after = job("c", stream, job_stream_id="other", job_stream="OTHER")
    assert ends(make_plan(a, b, stream, after), stream.id, "c") == [40, 50]


def test_a_join_waits_for_as_many_as_it_needs() -> None:
    a, b, c = job("a", minutes=10), job("b", minutes=20), job("c", minutes=30)
    join = make_dependency(type="JOIN", target_id=None, members=(on(a), on(b), on(c)), members_needed=2)
    assert ends(make_plan(a, b, c, job("d", dependencies=(join,))), "d") == [30]


def test_what_waits_in_a_circle_has_no_end_nor_has_what_comes_after_it() -> None:
    a, b = job("a", job("b")), job("b", job("a"))
    assert ends(make_plan(a, b, job("c", a), job("d")), "a", "b", "c", "d") == [None, None, None, 10]


def test_a_rerun_waits_for_nothing() -> None:
    runs = (make_run(is_last=False), make_run(attempt=2, rerun_type="RERUN", status="READY"))
    blocked = job("a", priority=0)
    assert ends(make_plan(blocked, job("b", blocked, status="READY", runs=runs)), "b") == [10]


def test_the_critical_path_is_what_decides_when_a_job_ends() -> None:
    a, b = job("a", minutes=50), job("b", minutes=10)
    stream = make_stream(id="first", name="FIRST")
    c = job("c", stream, minutes=5, job_stream_id="second", job_stream="SECOND")
    d = job("d", c, b, job_stream_id="second", job_stream="SECOND")
    inside: tuple[PlanObject, ...] = tuple(
        make_waiting(
            id=one.id, name=one.name, estimated_duration=one.estimated_duration, job_stream_id="first"
        )
        for one in (a, b)
    )
    found = forecast(make_plan(*inside, stream, c, d), AT)
    assert [one.id for one in found.critical_path(d)] == ["a", "c", "d"]


def test_slack_is_the_time_left_to_the_deadline() -> None:
    a, b = job("a", deadline=AT + 12 * MINUTE), job("b", deadline=AT + 4 * MINUTE)
    found = forecast(make_plan(a, b, job("c")), AT)
    assert [found.slack(one) for one in (a, b, job("c"))] == [2 * MINUTE, -6 * MINUTE, None]


def test_the_hot_list_names_where_the_paths_of_endangered_jobs_begin() -> None:
    slow = job("slow", minutes=60)
    missed = [job(f"m{n}", slow, deadline=AT + 30 * MINUTE) for n in (1, 2)]
    failed = make_job(id="failed", name="failed")
    blocked = job("x", failed, is_critical=True)
    safe = job("safe", deadline=AT + 600 * MINUTE)
    hot = forecast(make_plan(slow, *missed, failed, blocked, safe), AT).hot_list()
    assert {one.job.id: [job.id for job in one.endangers] for one in hot} == {
        "slow": ["m1", "m2"],
        "failed": ["x"],
    }


def test_a_part_of_the_plan_is_forecast_as_in_the_whole() -> None:
    jobs = [job("0")]
    for number in range(1, 60):
        jobs.append(job(str(number), *jobs[max(0, number - 3) : number], minutes=number % 7))
    plan = make_plan(*jobs)
    part = forecast(plan, AT, {"40"})
    assert ends(part, *(str(n) for n in range(41))) == ends(plan, *(str(n) for n in range(41)))
    assert ends(part, "41") == [None]


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_the_nights_in_which_clocks_change_are_as_long_as_they_are(month: int, day: int) -> None:
    zone = ZoneInfo("Europe/Lisbon")
    midnight = datetime(2026, month, day, tzinfo=zone).astimezone(UTC)
    found = forecast(make_plan(job("a", minutes=180)), midnight).of("a").end
    assert found is not None
    assert found - midnight == timedelta(hours=3)
    assert found.astimezone(zone).hour == (4 if month == 3 else 2)
