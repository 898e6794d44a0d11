"""`POST /api/messages` over real HTTP: who is let in, what is taken, what is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.problems import problem_middleware
from bots.teams.routes import build_channel
from brain.message import InboundMessage, Locale, Verb, from_jsonable
from brain.tables import TURNS
from brain.turns.inbox import Inbox
from observability.metrics import Metrics
from tests.support import teams_activities as activities
from tests.support.fake_connector import APP_ID, TENANT, FakeConnector, private_key
from tests.support.recording_inbox import RecordingInbox

PATH = "/api/messages"


@pytest.fixture
async def teams() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as connector:
        yield connector


@pytest.fixture
async def client(teams: FakeConnector, engine: AsyncEngine) -> AsyncIterator[TestClient]:
    app = web.Application(middlewares=[problem_middleware])
    async with aiohttp.ClientSession() as session:
        build_channel(
            teams.settings(max_body_bytes=64 * 1024), session, Inbox(engine, Metrics()), engine
        ).routes.register(app)
        async with TestClient(TestServer(app)) as client:
            yield client


async def _post(client: TestClient, activity: object, authorization: str | None) -> aiohttp.ClientResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return await client.post(PATH, json=activity, headers=headers)


async def _accepted(engine: AsyncEngine) -> list[InboundMessage]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(TURNS.c.message).order_by(TURNS.c.seq))
        return [from_jsonable(value) for value in rows.scalars()]


async def _is_problem(response: aiohttp.ClientResponse, status: int, code: str) -> bool:
    assert response.content_type == "application/problem+json"
    problem = await response.json()
    assert (response.status, problem["status"], problem["code"]) == (status, status, code)
    return True


# --- who is let in ---


async def test_message_with_a_genuine_token_is_taken(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    response = await _post(client, activities.message(teams.service_url), teams.sign())
    assert response.status == 202
    assert [message.text for message in await _accepted(engine)] == ["what failed?"]
    assert teams.deliveries == []  # the answer comes later, from a worker


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
        "Bearer garbage",
        "Bearer a.b.c",
        "Bearer " + "W" * 6000 + ".e30.x",
    ],
)
async def test_header_without_a_token_is_refused(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, authorization: str | None
) -> None:
    response = await _post(client, activities.message(teams.service_url), authorization)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (await response.json())["code"] in {"no_token", "invalid_token"}
    assert await _accepted(engine) == []


def _now(seconds: int) -> int:
    return int(time.time()) + seconds


def _from_now(claims: dict[str, Any]) -> dict[str, Any]:
    """Times of the claims, given in seconds from now: the tests are collected long before they run."""
    return {
        name: _now(value) if name in {"exp", "nbf"} and type(value) is int else value
        for name, value in claims.items()
    }


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"}, id="issuer"),
        pytest.param({"aud": "another-bot"}, id="audience"),
        pytest.param({"exp": -301}, id="expired beyond leeway"),
        pytest.param({"nbf": 400, "exp": 4000}, id="not yet valid"),
        pytest.param({"without": frozenset({"exp"})}, id="no exp"),
        pytest.param({"without": frozenset({"nbf"})}, id="no nbf"),
        pytest.param({"without": frozenset({"iss"})}, id="no iss"),
        pytest.param({"without": frozenset({"aud"})}, id="no aud"),
        pytest.param({"without": frozenset({"serviceurl"})}, id="no serviceurl"),
        pytest.param({"serviceurl": 5}, id="serviceurl of another type"),
        pytest.param({"key": private_key("stranger")}, id="signature"),
        pytest.param({"algorithm": "HS256", "key": "s" * 32}, id="HS256"),
        pytest.param({"key_id": None}, id="no kid"),
        pytest.param({"key_id": "unheard-of"}, id="unknown kid"),
    ],
)
async def test_token_that_proves_nothing_is_refused(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, changes: Mapping[str, Any]
) -> None:
    response = await _post(client, activities.message(teams.service_url), teams.sign(**_from_now(changes)))
    assert response.status == 401
    assert (await response.json())["code"] in {"invalid_token", "unknown_key"}
    assert await _accepted(engine) == []


async def test_unsigned_token_is_refused(client: TestClient, teams: FakeConnector) -> None:
    claims = {"iss": "https://api.botframework.com", "aud": APP_ID, "exp": _now(60), "nbf": _now(-60)}
    token = jwt.encode(claims | {"serviceurl": teams.service_url}, None, "none", headers={"kid": "k1"})
    response = await _post(client, activities.message(teams.service_url), f"Bearer {token}")
    assert await _is_problem(response, 401, "invalid_token")


async def test_public_key_is_no_hmac_secret(client: TestClient, teams: FakeConnector) -> None:
    modulus = str(private_key().public_key().public_numbers().n)
    authorization = teams.sign(algorithm="HS256", key=modulus)
    response = await _post(client, activities.message(teams.service_url), authorization)
    assert await _is_problem(response, 401, "invalid_token")


async def test_token_expired_within_the_leeway_is_accepted(client: TestClient, teams: FakeConnector) -> None:
    response = await _post(client, activities.message(teams.service_url), teams.sign(exp=_now(-200)))
    assert response.status == 202


async def test_replayed_outbound_token_of_the_bot_is_refused(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    authorization = teams.sign(
        iss=f"https://sts.windows.net/{TENANT}/",
        aud="https://api.botframework.com",
        appid=APP_ID,
        without=frozenset({"serviceurl"}),
    )
    response = await _post(client, activities.message("https://evil.example/"), authorization)
    assert await _is_problem(response, 401, "invalid_token")
    assert await _accepted(engine) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"serviceUrl": "https://smba.trafficmanager.net/emea/"}, "service_url_mismatch"),
        ({"serviceUrl": None}, "service_url_mismatch"),
        ({"channelId": "webchat"}, "channel_not_endorsed"),
        ({"channelId": None}, "channel_not_endorsed"),
        ({"channelData": {"tenant": {"id": "foreign"}}}, "foreign_tenant"),
        ({"channelData": {}, "conversation": {"id": "a:1", "tenantId": "foreign"}}, "foreign_tenant"),
        ({"channelData": {}, "conversation": {"id": "a:1"}}, "foreign_tenant"),
    ],
)
async def test_body_that_does_not_fit_the_token_is_forbidden(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, changes: Mapping[str, Any], code: str
) -> None:
    activity = activities.message(teams.service_url, **changes)
    assert await _is_problem(await _post(client, activity, teams.sign()), 403, code)
    assert await _accepted(engine) == []


async def test_service_url_outside_teams_is_forbidden_even_in_a_genuine_token(
    client: TestClient, teams: FakeConnector
) -> None:
    url = "https://evil.example/emea/"
    response = await _post(client, activities.message(url), teams.sign(serviceurl=url))
    assert await _is_problem(response, 403, "service_url_not_allowed")


async def test_key_without_the_endorsement_may_not_speak_for_teams(
    client: TestClient, teams: FakeConnector
) -> None:
    teams.published["k1"] = (private_key(), ["webchat"])
    response = await _post(client, activities.message(teams.service_url), teams.sign())
    assert await _is_problem(response, 403, "channel_not_endorsed")


async def test_without_keys_the_channel_is_told_to_come_back(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    teams.is_metadata_down = True
    response = await _post(client, activities.message(teams.service_url), teams.sign())
    assert await _is_problem(response, 503, "signing_keys_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert await _accepted(engine) == []


# --- what is read ---


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"[" * 60_000, b'{"type":null}', b"\xff"])
async def test_body_that_is_no_activity_is_a_bad_request(
    client: TestClient, teams: FakeConnector, body: bytes
) -> None:
    headers = {"Authorization": teams.sign(), "Content-Type": "application/json"}
    response = await client.post(PATH, data=body, headers=headers)
    assert await _is_problem(response, 400, "malformed_activity")


async def test_body_of_another_media_type_is_refused(client: TestClient, teams: FakeConnector) -> None:
    headers = {"Authorization": teams.sign(), "Content-Type": "text/plain"}
    response = await client.post(PATH, data=b"{}", headers=headers)
    assert await _is_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_too_large_body_is_refused(client: TestClient, teams: FakeConnector, is_chunked: bool) -> None:  # noqa: FBT001  # pytest passes it
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    headers = {"Authorization": teams.sign(), "Content-Type": "application/json"}
    data = chunks() if is_chunked else b" " * 70 * 1024
    response = await client.post(PATH, data=data, headers=headers)
    assert await _is_problem(response, 413, "too_large")


async def test_stranger_learns_nothing_about_the_body(client: TestClient) -> None:
    response = await client.post(PATH, data=b"{", headers={"Content-Type": "application/json"})
    assert await _is_problem(response, 401, "no_token")


async def test_message_without_a_sender_is_a_bad_request(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    activity = activities.message(teams.service_url, **{"from": None})
    assert await _is_problem(await _post(client, activity, teams.sign()), 400, "malformed_activity")
    assert await _accepted(engine) == []


# --- what is taken and answered ---


async def test_message_that_cannot_be_stored_is_asked_for_again(
    teams: FakeConnector, engine: AsyncEngine
) -> None:
    inbox, app = RecordingInbox(), web.Application(middlewares=[problem_middleware])
    inbox.error = ConnectionError("database is away")
    async with aiohttp.ClientSession() as session:
        build_channel(teams.settings(), session, inbox, engine).routes.register(app)
        async with TestClient(TestServer(app)) as client:
            response = await _post(client, activities.message(teams.service_url), teams.sign())
            assert await _is_problem(response, 503, "not_stored")
            assert int(response.headers["Retry-After"]) > 0
            inbox.error = None
            assert (await _post(client, activities.message(teams.service_url), teams.sign())).status == 202
    assert [message.text for message in inbox.messages] == ["what failed?"]


async def test_redelivered_message_is_acknowledged_and_taken_once(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    activity = activities.message(teams.service_url)
    responses = [await _post(client, activity, teams.sign()) for _ in range(3)]
    assert [response.status for response in responses] == [202, 202, 202]
    assert len(await _accepted(engine)) == 1


@pytest.mark.parametrize(("locale", "words"), [("en-US", "Working on it…"), ("pt-BR", "Um momento…")])
async def test_button_is_taken_and_answered_at_once(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, locale: str, words: str
) -> None:
    activity = activities.execute(teams.service_url, "approve", {"value": "p-1"}, locale=locale)
    response = await _post(client, activity, teams.sign())
    assert response.status == 200
    assert await response.json() == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": words,
    }
    [message] = await _accepted(engine)
    assert message.button is not None
    assert (message.button.verb, message.button.value) == (Verb.APPROVE, "p-1")
    assert message.button.message_id == "card-1"
    assert message.locale is (Locale.PT if locale == "pt-BR" else Locale.EN)


@pytest.mark.parametrize(
    "value",
    [
        {"action": {"verb": "delete", "data": {"value": "p-1"}}},
        {"action": {"verb": "approve", "data": {}}},
        {"action": {"verb": "approve", "data": {"value": ""}}},
        {"action": {"verb": "approve", "data": {"value": ["p-1"]}}},
        {"action": {"verb": "approve", "data": "p-1"}},
        {"action": "approve"},
        "approve",
        5,
    ],
)
async def test_unknown_button_is_refused_on_its_card(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, value: object
) -> None:
    response = await _post(client, activities.execute(teams.service_url, "x", {}, value=value), teams.sign())
    assert response.status == 200
    answer = await response.json()
    assert (answer["statusCode"], answer["type"]) == (400, "application/vnd.microsoft.error")
    assert answer["value"]["code"] == "malformed_activity"
    assert await _accepted(engine) == []


async def test_submitted_button_of_an_old_client_is_taken(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    activity = activities.submit(teams.service_url, {"verb": "reject", "value": "p-1"})
    assert (await _post(client, activity, teams.sign())).status == 202
    [message] = await _accepted(engine)
    assert message.button is not None
    assert message.button.verb is Verb.REJECT


@pytest.mark.parametrize("value", [{"verb": "delete", "value": "p-1"}, {"verb": "approve"}, {}, "p-1"])
async def test_unknown_submitted_button_is_a_bad_request(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, value: object
) -> None:
    response = await _post(client, activities.submit(teams.service_url, value), teams.sign())
    assert await _is_problem(response, 400, "malformed_activity")
    assert await _accepted(engine) == []


async def test_arriving_bot_offers_help(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine
) -> None:
    response = await _post(client, activities.bot_added(teams.service_url), teams.sign())
    assert response.status == 200
    assert [message.text for message in await _accepted(engine)] == ["help"]


@pytest.mark.parametrize("members", [[{"id": "29:2"}], [None], []])
async def test_arrival_of_somebody_else_is_no_question(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, members: list[object]
) -> None:
    activity = activities.activity(teams.service_url, "conversationUpdate", membersAdded=members)
    assert (await _post(client, activity, teams.sign())).status == 200
    assert await _accepted(engine) == []


@pytest.mark.parametrize(
    "type_", ["typing", "messageReaction", "installationUpdate", "event", "messageUpdate", "unheardOf"]
)
async def test_other_activities_are_acknowledged_and_ignored(
    client: TestClient, teams: FakeConnector, engine: AsyncEngine, type_: str
) -> None:
    activity = activities.activity(teams.service_url, type_, name="x", value={"a": 1})
    assert (await _post(client, activity, teams.sign())).status == 200
    assert await _accepted(engine) == []


@pytest.mark.parametrize("name", ["task/fetch", "signin/verifyState", "composeExtension/query", None])
async def test_other_invokes_are_not_implemented(
    client: TestClient, teams: FakeConnector, name: str | None
) -> None:
    activity = activities.activity(teams.service_url, "invoke", name=name, value=[1])
    assert (await _post(client, activity, teams.sign())).status == 501


async def test_requests_do_not_wait_for_each_other(client: TestClient, teams: FakeConnector) -> None:
    posts = [_post(client, activities.message(teams.service_url), teams.sign()) for _ in range(20)]
    async with asyncio.timeout(10):
        assert {response.status for response in await asyncio.gather(*posts)} == {202}
    assert teams.metadata_reads == 1
