"""The guards round a turn, each with its words, and the answer's way out."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Locale, Sender, Verb
from brain.reply import DecisionOutcome, Reply, from_jsonable
from brain.turns.ledger import Turn
from security.roles import Role
from tests.support.turns import ScriptedAnswers, Turns, make_message, open_turns


@pytest.fixture
def answers() -> ScriptedAnswers:
    return ScriptedAnswers()


@pytest.fixture
async def turns(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, answers: ScriptedAnswers
) -> AsyncIterator[Turns]:
    async with open_turns(engine, postgres_dsn, redis_url, answers) as opened:
        yield opened


def _from_slack(user_id: str) -> InboundMessage:
    return replace(
        make_message(),
        conversation=Conversation(channel=Channel.SLACK, tenant="T1", conversation_id="C1"),
        sender=Sender(channel=Channel.SLACK, tenant="T1", user_id=user_id),
    )


def _decision(verb: Verb = Verb.APPROVE, message_id: str | None = None) -> InboundMessage:
    return make_message("", button=ButtonPress(verb=verb, value="p1", message_id=message_id))


async def test_a_known_person_is_answered_and_the_turn_closed(turns: Turns, answers: ScriptedAnswers) -> None:
    turn = await turns.run_next(make_message("what failed?"))
    assert turns.mailbox.words == ["what failed?"]
    assert [actor.actor_id for actor in answers.actors] == ["ana"]
    row = await turns.row(turn.turn_id)
    assert (row["state"], row["outcome"], row["agent"], row["attempts"]) == ("done", "answered", "status", 1)
    assert from_jsonable(row["reply"]).plain_text == "what failed?"
    assert row["accepted_at"] <= row["started_at"] <= row["finished_at"]
    assert (
        b'resync_turns_total{agent="status",channel="web",outcome="answered"} 1.0' in turns.metrics.render()
    )


async def test_an_unknown_sender_is_refused_politely_and_logged(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    with capture_logs() as logs:
        turn = await turns.run_next(_from_slack("U_STRANGER"))
    (said,) = turns.mailbox.words
    assert said.startswith(
        "I do not know you yet (U_STRANGER). On Resync's page, signed in, press “Link a chat”"
    )
    assert answers.turns == []
    assert (await turns.row(turn.turn_id))["outcome"] == "refused"
    assert {"event": "unknown_sender", "channel": "slack", "user_id": "U_STRANGER"}.items() <= logs[0].items()


async def test_a_linked_person_is_themselves_on_every_channel(turns: Turns, answers: ScriptedAnswers) -> None:
    await turns.actors.link("ana", "slack", "T1", "U1", linked_by="admin")
    await turns.run_next(_from_slack("U1"))
    assert [actor.actor_id for actor in answers.actors] == ["ana"]


async def test_a_person_who_was_shut_out_is_a_stranger(turns: Turns, answers: ScriptedAnswers) -> None:
    await turns.actors.disable("ana")
    turn = await turns.run_next(make_message())
    assert answers.turns == []
    assert (await turns.row(turn.turn_id))["outcome"] == "refused"


async def test_a_source_of_alerts_may_ask_and_nothing_else(turns: Turns, answers: ScriptedAnswers) -> None:
    await turns.run_next(
        replace(
            make_message(),
            conversation=Conversation(channel=Channel.WEBHOOK, tenant="prod", conversation_id="A#B.C"),
            sender=Sender(channel=Channel.WEBHOOK, tenant="prod", user_id="prod"),
        )
    )
    (actor,) = answers.actors
    assert (actor.actor_id, actor.role) == ("webhook:prod", Role.VIEWER)


async def test_too_many_turns_of_one_person_are_put_off(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, answers: ScriptedAnswers
) -> None:
    async with open_turns(engine, postgres_dsn, redis_url, answers, limit="2/hour") as turns:
        name = f"hasty.{uuid.uuid4().hex}"  # Redis may be one that other runs used
        await turns.actors.add(name, "Hasty", Role.VIEWER, None)
        hasty = Sender(channel=Channel.WEB, tenant="local", user_id=name)
        ran = [await turns.run_next(make_message(sender=hasty)) for _ in range(3)]
        assert [(await turns.row(turn.turn_id))["outcome"] for turn in ran] == [
            "answered",
            "answered",
            "limited",
        ]
        assert "Please try again in" in turns.mailbox.words[-1]
        await turns.run_next(make_message())
        assert turns.mailbox.words[-1] == "what failed?"


async def test_without_redis_the_turn_goes_on_and_the_brain_is_told(
    engine: AsyncEngine, postgres_dsn: str, answers: ScriptedAnswers
) -> None:
    async with open_turns(engine, postgres_dsn, "redis://127.0.0.1:1", answers, limit="1/hour") as turns:
        for _ in range(2):
            await turns.run_next(make_message())
        assert answers.degraded == [frozenset({"redis"})] * 2
        answers.reply = Reply(blocks=(), plain_text="so far", degraded=("redis",))
        await turns.run_next(make_message())
        assert b'resync_degraded_total{part="redis"} 1.0' in turns.metrics.render()


async def _sleep_long(_turn: Turn) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (make_message("what failed?"), "Nothing was changed by it."),
        (make_message("o que falhou?"), "Nada foi alterado por isso."),
        # By then the change may have been made.
        (_decision(), "I cannot say whether the change was made. It will not be repeated"),
    ],
)
async def test_a_turn_that_takes_too_long_ends_with_what_can_be_said(
    engine: AsyncEngine,
    postgres_dsn: str,
    redis_url: str,
    answers: ScriptedAnswers,
    message: InboundMessage,
    words: str,
) -> None:
    answers.before = _sleep_long
    async with open_turns(engine, postgres_dsn, redis_url, answers, deadline_seconds=0.05) as turns:
        turn = await turns.run_next(message)
        assert words in turns.mailbox.words[0]
        assert (await turns.row(turn.turn_id))["outcome"] == "timed_out"


async def test_a_failure_becomes_words_that_do_not_tell_its_secrets(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    async def fail(_turn: Turn) -> None:
        raise ValueError("password=hunter2")

    answers.before = fail
    with capture_logs() as logs:
        turn = await turns.run_next(make_message())
    assert turns.mailbox.words == [
        f"Something went wrong on my side while answering. Nothing was lost; the reference is {turn.turn_id}."
    ]
    assert (await turns.row(turn.turn_id))["outcome"] == "failed"
    assert [entry["event"] for entry in logs] == ["turn_failed", "turn"]


async def test_while_the_database_is_away_the_turn_is_left_for_later(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    async def lose_the_database(_turn: Turn) -> None:
        raise ConnectionError("gone")

    answers.before = lose_the_database
    message = make_message()
    with pytest.raises(ConnectionError):
        await turns.run_next(message)
    answers.before = None
    again = await turns.ledger.take_next(message.order_key)
    assert again is not None
    assert (again.attempts, again.reply) == (2, None)
    await turns.runner.run(again)
    assert turns.mailbox.words == ["what failed?"]


@pytest.mark.parametrize(
    ("words", "asked", "spoken"),
    [
        ("o que falhou?", None, Locale.PT),
        ("what failed?", None, Locale.EN),
        ("o que falhou?", Locale.EN, Locale.EN),
        ("PAYROLL", None, Locale.PT),
    ],
)
async def test_the_language_of_last_resort_is_that_of_the_settings(
    engine: AsyncEngine,
    postgres_dsn: str,
    redis_url: str,
    answers: ScriptedAnswers,
    words: str,
    asked: Locale | None,
    spoken: Locale,
) -> None:
    async with open_turns(engine, postgres_dsn, redis_url, answers, locale=Locale.PT) as turns:
        await turns.run_next(make_message(words, locale=asked))
        assert answers.locales == [spoken]


async def test_a_delivery_that_fails_is_tried_again_in_the_same_round(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    turns.mailbox.fail(3, retryable=True)
    turn = await turns.run_next(make_message())
    assert turns.mailbox.attempts == 4
    assert turns.mailbox.words == ["what failed?"]
    assert (await turns.row(turn.turn_id))["state"] == "done"
    assert len(answers.turns) == 1


async def test_an_answer_that_cannot_be_delivered_now_stays_and_is_not_thought_of_again(
    turns: Turns, answers: ScriptedAnswers
) -> None:
    turns.mailbox.fail(4, retryable=True)
    message = make_message()
    first = await turns.run_next(message)
    assert (await turns.row(first.turn_id))["state"] == "answered"
    second = await turns.ledger.take_next(message.order_key)
    assert second is not None
    assert second.reply is not None
    assert second.reply.plain_text == "what failed?"
    await turns.runner.run(second)
    assert turns.mailbox.words == ["what failed?"]
    assert len(answers.turns) == 1
    assert (await turns.row(first.turn_id))["state"] == "done"


async def test_an_answer_that_nobody_takes_stays_in_the_ledger(turns: Turns) -> None:
    turns.mailbox.fail(1000, retryable=True)
    message = make_message()
    turn = await turns.run_next(message)
    rounds = 1
    with capture_logs() as logs:
        while (again := await turns.ledger.take_next(message.order_key)) is not None:
            await turns.runner.run(again)
            rounds += 1
    row = await turns.row(turn.turn_id)
    assert rounds == 5
    assert (row["state"], row["outcome"]) == ("done", "answered")
    assert from_jsonable(row["reply"]).plain_text == "what failed?"
    assert "reply_undelivered" in {entry["event"] for entry in logs}


async def test_a_refusal_of_the_channel_is_final(turns: Turns) -> None:
    turns.mailbox.fail(1, retryable=False)
    turn = await turns.run_next(make_message())
    assert turns.mailbox.attempts == 1
    row = await turns.row(turn.turn_id)
    assert (row["state"], row["reply"]["plain_text"]) == ("done", "what failed?")


async def test_a_reply_that_a_channel_cannot_show_is_not_met_for_ever(turns: Turns) -> None:
    turns.mailbox.errors.append(TypeError("no such block"))
    message = make_message()
    with capture_logs() as logs:
        turn = await turns.run_next(message)
    assert "turn_dropped" in {entry["event"] for entry in logs}
    assert (await turns.row(turn.turn_id))["state"] == "done"
    assert await turns.ledger.take_next(message.order_key) is None


async def test_a_turn_of_a_channel_that_was_switched_off_is_closed(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, answers: ScriptedAnswers
) -> None:
    async with open_turns(engine, postgres_dsn, redis_url, answers, channels=(Channel.SLACK,)) as turns:
        turn = await turns.run_next(make_message())
        assert answers.turns == []
        assert (await turns.row(turn.turn_id))["state"] == "done"
        assert await turns.ledger.stats() == {"dropped": 1}


_OUTCOME = DecisionOutcome(proposal_id="p1", state="confirmed", detail="…")


@pytest.mark.parametrize(
    ("message", "outcome", "replaces"),
    [
        (_decision(message_id="m1"), _OUTCOME, True),
        (_decision(message_id=None), _OUTCOME, False),
        (_decision(message_id="m1"), None, False),
        (make_message(button=ButtonPress(verb=Verb.SAY, value="x", message_id="m1")), None, False),
    ],
)
async def test_only_an_outcome_takes_the_place_of_the_card(
    turns: Turns,
    answers: ScriptedAnswers,
    message: InboundMessage,
    outcome: DecisionOutcome | None,
    *,
    replaces: bool,
) -> None:
    answers.reply = Reply(blocks=(), plain_text="done", agent="action", outcome=outcome)
    await turns.run_next(message)
    assert [message_id for message_id, _ in turns.mailbox.replaced] == (["m1"] if replaces else [])
    assert len(turns.mailbox.sent) == (not replaces)
