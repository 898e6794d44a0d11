"""People's own TWS accounts over REST: only their own, tried before they are kept, never shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.rest_server import RestServer, rest_server
from tests.support.simulator import PASSWORD

_PATH = "/api/v1/me/tws-identities/TWS"
_OWN = {"username": "operator", "password": PASSWORD}


@pytest.fixture
async def server(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, still_tws_url: str
) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url, tws_url=still_tws_url) as running:
        yield running


async def test_an_account_is_linked_shown_and_forgotten(server: RestServer) -> None:
    headers = await server.sign_in("operator")
    assert await _call(server, "GET", headers) == (404, "not_linked")
    async with server.client.put(_PATH, json=_OWN, headers=headers) as response:
        assert response.status == 200, await response.text()
        linked = await response.json()
        assert PASSWORD not in await response.text()
    assert (linked["engine"], linked["account"]) == ("TWS", "operator")
    async with server.client.get(_PATH, headers=headers) as response:
        assert await response.json() == linked
    assert await _call(server, "GET", await server.sign_in("supervisor")) == (404, "not_linked")
    async with server.client.delete(_PATH, headers=headers) as response:
        assert response.status == 204
    assert await _call(server, "DELETE", headers) == (404, "not_linked")


async def test_an_api_key_is_linked_without_a_name(server: RestServer) -> None:
    headers = await server.sign_in("operator")
    async with server.client.put(_PATH, json={"api_key": "key-of-resync"}, headers=headers) as response:
        assert (await response.json())["account"] == "API key"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (_PATH, {"username": "operator", "password": "guess"}, 422, "tws_denied"),
        (_PATH, {"api_key": "guess"}, 422, "tws_denied"),
        (_PATH, {}, 422, "invalid"),
        (_PATH, {"username": "operator"}, 422, "invalid"),
        (_PATH, {"password": PASSWORD}, 422, "invalid"),
        (_PATH, {**_OWN, "api_key": "key-of-resync"}, 422, "invalid"),
        (_PATH, {"username": "a:b", "password": PASSWORD}, 422, "invalid"),
        ("/api/v1/me/tws-identities/OTHER", _OWN, 404, "engine_not_found"),
    ],
)
async def test_what_cannot_be_linked_is_not_stored_and_not_repeated(
    server: RestServer, path: str, body: dict[str, str], status: int, code: str
) -> None:
    headers = await server.sign_in("operator")
    async with server.client.put(path, json=body, headers=headers) as response:
        problem = await response.text()
        assert (response.status, (await response.json())["code"]) == (status, code)
    assert not any(secret in problem for secret in (PASSWORD, "guess", "key-of-resync"))
    assert await _call(server, "GET", headers) == (404, "not_linked")


async def test_viewers_have_nothing_to_link(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    for method in ("GET", "PUT", "DELETE"):
        assert await _call(server, method, headers, json=_OWN) == (403, "not_permitted")


async def test_while_tws_is_away_nothing_is_linked(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    async with rest_server(engine, postgres_dsn, redis_url) as server:
        headers = await server.sign_in("operator")
        assert await _call(server, "PUT", headers, json=_OWN) == (503, "tws_away")


async def test_passwords_cannot_be_guessed_by_the_hundred(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, still_tws_url: str
) -> None:
    async with rest_server(
        engine, postgres_dsn, redis_url, tws_url=still_tws_url, login_rate="2/minute"
    ) as server:
        headers = await server.sign_in("admin")
        guess = {"username": "admin", "password": "guess"}
        found = [await _call(server, "PUT", headers, json=guess) for _ in range(3)]
    assert found == [(422, "tws_denied")] * 2 + [(429, "rate_limited")]


async def _call(server: RestServer, method: str, headers: dict[str, str], **options: Any) -> tuple[int, str]:
    async with server.client.request(method, _PATH, headers=headers, **options) as response:
        return response.status, (await response.json())["code"]
