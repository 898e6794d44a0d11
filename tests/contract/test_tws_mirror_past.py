"""What the mirror remembers: states, runs, and what related to what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.graph import KnowledgeGraph
from tests.support.fake_plan import FakePlan
from tests.support.mirrored import NAME, START, MakeMirror, assert_mirrored
from tests.support.plan import make_job, make_run
from tests.support.simulator import SteppingClock
from tws.contents import RunStatistics
from tws.mirror.lease import LeaseLostError
from tws.mirror.past import PastRun
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings
from tws.objects import CommonStatus
from tws.tables import CHANGES, OBJECTS, RUNS


def _partition(day: int) -> str:
    return f"tws_changes_{START + timedelta(days=day):%Y%m%d}"


async def test_a_new_run_number_begins_another_plan_and_the_old_one_stays_in_the_history(
    mirror: Mirror, plans: Plans, source: FakePlan, night: SteppingClock
) -> None:
    await mirror.poll()
    await plans.current(NAME)
    night.step(hours=1)
    source.remove("stream1", "stream2", "stream0.0", "stream0.1", "stream0.2", "pr-1")
    source.change("stream0", is_carried_forward=True)
    source.put(make_job(id="new", job_stream_id="stream0"))
    source.info = replace(source.info, run_number=2)
    merged = await mirror.poll()
    assert merged is not None
    assert merged.is_new_plan
    await assert_mirrored(plans, source)
    old, new = await plans.at(NAME, START), await plans.at(NAME, night.now)
    assert old is not None
    assert new is not None
    assert (old.run_number, len(old.jobs)) == (1, 12)
    assert (new.run_number, {job.object_id for job in new.jobs}) == (2, {"stream0.3", "new"})


async def test_the_history_tells_how_the_plan_looked_at_any_moment(
    mirror: Mirror, plans: Plans, source: FakePlan, night: SteppingClock
) -> None:
    await mirror.poll()
    for status in ("EXEC", "ABEND"):
        night.step(minutes=5)
        source.to("stream1.1", status)
        await mirror.poll()
    counts = []
    for minute in (0, 4, 5, 9, 10, 60):
        past = await plans.at(NAME, START + timedelta(minutes=minute))
        assert past is not None
        counts.append((past.counts["HOLD"], past.counts["EXEC"], past.counts["ABEND"], past.counts["SUCC"]))
    assert counts == [(9, 0, 0, 3), (9, 0, 0, 3), (8, 1, 0, 3), (8, 1, 0, 3), (8, 0, 1, 3), (8, 0, 1, 3)]
    assert await plans.at(NAME, START - timedelta(seconds=1)) is None


async def test_the_history_of_one_object_has_each_state_with_its_times(
    mirror: Mirror, plans: Plans, source: FakePlan, night: SteppingClock
) -> None:
    await mirror.poll()
    night.step(minutes=5)
    source.change("ws-1", is_linked=False, fence=50)
    source.change("stream1.1", is_late=True)
    await mirror.poll()
    states = await plans.history(NAME, "AGT1")
    later = START + timedelta(minutes=5)
    assert [(one.status, one.substatus, one.priority, one.valid_from, one.valid_to) for one in states] == [
        ("LINKED", "RUNNING", 0, START, later),
        ("UNLINKED", "RUNNING", 50, later, None),
    ]
    (job,) = await plans.history(NAME, "AGT1#STREAM1.JOB1")
    assert job.valid_from == START, "being late is no state of its own"


async def test_a_removed_object_has_an_end_in_the_history(
    mirror: Mirror, plans: Plans, source: FakePlan, night: SteppingClock
) -> None:
    await mirror.poll()
    night.step(minutes=1)
    source.remove("pr-1")
    await mirror.poll()
    (state,) = await plans.history(NAME, "GO")
    assert (state.valid_from, state.valid_to) == (START, night.now)


async def test_what_is_older_than_the_retention_goes_with_its_partition(
    make_mirror: MakeMirror, engine: AsyncEngine, source: FakePlan, night: SteppingClock
) -> None:
    mirror = make_mirror(settings=MirrorSettings(history_days=2, run_days=3))
    for status in ("EXEC", "SUCC", "ABEND", "EXEC", "SUCC"):
        await mirror.poll()
        source.to("stream1.1", status)
        night.step(days=1)
    async with engine.connect() as connection:
        oldest = (await connection.execute(select(func.min(CHANGES.c.valid_to)))).scalar()
        partitions = (
            await connection.execute(
                # Other tests live on other days, and the partitions of those stay.
                text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname BETWEEN :first AND :last"),
                {"first": _partition(0), "last": _partition(7)},
            )
        ).scalars()
        runs = (await connection.execute(select(func.count()).select_from(RUNS))).scalar()
        count = (await connection.execute(select(func.count()).select_from(OBJECTS))).scalar()
    assert oldest == START + timedelta(days=2)
    assert sorted(partitions) == [_partition(day) for day in range(2, 8)]
    assert (runs, count) == (0, len(source.objects))


async def test_statistics_are_those_of_the_successful_runs(
    mirror: Mirror, plans: Plans, source: FakePlan
) -> None:
    await mirror.poll()
    await plans.current(NAME)
    ran = [(10, "SUCC"), (20, "SUCC"), (90, "ABEND"), (30, "SUCC")]
    runs = tuple(
        make_run(
            id=f"run-{number}",
            status=status,
            return_code=0 if status == "SUCC" else 8,
            started_at=START + timedelta(hours=number),
            ended_at=START + timedelta(hours=number, minutes=minutes),
        )
        for number, (minutes, status) in enumerate(ran)
    )
    source.change("stream1.1", status="SUCC", common_status=CommonStatus.SUCCESSFUL, runs=runs)
    await mirror.poll()
    expected = RunStatistics(
        runs=3,
        median=timedelta(minutes=20),
        p95=timedelta(minutes=29),
        last_success_at=START + timedelta(hours=3, minutes=30),
    )
    assert (await plans.statistics(NAME))["AGT1#STREAM1.JOB1"] == expected
    plan = await plans.current(NAME)
    assert plan is not None
    assert plan.statistics["AGT1#STREAM1.JOB1"] == expected
    past = await plans.past_runs(NAME, "AGT1#STREAM1.JOB1", limit=2)
    assert [run.run_id for run in past] == ["run-3", "run-2"]
    assert past[1] == PastRun(
        run_id="run-2",
        status="ABEND",
        return_code=8,
        workstation="AGT_HR01",
        started_at=START + timedelta(hours=2),
        ended_at=START + timedelta(hours=3, minutes=30),
    )


async def test_a_run_that_is_confirmed_later_counts_as_it_was_confirmed(
    mirror: Mirror, plans: Plans, source: FakePlan
) -> None:
    source.change("stream1.1", status="ABEND", common_status=CommonStatus.ERROR, runs=(make_run(),))
    await mirror.poll()
    assert "AGT1#STREAM1.JOB1" not in await plans.statistics(NAME)
    source.to("stream1.1", "SUCC")
    source.change("stream1.1", runs=(make_run(status="SUCC"),))
    await mirror.poll()
    assert (await plans.statistics(NAME))["AGT1#STREAM1.JOB1"].runs == 1


async def test_a_graph_that_may_not_be_written_stays_as_it_is(engine: AsyncEngine) -> None:
    async def nothing() -> AsyncIterator[list[Any]]:
        for page in ():
            yield page

    async def refuse(_connection: object) -> None:
        raise LeaseLostError(NAME)

    async def one() -> AsyncIterator[list[Any]]:
        yield [("job", "A#B.C")]

    graph = KnowledgeGraph(engine)
    with pytest.raises(LeaseLostError):
        await graph.replace_source("plan", one(), nothing(), refuse, START, START)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM kg_nodes"))).scalar() == 0
