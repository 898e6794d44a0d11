"""Socket Mode: the same listeners over a connection that Resync opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bots.problems import problem_middleware
from bots.slack.routes import SlackRoutes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import OneWorkspace
from brain.message import Locale
from tests.support.fake_slack import APP_TOKEN, TOKEN, Failure, FakeSlack
from tests.support.recording_inbox import RecordingInbox
from tests.support.slack_driver import SlackDriver, command, mention, press, submission
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Connected:
    slack: FakeSlack
    inbox: RecordingInbox
    server: TestServer

    async def connections(self, number: int) -> None:
        await eventually(lambda: _is(len(self.slack.sockets) >= number), seconds=20)

    async def acknowledged(self, envelope: str) -> dict[str, object]:
        await eventually(lambda: _is(envelope in {ack["envelope_id"] for ack in self.slack.acks}), seconds=20)
        return next(ack for ack in self.slack.acks if ack["envelope_id"] == envelope)


async def _is(found: bool) -> bool:  # noqa: FBT001  # what `eventually` awaits
    return found


@pytest.fixture
async def connected() -> AsyncIterator[Connected]:
    async with FakeSlack() as slack:
        slack.fail("apps.connections.open", Failure(status=503))
        settings = SlackSettings(
            bot_token=SecretStr(TOKEN),
            app_token=SecretStr(APP_TOKEN),
            api_url=slack.api_url,
            socket_ping=timedelta(seconds=0.5),
        )
        inbox, host = RecordingInbox(), web.Application(middlewares=[problem_middleware])
        SlackRoutes(settings, inbox, OneWorkspace(settings), locale=Locale.EN).register(host)
        async with TestServer(host) as server:
            found = Connected(slack, inbox, server)
            await found.connections(1)
            yield found


async def test_a_message_is_stored_before_its_envelope_is_acknowledged(connected: Connected) -> None:
    connected.inbox.delay_seconds = 0.2
    envelope = await connected.slack.push(mention("why did NIGHTLY_LOAD fail?"))

    await connected.acknowledged(envelope)

    assert [taken.text for taken in connected.inbox.messages] == ["why did NIGHTLY_LOAD fail?"]


async def test_what_cannot_be_stored_is_not_acknowledged(connected: Connected) -> None:
    connected.inbox.error = ConnectionError("database is away")
    body = mention("status")
    lost = await connected.slack.push(body)
    await eventually(lambda: _is(connected.inbox.deliveries == 1))

    connected.inbox.error = None
    again = await connected.slack.push(body)
    await connected.acknowledged(again)

    assert lost not in {ack["envelope_id"] for ack in connected.slack.acks}
    assert len(connected.inbox.messages) == 1


async def test_commands_and_buttons_come_over_the_socket_too(connected: Connected) -> None:
    asked = await connected.slack.push(dict(command("what failed?")), "slash_commands")
    pressed = await connected.slack.push(press("approve:1", "p-1"), "interactive")

    payload = (await connected.acknowledged(asked))["payload"]
    assert isinstance(payload, dict)
    assert payload["response_type"] == "in_channel"
    await connected.acknowledged(pressed)
    assert len(connected.inbox.messages) == 2


async def test_a_form_is_sent_over_the_socket_too(connected: Connected) -> None:
    opened = await connected.slack.push(press("reject:reason:2", "p-1"), "interactive")
    await connected.acknowledged(opened)
    ((view_id, view),) = connected.slack.views.items()

    empty = await connected.slack.push(submission(view_id, view, {}), "interactive")
    asked_again = (await connected.acknowledged(empty))["payload"]
    assert asked_again == {"response_action": "errors", "errors": {"reason": "Please fill this in."}}

    connected.inbox.error = ConnectionError("database is away")
    sent = submission(view_id, view, {"reason": "later"})
    lost = await connected.slack.push(sent, "interactive")
    await eventually(lambda: _is(connected.inbox.deliveries == 1))
    connected.inbox.error = None
    for _ in range(2):
        await connected.acknowledged(await connected.slack.push(sent, "interactive"))

    assert lost not in {ack["envelope_id"] for ack in connected.slack.acks}
    (taken,) = connected.inbox.messages
    assert taken.button is not None
    assert taken.button.reason == "later"


async def test_slack_may_ask_for_a_new_connection(connected: Connected) -> None:
    await connected.slack.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})

    await connected.connections(2)
    await connected.acknowledged(await connected.slack.push(mention("status")))


async def test_a_connection_that_falls_silent_is_made_anew(connected: Connected) -> None:
    connected.slack.is_silent = True
    await connected.connections(2)
    connected.slack.is_silent = False

    async def answers() -> bool:
        if not connected.slack.sockets[-1].closed:
            await connected.slack.push(mention("status"))
        return bool(connected.slack.acks)

    await eventually(answers, seconds=20, pause=0.3)


async def test_without_a_signing_secret_no_request_is_taken(connected: Connected) -> None:
    async with ClientSession() as session:
        driver = SlackDriver(session, str(connected.server.make_url("/slack/events")))
        assert (await driver.send_event(mention("status"))).status == 401

    assert connected.inbox.deliveries == 0
