"""The brain's parts in front of a simulated TWS master."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.brain_parts import Parts, open_parts
from tests.support.fault_proxy import FaultProxy, running_proxy
from tests.support.simulator import SteppingClock, running_simulator
from tests.support.talk import Talk, open_talk
from tests.support.tws_operator import Operator


@pytest.fixture(scope="session")
async def still_tws_url() -> AsyncIterator[str]:
    """One master for all tests that only look."""
    async with running_simulator() as url:
        yield url


@pytest.fixture
async def tws_url() -> AsyncIterator[str]:
    """A master for a test that changes its plan; changes show after a tenth of a second."""
    async with running_simulator(apply_delay=(0.05, 0.1)) as url:
        yield url


@pytest.fixture
async def proxy(still_tws_url: str) -> AsyncIterator[FaultProxy]:
    async with running_proxy(still_tws_url) as running:
        yield running


@pytest.fixture
async def parts(engine: AsyncEngine, proxy: FaultProxy) -> AsyncIterator[Parts]:
    async with open_parts(engine, proxy.url) as opened:
        yield opened


@pytest.fixture
async def talk(parts: Parts, postgres_dsn: str) -> AsyncIterator[Talk]:
    async with open_talk(parts, postgres_dsn) as opened:
        yield opened


@pytest.fixture
async def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def tws(session: aiohttp.ClientSession, clock: SteppingClock) -> AsyncIterator[Operator]:
    async with running_simulator(clock=clock, apply_delay=(1.0, 3.0)) as url:
        yield Operator(session, url)
