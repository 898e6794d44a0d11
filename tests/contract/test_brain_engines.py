"""Questions and changes where there are several engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.snapshots import PlanSnapshots
from observability.metrics import Metrics
from tests.support.brain_parts import ENGINE, Parts
from tests.support.simulator import PASSWORD, running_simulator
from tests.support.talk import Talk, open_talk
from tws.cache import CachedReads
from tws.engines import Engines, open_engines
from tws.settings import TwsSettings


@pytest.fixture
async def two(parts: Parts, engine: AsyncEngine, postgres_dsn: str) -> AsyncIterator[Talk]:
    """The night's engine, which nothing need be said for, and one where all is well."""
    async with running_simulator(scenario="healthy-night") as url:
        other = TwsSettings(url=url, username="resync", password=SecretStr(PASSWORD), name="TEST")
        async with open_engines([other], Metrics()) as opened:
            clients = {ENGINE: parts.tws, "TEST": opened.default}
            tools = replace(
                parts.tools,
                engines=Engines(clients, default=ENGINE),
                reads={name: CachedReads(client) for name, client in clients.items()},
                snapshots={name: PlanSnapshots(engine, engine_name=name) for name in clients},
            )
            async with open_talk(replace(parts, tools=tools), postgres_dsn) as talk:
                yield talk


async def test_an_engine_is_asked_by_its_name(two: Talk) -> None:
    first = await two.say("what failed?")
    other = await two.elsewhere().say("what failed on TEST?")

    assert "PAYROLL" in first.plain_text
    assert "TEST" not in first.plain_text
    assert "PAYROLL" not in other.plain_text
    assert "This is about the engine TEST." in other.plain_text


async def test_a_conversation_stays_with_its_engine_until_another_is_named(two: Talk) -> None:
    await two.say("o que falhou no TEST?")

    assert "PAYROLL" not in (await two.say("o que falhou?")).plain_text
    assert "PAYROLL" in (await two.say(f"o que falhou no {ENGINE}?")).plain_text


async def test_an_engine_that_may_only_be_read_is_not_changed(two: Talk) -> None:
    refused = await two.say("hold FECHAMENTO on TEST")

    assert refused.proposal is None


async def test_a_change_goes_to_the_engine_that_was_named(two: Talk) -> None:
    await two.say("what failed on TEST?")
    reply = await two.say(f"rerun PAYROLL on {ENGINE}")

    assert reply.proposal is not None
