"""The bot's own token: one for all, renewed in time, never asked for twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bots.teams.connector import BotToken
from brain.turns.outbox import OutboxError
from tests.support.fake_connector import APP_ID, APP_PASSWORD, TENANT, FakeConnector


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def teams() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as connector:
        yield connector


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def token(teams: FakeConnector, clock: Clock) -> AsyncIterator[BotToken]:
    async with aiohttp.ClientSession() as session:
        yield BotToken(session, teams.settings(), clock=clock)


async def test_token_is_asked_for_once_by_client_credentials(token: BotToken, teams: FakeConnector) -> None:
    assert set(await asyncio.gather(*(token.get() for _ in range(20)))) == {"bot-token-1"}
    assert teams.token_forms == [
        {
            "tenant": TENANT,
            "grant_type": "client_credentials",
            "client_id": APP_ID,
            "client_secret": APP_PASSWORD,
            "scope": "https://api.botframework.com/.default",
        }
    ]


async def test_token_is_renewed_before_it_expires(token: BotToken, clock: Clock) -> None:
    await token.get()
    clock.seconds += 3299
    assert await token.get() == "bot-token-1"
    clock.seconds += 1
    assert await token.get() == "bot-token-2"


async def test_token_of_a_minute_is_used_for_half_of_it(
    token: BotToken, teams: FakeConnector, clock: Clock
) -> None:
    teams.token_lifetime = 60
    await token.get()
    clock.seconds += 29
    assert await token.get() == "bot-token-1"
    clock.seconds += 1
    assert await token.get() == "bot-token-2"


async def test_valid_token_is_used_while_the_token_service_is_down(
    token: BotToken, teams: FakeConnector, clock: Clock
) -> None:
    await token.get()
    clock.seconds += 3300
    teams.token_refusals.extend([503, 503])
    assert await token.get() == "bot-token-1"
    clock.seconds += 300
    with pytest.raises(OutboxError) as caught:
        await token.get()
    assert caught.value.retryable


async def test_refused_token_is_forgotten(token: BotToken) -> None:
    token.discard(await token.get())
    assert await token.get() == "bot-token-2"


async def test_late_refusal_of_an_older_token_keeps_the_newer_one(token: BotToken) -> None:
    older = await token.get()
    token.discard(older)
    newer = await token.get()
    token.discard(older)
    assert await token.get() == newer


@pytest.mark.parametrize("status", [400, 401])
async def test_wrong_secret_is_the_operators_business(
    token: BotToken, teams: FakeConnector, status: int
) -> None:
    teams.token_refusals.append(status)
    with pytest.raises(OutboxError) as caught:
        await token.get()
    assert not caught.value.retryable
    assert "invalid_client" in str(caught.value)
    assert APP_PASSWORD not in str(caught.value)


@pytest.mark.parametrize("status", [302, 404, 429, 500])
async def test_any_other_answer_is_worth_another_try(
    token: BotToken, teams: FakeConnector, status: int
) -> None:
    teams.token_refusals.append(status)
    with pytest.raises(OutboxError) as caught:
        await token.get()
    assert caught.value.retryable


async def test_silent_token_service_is_worth_another_try(token: BotToken, teams: FakeConnector) -> None:
    await teams.__aexit__()
    with pytest.raises(OutboxError) as caught:
        await token.get()
    assert caught.value.retryable


async def test_answer_without_a_lifetime_is_no_token(token: BotToken, teams: FakeConnector) -> None:
    teams.token_lifetime = None
    with pytest.raises(OutboxError) as caught:
        await token.get()
    assert caught.value.retryable
