"""What is kept of conversations and for how long: forgetting at their wish, retention, memories of other releases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.conversations import Conversations
from brain.message import InboundMessage
from brain.reply import Reply, from_json, to_json
from brain.reply import text as words_of
from brain.retention import Retention
from brain.settings import RetentionSettings
from brain.tables import MODEL_CALLS, TURN_EVENTS, TURNS
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from brain.turns.ledger import Ledger
from observability.metrics import Metrics
from security.audit import AuditLog
from tests.support.brain_parts import Parts
from tests.support.metered import open_meter
from tests.support.talk import Talk
from tests.support.turns import make_message
from tests.support.waiting import until

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


@pytest.fixture
async def saver(postgres_dsn: str) -> AsyncIterator[AsyncPostgresSaver]:
    async with AsyncPostgresSaver.from_conn_string(postgres_dsn) as opened:
        await opened.conn.execute("DELETE FROM checkpoints")  # type: ignore[union-attr]  # a connection
        yield opened


async def _turn(engine: AsyncEngine, postgres_dsn: str, message: InboundMessage, *, done: bool = True) -> str:
    """A turn that was answered with a secret, with its events and a call of a model."""
    turn_id = (await Inbox(engine, Metrics()).accept(message)).turn_id
    reply = Reply(blocks=(words_of("secret answer"),), plain_text="secret answer", agent="status")
    events, ledger = TurnEvents(engine, postgres_dsn), Ledger(engine, engine)
    await events.publish(turn_id, "delta", "secret piece")
    await events.publish(turn_id, "reply", to_json(reply))
    async with open_meter(engine) as meter:
        meter.provider.say("Ok.")
        await meter.ask(by=turn_id)
    async with engine.begin() as connection:
        await connection.execute(
            update(MODEL_CALLS)
            .where(MODEL_CALLS.c.turn_id == f"turn-{turn_id}")
            .values(turn_id=turn_id, sent=[{"role": "user", "text": "secret prompt"}])
        )
    if done:
        await ledger.answer(turn_id, reply, outcome="answered")
        await ledger.close(turn_id)
    return turn_id


async def _texts(engine: AsyncEngine, turn_id: str) -> str:
    """All that is stored of a turn."""
    async with engine.connect() as connection:
        found = [
            (await connection.execute(select(table).where(table.c.turn_id == turn_id))).all()
            for table in (TURNS, TURN_EVENTS, MODEL_CALLS)
        ]
    return str(found)


async def _count(engine: AsyncEngine, table: Any) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


@pytest.mark.parametrize(
    ("words", "said", "notice"),
    [
        ("forget this conversation", "The conversation is forgotten", "This was forgotten"),
        ("Por favor, esqueça esta conversa.", "A conversa foi esquecida", "Isto foi esquecido"),
    ],
)
async def test_a_conversation_is_forgotten_when_it_says_so(
    talk: Talk, engine: AsyncEngine, postgres_dsn: str, parts: Parts, words: str, said: str, notice: str
) -> None:
    asked = make_message("secret question", conversation=talk.conversation.conversation_id)
    mine = await _turn(engine, postgres_dsn, asked)
    waiting = await _turn(engine, postgres_dsn, replace(asked, delivery_id="next"), done=False)
    other = await _turn(engine, postgres_dsn, make_message("secret question", conversation="elsewhere"))
    proposed = await talk.say("rerun PAYROLL")
    assert proposed.proposal is not None

    reply = await talk.say(words)

    assert reply.agent == "conversation"
    assert reply.plain_text.startswith(said)
    assert "secret" not in await _texts(engine, mine)
    assert (await _texts(engine, other)).count("secret") == (await _texts(engine, waiting)).count(
        "secret"
    ) + 2
    async with engine.connect() as connection:
        (event,) = await connection.execute(
            select(TURN_EVENTS.c.data).where(TURN_EVENTS.c.turn_id == mine, TURN_EVENTS.c.kind == "reply")
        )
    assert from_json(event.data).plain_text.startswith(notice)
    # Nothing is remembered, and what was proposed is still there.
    assert (await talk.say("rerun it")).plain_text in {"Which job do you mean?", "De qual job você fala?"}
    assert await parts.proposals.stats() == {"open": 1}
    assert ("operator", "forget", "other") in await parts.audited()


async def test_what_only_sounds_like_it_forgets_nothing(talk: Talk, parts: Parts) -> None:
    await talk.say("status of PAYROLL")
    for words in (
        "don't forget this conversation",
        "forget it",
        "what happens if I forget this conversation?",
    ):
        await talk.say(words)
    proposed = await talk.say("rerun it")
    assert proposed.proposal is not None
    assert ("operator", "forget", "other") not in await parts.audited()


@pytest.mark.parametrize(
    "stored",
    [
        "a text",
        None,
        {"locale": "de", "engine": 7, "selection": ["x"], "candidates": "x", "gone": {"a": 1}},
        {"candidates": ["A", "B"], "sentences": None},
    ],
)
async def test_a_memory_that_another_release_stored_does_not_break_the_conversation(
    talk: Talk, saver: AsyncPostgresSaver, stored: object
) -> None:
    await talk.say("hello")
    found = await saver.aget_tuple({"configurable": {"thread_id": talk.conversation.key}})
    assert found is not None
    version = saver.get_next_version(found.checkpoint["channel_versions"]["memory"], None)
    checkpoint = found.checkpoint | {
        "channel_values": {"memory": stored},
        "channel_versions": {**found.checkpoint["channel_versions"], "memory": version},
    }
    await saver.aput(found.config, checkpoint, found.metadata, {"memory": version})

    assert (await talk.say("2")).agent == "clarify"
    assert (await talk.say("status of PAYROLL")).plain_text.startswith(f"{_PAYROLL}: ABEND")
    assert (await talk.say("why?")).plain_text.startswith(f"{_PAYROLL} ended in ABEND")


def _retention(engine: AsyncEngine, saver: AsyncPostgresSaver, **days: int) -> Retention:
    conversations = Conversations(engine, saver, AuditLog())
    return Retention(engine, conversations, RetentionSettings(**days), keep_sent_days=7)


async def _age(engine: AsyncEngine, days: int) -> None:
    """As if so many days had passed for all that is there."""
    moved = timedelta(days=days)
    async with engine.begin() as connection:
        await connection.execute(update(TURNS).values(finished_at=TURNS.c.finished_at - moved))
        await connection.execute(update(MODEL_CALLS).values(started_at=MODEL_CALLS.c.started_at - moved))
        await connection.execute(
            text(
                "UPDATE checkpoints SET checkpoint = jsonb_set(checkpoint, '{ts}',"
                " to_jsonb(((checkpoint ->> 'ts')::timestamptz - make_interval(days => :days))::text))"
            ),
            {"days": days},
        )


async def test_a_memory_that_nobody_can_read_is_begun_anew(talk: Talk, saver: AsyncPostgresSaver) -> None:
    await talk.say("status of PAYROLL")
    await saver.conn.execute("UPDATE checkpoint_blobs SET blob = 'nonsense'::bytea WHERE channel = 'memory'")  # type: ignore[union-attr]  # a connection
    other = await talk.say("rerun it")
    assert other.proposal is None
    assert other.agent == "clarify"
    await talk.say("status of PAYROLL")
    assert (await talk.say("rerun it")).proposal is not None


async def test_what_is_too_old_goes_step_by_step_and_what_is_unfinished_stays(
    engine: AsyncEngine, postgres_dsn: str, saver: AsyncPostgresSaver
) -> None:
    turn_id = await _turn(engine, postgres_dsn, make_message())
    waiting = await _turn(engine, postgres_dsn, make_message(), done=False)
    retention = _retention(engine, saver, events_days=30, turns_days=60, model_calls_days=90)
    await asyncio.gather(*(retention.run_once() for _ in range(3)))
    assert (await _texts(engine, turn_id)).count("secret") == 6

    await _age(engine, 8)
    await retention.run_once()
    assert "secret prompt" not in await _texts(engine, turn_id)
    assert "secret piece" in await _texts(engine, turn_id)
    await _age(engine, 23)
    await retention.run_once()
    assert "secret piece" not in await _texts(engine, turn_id)
    assert "secret answer" in await _texts(engine, turn_id)
    await _age(engine, 30)
    await retention.run_once()
    assert "secret" not in await _texts(engine, turn_id)
    assert await _count(engine, MODEL_CALLS) == 2
    await _age(engine, 30)
    await retention.run_once()
    assert await _count(engine, MODEL_CALLS) == 0
    assert "secret piece" in await _texts(engine, waiting)


async def test_only_the_last_checkpoint_is_kept_and_the_memory_with_it_for_months(
    talk: Talk, engine: AsyncEngine, saver: AsyncPostgresSaver
) -> None:
    for words in ("status of PAYROLL", "why?", "hello"):
        await talk.say(words)
    config: Any = {"configurable": {"thread_id": talk.conversation.key}}
    assert len([one async for one in saver.alist(config)]) > 1
    retention = _retention(engine, saver)
    await retention.run_once()
    assert len([one async for one in saver.alist(config)]) == 1

    await _age(engine, 399)
    await retention.run_once()
    assert (await talk.say("why?")).plain_text.startswith(f"{_PAYROLL} ended in ABEND")

    await _age(engine, 401)
    await retention.run_once()
    assert await saver.aget_tuple(config) is None
    assert (await talk.say("rerun it")).plain_text == "Which job do you mean?"


async def test_a_round_begins_with_the_process_and_ends_with_it(
    engine: AsyncEngine, postgres_dsn: str, saver: AsyncPostgresSaver
) -> None:
    turn_id = await _turn(engine, postgres_dsn, make_message())
    await _age(engine, 500)
    retention = _retention(engine, saver)
    retention.start()
    await until(lambda: _texts(engine, turn_id), lambda found: "secret" not in found)
    await retention.aclose()
