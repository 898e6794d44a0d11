"""Modals, commands and shortcuts: signed requests to the route, Slack's Web API on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from bots.problems import problem_middleware
from bots.slack.routes import SlackRoutes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import OneWorkspace
from brain.agents.router import AGENTS
from brain.message import InboundMessage, Locale, Verb
from tests.support.fake_slack import TOKEN, Failure, FakeSlack
from tests.support.recording_inbox import RecordingInbox
from tests.support.scripted_forms import ScriptedForms
from tests.support.slack_driver import SECRET, SlackDriver, command, press, rate, shortcut, submission
from tests.support.slack_limits import texts_of

NOT_FOUND = "I do not know this button"


@dataclass(frozen=True)
class App:
    slack: FakeSlack
    inbox: RecordingInbox
    forms: ScriptedForms
    driver: SlackDriver

    def press(self, action_id: str, value: str, **fields: Any) -> dict[str, Any]:
        return press(action_id, value, response_url=self.slack.response_url, **fields)

    async def open(self, payload: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Opens a modal, by default that of Reject; its id and what is shown in the end."""
        sent = payload or self.press("reject:reason:2", "p-1")
        assert (await self.driver.send_action(sent)).status == 200
        (view_id,) = self.slack.views
        return view_id, self.slack.views[view_id]

    async def submit(self, view: tuple[str, dict[str, Any]], **values: str | None) -> ClientResponse:
        return await self.driver.send_action(submission(*view, values))

    @property
    def taken(self) -> InboundMessage:
        (message,) = self.inbox.messages
        return message

    @property
    def whispered(self) -> str:
        (said,) = self.slack.responses
        assert (said["response_type"], said["replace_original"]) == ("ephemeral", False)
        words: str = said["text"]
        return words


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with FakeSlack() as slack, ClientSession() as session:
        settings = SlackSettings(
            bot_token=TOKEN,
            signing_secret=SECRET,
            api_url=slack.api_url,
            team_allow_list=frozenset({"T1"}),
        )
        inbox, forms = RecordingInbox(), ScriptedForms()
        host = web.Application(middlewares=[problem_middleware])
        installed = OneWorkspace(settings)
        SlackRoutes(settings, inbox, installed, forms=forms, locale=Locale.EN).register(host)
        async with TestServer(host) as server:
            driver = SlackDriver(session, str(server.make_url("/slack/events")))
            yield App(slack=slack, inbox=inbox, forms=forms, driver=driver)


def shown(view: dict[str, Any]) -> str:
    return " ".join(texts_of(view["blocks"]))


async def test_a_button_with_a_form_opens_it_and_does_nothing_else(app: App) -> None:
    _, view = await app.open()

    assert app.inbox.deliveries == 0
    assert app.slack.methods == ["views.open"]
    assert (view["callback_id"], view["title"]["text"]) == ("form", "Give a reason")
    assert json.loads(view["private_metadata"]) == {
        "verb": "reject",
        "value": "p-1",
        "form": "reason",
        "channel": "C1",
        "thread": "1767225600.000100",
        "message": "1767225600.000900",
        "response_url": app.slack.response_url,
        "fields": {},
        "locale": "en",
    }


async def test_a_form_speaks_the_language_of_the_message_that_opened_it(app: App) -> None:
    words = {"ts": "1.2", "text": "Reexecutar PAYROLL? Isto é o que vai acontecer:"}

    _, view = await app.open(app.press("reject:reason:2", "p-1", message=words))

    assert view["title"]["text"] == "Informe o motivo"


async def test_what_is_filled_in_is_the_press_on_the_button(app: App) -> None:
    view = await app.open()

    answer = await app.submit(view, reason="  <!channel> CHG0042  ")

    assert (answer.status, await answer.text()) == (200, "")
    button = app.taken.button
    assert button is not None
    assert (button.verb, button.value, button.message_id) == (Verb.REJECT, "p-1", "1767225600.000900")
    assert button.reason == "<!channel> CHG0042"
    assert button.fields == {"reason": "<!channel> CHG0042"}
    assert app.taken.order_key == "proposal:p-1"
    assert app.taken.conversation.thread_id == "1767225600.000100"
    assert app.taken.sender.user_id == "U1"
    assert app.taken.route == {
        "channel": "C1",
        "user": "U1",
        "thread_ts": "1767225600.000100",
        "response_url": app.slack.response_url,
    }


async def test_a_form_that_is_sent_twice_is_one_turn(app: App) -> None:
    view = await app.open()

    answers = [await app.submit(view, reason="later") for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert (app.inbox.deliveries, len(app.inbox.messages)) == (3, 1)


async def test_the_same_form_opened_again_is_another_press(app: App) -> None:
    await app.submit(await app.open(), reason="later")
    app.slack.views.clear()
    await app.submit(await app.open(), reason="later")

    assert len(app.inbox.messages) == 2


@pytest.mark.parametrize("reason", [None, "", "   ", "\0"])
async def test_a_required_field_that_is_empty_is_asked_for_again(app: App, reason: str | None) -> None:
    view = await app.open()

    answer = await app.submit(view, reason=reason)

    assert await answer.json() == {
        "response_action": "errors",
        "errors": {"reason": "Please fill this in."},
    }
    assert app.inbox.deliveries == 0
    assert (await app.submit(view, reason="later")).status == 200
    assert len(app.inbox.messages) == 1


@pytest.mark.parametrize("away", ["inbox", "forms"])
async def test_what_cannot_be_stored_is_not_acknowledged(app: App, away: str) -> None:
    view = await app.open()
    part: RecordingInbox | ScriptedForms = app.inbox if away == "inbox" else app.forms

    part.error = ConnectionError("database is away")
    assert (await app.submit(view, reason="later")).status == 503
    part.error = None

    assert (await app.submit(view, reason="later")).status == 200
    assert len(app.inbox.messages) == 1


async def test_slow_storing_is_given_up_before_slack_does(app: App) -> None:
    view = await app.open()
    app.inbox.delay_seconds = 30
    started = time.monotonic()

    assert (await app.submit(view, reason="later")).status == 503
    assert time.monotonic() - started < 3


async def test_a_form_that_takes_long_is_opened_empty_and_filled(app: App) -> None:
    app.forms.delay_seconds = 0.8

    _, view = await app.open()

    assert app.slack.methods == ["views.open", "views.update"]
    assert "One moment" in shown(app.slack.calls[0].arguments["view"])
    assert view["title"]["text"] == "Give a reason"


@pytest.mark.parametrize("delay", [30, 0])
async def test_a_form_that_cannot_be_read_says_so_in_time(app: App, delay: int) -> None:
    app.forms.delay_seconds, app.forms.error = delay, ConnectionError("database is away")
    started = time.monotonic()

    _, view = await app.open()

    assert "Nothing was changed" in shown(view)
    assert "submit" not in view
    assert time.monotonic() - started < 3


async def test_a_press_that_came_too_late_for_a_form_is_answered(app: App) -> None:
    app.slack.fail("views.open", Failure("expired_trigger_id"))

    assert (await app.driver.send_action(app.press("reject:reason:2", "p-1"))).status == 200

    assert app.whispered.startswith("The form could not be opened in time")


async def test_a_form_that_is_closed_changes_nothing(app: App) -> None:
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
        '{"verb": "launch", "value": "p-1", "channel": "C1", "form": "reason"}',
        '{"verb": "reject", "value": "p-1", "channel": "C1"}',
        '{"verb": "reject", "value": "p-1", "channel": "C1", "form": "missiles"}',
        '{"verb": "reject", "value": "p-1", "channel": "C1", "form": "reason", "user": "U2"}',
        '{"verb": "reject", "value": "p-1", "channel": 5, "form": "reason"}',
    ],
)
async def test_a_form_that_is_none_of_ours_does_nothing_and_says_so(app: App, metadata: str) -> None:
    view_id, view = await app.open()

    answer = await app.submit((view_id, view | {"private_metadata": metadata}), reason="later")

    said = await answer.json()
    assert said["response_action"] == "update"
    assert NOT_FOUND in shown(said["view"])
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize(
    "url", ["https://evil.example/hook", "http://127.0.0.1.evil.example/", "https://127.0.0.1/x", "x"]
)
async def test_answers_are_sent_to_no_address_that_a_form_brought_along(app: App, url: str) -> None:
    view_id, view = await app.open()
    metadata = json.loads(view["private_metadata"]) | {"response_url": url}

    await app.submit((view_id, view | {"private_metadata": json.dumps(metadata)}), reason="later")

    assert "response_url" not in app.taken.route


async def test_only_what_the_form_asks_for_and_offers_is_taken(app: App) -> None:
    view_id, view = await app.open(rate("bad", "turn-7", response_url=app.slack.response_url))
    body = submission(view_id, view, {"note": "x" * 50})
    values = body["view"]["state"]["values"]
    values["locale"]["locale"]["selected_option"] = {"value": "klingon"}
    values["role"] = {"role": {"type": "plain_text_input", "value": "admin"}}

    assert (await app.driver.send_action(body)).status == 200

    assert app.taken.button is not None
    assert app.taken.button.fields == {"locale": "", "note": "x" * 20, "verdict": "bad"}


async def test_a_helpful_answer_is_rated_at_once(app: App) -> None:
    assert (await app.driver.send_action(rate("good", "turn-7"))).status == 200

    button = app.taken.button
    assert button is not None
    assert (button.verb, button.value, button.fields) == (Verb.RATE, "turn-7", {"verdict": "good"})
    assert app.slack.views == {}


async def test_a_bad_answer_is_rated_with_a_form(app: App) -> None:
    view = await app.open(rate("bad", "turn-7"))
    assert app.inbox.deliveries == 0
    assert [kind for kind, _, _ in app.forms.opened] == ["rating"]

    await app.submit(view, note="wrong job", locale="en")

    button = app.taken.button
    assert button is not None
    assert (button.verb, button.value) == (Verb.RATE, "turn-7")
    assert button.fields == {"verdict": "bad", "note": "wrong job", "locale": "en"}


async def test_an_answer_is_asked_how_it_came_about(app: App) -> None:
    assert (await app.driver.send_action(app.press("why", "turn-7"))).status == 200

    button = app.taken.button
    assert button is not None
    assert (button.verb, button.value) == (Verb.WHY, "turn-7")


@pytest.mark.parametrize(
    ("typed", "asked", "locale", "is_private"),
    [
        ("", "help", "en", True),
        ("  Help ", "help", "en", True),
        ("ajuda", "ajuda", "pt", True),
        ("status", "status of the plan", "en", False),
        ("situação", "situação do plano", "pt", False),
        ("late", "what is late?", "en", False),
        ("Atrasados", "o que está atrasado?", "pt", False),
        ("approvals", "approvals", "en", True),
        ("aprovações", "aprovações", "pt", True),
        ("incidents", "incidents", "en", False),
        ("incidentes", "incidentes", "pt", False),
        ("why PAYROLL", "why PAYROLL", None, False),
        ("help me rerun PAYROLL", "help me rerun PAYROLL", None, False),
        ("launch", "launch", None, False),
    ],
)
async def test_commands(app: App, typed: str, asked: str, locale: str | None, *, is_private: bool) -> None:
    answer = await app.driver.send_command(command(typed))

    assert answer.status == 200
    assert (app.taken.text, app.taken.locale) == (asked, locale)
    assert ("private" in app.taken.route) is is_private
    assert ("in_channel" in await answer.text()) is not is_private


@pytest.mark.parametrize(("typed", "locale"), [("settings", "en"), ("configurações", "pt")])
async def test_the_settings_are_a_form_at_once(app: App, typed: str, locale: str) -> None:
    answer = await app.driver.send_command(command(typed))
    assert (answer.status, await answer.text()) == (200, "")
    ((kind, conversation, shown_in),) = app.forms.opened
    assert (kind, conversation.conversation_id, shown_in) == ("settings", "C1", locale)
    ((view_id, view),) = app.slack.views.items()

    await app.submit((view_id, view), locale="pt", note="")

    button = app.taken.button
    assert button is not None
    assert (button.verb, button.fields) == (Verb.SET, {"locale": "pt", "note": ""})
    assert app.taken.conversation == conversation


async def test_a_question_from_anywhere_is_asked_between_the_person_and_the_bot(app: App) -> None:
    view = await app.open(shortcut("ask_tws"))
    assert app.inbox.deliveries == 0

    assert (await (await app.submit(view, question=" ")).json())["response_action"] == "errors"
    answers = [await app.submit(view, question="what failed?") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert app.taken.text == "what failed?"
    assert app.taken.conversation.conversation_id == "D1"
    assert app.taken.route == {"channel": "D1", "user": "U1"}
    assert app.taken.agent is None


async def test_a_question_is_not_acknowledged_where_slack_opens_no_conversation(app: App) -> None:
    view = await app.open(shortcut("ask_tws"))
    app.slack.fail("conversations.open", Failure(status=500))

    assert (await app.submit(view, question="what failed?")).status == 503
    assert app.inbox.deliveries == 0
    assert (await app.submit(view, question="what failed?")).status == 200


def on_message(app: App, **message: Any) -> dict[str, Any]:
    return shortcut(
        "explain_this",
        channel={"id": "C1", "name": "alerts"},
        message={"type": "message", "user": "U2", "ts": "1.5", "text": "", **message},
        message_ts="1.5",
        response_url=app.slack.response_url,
    )


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ({"text": "PAYROLL: AWSBHT061E again, then RC 12"}, "What does AWSBHT061E, RC 12 mean?"),
        ({"text": "cancel PAYROLL"}, "cancel PAYROLL"),
        ({"attachments": [{"fallback": "AWSJPL018E"}, 5]}, "What does AWSJPL018E mean?"),
        ({"text": "x" * 5_000}, "x" * 1_000),
    ],
)
async def test_a_message_is_explained_in_its_thread_and_asks_for_nothing(
    app: App, message: dict[str, Any], asked: str
) -> None:
    body = on_message(app, **message)

    answers = [await app.driver.send_action(body) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert app.taken.text == asked
    assert app.taken.agent == "knowledge"
    assert "knowledge" in AGENTS
    assert (app.taken.conversation.thread_id, app.taken.route["thread_ts"]) == ("1.5", "1.5")
    assert app.taken.button is None


async def test_a_message_without_words_is_not_explained(app: App) -> None:
    assert (await app.driver.send_action(on_message(app))).status == 200

    assert app.whispered == "I find no words in this message that I could explain."
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize("action_id", ["launch:1", "old_button", "Approve:1"])
async def test_a_foreign_or_older_button_is_answered_in_private(app: App, action_id: str) -> None:
    assert (await app.driver.send_action(app.press(action_id, "p-1"))).status == 200

    assert app.whispered.startswith(NOT_FOUND)
    assert app.inbox.deliveries == 0


async def test_people_of_other_teams_are_told_and_nothing_is_taken(app: App) -> None:
    stranger = {"id": "U9", "team_id": "T9", "name": "eve"}
    await app.driver.send_action(app.press("approve:1", "p-1", user=stranger))
    assert app.whispered.startswith("Resync does not work for your workspace")
    view_id, view = await app.open()

    sent = submission(view_id, view, {"reason": "x"}) | {"user": stranger}
    said = await (await app.driver.send_action(sent)).json()

    assert "Resync does not work for your workspace" in shown(said["view"])
    assert app.inbox.deliveries == 0


async def test_the_person_is_who_slack_says_and_not_who_opened_the_form(app: App) -> None:
    view_id, view = await app.open()
    other = {"id": "U2", "team_id": "T1", "name": "otto"}

    await app.driver.send_action(submission(view_id, view, {"reason": "x"}) | {"user": other})

    assert (app.taken.sender.user_id, app.taken.route["user"]) == ("U2", "U2")


async def test_nothing_is_said_to_an_address_that_is_not_slacks(app: App) -> None:
    assert (await app.driver.send_action(press("launch:1", "now"))).status == 200
    assert app.slack.responses == []
