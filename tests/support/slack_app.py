"""The route of Slack with everything round it on loopback: the stub, an inbox and who sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from bots.problems import problem_middleware
from bots.slack.routes import SlackRoutes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import OneWorkspace
from brain.message import InboundMessage, Locale
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.recording_inbox import RecordingInbox
from tests.support.slack_driver import SECRET, SlackDriver, press, submission
from tests.support.slack_limits import texts_of


@dataclass(frozen=True)
class SlackApp:
    slack: FakeSlack
    inbox: RecordingInbox
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


@asynccontextmanager
async def open_slack_app() -> AsyncIterator[SlackApp]:
    async with FakeSlack() as slack, ClientSession() as session:
        settings = SlackSettings(
            bot_token=TOKEN,
            signing_secret=SECRET,
            api_url=slack.api_url,
            team_allow_list=frozenset({"T1"}),
        )
        inbox = RecordingInbox()
        host = web.Application(middlewares=[problem_middleware])
        installed = OneWorkspace(settings)
        SlackRoutes(settings, inbox, installed, locale=Locale.EN).register(host)
        async with TestServer(host) as server:
            driver = SlackDriver(session, str(server.make_url("/slack/events")))
            yield SlackApp(slack=slack, inbox=inbox, driver=driver)


def shown(view: dict[str, Any]) -> str:
    return " ".join(texts_of(view["blocks"]))
