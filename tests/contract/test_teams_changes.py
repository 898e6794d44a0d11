"""Messages that are changed or taken back in Teams, and the app that is removed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.problems import problem_middleware
from bots.teams.references import References
from bots.teams.render import to_card
from bots.teams.routes import build_channel
from brain.message import Locale, Verb
from brain.reply import Button, Buttons, Reply
from brain.tables import TURNS
from brain.turns.inbox import Inbox
from observability.metrics import Metrics
from tests.support import teams_activities as activities
from tests.support.fake_connector import TENANT, FakeConnector


@pytest.fixture
async def teams() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as connector:
        yield connector


@pytest.fixture
async def client(teams: FakeConnector, engine: AsyncEngine) -> AsyncIterator[TestClient]:
    app = web.Application(middlewares=[problem_middleware])
    async with aiohttp.ClientSession() as session:
        channel = build_channel(teams.settings(), session, Inbox(engine, Metrics()), engine)
        channel.routes.register(app)
        async with TestClient(TestServer(app)) as client:
            yield client


async def _post(client: TestClient, activity: object, authorization: str) -> aiohttp.ClientResponse:
    return await client.post("/api/messages", json=activity, headers={"Authorization": authorization})


async def _states(engine: AsyncEngine) -> list[tuple[str, str]]:
    query = select(TURNS.c.message["text"].astext, TURNS.c.state).order_by(TURNS.c.seq)
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_changed_words_are_asked_in_the_place_of_the_old_ones(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    await _post(client, activities.message(teams.service_url, "why PAYROL?", id="f:77"), teams.sign())
    for event, words in (
        ("editMessage", "why PAYROLL?"),
        ("editMessage", "why PAYROLL?"),
        ("undeleteMessage", "why PAYROL?"),
    ):
        changed = activities.message(
            teams.service_url,
            words,
            id="f:77",
            type="messageUpdate",
            channelData={"tenant": {"id": TENANT}, "eventType": event},
        )
        assert (await _post(client, changed, teams.sign())).status in {200, 202}
    assert await _states(engine) == [("why PAYROL?", "done"), ("why PAYROLL?", "waiting")]


async def test_a_message_that_is_taken_back_is_not_answered(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    await _post(client, activities.message(teams.service_url, "rerun PAYROLL", id="f:78"), teams.sign())
    gone = activities.activity(teams.service_url, "messageDelete", id="f:78")
    assert (await _post(client, gone, teams.sign())).status in {200, 202}
    assert await _states(engine) == [("rerun PAYROLL", "done")]


async def test_nothing_more_is_posted_where_the_app_was_removed(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    references = References(engine)
    route = {"service_url": teams.service_url, "person": "", "scope": "personal"}
    await references.keep(TENANT, activities.PERSONAL_CHAT, route)
    removed = activities.activity(teams.service_url, "installationUpdate", action="remove")
    assert (await _post(client, removed, teams.sign())).status in {200, 202}
    known = await references.find(TENANT, activities.PERSONAL_CHAT)
    assert known is not None
    assert known.is_dead


async def test_the_reason_is_asked_in_the_card_and_comes_with_the_press(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    reject = Button(label="Reject", verb=Verb.REJECT, value="p-1", asks_reason=True)
    card = to_card(Reply(blocks=(Buttons(items=(reject,)),), plain_text="Rerun?"), Locale.EN)
    (asking,) = card["body"][0]["actions"]
    (written,), (send,) = asking["card"]["body"], asking["card"]["actions"]
    assert (asking["type"], written["id"], written["isRequired"]) == ("Action.ShowCard", "reason", True)
    assert (send["type"], send["verb"], send["data"]) == ("Action.Execute", "reject", {"value": "p-1"})
    data = {**send["data"], written["id"]: "not tonight"}
    pressed = activities.execute(teams.service_url, send["verb"], data)
    assert (await _post(client, pressed, teams.sign())).status == 200
    async with engine.connect() as connection:
        (message,) = (await connection.execute(select(TURNS.c.message))).scalars()
    assert (message["button"]["value"], message["button"]["reason"]) == ("p-1", "not tonight")
