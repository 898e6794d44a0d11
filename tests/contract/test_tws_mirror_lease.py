"""Who keeps the mirror, and what happens when nobody can."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.fake_plan import FakePlan, make_plan
from tests.support.mirrored import NAME, MakeMirror, assert_mirrored
from tests.support.waiting import eventually
from tws.mirror.lease import LeaseLostError
from tws.mirror.plans import Plans
from tws.mirror.settings import MirrorSettings
from tws.tables import LEASES


async def test_an_outage_is_recorded_until_it_ends(
    make_mirror: MakeMirror, plans: Plans, source: FakePlan
) -> None:
    mirror = make_mirror(settings=MirrorSettings(poll_interval=timedelta(milliseconds=20)))
    source.pages_until_failure = 0
    mirror.start()
    outage = await eventually(lambda: plans.outage(NAME))
    assert outage is not None
    assert outage.failure == "tws_unreachable"
    source.pages_until_failure = None
    await eventually(lambda: plans.current(NAME))
    assert await plans.outage(NAME) is None
    await assert_mirrored(plans, source)


async def test_a_switched_off_mirror_never_polls(make_mirror: MakeMirror, plans: Plans) -> None:
    settings = MirrorSettings(enabled=False, poll_interval=timedelta(milliseconds=1))
    make_mirror(settings=settings).start()
    await asyncio.sleep(0.1)
    assert await plans.current(NAME) is None


async def test_of_two_processes_one_polls_and_the_other_takes_over_when_it_dies(
    make_mirror: MakeMirror, plans: Plans, source: FakePlan
) -> None:
    first, second = make_mirror(lease_lifetime=timedelta(seconds=1)), make_mirror()
    assert await first.poll() is not None
    assert await second.poll() is None
    source.to("stream1.1", "EXEC")
    assert await eventually(second.poll, seconds=10)  # nobody renews the first one's lease any more
    assert await first.poll() is None
    await assert_mirrored(plans, source)


async def test_a_process_that_stops_leaves_the_mirror_at_once(make_mirror: MakeMirror) -> None:
    first, second = make_mirror(), make_mirror()
    await first.poll()
    await first.aclose()
    assert await second.poll() is not None


async def test_who_gets_the_mirror_back_reads_everything_anew(
    make_mirror: MakeMirror, plans: Plans, source: FakePlan
) -> None:
    first, second = make_mirror(), make_mirror()
    await first.poll()
    await first.aclose()
    await second.poll()
    assert await first.poll() is None
    await second.aclose()
    source.change("stream2.2", priority=77)  # no counter tells
    await first.poll()
    await assert_mirrored(plans, source)


async def test_a_former_owner_that_was_paused_cannot_overwrite(
    make_mirror: MakeMirror,
    engine: AsyncEngine,
    plans: Plans,
    source: FakePlan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused, reading = asyncio.Event(), asyncio.Event()
    stale = make_plan()

    async def prompts() -> tuple[Any, ...]:
        reading.set()
        await paused.wait()
        return ()

    monkeypatch.setattr(stale, "prompts", prompts)
    former = make_mirror(source=stale)
    poll = asyncio.create_task(former.poll())
    await reading.wait()
    async with engine.begin() as connection:
        await connection.execute(update(LEASES).values(expires_at=func.now() - timedelta(seconds=1)))
    source.to("stream1.1", "EXEC")
    await make_mirror().poll()
    paused.set()
    with pytest.raises(LeaseLostError):
        await poll
    await assert_mirrored(plans, source)


async def test_a_long_poll_keeps_its_lease(
    make_mirror: MakeMirror, source: FakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow_prompts() -> tuple[Any, ...]:
        await asyncio.sleep(1.5)
        return ()

    monkeypatch.setattr(source, "prompts", slow_prompts)
    first, second = make_mirror(lease_lifetime=timedelta(seconds=1)), make_mirror(source=make_plan())
    poll = asyncio.create_task(first.poll())
    await asyncio.sleep(1.2)
    assert await second.poll() is None
    assert await poll is not None
