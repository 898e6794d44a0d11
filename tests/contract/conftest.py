"""The brain's parts in front of a simulated TWS master."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.brain_parts import Parts, open_parts
from tests.support.fake_openai import FakeOpenAi
from tests.support.fake_plan import FakePlan, make_plan
from tests.support.fault_proxy import FaultProxy, running_proxy
from tests.support.mirrored import START, MakeMirror, open_mirrors
from tests.support.simulator import SteppingClock, running_simulator
from tests.support.talk import Talk, open_modelled_talk, open_talk
from tests.support.tws_operator import Operator
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror


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
async def model() -> AsyncIterator[FakeOpenAi]:
    async with FakeOpenAi() as provider:
        yield provider


@pytest.fixture
async def modelled(parts: Parts, postgres_dsn: str, model: FakeOpenAi) -> AsyncIterator[Talk]:
    """A conversation with a language model."""
    async with open_modelled_talk(parts, postgres_dsn, model) as opened:
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


@pytest.fixture
async def night() -> SteppingClock:
    return SteppingClock(START)


@pytest.fixture
async def source() -> FakePlan:
    """A small plan that the test changes at will."""
    return make_plan()


@pytest.fixture
async def plans(engine: AsyncEngine) -> Plans:
    """Looks at each call whether there is something newer."""
    return Plans(engine, fresh_for=timedelta(0))


@pytest.fixture
async def make_mirror(
    engine: AsyncEngine, source: FakePlan, night: SteppingClock
) -> AsyncIterator[MakeMirror]:
    async with open_mirrors(engine, source, night) as make:
        yield make


@pytest.fixture
async def mirror(make_mirror: MakeMirror) -> Mirror:
    return make_mirror()
