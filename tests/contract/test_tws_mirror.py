"""What the mirror has of the plan, and how little it reads to keep that up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.fake_plan import FakePlan
from tests.support.mirrored import NAME, START, assert_mirrored
from tests.support.plan import make_dependency, make_job, make_run, make_stream
from tests.support.simulator import SteppingClock
from tws.errors import TwsUnreachableError
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror, PlanChangedError
from tws.objects import CommonStatus


async def test_there_is_no_plan_before_the_first_poll(plans: Plans) -> None:
    assert await plans.current(NAME) is None
    assert await plans.at(NAME, START) is None


async def test_the_first_plan_is_seen_at_once_by_who_just_looked(mirror: Mirror, engine: AsyncEngine) -> None:
    unhurried = Plans(engine)
    assert await unhurried.current(NAME) is None
    await mirror.poll()
    assert await unhurried.current(NAME) is not None


async def test_the_first_poll_copies_the_whole_plan(mirror: Mirror, plans: Plans, source: FakePlan) -> None:
    merged = await mirror.poll()
    assert merged is not None
    assert (merged.written, merged.removed, merged.is_new_plan) == (len(source.objects), 0, True)
    await assert_mirrored(plans, source)
    plan = await plans.current(NAME)
    assert plan is not None
    assert (plan.read_at, plan.ends_at) == (START, source.info.ends_at)


async def test_an_idle_plan_is_read_without_its_jobs_and_not_written(
    mirror: Mirror, plans: Plans, source: FakePlan, night: SteppingClock
) -> None:
    await mirror.poll()
    before = await plans.current(NAME)
    source.read.clear()
    night.step(seconds=15)
    merged = await mirror.poll()
    assert merged is not None
    assert (merged.written, merged.removed) == (0, 0)
    assert source.read == {"all_job_streams": 3}
    after = await plans.current(NAME)
    assert before is not None
    assert after is not None
    assert (before.read_at, after.read_at) == (START, START + timedelta(seconds=15))
    assert after.jobs is before.jobs, "nothing was loaded again"


def _start(source: FakePlan) -> None:
    source.to("stream1.1", "EXEC")


def _rerun(source: FakePlan) -> None:
    runs = (make_run(id="stream0.0/1"), make_run(id="stream0.0/2", attempt=2, status="EXEC", ended_at=None))
    source.change("stream0.0", status="EXEC", common_status=CommonStatus.RUNNING, runs=runs)


def _submit(source: FakePlan) -> None:
    stream = make_stream(id="adhoc", name="JOBS")
    source.put(stream, make_job(id="adhoc.1", name="FIX", job_stream="JOBS", job_stream_id="adhoc"))


def _add_to_stream(source: FakePlan) -> None:
    source.put(make_job(id="stream2.9", job_stream="STREAM2", job_stream_id="stream2"))


def _cancel(source: FakePlan) -> None:
    source.change("stream2.3", canceled=True, common_status=CommonStatus.CANCELED)


def _hold(source: FakePlan) -> None:
    source.change("stream2.2", priority=0, common_status=CommonStatus.HELD)


def _depend(source: FakePlan) -> None:
    source.change("stream1", priority=99, dependencies=(make_dependency(target_id="stream0"),))


def _unlink(source: FakePlan) -> None:
    source.change("ws-1", is_linked=False, fence=50)


def _answer(source: FakePlan) -> None:
    source.change("pr-1", status="ANSWERED_YES")


def _take(source: FakePlan) -> None:
    source.change("res-1", available=0, holders=("AGT1;1;JOB1",))


@pytest.mark.parametrize(
    "happen",
    [_start, _rerun, _submit, _add_to_stream, _cancel, _hold, _depend, _unlink, _answer, _take],
    ids=lambda happen: happen.__name__.strip("_"),
)
async def test_what_happens_in_the_plan_is_seen_without_reading_all_of_it(
    mirror: Mirror, plans: Plans, source: FakePlan, happen: Callable[[FakePlan], None]
) -> None:
    await mirror.poll()
    await plans.current(NAME)
    source.read.clear()
    happen(source)
    await mirror.poll()
    assert source.read["all_jobs"] < len(source.objects) / 2
    await assert_mirrored(plans, source)


async def test_a_job_that_stops_being_active_is_read_once_more(
    mirror: Mirror, plans: Plans, source: FakePlan
) -> None:
    _hold(source)
    await mirror.poll()
    source.change("stream2.2", priority=30, common_status=CommonStatus.WAITING)
    await mirror.poll()
    await assert_mirrored(plans, source)


async def test_what_follows_in_other_streams_is_read_with_what_it_follows(
    mirror: Mirror, plans: Plans, source: FakePlan
) -> None:
    waits = make_dependency(target_id="stream0.1", satisfied=False)
    source.change("stream1.3", dependencies=(waits, make_dependency(target_id="stream1.2")))
    source.change("stream2", dependencies=(waits,))
    source.change("stream2.3", substatus="HOLD_WAITING_FOR_PREDECESSOR")
    await mirror.poll()
    source.to("stream0.1", "SUCC")
    source.change(
        "stream1.3", dependencies=(replace(waits, satisfied=True), make_dependency(target_id="stream1.2"))
    )
    source.change("stream2", dependencies=(replace(waits, satisfied=True),))
    source.change("stream2.3", substatus="HOLD_WAITING_FOR_TIME")
    await mirror.poll()
    await assert_mirrored(plans, source)


async def test_what_no_counter_tells_is_found_by_the_next_whole_read(
    mirror: Mirror, plans: Plans, source: FakePlan, night: SteppingClock
) -> None:
    await mirror.poll()
    source.change("stream2.2", priority=77)
    source.remove("stream1.3")
    night.step(minutes=29)
    await mirror.poll()
    stale = await plans.current(NAME)
    assert stale is not None
    assert (stale.jobs["stream2.2"].priority, "stream1.3" in stale.jobs) == (50, True)
    night.step(minutes=1)
    await mirror.poll()
    await assert_mirrored(plans, source)


async def test_a_stream_that_left_the_plan_leaves_the_mirror(
    mirror: Mirror, plans: Plans, source: FakePlan
) -> None:
    await mirror.poll()
    await plans.current(NAME)
    source.remove("stream1")
    await mirror.poll()
    await mirror.poll()
    await assert_mirrored(plans, source)


async def test_a_plan_that_ends_while_it_is_read_is_not_stored(
    mirror: Mirror, plans: Plans, source: FakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    infos = [source.info, replace(source.info, run_number=2)]

    async def next_info() -> Any:
        return infos.pop(0)

    monkeypatch.setattr(source, "plan_info", next_info)
    with pytest.raises(PlanChangedError):
        await mirror.poll()
    assert await plans.current(NAME) is None


async def test_a_job_that_moved_to_another_page_while_it_was_read_counts_as_it_came_last(
    mirror: Mirror, plans: Plans, source: FakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [(make_job(status=status),) for status in ("READY", "EXEC")]

    async def all_jobs() -> AsyncIterator[Any]:
        for page in pages:
            yield page

    monkeypatch.setattr(source, "all_jobs", all_jobs)
    await mirror.poll()
    plan = await plans.current(NAME)
    assert plan is not None
    assert [job.status for job in plan.jobs.values()] == ["EXEC"]


@pytest.mark.parametrize("pages", [0, 1])
async def test_a_poll_that_breaks_off_stores_nothing(
    mirror: Mirror, plans: Plans, source: FakePlan, pages: int
) -> None:
    await mirror.poll()
    before = await plans.current(NAME)
    _start(source)
    source.change("ws-1", is_linked=False)
    source.pages_until_failure = pages
    with pytest.raises(TwsUnreachableError):
        await mirror.poll()
    after = await plans.current(NAME)
    assert before is not None
    assert after is not None
    assert (after.jobs, after.workstations, after.read_at) == (
        before.jobs,
        before.workstations,
        before.read_at,
    )
    source.pages_until_failure = None
    await mirror.poll()
    await assert_mirrored(plans, source)


async def test_callers_at_the_same_time_share_one_copy(mirror: Mirror, engine: AsyncEngine) -> None:
    await mirror.poll()
    plans = Plans(engine)
    first, *others = await asyncio.gather(*(plans.current(NAME) for _ in range(20)))
    assert first is not None
    assert all(other is first for other in others)


async def test_a_copy_that_is_held_does_not_change(mirror: Mirror, plans: Plans, source: FakePlan) -> None:
    await mirror.poll()
    held = await plans.current(NAME)
    _start(source)
    await mirror.poll()
    fresh = await plans.current(NAME)
    assert held is not None
    assert fresh is not None
    assert (held.jobs["stream1.1"].status, fresh.jobs["stream1.1"].status) == ("HOLD", "EXEC")
