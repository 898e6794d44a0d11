"""Several workspaces install Resync by themselves; each is answered with its own token."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.problems import problem_middleware
from bots.slack.inbound import from_event
from bots.slack.outbox import SlackOutboxes
from bots.slack.routes import SlackRoutes
from bots.slack.settings import SlackSettings
from bots.slack.workspaces import Installed, open_installed
from brain.message import Locale
from brain.reply import Reply
from brain.turns.outbox import OutboxError
from security.vault import Vault
from tests.support.fake_slack import CLIENT, CLIENT_SECRET, Failure, FakeSlack
from tests.support.recording_inbox import RecordingInbox
from tests.support.slack_driver import SECRET, SlackDriver, event, mention

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk's

_ANSWER = Reply(blocks=(), plain_text="It failed.")


@dataclass(frozen=True)
class App:
    slack: FakeSlack
    driver: SlackDriver
    session: ClientSession
    address: str
    inbox: RecordingInbox
    installed: Installed
    outboxes: SlackOutboxes
    engine: AsyncEngine

    async def install(self, team: str) -> int:
        """Somebody of the team goes through the installation; the status of the last page."""
        state, cookie = await self.begin()
        self.slack.codes[f"code-{team}"] = team
        return await self.come_back(state, cookie, f"code-{team}")

    async def begin(self) -> tuple[str, str]:
        async with self.session.get(f"{self.address}/slack/install") as page:
            html, cookie = await page.text(), page.headers["Set-Cookie"].partition(";")[0]
        link = re.search(r'href="([^"]*oauth/v2/authorize[^"]*)"', html)
        assert link is not None
        return parse_qs(urlsplit(unescape(link[1])).query)["state"][0], cookie

    async def come_back(self, state: str, cookie: str, code: str) -> int:
        # The cookie is `Secure`: over plain http it must be sent by hand.
        async with self.session.get(
            f"{self.address}/slack/oauth_redirect",
            params={"state": state, "code": code},
            headers={"Cookie": cookie},
        ) as page:
            return page.status

    async def answer(self, team: str) -> str:
        """Answers a mention in the team; the token with which it was posted."""
        asked = from_event(mention("why?") | {"team_id": team}, received_at=datetime.now(UTC))
        await self.outboxes("turn-1", asked).send(_ANSWER)
        return self.slack.calls[-1].token


@pytest.fixture
async def app(engine: AsyncEngine) -> AsyncIterator[App]:
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE slack_bots, slack_installations, slack_oauth_states"))
    async with FakeSlack() as slack, ClientSession() as session:
        settings = SlackSettings(
            client_id=CLIENT,
            client_secret=SecretStr(CLIENT_SECRET),
            signing_secret=SecretStr(SECRET),
            api_url=slack.api_url,
            team_allow_list=frozenset({"T1", "T2"}),
        )
        installed = open_installed(settings, engine, Vault(["k" * 32]), session)
        inbox, host = RecordingInbox(), web.Application(middlewares=[problem_middleware])
        SlackRoutes(settings, inbox, installed, locale=Locale.EN).register(host)
        async with TestServer(host) as server:
            address = str(server.make_url("")).rstrip("/")
            yield App(
                slack=slack,
                driver=SlackDriver(session, f"{address}/slack/events"),
                session=session,
                address=address,
                inbox=inbox,
                installed=installed,
                outboxes=SlackOutboxes(settings, session, installed),
                engine=engine,
            )


async def test_each_team_is_answered_with_its_own_token(app: App) -> None:
    assert [await app.install(team) for team in ("T1", "T2")] == [200, 200]

    assert app.slack.tokens[await app.answer("T1")] == "T1"
    assert app.slack.tokens[await app.answer("T2")] == "T2"


async def test_events_of_installed_teams_are_taken_and_others_are_not(app: App) -> None:
    await app.install("T1")

    ours = await app.driver.send_event(mention("status"))
    of_others = {"team_id": "T2", "authorizations": [{"team_id": "T2", "user_id": "UBOT", "is_bot": True}]}
    theirs = await app.driver.send_event(mention("status", team="T2") | of_others)

    assert (ours.status, theirs.status) == (200, 200)
    assert [taken.conversation.tenant for taken in app.inbox.messages] == ["T1"]


async def test_a_callback_works_once_and_only_in_the_browser_that_began(app: App) -> None:
    state, cookie = await app.begin()
    app.slack.codes |= {"c1": "T1", "c2": "T2"}

    assert await app.come_back(state, "", "c1") == 400
    assert await app.come_back(state, cookie, "c1") == 200
    assert await app.come_back(state, cookie, "c2") == 401
    assert await app.installed.token("T2") is None


async def test_a_team_that_may_not_talk_to_resync_cannot_install_it(app: App) -> None:
    assert await app.install("T666") == 500

    assert await app.installed.token("T666") is None


async def test_tokens_at_rest_are_encrypted(app: App) -> None:
    app.slack.lifetime = 43_200
    await app.install("T1")
    token = await app.installed.token("T1")
    assert token is not None

    async with app.engine.connect() as connection:
        stored = [
            str(value)
            for table in ("slack_bots", "slack_installations")
            for row in await connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608  # our own names
            for value in row
        ]

    assert len(stored) > 20
    assert not any(token in value or "xoxe-" in value for value in stored)


async def test_a_token_near_its_end_is_renewed_once_whoever_asks_at_once(app: App) -> None:
    app.slack.lifetime = 60
    await app.install("T1")
    app.slack.lifetime = 43_200

    tokens = await asyncio.gather(*(app.installed.token("T1") for _ in range(8)))

    assert len(set(tokens)) == 1
    assert app.slack.methods.count("oauth.v2.access") == 2
    assert await app.answer("T1") == tokens[0]


async def test_a_renewal_that_fails_leaves_the_old_token_and_is_tried_again(app: App) -> None:
    app.slack.lifetime = 60
    await app.install("T1")
    app.slack.fail("oauth.v2.access", Failure(error="internal_error"), Failure(status=503))
    app.slack.lifetime = 43_200

    tokens = [await app.installed.token("T1") for _ in range(4)]

    assert tokens[0] == tokens[1] != tokens[2]
    assert tokens[2] == tokens[3]


@pytest.mark.parametrize(
    "gone",
    [event("app_uninstalled"), event("tokens_revoked", tokens={"bot": ["UBOT"]})],
    ids=lambda body: body["event"]["type"],
)
async def test_a_team_that_removes_the_app_is_forgotten(app: App, gone: dict[str, object]) -> None:
    await app.install("T1")
    await app.install("T2")

    assert (await app.driver.send_event(gone)).status == 200

    assert await app.installed.token("T1") is None
    assert await app.installed.token("T2") is not None
    with pytest.raises(OutboxError) as caught:
        await app.answer("T1")
    assert not caught.value.retryable
    async with app.engine.connect() as connection:
        left = await connection.execute(text("SELECT count(*) FROM slack_installations WHERE team_id = 'T1'"))
        assert left.scalar() == 0


async def test_a_revoked_token_of_a_person_changes_nothing(app: App) -> None:
    await app.install("T1")

    await app.driver.send_event(event("tokens_revoked", tokens={"oauth": ["U1"], "bot": []}))

    assert await app.installed.token("T1") is not None


async def test_installing_again_takes_the_new_token(app: App) -> None:
    await app.install("T1")
    first = await app.installed.token("T1")
    await asyncio.sleep(1.1)
    await app.install("T1")

    assert await app.installed.token("T1") != first
