from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bots.problems import problem_middleware
from bots.slack.routes import SlackRoutes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import OneWorkspace
from brain.message import Locale, Verb
from tests.support.fake_slack import TOKEN
from tests.support.recording_inbox import RecordingInbox
from tests.support.slack_driver import BOT, SECRET, SlackDriver, command, event, mention, message, press

JSON = "application/json"


@dataclass(frozen=True)
class App:
    inbox: RecordingInbox
    slack: SlackDriver
    url: str


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
async def app(session: ClientSession) -> AsyncIterator[App]:
    """The route on loopback. Slack's Web API is not there: taking a message must not need it."""
    settings = SlackSettings(
        bot_token=TOKEN,
        signing_secret=SECRET,
        api_url="http://127.0.0.1:9/api/",
        team_allow_list=frozenset({"T1"}),
        max_body_bytes=20_000,
    )
    inbox, host = RecordingInbox(), web.Application(middlewares=[problem_middleware])
    SlackRoutes(settings, inbox, OneWorkspace(settings), locale=Locale.EN).register(host)
    async with TestServer(host) as server:
        url = str(server.make_url("/slack/events"))
        yield App(inbox=inbox, slack=SlackDriver(session, url), url=url)


def texts(app: App) -> list[str]:
    return [taken.text for taken in app.inbox.messages]


async def test_slack_can_verify_the_address(app: App) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "old"})

    answer = await app.slack.send(body, JSON)

    assert answer.status == 200
    assert await answer.json() == {"challenge": "3eZbrw1a"}


async def test_mention_is_stored_before_it_is_acknowledged(app: App) -> None:
    answer = await app.slack.send_event(mention("why did NIGHTLY_LOAD fail?"))

    assert answer.status == 200
    assert texts(app) == ["why did NIGHTLY_LOAD fail?"]


async def test_direct_message_is_taken(app: App) -> None:
    assert (await app.slack.send_event(message("status"))).status == 200

    assert texts(app) == ["status"]


async def test_command_is_taken_and_shown_in_the_channel(app: App) -> None:
    answer = await app.slack.send_command(command("por que NIGHTLY_LOAD falhou?"))

    assert answer.status == 200
    assert (await answer.json())["response_type"] == "in_channel"
    assert texts(app) == ["por que NIGHTLY_LOAD falhou?"]


async def test_press_is_taken(app: App) -> None:
    assert (await app.slack.send_action(press("approve:1", "p-1"))).status == 200

    (taken,) = app.inbox.messages
    assert taken.button is not None
    assert (taken.button.verb, taken.button.value) == (Verb.APPROVE, "p-1")


async def test_redelivery_joins_the_first_turn(app: App) -> None:
    body = mention("status")

    answers = [await app.slack.send_event(body, retry=number) for number in range(4)]

    assert [answer.status for answer in answers] == [200] * 4
    assert app.inbox.deliveries == 4
    assert texts(app) == ["status"]


async def test_mention_read_and_heard_in_a_thread_is_one_turn(app: App) -> None:
    await app.slack.send_event(mention("status", ts="1.1"))
    both = {"channel": "C1", "ts": "1.2", "thread_ts": "1.1"}

    await asyncio.gather(
        app.slack.send_event(message(f"<@{BOT}> and now?", **both)),
        app.slack.send_event(mention("and now?", **both)),
    )

    assert texts(app) == ["status", "and now?"]


async def test_thread_the_bot_is_in_needs_no_mention(app: App) -> None:
    await app.slack.send_event(mention("status", ts="1.1"))
    await app.slack.send_event(message("and yesterday?", channel="C1", ts="1.2", thread_ts="1.1"))

    assert texts(app) == ["status", "and yesterday?"]
    assert len({taken.conversation.key for taken in app.inbox.messages}) == 1


async def test_thread_the_bot_began_needs_no_mention(app: App) -> None:
    answer = message("why?", channel="C1", thread_ts="1.1", parent_user_id=BOT)

    await app.slack.send_event(answer)

    assert texts(app) == ["why?"]


@pytest.mark.parametrize(
    "overheard",
    [
        message("lunch?", channel="C1"),
        message("lunch?", channel="C1", thread_ts="9.9", parent_user_id="U2"),
        message("<@U2> can you look?", channel="C1", thread_ts="9.9", parent_user_id=BOT),
        message("", channel="C1", subtype="file_share"),
        message("edited", subtype="message_changed", hidden=True, user=None),
        message("gone", subtype="message_deleted", hidden=True, user=None),
        message("I am a bot", subtype="bot_message", bot_id="B2", user=None),
        message("my own words", user=BOT, bot_id="B1"),
        mention("from a workflow", bot_id="B3"),
        event("reaction_added", reaction="eyes"),
        event("app_home_opened", tab="messages"),
        event("member_joined_channel", channel="C1"),
    ],
    ids=lambda body: body["event"].get("subtype", body["event"]["type"]),
)
async def test_what_is_not_for_the_bot_is_acknowledged_and_left_alone(
    app: App, overheard: dict[str, Any]
) -> None:
    assert (await app.slack.send_event(overheard)).status == 200
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize("fields", [{"team_id": "T2"}, {"event": mention("x", user_team="T9")["event"]}])
async def test_people_of_other_teams_are_not_heard(app: App, fields: dict[str, Any]) -> None:
    assert (await app.slack.send_event(mention("status") | fields)).status == 200
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize(
    "event_without",
    [{"type": "app_mention"}, {"type": "message", "channel": "D1"}, {"type": "app_mention", "user": ""}],
)
async def test_event_without_its_fields_is_not_asked_for_again(
    app: App, event_without: dict[str, Any]
) -> None:
    body = mention("status") | {"event": event_without}

    assert (await app.slack.send_event(body)).status == 200
    assert app.inbox.deliveries == 0


async def test_foreign_button_is_not_asked_for_again(app: App) -> None:
    assert (await app.slack.send_action(press("launch_missiles", "now"))).status == 200
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "null",
        '"text"',
        '{"event": "x", "type": "event_callback"}',
        '{"event": {"type": 1}, "type": "event_callback"}',
        '{"event": {"type": "app_mention", "channel": 5}, "type": "event_callback"}',
        '{"enterprise": 5}',
        '{"type": "block_actions", "actions": {}}',
        '{"type": "view_submission", "view": "x"}',
        '{"authorizations": 1}',
        "[" * 9_000,
    ],
)
async def test_signed_nonsense_is_a_problem_document(app: App, body: str) -> None:
    answer = await app.slack.send(body, JSON)

    assert answer.status == 400
    assert (await answer.json())["code"] == "malformed_body"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "1"},
    ],
    ids=str,
)
async def test_bad_signature_is_refused(app: App, headers: dict[str, str]) -> None:
    answer = await app.slack.send(json.dumps(mention("status")), JSON, headers=headers)

    assert answer.status == 401
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["code"] == "bad_signature"
    assert app.inbox.deliveries == 0


@pytest.mark.parametrize("age_seconds", [-310, 310])
async def test_stale_request_is_refused(app: App, age_seconds: int) -> None:
    answer = await app.slack.send(json.dumps(mention("status")), JSON, age_seconds=age_seconds)

    assert answer.status == 401
    assert app.inbox.deliveries == 0


async def test_signature_of_another_app_is_refused(app: App, session: ClientSession) -> None:
    stranger = SlackDriver(session, app.url, secret="another secret")

    assert (await stranger.send_event(mention("status"))).status == 401
    assert (await stranger.send("not even JSON", JSON)).status == 401


async def test_unsigned_body_is_refused_unread(app: App, session: ClientSession) -> None:
    async with session.post(app.url, data=b"\xff\xfe") as answer:
        assert answer.status == 401


async def test_large_body_is_refused(app: App) -> None:
    answer = await app.slack.send_event(mention("x" * 20_000))

    assert answer.status == 413
    assert (await answer.json())["code"] == "too_large"
    assert app.inbox.deliveries == 0


async def test_failed_claim_makes_slack_deliver_again(app: App) -> None:
    body = mention("status")
    app.inbox.error = ConnectionError("database is away")

    assert (await app.slack.send_event(body)).status == 503
    assert (await app.slack.send_command(command("status"))).status == 503
    assert (await app.slack.send_action(press("approve:1", "p-1"))).status == 503

    app.inbox.error = None
    assert (await app.slack.send_event(body, retry=1)).status == 200
    assert texts(app) == ["status"]


async def test_slow_claim_is_given_up_before_slack_does(app: App) -> None:
    app.inbox.delay_seconds = 30
    started = time.monotonic()

    answer = await app.slack.send_event(mention("status"))

    assert answer.status == 503
    assert time.monotonic() - started < 3
    assert texts(app) == []
