"""What people think of an answer in a chat, and why it is as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import ButtonPress, Channel, Conversation, Verb
from brain.reply import Buttons, Reply, to_jsonable
from brain.tables import MODEL_CALLS, TURNS
from brain.turns.inbox import Inbox
from knowledge.tables import feedback
from observability.metrics import Metrics
from tests.support.brain_parts import OPERATOR, VIEWER
from tests.support.talk import Talk
from tests.support.turns import make_message

_PLACE = Conversation(channel=Channel.SLACK, tenant="T1", conversation_id="C1", thread_id="1.1")


@pytest.fixture
def chat(talk: Talk) -> Talk:
    return replace(talk, conversation=_PLACE)


async def _answered(engine: AsyncEngine, reply: Reply) -> str:
    """The answer as the worker leaves it behind."""
    message = replace(make_message("why did PAYROLL fail?"), conversation=_PLACE)
    accepted = await Inbox(engine, Metrics()).accept(message)
    async with engine.begin() as connection:
        await connection.execute(
            update(TURNS).where(TURNS.c.turn_id == accepted.turn_id).values(reply=to_jsonable(reply))
        )
    return accepted.turn_id


async def _given(engine: AsyncEngine) -> list[tuple[str, str, str]]:
    query = select(feedback.c.actor_id, feedback.c.verdict, feedback.c.correction)
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(query.order_by(feedback.c.actor_id))]


async def test_answers_in_chats_can_be_rated_and_nothing_else(chat: Talk, talk: Talk) -> None:
    answer = await chat.say("why did PAYROLL fail?")
    row = answer.blocks[-1]
    assert isinstance(row, Buttons)
    assert [(one.verb, one.asks_reason) for one in row.items] == [
        (Verb.RATE, False),
        (Verb.RATE, True),
        (Verb.WHY, False),
    ]
    assert len({one.value.rpartition(":")[2] for one in row.items}) == 1
    for words in ("hello", "rerun PAYROLL", "incidents"):
        other = await chat.say(words)
        assert not any(
            one.verb is Verb.RATE
            for block in other.blocks
            if isinstance(block, Buttons)
            for one in block.items
        )
    on_the_page = await talk.say("why did PAYROLL fail?")
    assert not any(
        one.verb is Verb.WHY
        for block in on_the_page.blocks
        if isinstance(block, Buttons)
        for one in block.items
    )


async def test_a_verdict_and_a_correction_are_kept_once_for_each_person(
    chat: Talk, engine: AsyncEngine
) -> None:
    turn_id = await _answered(engine, await chat.say("why did PAYROLL fail?"))
    thanks = await chat.press(Verb.RATE, f"good:{turn_id}", by=VIEWER)
    assert thanks.is_private
    assert "Noted" in thanks.plain_text
    await chat.press(Verb.RATE, f"good:{turn_id}")
    corrected = await chat.press(Verb.RATE, f"bad:{turn_id}", reason="It was the disk of DB2.")
    assert "look at your correction" in corrected.plain_text
    assert await _given(engine) == [
        (OPERATOR.actor_id, "bad", "It was the disk of DB2."),
        (VIEWER.actor_id, "good", ""),
    ]


async def test_why_says_who_answered_from_what(chat: Talk, engine: AsyncEngine) -> None:
    turn_id = await _answered(engine, await chat.say("why did PAYROLL fail?"))
    why = await chat.press(Verb.WHY, turn_id)
    assert why.is_private
    assert "looking into the plan, the job log" in why.plain_text
    assert "No language model helped" in why.plain_text
    assert "[1] Job log of" in why.plain_text
    async with engine.begin() as connection:
        values = {"id": "x", "turn_id": turn_id, "actor_id": "a", "channel": "slack", "task": "assistant"}
        values |= {"model": "sound-7b", "outcome": "ok"}
        await connection.execute(MODEL_CALLS.insert().values(**values, input_tokens=1, output_tokens=1))
    assert "Language model: sound-7b." in (await chat.press(Verb.WHY, turn_id)).plain_text


async def test_an_answer_of_another_conversation_stays_there(chat: Talk, engine: AsyncEngine) -> None:
    turn_id = await _answered(engine, await chat.say("why did PAYROLL fail?"))
    elsewhere = replace(chat, conversation=replace(_PLACE, conversation_id="C2"))
    for value, verb in ((turn_id, Verb.WHY), (f"good:{turn_id}", Verb.RATE), ("good:nothing", Verb.RATE)):
        refused = await elsewhere.press(verb, value)
        assert "do not find that answer" in refused.plain_text
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(feedback)) == 0


async def test_a_press_below_an_answer_is_no_part_of_the_conversation(
    chat: Talk, engine: AsyncEngine
) -> None:
    turn_id = await _answered(engine, await chat.say("why did PAYROLL fail?"))
    press = ButtonPress(verb=Verb.RATE, value=f"good:{turn_id}")
    await chat.say("", button=press)
    assert "PAYROLL" in (await chat.say("rerun it")).plain_text


async def test_a_page_of_ones_own_shows_plan_approvals_incidents_and_what_can_be_asked(chat: Talk) -> None:
    await chat.say("rerun PAYROLL")
    page = await chat.say("", agent="home")
    words = page.plain_text
    for part in ("jobs in the plan", "Rerun", "no incident", "This is what I can do"):
        assert part in words, part
    assert page.proposal is None


async def test_a_message_without_words_gets_a_helpful_sentence(chat: Talk) -> None:
    assert "I read words only" in (await chat.say("")).plain_text


async def test_a_verdict_that_is_none_is_not_kept(chat: Talk, engine: AsyncEngine) -> None:
    turn_id = await _answered(engine, await chat.say("why did PAYROLL fail?"))
    assert "do not find" in (await chat.press(Verb.RATE, f"great:{turn_id}")).plain_text
    assert await _given(engine) == []
