"""Answers reach Teams: retried where that helps, replaced where possible, never sent to strangers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.teams.adapter import TeamsAdapter
from bots.teams.connector import Patience
from bots.teams.inbound import read_activity, to_message
from bots.teams.outbox import TeamsOutbox, TeamsOutboxes
from bots.teams.references import References
from brain.message import InboundMessage
from brain.reply import Reply, Table, text
from brain.turns.outbox import OutboxError
from tests.support import teams_activities as activities
from tests.support.fake_connector import FakeConnector, Refusal

REPLY = Reply(blocks=(text("Job PAYROLL ended in ABEND."),), plain_text="Job PAYROLL ended in ABEND.")


@pytest.fixture
async def teams() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as connector:
        yield connector


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def outboxes(teams: FakeConnector, session: aiohttp.ClientSession, engine: AsyncEngine) -> TeamsOutboxes:
    patience = Patience(
        attempts=3,
        timeout=timedelta(seconds=1),
        backoff=timedelta(milliseconds=1),
        longest_wait=timedelta(seconds=2),
    )
    return TeamsOutboxes(TeamsAdapter(session, teams.settings(), patience), References(engine))


def _message(teams: FakeConnector, **overrides: object) -> InboundMessage:
    activity = read_activity(activities.message(teams.service_url, **overrides))
    return to_message(activity, received_at=datetime(2026, 3, 2, 3, 4, tzinfo=UTC))


@pytest.fixture
def outbox(outboxes: TeamsOutboxes, teams: FakeConnector) -> TeamsOutbox:
    return outboxes("turn-1", _message(teams, id="f:1"))


async def test_answer_goes_to_the_conversation_as_a_card(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    message_id = await outbox.send(REPLY)
    [sent] = teams.deliveries
    assert message_id == "sent-1"
    assert (sent.method, sent.conversation_id, sent.activity_id) == ("POST", activities.PERSONAL_CHAT, "f:1")
    assert sent.bearer == "bot-token-1"
    assert sent.activity["from"]["id"] == activities.BOT_ID
    assert sent.activity["recipient"]["id"] == activities.USER_ID
    assert sent.activity["summary"] == REPLY.plain_text
    assert sent.activity["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "PAYROLL" in str(sent.card["body"])


async def test_answer_in_a_channel_stays_in_its_thread(outboxes: TeamsOutboxes, teams: FakeConnector) -> None:
    activity = read_activity(activities.channel_message(teams.service_url, "what failed?"))
    message = to_message(activity, received_at=datetime(2026, 3, 2, 3, 4, tzinfo=UTC))
    await outboxes("turn-1", message).send(REPLY)
    assert teams.deliveries[0].conversation_id == activities.CHANNEL_THREAD


async def test_answer_to_a_button_is_a_message_of_its_own(
    outboxes: TeamsOutboxes, teams: FakeConnector
) -> None:
    activity = read_activity(activities.execute(teams.service_url, "approve", {"value": "p-1"}))
    message = to_message(activity, received_at=datetime(2026, 3, 2, 3, 4, tzinfo=UTC))
    await outboxes("turn-1", message).send(REPLY)
    assert teams.deliveries[0].activity_id is None
    assert "replyToId" not in teams.deliveries[0].activity


async def test_one_token_serves_all_messages(outboxes: TeamsOutboxes, teams: FakeConnector) -> None:
    boxes = [outboxes(f"turn-{number}", _message(teams)) for number in range(10)]
    await asyncio.gather(*(box.send(REPLY) for box in boxes))
    assert len(teams.token_forms) == 1


@pytest.mark.parametrize("status", [412, 429, 502, 504])
async def test_message_refused_for_now_is_sent_again(
    outbox: TeamsOutbox, teams: FakeConnector, status: int
) -> None:
    teams.refusals.extend([Refusal(status), Refusal(status)])
    assert await outbox.send(REPLY) == "sent-3"
    assert len({str(delivery.activity) for delivery in teams.deliveries}) == 1


async def test_retry_after_is_honoured(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.refusals.append(Refusal(429, {"Retry-After": "1"}))
    started = time.monotonic()
    await outbox.send(REPLY)
    assert time.monotonic() - started >= 1


async def test_waiting_for_teams_holds_up_nobody_else(outboxes: TeamsOutboxes, teams: FakeConnector) -> None:
    slow, quick = (outboxes(name, _message(teams)) for name in ("slow", "quick"))
    teams.refusals.append(Refusal(429, {"Retry-After": "1"}))
    waiting = asyncio.create_task(slow.send(REPLY))
    await teams.got_one.wait()
    started = time.monotonic()
    await quick.send(REPLY)
    assert time.monotonic() - started < 0.5
    assert await waiting is not None


@pytest.mark.parametrize("retry_after", ["3600", "inf"])
async def test_too_long_a_wait_is_left_to_a_later_try(
    outbox: TeamsOutbox, teams: FakeConnector, retry_after: str
) -> None:
    teams.refusals.append(Refusal(429, {"Retry-After": retry_after}))
    with pytest.raises(OutboxError) as caught:
        await outbox.send(REPLY)
    assert caught.value.retryable
    assert len(teams.deliveries) == 1


@pytest.mark.parametrize("retry_after", ["soon", "nan", "-5", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_unreadable_retry_after_is_no_hint(
    outbox: TeamsOutbox, teams: FakeConnector, retry_after: str
) -> None:
    teams.refusals.append(Refusal(429, {"Retry-After": retry_after}))
    assert await outbox.send(REPLY) == "sent-2"


async def test_patience_ends(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.refusals.extend([Refusal(429)] * 9)
    with pytest.raises(OutboxError) as caught:
        await outbox.send(REPLY)
    assert caught.value.retryable
    assert len(teams.deliveries) == 3


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (404, False), (413, False), (500, True)])
async def test_refusal_is_not_repeated(
    outbox: TeamsOutbox,
    teams: FakeConnector,
    status: int,
    retryable: bool,  # noqa: FBT001  # pytest passes it
) -> None:
    teams.refusals.append(Refusal(status, code="BotNotInConversationRoster"))
    with pytest.raises(OutboxError, match=f"{status} BotNotInConversationRoster") as caught:
        await outbox.send(REPLY)
    assert caught.value.retryable is retryable
    assert len(teams.deliveries) == 1


async def test_page_of_a_proxy_is_an_answer_too(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.refusals.append(Refusal(502, html="<h1>Bad gateway</h1>"))
    assert await outbox.send(REPLY) == "sent-2"
    teams.refusals.append(Refusal(200, html="<h1>Welcome</h1>"))
    assert await outbox.send(REPLY) is None


async def test_silent_connector_is_given_up(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.refusals.append(Refusal(200, delay=2))
    with pytest.raises(OutboxError) as caught:
        await outbox.send(REPLY)
    assert caught.value.retryable
    assert len(teams.deliveries) == 1  # it may have arrived, so it is not sent twice


async def test_refused_token_is_renewed_once(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.refusals.append(Refusal(401))
    await outbox.send(REPLY)
    assert [delivery.bearer for delivery in teams.deliveries] == ["bot-token-1", "bot-token-2"]


async def test_wrong_secret_is_no_matter_of_patience(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.token_refusals.append(401)
    with pytest.raises(OutboxError) as caught:
        await outbox.send(REPLY)
    assert not caught.value.retryable
    assert teams.deliveries == []


async def test_card_is_replaced(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    await outbox.replace("card-1", REPLY)
    [put] = teams.deliveries
    assert (put.method, put.conversation_id, put.activity_id) == ("PUT", activities.PERSONAL_CHAT, "card-1")
    assert "PAYROLL" in str(put.card["body"])


@pytest.mark.parametrize("refusal", [Refusal(404), Refusal(400, code="ActivityNotFoundInConversation")])
async def test_card_that_is_gone_is_sent_anew(
    outbox: TeamsOutbox, teams: FakeConnector, refusal: Refusal
) -> None:
    teams.refusals.append(refusal)
    await outbox.replace("card-1", REPLY)
    assert [delivery.method for delivery in teams.deliveries] == ["PUT", "POST"]


async def test_refused_replacement_is_reported(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    teams.refusals.append(Refusal(403))
    with pytest.raises(OutboxError):
        await outbox.replace("card-1", REPLY)
    assert [delivery.method for delivery in teams.deliveries] == ["PUT"]


async def test_typing_is_shown_once_in_a_while(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    for _ in range(10):
        await outbox.progress("reading the plan")
        await outbox.delta("Job ")
    assert [delivery.activity["type"] for delivery in teams.deliveries] == ["typing"]


async def test_lost_typing_sign_is_no_error_and_is_not_repeated(
    outbox: TeamsOutbox, teams: FakeConnector
) -> None:
    teams.refusals.append(Refusal(429, {"Retry-After": "60"}))
    await outbox.progress("reading the plan")
    assert len(teams.deliveries) == 1
    await outbox.send(REPLY)
    assert len(teams.messages) == 1


@pytest.mark.parametrize(
    "service_url",
    [
        "https://evil.example/",
        "http://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://smba.trafficmanager.net:8443/emea/",
        "http://169.254.169.254/",
        "not a url",
    ],
)
async def test_token_is_not_carried_to_strangers(
    outboxes: TeamsOutboxes, teams: FakeConnector, service_url: str
) -> None:
    message = _message(teams)
    forged = replace(message, route={**message.route, "service_url": service_url})
    with pytest.raises(OutboxError) as caught:
        await outboxes("turn-1", forged).send(REPLY)
    assert not caught.value.retryable
    assert teams.token_forms == []


async def test_largest_answer_stays_within_what_teams_takes(
    outbox: TeamsOutbox, teams: FakeConnector
) -> None:
    rows = tuple((f"JOB_{number}", "ação " * 20) for number in range(5000))
    await outbox.send(Reply(blocks=(Table(columns=("job", "state"), rows=rows),), plain_text="x" * 100_000))
    assert teams.deliveries[0].size <= 30 * 1024


async def test_dead_connector_is_worth_a_later_try(outboxes: TeamsOutboxes) -> None:
    async with FakeConnector() as gone:
        message = _message(gone)
    with pytest.raises(OutboxError) as caught:
        await outboxes("turn-1", message).send(REPLY)
    assert caught.value.retryable


async def test_what_a_model_wrote_says_so(outbox: TeamsOutbox, teams: FakeConnector) -> None:
    await outbox.send(REPLY)
    await outbox.send(replace(REPLY, is_generated=True))
    plain, generated = (delivery.activity for delivery in teams.messages)
    assert "entities" not in plain
    (label,) = generated["entities"]
    assert label == {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "additionalType": ["AIGeneratedContent"],
    }
