"""Mirrors of a plan in memory, at a night's time that goes on only when it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from observability.metrics import Metrics
from tests.support.fake_plan import FakePlan
from tests.support.simulator import SteppingClock
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings

NAME = "PROD"
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MakeMirror = Callable[..., Mirror]


@asynccontextmanager
async def open_mirrors(
    engine: AsyncEngine, source: FakePlan, clock: SteppingClock
) -> AsyncIterator[MakeMirror]:
    """Makes mirrors, each as if in a process of its own, and closes them."""
    made: list[Mirror] = []

    def make(**options: Any) -> Mirror:
        parts: dict[str, Any] = {
            "source": source,
            "settings": MirrorSettings(),
            "metrics": Metrics(),
            "clock": clock,
        }
        made.append(Mirror(engine, name=NAME, **(parts | options)))
        return made[-1]

    yield make
    for mirror in made:
        await mirror.aclose()


async def assert_mirrored(plans: Plans, source: FakePlan) -> None:
    """The copy in memory has what the engine has, object by object."""
    plan = await plans.current(NAME)
    assert plan is not None
    streams = {each.id: each async for page in source.all_job_streams() for each in page}
    assert plan.jobs == {each.id: each async for page in source.all_jobs() for each in page}
    assert plan.job_streams == streams
    assert plan.workstations == {each.name: each for each in await source.workstations()}
    assert plan.resources == {each.selection: each for each in await source.resources()}
    assert plan.prompts == {each.id: each for each in await source.prompts()}
    assert plan.run_number == source.info.run_number
