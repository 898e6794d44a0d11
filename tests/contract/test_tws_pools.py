"""A pool is known with its members, so that one without a running agent can be named as the reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from observability.metrics import Metrics
from tests.support.scripted_client import connected
from tests.support.simulator import PASSWORD, running_simulator
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings
from tws.objects import JobFilter
from tws.why import Cause, reasons

POOL = """
title: A pool whose agents are away
seen_at: 10
workstations:
  MDM: {type: MANAGER, os: LINUX, limit: 10, description: Master}
  AGT1: {type: AGENT, os: LINUX, limit: 4, description: First, is_linked: false}
  AGT2: {type: AGENT, os: LINUX, limit: 4, description: Second, is_linked: false}
  POOL1: {type: POOL, os: OTHER, limit: 8, description: Both, members: [AGT1, AGT2]}
streams:
  S: {workstation: POOL1, starts: 0, steps: [A]}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "pool.yaml"
    path.write_text(POOL)
    return str(path)


async def test_the_members_of_a_pool_come_from_its_definition(scenario: str) -> None:
    async with (
        running_simulator(scenario=scenario) as url,
        connected(url, username="operator", password=PASSWORD) as client,
    ):
        members = {one.name: one.members for one in await client.workstations()}

    assert members == {"MDM": None, "AGT1": None, "AGT2": None, "POOL1": ("AGT1", "AGT2")}


async def test_an_empty_pool_is_the_reason_why_its_job_does_not_start(
    engine: AsyncEngine, scenario: str
) -> None:
    plans = Plans(engine, fresh_for=timedelta())
    async with (
        running_simulator(scenario=scenario) as url,
        connected(url, username="operator", password=PASSWORD) as client,
    ):
        mirror = Mirror(engine, name="TWS", source=client, settings=MirrorSettings(), metrics=Metrics())
        await mirror.poll()
        (job,) = (await client.query_jobs(JobFilter(name="A"))).jobs
        plan = await plans.current("TWS")
        await mirror.aclose()

    assert plan is not None
    assert Cause.POOL_EMPTY in [one.cause for one in reasons(plan, plan.jobs[job.id], plan.read_at)]
