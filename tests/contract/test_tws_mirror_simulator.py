"""The mirror over the client and a simulated master, against what the master says when it is asked for everything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from pydantic import SecretStr

from observability.metrics import Metrics
from tests.support.mirrored import NAME, MakeMirror
from tests.support.simulator import PASSWORD, SteppingClock, running_simulator
from tws.actions import Action, Change, kind_of
from tws.client import TwsClient
from tws.justification import Justification
from tws.mirror.plans import Plans
from tws.mirror.settings import MirrorSettings
from tws.objects import Dependency, Job, JobFilter, JobStream
from tws.settings import TwsSettings
from tws.transport import open_session

_Owner = TypeVar("_Owner", Job, JobStream)
_RARELY_WHOLE = MirrorSettings(full_interval=timedelta(hours=1))


@pytest.fixture
async def client(night: SteppingClock) -> AsyncIterator[TwsClient]:
    async with running_simulator(clock=night) as url:
        settings = TwsSettings(url=url, username="operator", password=SecretStr(PASSWORD), write=True)
        async with open_session(settings) as session:
            yield TwsClient(settings, session, Metrics())


async def _assert_same(plans: Plans, client: TwsClient) -> None:
    plan = await plans.current(NAME)
    assert plan is not None
    jobs = [job async for page in client.all_jobs() for job in page]
    streams = [stream async for page in client.all_job_streams() for stream in page]
    assert _comparable(plan.jobs.values()) == _comparable(jobs)
    assert _comparable(plan.job_streams.values()) == _comparable(streams)
    assert plan.workstations == {one.name: one for one in await client.workstations()}
    assert plan.resources == {one.selection: one for one in await client.resources()}
    assert plan.prompts == {one.id: one for one in await client.prompts()}
    assert plan.run_number == (await client.plan_info()).run_number


def _comparable(owners: Iterable[_Owner]) -> dict[str, _Owner]:
    """Without the free units of resources: the mirror has them, up to date, at the resources themselves."""
    return {one.id: replace(one, dependencies=tuple(map(_without_units, one.dependencies))) for one in owners}


def _without_units(dependency: Dependency) -> Dependency:
    return replace(dependency, available=None, held=None)


async def test_the_mirror_follows_the_night_and_the_next_plan(
    make_mirror: MakeMirror, plans: Plans, client: TwsClient, night: SteppingClock
) -> None:
    mirror = make_mirror(source=client, settings=_RARELY_WHOLE)
    await mirror.poll()
    await _assert_same(plans, client)
    plan = await plans.current(NAME)
    assert plan is not None
    assert len(plan.jobs) > 100
    for _ in range(4):
        night.step(minutes=10)
        await mirror.poll()
        await _assert_same(plans, client)
    night.step(days=1)
    merged = await mirror.poll()
    assert merged is not None
    assert merged.is_new_plan
    await _assert_same(plans, client)
    assert await plans.statistics(NAME)


@pytest.mark.parametrize("action", [Action.HOLD, Action.CANCEL, Action.RERUN, Action.CONFIRM_SUCC])
async def test_a_change_is_seen_by_the_next_poll(
    make_mirror: MakeMirror, plans: Plans, client: TwsClient, night: SteppingClock, action: Action
) -> None:
    mirror = make_mirror(source=client, settings=_RARELY_WHOLE)
    await mirror.poll()
    status = "ABEND" if action in {Action.RERUN, Action.CONFIRM_SUCC} else "HOLD"
    job, *_ = (await client.query_jobs(JobFilter(statuses=(status,)))).jobs
    change = Change(action=action, kind=kind_of(job), object_id=job.id, selection=job.selection)
    await client.carry_out(change, Justification(reason="test"))
    night.step(seconds=10)
    await mirror.poll()
    await _assert_same(plans, client)
    plan = await plans.current(NAME)
    assert plan is not None
    after = plan.jobs[job.id]
    assert (after.status, after.priority, after.canceled, after.runs) != (
        job.status,
        job.priority,
        job.canceled,
        job.runs,
    )
