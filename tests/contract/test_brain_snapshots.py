"""The last overview that could be read: the newest one of each engine, for every replica."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from brain.snapshots import PlanSnapshots
from tests.support.plan import make_job, make_run


async def test_the_newest_overview_is_kept_as_it_was_read(engine: AsyncEngine) -> None:
    here, replica = (PlanSnapshots(engine, engine_name="https://tws") for _ in range(2))
    assert await here.latest() is None
    await here.keep({"ERROR": 2}, (make_job(), make_job(name="APURACAO")))
    newest = await here.keep({"ERROR": 1}, (make_job(runs=(make_run(return_code=None, ended_at=None),)),))
    assert await replica.latest() == newest
    (failed,) = newest.failed
    assert (failed.selection, failed.return_code, failed.ended_at) == (
        "AGT_HR01#PAYDAILY.PAYROLL",
        None,
        None,
    )
    assert timedelta() <= datetime.now(UTC) - newest.taken_at < timedelta(minutes=1)


async def test_engines_do_not_share_their_overviews(engine: AsyncEngine) -> None:
    await PlanSnapshots(engine, engine_name="https://tws-1").keep({"ERROR": 0}, ())
    assert await PlanSnapshots(engine, engine_name="https://tws-2").latest() is None


async def test_a_failed_job_that_never_ran_is_kept_too(engine: AsyncEngine) -> None:
    snapshots = PlanSnapshots(engine, engine_name="https://tws")
    kept = await snapshots.keep({"ERROR": 1}, (make_job(status="FAIL", runs=()),))
    assert await snapshots.latest() == kept
