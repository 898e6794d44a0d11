"""What is sent without being asked: where Resync was once, and not where Teams has refused it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.teams.adapter import TeamsAdapter
from bots.teams.connector import Patience
from bots.teams.inbound import read_activity, to_message
from bots.teams.outbox import TeamsOutbox, TeamsOutboxes
from bots.teams.references import References
from brain.message import InboundMessage, Locale
from brain.reply import Reply, text
from brain.turns.outbox import OutboxError
from tests.support import teams_activities as activities
from tests.support.fake_connector import TENANT, FakeConnector, Refusal

REPLY = Reply(blocks=(text("Job PAYROLL ended in ABEND."),), plain_text="Job PAYROLL ended in ABEND.")
CHANNEL, _, THREAD = activities.CHANNEL_THREAD.partition(";")


@pytest.fixture
async def teams() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as connector:
        yield connector


@pytest.fixture
async def outboxes(teams: FakeConnector, engine: AsyncEngine) -> AsyncIterator[TeamsOutboxes]:
    patience = Patience(attempts=2, timeout=timedelta(seconds=1), backoff=timedelta(milliseconds=1))
    async with aiohttp.ClientSession() as session:
        yield TeamsOutboxes(TeamsAdapter(session, teams.settings(), patience), References(engine))


def _post(teams: FakeConnector, **overrides: Any) -> InboundMessage:
    activity = read_activity(activities.channel_message(teams.service_url, "what failed?", **overrides))
    return to_message(activity, received_at=datetime(2026, 3, 2, 3, 4, tzinfo=UTC))


def _alerts(outboxes: TeamsOutboxes, conversation_id: str = CHANNEL) -> TeamsOutbox:
    return outboxes.to_conversation(TENANT, conversation_id, Locale.EN)


async def _is_refused(outbox: TeamsOutbox, *, retryable: bool = False) -> bool:
    with pytest.raises(OutboxError) as caught:
        await outbox.send(REPLY)
    return caught.value.retryable is retryable


async def test_alert_starts_a_post_of_its_own_in_a_channel_that_was_answered(
    outboxes: TeamsOutboxes, teams: FakeConnector
) -> None:
    await outboxes("turn-1", _post(teams)).send(REPLY)
    assert await _alerts(outboxes).send(REPLY) == "sent-2"
    asked, alert = teams.deliveries
    assert asked.conversation_id == activities.CHANNEL_THREAD
    assert (alert.conversation_id, alert.activity_id) == (CHANNEL, None)
    assert alert.activity["from"]["id"] == activities.BOT_ID


async def test_alert_is_replaced_where_it_was_posted(outboxes: TeamsOutboxes, teams: FakeConnector) -> None:
    await outboxes("turn-1", _post(teams)).send(REPLY)
    sent = await _alerts(outboxes).send(REPLY)
    assert sent is not None
    await _alerts(outboxes).replace(sent, REPLY)
    assert (teams.deliveries[-1].method, teams.deliveries[-1].activity_id) == ("PUT", sent)


async def test_conversation_that_resync_never_was_in_is_not_written_to(
    outboxes: TeamsOutboxes, teams: FakeConnector
) -> None:
    await outboxes("turn-1", _post(teams)).send(REPLY)
    assert await _is_refused(_alerts(outboxes, "19:elsewhere@thread.tacv2"))
    assert await _is_refused(outboxes.to_conversation("another-tenant", CHANNEL, Locale.EN))
    assert len(teams.deliveries) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_dead_conversation_is_not_tried_again_until_somebody_writes_there(
    outboxes: TeamsOutboxes, teams: FakeConnector, status: int
) -> None:
    shown = _post(teams)
    await outboxes("turn-1", shown).send(REPLY)
    teams.refusals.append(Refusal(status, code="BotNotInConversationRoster"))
    assert await _is_refused(_alerts(outboxes))
    assert len(teams.deliveries) == 2
    assert await _is_refused(_alerts(outboxes))
    with pytest.raises(OutboxError):  # a card of before, which was decided elsewhere
        await outboxes("", shown).replace("card-1", REPLY)
    assert len(teams.deliveries) == 2
    await outboxes("turn-2", _post(teams)).send(REPLY)
    assert await _alerts(outboxes).send(REPLY) == "sent-4"


async def test_refused_answer_buries_the_conversation_too(
    outboxes: TeamsOutboxes, teams: FakeConnector
) -> None:
    await outboxes("turn-1", _post(teams)).send(REPLY)
    teams.refusals.append(Refusal(403))
    assert await _is_refused(outboxes("turn-2", _post(teams)))
    assert await _is_refused(_alerts(outboxes))
    assert len(teams.deliveries) == 2


@pytest.mark.parametrize("status", [429, 500, 502])
async def test_teams_that_is_away_buries_nothing(
    outboxes: TeamsOutboxes, teams: FakeConnector, status: int
) -> None:
    await outboxes("turn-1", _post(teams)).send(REPLY)
    teams.refusals.extend([Refusal(status)] * 2)
    assert await _is_refused(_alerts(outboxes), retryable=True)
    teams.refusals.clear()
    assert await _alerts(outboxes).send(REPLY)


async def test_card_that_is_gone_buries_nothing(outboxes: TeamsOutboxes, teams: FakeConnector) -> None:
    await outboxes("turn-1", _post(teams)).send(REPLY)
    teams.refusals.append(Refusal(404, code="ActivityNotFoundInConversation"))
    await _alerts(outboxes).replace("card-1", REPLY)
    assert [delivery.method for delivery in teams.deliveries] == ["POST", "PUT", "POST"]


async def test_old_card_is_found_after_the_conversation_has_moved_to_another_address(
    outboxes: TeamsOutboxes, teams: FakeConnector
) -> None:
    async with FakeConnector() as before:
        old = _post(before)
    await outboxes("turn-1", _post(teams)).send(REPLY)
    await outboxes("", old).replace("card-1", REPLY)
    assert [delivery.method for delivery in teams.deliveries] == ["POST", "PUT"]
    assert teams.deliveries[1].conversation_id == activities.CHANNEL_THREAD


async def test_a_person_is_found_by_the_chats_with_them_that_live(
    outboxes: TeamsOutboxes, teams: FakeConnector, engine: AsyncEngine
) -> None:
    references = References(engine)
    alone = to_message(
        read_activity(activities.message(teams.service_url, "hi")),
        received_at=datetime(2026, 3, 2, 3, 4, tzinfo=UTC),
    )
    who, chat = alone.sender.user_id, alone.conversation.conversation_id
    assert await references.private(TENANT, who) == ()
    await outboxes("turn-1", _post(teams)).send(REPLY)
    assert await references.private(TENANT, who) == ()
    await outboxes("turn-2", alone).send(REPLY)
    assert await references.private(TENANT, who) == (chat,)
    assert await references.private(TENANT, "somebody-else") == ()
    await references.bury(TENANT, chat)
    assert await references.private(TENANT, who) == ()
