"""The durable inbox and the events of a turn, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Channel, Conversation, InboundMessage, Sender
from brain.tables import TURNS
from brain.turns.events import TurnEvents
from brain.turns.inbox import Accepted, Inbox
from observability.metrics import Metrics
from tests.support.turns import make_message


def _message(delivery_id: str, tenant: str = "T1") -> InboundMessage:
    return InboundMessage(
        delivery_id=delivery_id,
        conversation=Conversation(channel=Channel.SLACK, tenant=tenant, conversation_id="C1"),
        sender=Sender(channel=Channel.SLACK, tenant=tenant, user_id="U1"),
        text="what failed?",
        received_at=datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
    )


async def test_second_delivery_joins_the_first_turn(engine: AsyncEngine) -> None:
    metrics = Metrics()
    inbox = Inbox(engine, metrics)
    first = await inbox.accept(_message("E1"))
    second = await inbox.accept(_message("E1"))
    assert not first.duplicate
    assert second.duplicate
    assert second.turn_id == first.turn_id
    assert await inbox.find(first.turn_id) == _message("E1")
    assert await inbox.find("unknown") is None
    counted = metrics.render().decode()
    assert 'resync_deliveries_total{channel="slack",result="new"} 1.0' in counted
    assert 'resync_deliveries_total{channel="slack",result="duplicate"} 1.0' in counted
    assert 'resync_ack_seconds_count{channel="slack"} 2.0' in counted


async def test_a_conversation_is_known_once_it_was_taken_part_in(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Metrics())
    conversation = _message("E1").conversation
    assert not await inbox.knows(conversation)
    await inbox.accept(_message("E1"))
    assert await inbox.knows(conversation)


async def test_same_delivery_id_of_another_tenant_is_another_message(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Metrics())
    first = await inbox.accept(_message("E1"))
    other = await inbox.accept(_message("E1", tenant="T2"))
    assert not other.duplicate
    assert other.turn_id != first.turn_id


async def test_concurrent_deliveries_make_one_turn_and_one_job(engine: AsyncEngine) -> None:
    replicas = [Inbox(engine, Metrics()) for _ in range(2)]
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM pgqueuer"))
    accepted = await asyncio.gather(*(inbox.accept(_message("E1")) for _ in range(10) for inbox in replicas))
    assert len({one.turn_id for one in accepted}) == 1
    assert [one.duplicate for one in accepted].count(False) == 1
    async with engine.begin() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM pgqueuer"))).scalar() == 1
        await connection.execute(text("DELETE FROM pgqueuer"))


async def test_messages_that_come_together_keep_their_order_and_a_bad_one_harms_none(
    engine: AsyncEngine,
) -> None:
    inbox = Inbox(engine, Metrics())
    bad = replace(_message("bad"), text="NUL \0")
    wanted = [_message(f"E{number}") for number in range(30)]
    *accepted, refused = await asyncio.gather(
        *map(inbox.accept, wanted), inbox.accept(bad), return_exceptions=True
    )
    assert isinstance(refused, DBAPIError)
    async with engine.connect() as connection:
        query = text("SELECT turn_id, delivery_id, message->>'text' AS said FROM turns ORDER BY seq")
        stored = (await connection.execute(query)).all()
        jobs = (await connection.execute(text("SELECT count(*) FROM pgqueuer"))).scalar()
    assert [row.delivery_id for row in stored] == [one.delivery_id for one in wanted]
    assert [row.turn_id for row in stored] == [one.turn_id for one in accepted if isinstance(one, Accepted)]
    assert jobs == 30


async def test_events_are_read_from_the_first_and_end_with_the_reply(
    engine: AsyncEngine, postgres_dsn: str
) -> None:
    turn_id = (await Inbox(engine, Metrics()).accept(_message("E1"))).turn_id
    events = TurnEvents(engine, postgres_dsn)
    events.start()
    try:
        await events.publish(turn_id, "progress", "reading the plan")

        async def read() -> list[tuple[int, str, str]]:
            return [
                (event.number, event.kind, event.data)
                async for event in events.follow(turn_id, patience=timedelta(seconds=5))
            ]

        reader = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        await events.publish(turn_id, "delta", "PAYROLL")
        await events.publish(turn_id, "reply", "{}")
        assert await reader == [
            (1, "progress", "reading the plan"),
            (2, "delta", "PAYROLL"),
            (3, "reply", "{}"),
        ]
    finally:
        await events.aclose()


async def test_following_gives_up_when_no_reply_comes(engine: AsyncEngine, postgres_dsn: str) -> None:
    turn_id = (await Inbox(engine, Metrics()).accept(_message("E1"))).turn_id
    events = TurnEvents(engine, postgres_dsn)
    with pytest.raises(TimeoutError):
        async for _ in events.follow(turn_id, patience=timedelta(milliseconds=50)):
            pass


async def test_what_nobody_has_begun_to_answer_can_be_taken_back(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Metrics())
    message = make_message("rerun PAYROLL")
    accepted = await inbox.accept(message)
    where = message.conversation.channel, message.conversation.tenant
    assert not await inbox.recall(*where, "another")
    assert await inbox.recall(*where, message.delivery_id)
    assert not await inbox.recall(*where, message.delivery_id)
    async with engine.connect() as connection:
        query = select(TURNS.c.state, TURNS.c.outcome).where(TURNS.c.turn_id == accepted.turn_id)
        assert tuple((await connection.execute(query)).one()) == ("done", "recalled")
