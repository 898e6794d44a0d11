"""Workers on a real queue: order, parallel work, takeover, and an end without loss."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from brain.message import ButtonPress, Verb
from brain.reply import from_jsonable
from brain.turns.ledger import Ledger, Turn
from tests.support.turns import ScriptedAnswers, Turns, make_message, open_turns


@pytest.fixture
def answers() -> ScriptedAnswers:
    return ScriptedAnswers()


@pytest.fixture
async def turns(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, answers: ScriptedAnswers
) -> AsyncIterator[Turns]:
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM pgqueuer"))
    async with open_turns(engine, postgres_dsn, redis_url, answers) as opened:
        yield opened


async def _dawdle(_turn: Turn) -> None:
    await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311  # any order would do


async def test_a_conversation_is_answered_in_its_order(turns: Turns, answers: ScriptedAnswers) -> None:
    answers.before = _dawdle
    async with turns.working():
        for number in range(12):
            await turns.say(f"{number}")
        await turns.mailbox.wait_for(12)
    assert turns.mailbox.words == [f"{number}" for number in range(12)]


async def test_conversations_do_not_wait_for_each_other(turns: Turns, answers: ScriptedAnswers) -> None:
    other_is_done = asyncio.Event()

    async def wait_for_the_other(turn: Turn) -> None:
        if turn.message.text == "first":
            await other_is_done.wait()
        else:
            other_is_done.set()

    answers.before = wait_for_the_other
    async with turns.working():
        await turns.say("first", conversation="c1")
        await turns.say("second", conversation="c2")
        await turns.mailbox.wait_for(2)
    assert set(turns.mailbox.words) == {"first", "second"}


async def test_who_asks_again_at_once_has_a_place_behind_those_who_wait(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    async def ask_again(turn: Turn) -> None:
        await _dawdle(turn)
        conversation, number = turn.message.text.split()
        if conversation != "patient" and int(number) < 20:
            await turns.say(f"{conversation} {int(number) + 1}", conversation=conversation)

    answers.before = ask_again
    for conversation in ("eager", "keen", "patient"):
        await turns.say(f"{conversation} 0", conversation=conversation)
    async with turns.working(concurrency=2):
        await turns.mailbox.wait_for(43)
    assert turns.mailbox.words.index("patient 0") < 10


async def test_a_decision_does_not_hold_up_its_conversation(turns: Turns, answers: ScriptedAnswers) -> None:
    asked = asyncio.Event()

    async def wait_for_the_plan(turn: Turn) -> None:
        if turn.message.decision is not None:
            await asked.wait()
        else:
            asked.set()

    answers.before = wait_for_the_plan
    async with turns.working():
        await turns.say("", button=ButtonPress(verb=Verb.APPROVE, value="p1"))
        await turns.say("what failed meanwhile?")
        await turns.mailbox.wait_for(2)
    assert set(turns.mailbox.words) == {"what failed meanwhile?", ""}


async def test_two_workers_share_the_work_and_never_a_conversation(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def watch(turn: Turn) -> None:
        key = turn.message.order_key
        running[key] += 1
        most[key] = max(most[key], running[key])
        await _dawdle(turn)
        running[key] -= 1

    answers.before = watch
    async with turns.working(), turns.working():
        await asyncio.gather(*(turns.say(f"{n}", conversation=f"c{n % 5}") for n in range(40)))
        await turns.mailbox.wait_for(40)
    assert sorted(turns.mailbox.words, key=int) == [f"{n}" for n in range(40)]
    assert set(most.values()) == {1}


async def test_the_turn_of_a_worker_that_died_is_taken_over(
    turns: Turns, answers: ScriptedAnswers, engine: AsyncEngine, database_url: str
) -> None:
    message = make_message()
    doomed = create_async_engine(
        database_url, connect_args={"server_settings": {"application_name": "doomed"}}
    )
    dead = Ledger(engine, doomed)
    async with AsyncExitStack() as stack:
        assert await stack.enter_async_context(dead.hold(message.order_key))
        turn_id = (await turns.inbox.accept(message)).turn_id
        assert await dead.take_next(message.order_key) is not None
        async with turns.working():
            await asyncio.sleep(0.4)
            assert turns.mailbox.words == []  # as long as it lives, it is left alone
            async with engine.begin() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doomed'"
                    )
                )
            await turns.mailbox.wait_for(1)
    await doomed.dispose()
    assert [turn.attempts for turn in answers.turns] == [2]
    assert (await turns.row(turn_id))["state"] == "done"


async def test_a_turn_whose_wake_up_was_lost_is_found(turns: Turns, engine: AsyncEngine) -> None:
    await turns.say("forgotten")
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM pgqueuer"))
    async with turns.working():
        await turns.mailbox.wait_for(1)
    assert turns.mailbox.words == ["forgotten"]


async def test_a_turn_that_kills_its_workers_gets_an_apology_and_frees_its_conversation(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    async def die(turn: Turn) -> None:
        if turn.message.text == "poison":
            raise ConnectionError("the worker is gone")

    answers.before = die
    async with turns.working():
        turn_id = await turns.say("poison")
        await turns.say("after it")
        await turns.mailbox.wait_for(2)
    assert [turn.message.text for turn in answers.turns] == ["poison"] * 3 + ["after it"]
    assert turns.mailbox.words[0].startswith("I tried this three times and could not finish it.")
    assert turns.mailbox.words[1] == "after it"
    assert (await turns.row(turn_id))["outcome"] == "failed"


async def test_a_stop_waits_for_running_turns_and_begins_no_others(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def take_time(_turn: Turn) -> None:
        begun.set()
        await may_end.wait()

    answers.before = take_time
    async with turns.working():
        first, second = await turns.say("first"), await turns.say("second")
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, may_end.set)
    assert turns.mailbox.words == ["first"]
    assert (await turns.row(first))["state"] == "done"
    assert (await turns.row(second))["state"] == "waiting"
    async with turns.working():
        await turns.mailbox.wait_for(2)
    assert turns.mailbox.words == ["first", "second"]


async def test_what_a_stop_cannot_wait_for_is_finished_by_the_next_worker(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    begun = asyncio.Event()

    async def hang_once(turn: Turn) -> None:
        if turn.attempts == 1:
            begun.set()
            await asyncio.sleep(60)

    answers.before = hang_once
    async with turns.working(grace_seconds=0.05):
        turn_id = await turns.say("long")
        await begun.wait()
    assert (await turns.row(turn_id))["state"] == "running"
    async with turns.working():
        await turns.mailbox.wait_for(1)
    row = await turns.row(turn_id)
    assert (row["state"], row["attempts"]) == ("done", 2)
    assert from_jsonable(row["reply"]).plain_text == "long"


async def test_the_queue_is_heard_again_after_its_connection_was_lost(
    turns: Turns, engine: AsyncEngine
) -> None:
    async with turns.working(sweep_seconds=60):
        await turns.say("before")
        await turns.mailbox.wait_for(1)
        async with engine.begin() as connection:
            lost = await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'queue'"
                )
            )
            assert lost.rowcount == 1
        await turns.say("after")
        await turns.mailbox.wait_for(2)
    assert turns.mailbox.words == ["before", "after"]
