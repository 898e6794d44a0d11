"""Modals of Slack: signed requests to the route, Slack's Web API on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest

from brain.message import Verb
from tests.support.fake_slack import Failure
from tests.support.slack_app import SlackApp, open_slack_app, shown
from tests.support.slack_driver import press, submission

NOT_FOUND = "I do not know this button"


@pytest.fixture
async def app() -> AsyncIterator[SlackApp]:
    async with open_slack_app() as opened:
        yield opened


async def test_a_button_with_a_form_opens_it_and_does_nothing_else(app: SlackApp) -> None:
    _, view = await app.open()

    assert app.inbox.deliveries == 0
    assert app.slack.methods == ["views.open"]
    assert (view["callback_id"], view["title"]["text"]) == ("form", "Give a reason")
    assert json.loads(view["private_metadata"]) == {
        "verb": "reject",
        "value": "p-1",
        "asks_reason": True,
        "channel": "C1",
        "thread": "1767225600.000100",
        "message": "1767225600.000900",
        "response_url": app.slack.response_url,
        "locale": "en",
    }


async def test_a_form_speaks_the_language_of_the_message_that_opened_it(app: SlackApp) -> None:
    words = {"ts": "1.2", "text": "Reexecutar PAYROLL? Isto é o que vai acontecer:"}

    _, view = await app.open(app.press("reject:reason:2", "p-1", message=words))

    assert view["title"]["text"] == "Informe o motivo"


async def test_what_is_filled_in_is_the_press_on_the_button(app: SlackApp) -> None:
    view = await app.open()

    answer = await app.submit(view, reason="  <!channel> CHG0042  ")

    assert (answer.status, await answer.text()) == (200, "")
    button = app.taken.button
    assert button is not None
    assert (button.verb, button.value, button.message_id) == (Verb.REJECT, "p-1", "1767225600.000900")
    assert button.reason == "<!channel> CHG0042"
    assert app.taken.order_key == "proposal:p-1"
    assert app.taken.conversation.thread_id == "1767225600.000100"
    assert app.taken.sender.user_id == "U1"
    assert app.taken.route == {
        "channel": "C1",
        "user": "U1",
        "thread_ts": "1767225600.000100",
        "response_url": app.slack.response_url,
    }


async def test_a_form_that_is_sent_twice_is_one_turn(app: SlackApp) -> None:
    view = await app.open()

    answers = [await app.submit(view, reason="later") for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert (app.inbox.deliveries, len(app.inbox.messages)) == (3, 1)


async def test_the_same_form_opened_again_is_another_press(app: SlackApp) -> None:
    await app.submit(await app.open(), reason="later")
    app.slack.views.clear()
    await app.submit(await app.open(), reason="later")

    assert len(app.inbox.messages) == 2


@pytest.mark.parametrize("reason", [None, "", "   ", "\0"])
async def test_a_required_field_that_is_empty_is_asked_for_again(app: SlackApp, reason: str | None) -> None:
    view = await app.open()

    answer = await app.submit(view, reason=reason)

    assert await answer.json() == {
        "response_action": "errors",
        "errors": {"reason": "Please fill this in."},
    }
    assert app.inbox.deliveries == 0
    assert (await app.submit(view, reason="later")).status == 200
    assert len(app.inbox.messages) == 1


async def test_what_cannot_be_stored_is_not_acknowledged(app: SlackApp) -> None:
    view = await app.open()

    app.inbox.error = ConnectionError("database is away")
    assert (await app.submit(view, reason="later")).status == 503
    app.inbox.error = None

    assert (await app.submit(view, reason="later")).status == 200
    assert len(app.inbox.messages) == 1


async def test_slow_storing_is_given_up_before_slack_does(app: SlackApp) -> None:
    view = await app.open()
    app.inbox.delay_seconds = 30
    started = time.monotonic()

    assert (await app.submit(view, reason="later")).status == 503
    assert time.monotonic() - started < 3


async def test_a_press_that_came_too_late_for_a_form_is_answered(app: SlackApp) -> None:
    app.slack.fail("views.open", Failure("expired_trigger_id"))

    assert (await app.driver.send_action(app.press("reject:reason:2", "p-1"))).status == 200

    assert app.whispered.startswith("The form could not be opened in time")


async def test_a_form_that_is_closed_changes_nothing(app: SlackApp) -> None:
    view_id, view = await app.open()

    closed = submission(view_id, view, {}) | {"type": "view_closed", "is_cleared": False}

    assert (await app.driver.send_action(closed)).status == 200
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "{",
        "[]",
        '{"verb": "approve"}',
        '{"verb": "launch", "value": "p-1", "channel": "C1"}',
        '{"verb": "reject", "value": "p-1", "channel": "C1", "user": "U2"}',
        '{"verb": "reject", "value": "p-1", "channel": 5}',
    ],
)
async def test_a_form_that_is_none_of_ours_does_nothing_and_says_so(app: SlackApp, metadata: str) -> None:
    view_id, view = await app.open()

    answer = await app.submit((view_id, view | {"private_metadata": metadata}), reason="later")

    said = await answer.json()
    assert said["response_action"] == "update"
    assert NOT_FOUND in shown(said["view"])
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize(
    "url", ["https://evil.example/hook", "http://127.0.0.1.evil.example/", "https://127.0.0.1/x", "x"]
)
async def test_answers_are_sent_to_no_address_that_a_form_brought_along(app: SlackApp, url: str) -> None:
    view_id, view = await app.open()
    metadata = json.loads(view["private_metadata"]) | {"response_url": url}

    await app.submit((view_id, view | {"private_metadata": json.dumps(metadata)}), reason="later")

    assert "response_url" not in app.taken.route


async def test_only_what_the_form_asks_for_is_taken(app: SlackApp) -> None:
    view_id, view = await app.open()
    body = submission(view_id, view, {"reason": "x" * 600})
    body["view"]["state"]["values"]["role"] = {"role": {"type": "plain_text_input", "value": "admin"}}

    assert (await app.driver.send_action(body)).status == 200

    assert app.taken.button is not None
    assert app.taken.button.reason == "x" * 500
    assert "admin" not in repr(app.taken)


@pytest.mark.parametrize("action_id", ["launch:1", "old_button", "Approve:1"])
async def test_a_foreign_or_older_button_is_answered_in_private(app: SlackApp, action_id: str) -> None:
    assert (await app.driver.send_action(app.press(action_id, "p-1"))).status == 200

    assert app.whispered.startswith(NOT_FOUND)
    assert app.inbox.deliveries == 0


async def test_people_of_other_teams_are_told_and_nothing_is_taken(app: SlackApp) -> None:
    stranger = {"id": "U9", "team_id": "T9", "name": "eve"}
    await app.driver.send_action(app.press("approve:1", "p-1", user=stranger))
    assert app.whispered.startswith("Resync does not work for your workspace")
    view_id, view = await app.open()

    sent = submission(view_id, view, {"reason": "x"}) | {"user": stranger}
    said = await (await app.driver.send_action(sent)).json()

    assert "Resync does not work for your workspace" in shown(said["view"])
    assert app.inbox.deliveries == 0


async def test_the_person_is_who_slack_says_and_not_who_opened_the_form(app: SlackApp) -> None:
    view_id, view = await app.open()
    other = {"id": "U2", "team_id": "T1", "name": "otto"}

    await app.driver.send_action(submission(view_id, view, {"reason": "x"}) | {"user": other})

    assert (app.taken.sender.user_id, app.taken.route["user"]) == ("U2", "U2")


async def test_nothing_is_said_to_an_address_that_is_not_slacks(app: SlackApp) -> None:
    assert (await app.driver.send_action(press("launch:1", "now"))).status == 200
    assert app.slack.responses == []
