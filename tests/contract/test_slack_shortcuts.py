"""What is asked by commands and shortcuts: signed requests to the route, Slack's Web API on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from brain.agents.router import AGENTS
from tests.support.fake_slack import Failure
from tests.support.slack_app import SlackApp, open_slack_app
from tests.support.slack_driver import command, shortcut


@pytest.fixture
async def app() -> AsyncIterator[SlackApp]:
    async with open_slack_app() as opened:
        yield opened


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
async def test_commands(
    app: SlackApp, typed: str, asked: str, locale: str | None, *, is_private: bool
) -> None:
    answer = await app.driver.send_command(command(typed))

    assert answer.status == 200
    assert (app.taken.text, app.taken.locale) == (asked, locale)
    assert ("private" in app.taken.route) is is_private
    assert ("in_channel" in await answer.text()) is not is_private


async def test_a_question_from_anywhere_is_asked_between_the_person_and_the_bot(app: SlackApp) -> None:
    view = await app.open(shortcut("ask_tws"))
    assert app.inbox.deliveries == 0

    assert (await (await app.submit(view, question=" ")).json())["response_action"] == "errors"
    answers = [await app.submit(view, question="what failed?") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert app.taken.text == "what failed?"
    assert app.taken.conversation.conversation_id == "D1"
    assert app.taken.route == {"channel": "D1", "user": "U1"}
    assert app.taken.agent is None


async def test_a_question_is_not_acknowledged_where_slack_opens_no_conversation(app: SlackApp) -> None:
    view = await app.open(shortcut("ask_tws"))
    app.slack.fail("conversations.open", Failure(status=500))

    assert (await app.submit(view, question="what failed?")).status == 503
    assert app.inbox.deliveries == 0
    assert (await app.submit(view, question="what failed?")).status == 200


def on_message(app: SlackApp, **message: Any) -> dict[str, Any]:
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
    app: SlackApp, message: dict[str, Any], asked: str
) -> None:
    body = on_message(app, **message)

    answers = [await app.driver.send_action(body) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert app.taken.text == asked
    assert app.taken.agent == "knowledge"
    assert "knowledge" in AGENTS
    assert (app.taken.conversation.thread_id, app.taken.route["thread_ts"]) == ("1.5", "1.5")
    assert app.taken.button is None


async def test_a_message_without_words_is_not_explained(app: SlackApp) -> None:
    assert (await app.driver.send_action(on_message(app))).status == 200

    assert app.whispered == "I find no words in this message that I could explain."
    assert app.inbox.deliveries == 0
