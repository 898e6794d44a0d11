from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from bots.slack.inbound import from_action, from_command, from_event
from bots.slack.outbox import SlackOutboxes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import OneWorkspace
from brain.message import InboundMessage, Verb
from brain.reply import Button, Buttons, Reply, text
from brain.turns.outbox import OutboxError
from tests.support.fake_slack import TOKEN, Failure, FakeSlack
from tests.support.slack_driver import SECRET, command, mention, message, press
from tests.support.slack_limits import texts_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as server:
        yield server


@pytest.fixture
async def outboxes(slack: FakeSlack) -> AsyncIterator[SlackOutboxes]:
    settings = SlackSettings(bot_token=TOKEN, signing_secret=SECRET, api_url=slack.api_url)
    async with ClientSession() as session:
        yield SlackOutboxes(settings, session, OneWorkspace(settings))


def asked() -> InboundMessage:
    return from_event(mention("why?", ts="1.1"), received_at=NOW)


def commanded(slack: FakeSlack) -> InboundMessage:
    return from_command(command("why?", response_url=slack.response_url), received_at=NOW)


def answer(words: str = "It failed with return code 12.") -> Reply:
    row = Buttons(items=(Button(label="Rerun", verb=Verb.SAY, value="rerun X"),))
    return Reply(blocks=(text(words), row), plain_text=words)


def standing(slack: FakeSlack) -> list[str]:
    """The text of the messages that stand in Slack, oldest first."""
    return [sent["text"] for sent in slack.messages.values()]


async def test_answer_is_posted_into_the_thread(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    sent = await outboxes("turn-1", asked()).send(answer())

    ((channel, ts),) = slack.messages
    posted = slack.messages[channel, ts]
    assert (channel, ts) == ("C1", sent)
    assert posted["thread_ts"] == "1.1"
    assert posted["text"] == "It failed with return code 12."
    assert list(texts_of(posted["blocks"])) == ["It failed with return code 12.", "Rerun"]
    assert (posted["parse"], posted["link_names"], posted["unfurl_links"]) == ("none", False, False)


async def test_direct_message_is_answered_outside_threads(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    await outboxes("turn-1", from_event(message("why?"), received_at=NOW)).send(answer())

    (posted,) = slack.messages.values()
    assert posted["channel"] == "D1"
    assert "thread_ts" not in posted


async def test_progress_becomes_the_answer(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    outbox = outboxes("turn-1", asked())

    await outbox.progress("Reading the job log …")
    assert standing(slack) == ["Reading the job log …"]
    await outbox.delta("It fai")
    sent = await outbox.send(answer())

    assert standing(slack) == ["It failed with return code 12."]
    assert [ts for _, ts in slack.messages] == [sent]
    assert slack.methods == ["chat.postMessage", "chat.update"]


async def test_progress_keeps_to_one_line_a_second(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    outbox = outboxes("turn-1", asked())

    for number in range(20):
        await outbox.progress(f"step {number}")

    assert slack.methods == ["chat.postMessage"]


async def test_later_progress_takes_the_place_of_earlier(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    outbox = outboxes("turn-1", asked())

    await outbox.progress("Reading the job log …")
    await asyncio.sleep(1.1)
    await outbox.progress("Asking TWS …")

    assert standing(slack) == ["Asking TWS …"]


async def test_lines_of_progress_at_once_make_one_message(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    outbox = outboxes("turn-1", asked())

    await asyncio.gather(*(outbox.progress(f"step {number}") for number in range(5)))

    assert len(slack.messages) == 1


async def test_lost_progress_is_harmless(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    slack.fail("chat.postMessage", Failure(status=503))
    outbox = outboxes("turn-1", asked())

    await outbox.progress("Reading the job log …")
    await outbox.send(answer())

    assert standing(slack) == ["It failed with return code 12."]


async def test_progress_does_not_wait_for_the_rate_limit(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    slack.fail("chat.postMessage", Failure(status=429, retry_after=60))

    await outboxes("turn-1", asked()).progress("Reading the job log …")

    assert slack.methods == ["chat.postMessage"]


async def test_progress_that_somebody_deleted_is_no_loss(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    outbox = outboxes("turn-1", asked())
    await outbox.progress("Reading the job log …")
    slack.forget(*next(iter(slack.messages)))

    sent = await outbox.send(answer())

    assert [ts for _, ts in slack.messages] == [sent]
    assert standing(slack) == ["It failed with return code 12."]


async def test_rate_limit_is_waited_for(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    slack.fail("chat.postMessage", Failure(status=429, retry_after=1))

    await outboxes("turn-1", asked()).send(answer())

    assert slack.methods == ["chat.postMessage"] * 2
    assert standing(slack) == ["It failed with return code 12."]


@pytest.mark.parametrize(
    ("failure", "retryable"),
    [
        (Failure(status=500), True),
        (Failure(status=503), True),
        (Failure(error="internal_error"), True),
        (Failure(error="invalid_auth"), False),
        (Failure(error="not_in_channel"), False),
        (Failure(error="account_inactive"), False),
        (Failure(status=404), False),
    ],
    ids=str,
)
async def test_failed_post_says_whether_to_try_again(
    slack: FakeSlack, outboxes: SlackOutboxes, failure: Failure, *, retryable: bool
) -> None:
    slack.fail("chat.postMessage", failure)

    with pytest.raises(OutboxError) as caught:
        await outboxes("turn-1", asked()).send(answer())

    assert caught.value.retryable is retryable
    assert TOKEN not in str(caught.value)


async def test_answer_whose_update_failed_can_be_sent_again(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    outbox = outboxes("turn-1", asked())
    await outbox.progress("Reading the job log …")
    slack.fail("chat.update", Failure(status=500))

    with pytest.raises(OutboxError):
        await outbox.send(answer())
    await outbox.send(answer())

    assert standing(slack) == ["It failed with return code 12."]


async def test_slack_out_of_reach_is_worth_another_try() -> None:
    settings = SlackSettings(bot_token=TOKEN, signing_secret=SECRET, api_url="http://127.0.0.1:9/api/")

    async with ClientSession() as session:
        with pytest.raises(OutboxError) as caught:
            await SlackOutboxes(settings, session, OneWorkspace(settings))("turn-1", asked()).send(answer())

    assert caught.value.retryable


async def test_blocks_that_slack_refuses_leave_the_words(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    slack.fail("chat.postMessage", Failure(error="invalid_blocks"))

    await outboxes("turn-1", asked()).send(answer())

    (posted,) = slack.messages.values()
    assert (posted["text"], posted["blocks"]) == ("It failed with return code 12.", [])


async def test_command_is_answered_in_the_channel(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    await outboxes("turn-1", commanded(slack)).send(answer())

    assert standing(slack) == ["It failed with return code 12."]
    assert slack.responses == []


async def test_command_where_the_bot_is_not_is_answered_through_its_address(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    slack.foreign_channels.add("C1")
    outbox = outboxes("turn-1", commanded(slack))

    await outbox.progress("Reading the job log …")
    sent = await outbox.send(answer())

    assert sent is None
    (response,) = slack.responses
    assert response["text"] == "It failed with return code 12."
    assert (response["response_type"], response["replace_original"]) == ("in_channel", False)
    assert standing(slack) == []


@pytest.mark.parametrize(("status", "retryable"), [(500, True), (404, False)])
async def test_failing_response_address_is_told(
    slack: FakeSlack, outboxes: SlackOutboxes, status: int, *, retryable: bool
) -> None:
    slack.foreign_channels.add("C1")
    slack.fail("response_url", Failure(status=status))

    with pytest.raises(OutboxError) as caught:
        await outboxes("turn-1", commanded(slack)).send(answer())

    assert caught.value.retryable is retryable


async def test_response_address_out_of_reach_is_worth_another_try(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    slack.foreign_channels.add("C1")
    unreachable = from_command(command("why?", response_url="http://127.0.0.1:9/"), received_at=NOW)

    with pytest.raises(OutboxError) as caught:
        await outboxes("turn-1", unreachable).send(answer())

    assert caught.value.retryable


async def posted_card(outboxes: SlackOutboxes) -> str:
    sent = await outboxes("turn-1", asked()).send(answer("Rerun X?"))
    assert sent is not None
    return sent


def pressed(slack: FakeSlack, ts: str) -> InboundMessage:
    body = press("approve:1", "p-1", message={"ts": ts, "thread_ts": "1.1"}, response_url=slack.response_url)
    return from_action(body, received_at=NOW)


async def test_decision_takes_the_place_of_the_card(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    card = await posted_card(outboxes)
    outbox = outboxes("turn-2", pressed(slack, card))

    await outbox.progress("Rerunning …")
    await outbox.replace(card, answer("X runs again."))

    assert standing(slack) == ["X runs again."]
    assert [ts for _, ts in slack.messages] == [card]


async def test_progress_left_behind_does_not_fail_the_decision(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    card = await posted_card(outboxes)
    outbox = outboxes("turn-2", pressed(slack, card))
    slack.fail("chat.delete", Failure(status=500))

    await outbox.progress("Rerunning …")
    await outbox.replace(card, answer("X runs again."))

    assert standing(slack) == ["X runs again.", "Rerunning …"]


async def test_decision_on_a_deleted_card_is_posted(slack: FakeSlack, outboxes: SlackOutboxes) -> None:
    card = await posted_card(outboxes)
    slack.forget("C1", card)

    await outboxes("turn-2", pressed(slack, card)).replace(card, answer("X runs again."))

    (posted,) = slack.messages.values()
    assert (posted["text"], posted["thread_ts"]) == ("X runs again.", "1.1")


async def test_decision_where_the_bot_is_not_replaces_through_the_buttons_address(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    slack.fail("chat.update", Failure(error="channel_not_found"))

    await outboxes("turn-2", pressed(slack, "1.9")).replace("1.9", answer("X runs again."))

    (response,) = slack.responses
    assert (response["text"], response["replace_original"]) == ("X runs again.", True)


@pytest.mark.parametrize("thread_ts", [None, "1.1"])
async def test_alert_goes_to_a_channel_nobody_wrote_from(
    slack: FakeSlack, outboxes: SlackOutboxes, thread_ts: str | None
) -> None:
    await outboxes.to_channel("T1", "C7", thread_ts).send(answer("X failed."))

    (posted,) = slack.messages.values()
    assert (posted["channel"], posted.get("thread_ts"), posted["text"]) == ("C7", thread_ts, "X failed.")


async def test_what_was_asked_in_private_is_answered_in_private(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    asked_alone = commanded(slack)
    outbox = outboxes("turn-1", replace(asked_alone, route={**asked_alone.route, "private": "yes"}))

    await outbox.progress("Reading the plan…")
    assert await outbox.send(answer()) is None

    assert slack.messages == {}
    (said,) = slack.whispers
    assert (said["channel"], said["user"]) == ("C1", "U1")


async def test_a_person_is_told_in_the_chat_with_them_and_the_message_is_changed_there(
    slack: FakeSlack, outboxes: SlackOutboxes
) -> None:
    sent = await outboxes.to_channel("T1", "U7").send(answer("X failed."))
    assert sent is not None
    await outboxes.to_channel("T1", "U7").replace(sent, answer("X runs again."))
    assert {channel for channel, _ in slack.messages} == {"D7"}
    assert standing(slack) == ["X runs again."]
