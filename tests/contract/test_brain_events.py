"""The events of a turn, for readers that come early, late, together, or without the wake-up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from observability.metrics import Metrics
from tests.support.turns import make_message

_PATIENCE = timedelta(seconds=10)


@pytest.fixture
async def turn_id(engine: AsyncEngine) -> str:
    return (await Inbox(engine, Metrics()).accept(make_message())).turn_id


@pytest.fixture
async def events(engine: AsyncEngine, postgres_dsn: str) -> AsyncIterator[TurnEvents]:
    separator = "&" if "?" in postgres_dsn else "?"
    opened = TurnEvents(engine, f"{postgres_dsn}{separator}application_name=events")
    opened.start()
    yield opened
    await opened.aclose()


async def _read(events: TurnEvents, turn_id: str) -> list[str]:
    return [event.data async for event in events.follow(turn_id, patience=_PATIENCE)]


async def test_every_reader_gets_everything_whenever_it_comes(events: TurnEvents, turn_id: str) -> None:
    early = [asyncio.create_task(_read(events, turn_id)) for _ in range(3)]
    await events.publish(turn_id, "progress", "1")
    await events.publish(turn_id, "delta", "2")
    await events.publish(turn_id, "reply", "3")
    assert await asyncio.gather(*early) == [["1", "2", "3"]] * 3
    assert await _read(events, turn_id) == ["1", "2", "3"]


async def test_turns_do_not_mix(events: TurnEvents, turn_id: str, engine: AsyncEngine) -> None:
    other = (await Inbox(engine, Metrics()).accept(make_message(conversation="c2"))).turn_id
    await events.publish(other, "reply", "theirs")
    await events.publish(turn_id, "reply", "ours")
    assert await _read(events, turn_id) == ["ours"]


async def test_another_process_may_write_and_no_wake_up_need_arrive(
    engine: AsyncEngine, postgres_dsn: str, turn_id: str
) -> None:
    deaf = TurnEvents(engine, postgres_dsn)
    reader = asyncio.create_task(_read(deaf, turn_id))
    await asyncio.sleep(0.05)
    await TurnEvents(engine, postgres_dsn).publish(turn_id, "reply", "done")
    assert await reader == ["done"]


async def test_the_listener_comes_back_after_its_connection_was_lost(
    events: TurnEvents, turn_id: str, engine: AsyncEngine
) -> None:
    async def listening() -> int:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'events'"
        async with asyncio.timeout(10):
            while True:
                async with engine.connect() as connection:
                    pid = (await connection.execute(text(query))).scalar()
                if pid is not None:
                    return int(pid)
                await asyncio.sleep(0.02)

    first = await listening()
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first})
    assert await listening() != first
    await events.publish(turn_id, "reply", "done")
    assert await _read(events, turn_id) == ["done"]


async def test_events_go_with_their_turn(events: TurnEvents, turn_id: str, engine: AsyncEngine) -> None:
    await events.publish(turn_id, "reply", "done")
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM turns"))
        left = await connection.execute(text("SELECT count(*) FROM turn_events"))
        assert left.scalar() == 0
