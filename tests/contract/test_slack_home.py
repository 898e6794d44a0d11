"""The app's page in Slack, coming into a channel, and messages that are changed, taken back or have no words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from bots.slack.inbound import from_home
from bots.slack.outbox import SlackOutboxes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import OneWorkspace
from brain.message import Verb, delivery_digest
from brain.reply import Button, Buttons, Reply, text
from brain.turns.outbox import OutboxError
from tests.support.fake_slack import TOKEN, Failure, FakeSlack
from tests.support.slack_app import SlackApp, open_slack_app, shown
from tests.support.slack_driver import BOT, PERSON, SECRET, event, message


@pytest.fixture
async def app() -> AsyncIterator[SlackApp]:
    async with open_slack_app() as opened:
        yield opened


def _opened(**fields: Any) -> dict[str, Any]:
    return event("app_home_opened", **({"channel": "D1", "tab": "home"} | fields))


def _changed(before: str, after: str, **fields: Any) -> dict[str, Any]:
    now = {"user": PERSON, "ts": "1.5", "text": after, "edited": {"user": PERSON, "ts": "2.0"}} | fields
    return event(
        "message",
        subtype="message_changed",
        channel="D1",
        user=None,
        message=now,
        previous_message={"user": PERSON, "ts": "1.5", "text": before},
    )


async def test_opening_the_page_asks_for_it_and_another_tab_does_not(app: SlackApp) -> None:
    assert (await app.driver.send_event(_opened(tab="messages"))).status == 200
    assert (await app.driver.send_event(_opened())).status == 200
    assert (app.taken.agent, app.taken.route, app.taken.sender.user_id) == ("home", {"home": PERSON}, PERSON)
    assert app.taken.conversation.conversation_id == f"home:{PERSON}"


async def test_the_page_is_published_for_the_person_alone() -> None:
    async with FakeSlack() as slack, ClientSession() as session:
        settings = SlackSettings(bot_token=TOKEN, signing_secret=SECRET, api_url=slack.api_url)
        outboxes = SlackOutboxes(settings, session, OneWorkspace(settings))
        home = outboxes("turn-1", from_home(_opened(), received_at=datetime.now(UTC)))
        row = Buttons(items=(Button(label="What failed?", verb=Verb.SAY, value="what failed?"),))
        reply = Reply(blocks=(text("2 jobs failed."), row), plain_text="2 jobs failed.")
        await home.progress("Reading the plan…")
        assert slack.views == {}
        assert await home.send(reply) is None
        assert shown(slack.views[PERSON]) == "2 jobs failed. What failed?"
        await home.replace("x", Reply(blocks=(text("0 jobs failed."),), plain_text="0"))
        assert shown(slack.views[PERSON]) == "0 jobs failed."
        assert slack.messages == {}
        slack.fail("views.publish", Failure(error="not_enabled"))
        with pytest.raises(OutboxError, match="not_enabled"):
            await home.send(reply)


async def test_a_button_of_the_page_is_answered_between_the_person_and_the_bot(app: SlackApp) -> None:
    pressed = app.press("say:1", "what failed?")
    for name in ("channel", "message", "response_url"):
        pressed.pop(name, None)
    pressed["view"] = {"id": "V1", "type": "home"}
    pressed["container"] = {"type": "view", "view_id": "V1"}
    assert (await app.driver.send_action(pressed)).status == 200
    assert app.taken.text == "what failed?"
    assert app.taken.conversation.conversation_id == app.taken.route["channel"] == "D1"


async def test_who_invites_the_bot_is_told_what_it_can_do(app: SlackApp) -> None:
    for joined in (
        event("member_joined_channel", channel="C7", user="U9", inviter=PERSON),
        event("member_joined_channel", channel="C7", user=BOT),
        event("member_joined_channel", channel="C7", user=BOT, inviter=PERSON),
    ):
        assert (await app.driver.send_event(joined)).status == 200
    assert (app.taken.text, app.taken.sender.user_id) == ("help", PERSON)
    assert app.taken.conversation.conversation_id == "C7"


async def test_changed_words_are_asked_in_the_place_of_the_old_ones(app: SlackApp) -> None:
    await app.driver.send_event(message("why did PAYROL fail?", ts="1.5"))
    changed = _changed("why did PAYROL fail?", "why did PAYROLL fail?")
    for _ in range(2):
        assert (await app.driver.send_event(changed)).status == 200
    assert [taken.text for taken in app.inbox.messages] == ["why did PAYROL fail?", "why did PAYROLL fail?"]
    assert set(app.inbox.recalled) == {delivery_digest("message", "D1", "1.5")}


async def test_what_changes_no_words_or_is_the_bots_own_is_left_alone(app: SlackApp) -> None:
    for changed in (
        _changed("same", "same"),
        _changed("a", "b", edited=None) | {},
        _changed("a", "b", bot_id="B1"),
    ):
        changed["event"]["message"] = {
            name: value for name, value in changed["event"]["message"].items() if value is not None
        }
        assert (await app.driver.send_event(changed)).status == 200
    assert app.inbox.messages == []


async def test_a_message_that_is_taken_back_is_recalled(app: SlackApp) -> None:
    await app.driver.send_event(message("rerun PAYROLL", ts="1.5"))
    gone = event(
        "message",
        subtype="message_deleted",
        channel="D1",
        user=None,
        deleted_ts="1.5",
        previous_message={"user": PERSON, "ts": "1.5", "text": "rerun PAYROLL"},
    )
    assert (await app.driver.send_event(gone)).status == 200
    assert app.inbox.recalled == [delivery_digest("message", "D1", "1.5")]
    assert len(app.inbox.messages) == 1


async def test_a_message_without_words_is_taken_in_private_alone(app: SlackApp) -> None:
    await app.driver.send_event(message("", channel="C1", subtype="file_share", files=[{"id": "F1"}]))
    assert app.inbox.messages == []
    await app.driver.send_event(message("", subtype="file_share", files=[{"id": "F1"}]))
    assert app.taken.text == ""
