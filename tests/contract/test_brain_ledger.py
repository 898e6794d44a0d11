"""Which turn is next, who holds it, what is left of it: the ledger on real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from brain.message import ButtonPress, InboundMessage, Verb
from brain.reply import Reply
from brain.turns.inbox import Inbox
from brain.turns.ledger import Ledger
from observability.metrics import Metrics
from tests.support.turns import make_message

_REPLY = Reply(blocks=(), plain_text="done", agent="status")


@pytest.fixture
async def locks(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def ledger(engine: AsyncEngine, locks: AsyncEngine) -> Ledger:
    return Ledger(engine, locks)


async def _accept(engine: AsyncEngine, *messages: InboundMessage) -> list[str]:
    return [(await Inbox(engine, Metrics()).accept(message)).turn_id for message in messages]


async def test_turns_come_in_the_order_in_which_they_were_accepted(
    engine: AsyncEngine, ledger: Ledger
) -> None:
    messages = [make_message(f"{number}") for number in range(5)]
    other = make_message("elsewhere", conversation="c2")
    accepted = await _accept(engine, messages[0], other, *messages[1:])
    taken = []
    while (turn := await ledger.take_next(messages[0].order_key)) is not None:
        taken.append(turn.turn_id)
        await ledger.close(turn.turn_id)
    assert taken == [accepted[0], *accepted[2:]]
    left = await ledger.take_next(other.order_key)
    assert left is not None
    assert left.message == other


async def test_a_turn_is_taken_again_until_it_is_closed(engine: AsyncEngine, ledger: Ledger) -> None:
    message = make_message()
    (turn_id,) = await _accept(engine, message)
    for attempt in (1, 2, 3):
        turn = await ledger.take_next(message.order_key)
        assert turn is not None
        assert (turn.turn_id, turn.attempts, turn.reply) == (turn_id, attempt, None)
    await ledger.answer(turn_id, _REPLY, outcome="answered")
    turn = await ledger.take_next(message.order_key)
    assert turn is not None
    assert (turn.attempts, turn.reply) == (4, _REPLY)
    await ledger.close(turn_id)
    assert await ledger.take_next(message.order_key) is None


async def test_a_decision_is_not_under_the_key_of_its_conversation(
    engine: AsyncEngine, ledger: Ledger
) -> None:
    decision = make_message("", button=ButtonPress(verb=Verb.APPROVE, value="p1"))
    await _accept(engine, decision)
    assert await ledger.take_next(decision.conversation.key) is None
    assert await ledger.take_next("proposal:p1") is not None


async def test_a_key_is_held_by_one_at_a_time_and_other_keys_are_free(
    ledger: Ledger, engine: AsyncEngine, database_url: str
) -> None:
    elsewhere = create_async_engine(database_url)
    other = Ledger(engine, elsewhere)
    async with ledger.hold("k1") as first:
        async with other.hold("k1") as second, other.hold("k2") as free:
            assert (first, second, free) == (True, False, True)
        async with other.hold("k1") as still:
            assert not still
    async with other.hold("k1") as again:
        assert again
    await elsewhere.dispose()


async def test_a_lock_is_given_back_when_the_work_fails(
    ledger: Ledger, engine: AsyncEngine, database_url: str
) -> None:
    elsewhere = create_async_engine(database_url)
    with pytest.raises(ValueError, match="boom"):
        async with ledger.hold("k1"):
            raise ValueError("boom")
    async with Ledger(engine, elsewhere).hold("k1") as free:
        assert free
    await elsewhere.dispose()


async def test_a_lock_frees_itself_when_its_holder_dies(
    ledger: Ledger, engine: AsyncEngine, database_url: str
) -> None:
    doomed = create_async_engine(
        database_url, connect_args={"server_settings": {"application_name": "doomed"}}
    )
    async with AsyncExitStack() as stack:
        assert await stack.enter_async_context(Ledger(engine, doomed).hold("k1"))
        async with ledger.hold("k1") as meanwhile:
            assert not meanwhile
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'doomed'"
                )
            )
        async with ledger.hold("k1") as afterwards:
            assert afterwards
        # The holder that was only cut off leaves without an error, and without taking the lock from the new one.
    await doomed.dispose()


async def test_forgotten_keys_are_found_oldest_first_and_only_when_old_enough(
    engine: AsyncEngine, ledger: Ledger
) -> None:
    messages = [make_message(conversation=name) for name in ("c2", "c1", "c3")]
    turn_ids = await _accept(engine, *messages)
    await ledger.answer(turn_ids[1], _REPLY, outcome="answered")
    await ledger.close(turn_ids[2])
    assert await ledger.unfinished_keys(older_than=timedelta(minutes=1)) == []
    assert await ledger.unfinished_keys(older_than=timedelta(0)) == [
        messages[0].order_key,
        messages[1].order_key,
    ]


async def test_figures_for_the_operators_of_resync(engine: AsyncEngine, ledger: Ledger) -> None:
    assert await ledger.oldest_age() == timedelta()
    turn_ids = await _accept(engine, *(make_message(conversation=f"c{number}") for number in range(4)))
    for turn_id, outcome in zip(turn_ids, ("answered", "answered", "failed"), strict=False):
        await ledger.answer(turn_id, _REPLY, outcome=outcome)
    assert await ledger.stats() == {"unfinished": 4}
    for turn_id in turn_ids[:3]:
        await ledger.close(turn_id)
    assert await ledger.stats() == {"answered": 2, "failed": 1, "unfinished": 1}
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE turns SET accepted_at = now() - interval '90 s'"))
    assert timedelta(seconds=89) < await ledger.oldest_age() < timedelta(seconds=100)


async def test_a_turn_that_cannot_be_read_any_more_does_not_hold_up_the_next(
    engine: AsyncEngine, ledger: Ledger
) -> None:
    first, second, third = make_message("1"), make_message("2"), make_message("3")
    ids = await _accept(engine, first, second, third)
    async with engine.begin() as connection:
        await connection.execute(
            text('UPDATE turns SET message = \'{"from": "the past"}\' WHERE turn_id = ANY(:ids)'),
            {"ids": ids[:2]},
        )
    turn = await ledger.take_next(first.order_key)
    assert turn is not None
    assert (turn.turn_id, turn.message) == (ids[2], third)
    await ledger.close(turn.turn_id)
    assert await ledger.take_next(first.order_key) is None
    assert await ledger.stats() == {"dropped": 3}


async def test_a_stored_reply_that_cannot_be_read_any_more_is_made_anew(
    engine: AsyncEngine, ledger: Ledger
) -> None:
    message = make_message()
    (turn_id,) = await _accept(engine, message)
    await ledger.answer(turn_id, _REPLY, outcome="answered")
    async with engine.begin() as connection:
        await connection.execute(text('UPDATE turns SET reply = \'{"blocks": "of the past"}\''))
    turn = await ledger.take_next(message.order_key)
    assert turn is not None
    assert (turn.message, turn.reply) == (message, None)
