"""Tokens, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from security.actors import ActorDirectory
from security.passwords import Passwords
from security.roles import Role
from security.tables import refresh_tokens
from security.tokens import TokenError, TokenPair, Tokens

_SECRET = "q7T-vW2xK9_mB4nZ8rL1sD6fH3jP5aYc0eUg"


def _tokens(engine: AsyncEngine, *, access: int = 1800, refresh: int = 43200) -> Tokens:
    return Tokens(
        engine,
        secret=_SECRET,
        access_lifetime=timedelta(seconds=access),
        refresh_lifetime=timedelta(seconds=refresh),
    )


@contextmanager
def _refused(code: str) -> Iterator[None]:
    with pytest.raises(TokenError) as caught:
        yield
    assert caught.value.code == code


@pytest.fixture(autouse=True)
async def directory(engine: AsyncEngine) -> ActorDirectory:
    directory = ActorDirectory(engine, Passwords(rounds=4))
    await directory.add("ana", "Ana Souza", Role.OPERATOR, None)
    return directory


@pytest.fixture
def tokens(engine: AsyncEngine) -> Tokens:
    return _tokens(engine)


async def test_an_access_token_names_the_person(tokens: Tokens) -> None:
    pair = await tokens.issue("ana")
    assert tokens.read_access(pair.access_token) == "ana"
    assert pair.expires_in == timedelta(minutes=30)


async def test_each_kind_of_token_opens_its_own_door_only(tokens: Tokens) -> None:
    pair = await tokens.issue("ana")
    with _refused("token_invalid"):
        tokens.read_access(pair.refresh_token)
    with _refused("token_invalid"):
        await tokens.refresh(pair.access_token)


async def test_an_expired_access_token_says_so(engine: AsyncEngine) -> None:
    tokens = _tokens(engine, access=-10)
    pair = await tokens.issue("ana")
    with _refused("token_expired"):
        tokens.read_access(pair.access_token)


async def test_a_login_ends_although_it_was_refreshed(engine: AsyncEngine) -> None:
    first = await _tokens(engine).issue("ana")
    second = await _tokens(engine).refresh(first.refresh_token)
    assert _claims(second)["exp"] == _claims(first)["exp"]

    ended = await _tokens(engine, refresh=-10).issue("ana")
    with _refused("token_expired"):
        await _tokens(engine).refresh(ended.refresh_token)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "typ", "jti", "iat", "exp"])
async def test_a_token_without_a_claim_is_refused(tokens: Tokens, missing: str) -> None:
    claims = _claims(await tokens.issue("ana"), "access_token")
    assert tokens.read_access(jwt.encode(claims, _SECRET)) == "ana"
    del claims[missing]
    with _refused("token_invalid"):
        tokens.read_access(jwt.encode(claims, _SECRET))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"aud": "another-api"},
        {"typ": "refresh"},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"sub": 7},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(tokens: Tokens, changed: dict[str, object]) -> None:
    claims = _claims(await tokens.issue("ana"), "access_token") | changed
    with _refused("token_invalid"):
        tokens.read_access(jwt.encode(claims, _SECRET))


async def test_a_token_that_another_key_or_none_signed_is_refused(tokens: Tokens) -> None:
    claims = _claims(await tokens.issue("ana"), "access_token")
    for forged in (
        jwt.encode(claims, _SECRET[::-1]),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, _SECRET * 2, algorithm="HS512"),
        "not.a.token",
        "",
    ):
        with _refused("token_invalid"):
            tokens.read_access(forged)


async def test_a_refresh_gives_a_working_pair(tokens: Tokens) -> None:
    pair = await tokens.issue("ana")
    for _ in range(3):
        pair = await tokens.refresh(pair.refresh_token)
        assert tokens.read_access(pair.access_token) == "ana"


async def test_a_refresh_token_used_twice_ends_its_login_and_no_other(tokens: Tokens) -> None:
    stolen, other = await tokens.issue("ana"), await tokens.issue("ana")
    successor = await tokens.refresh(stolen.refresh_token)
    with _refused("token_revoked"):
        await tokens.refresh(stolen.refresh_token)
    with _refused("token_revoked"):
        await tokens.refresh(successor.refresh_token)
    assert await tokens.refresh(other.refresh_token)


async def test_of_two_uses_at_the_same_moment_at_most_one_works(tokens: Tokens) -> None:
    pair = await tokens.issue("ana")
    results = await asyncio.gather(
        *(tokens.refresh(pair.refresh_token) for _ in range(5)), return_exceptions=True
    )
    (winner,) = (result for result in results if isinstance(result, TokenPair))
    losers = [result.code for result in results if isinstance(result, TokenError)]
    assert losers == ["token_revoked"] * 4
    with _refused("token_revoked"):
        await tokens.refresh(winner.refresh_token)


async def test_a_disabled_person_cannot_refresh(tokens: Tokens, directory: ActorDirectory) -> None:
    pair = await tokens.issue("ana")
    await directory.disable("ana")
    with _refused("token_revoked"):
        await tokens.refresh(pair.refresh_token)


async def test_expired_logins_are_forgotten(engine: AsyncEngine) -> None:
    await _tokens(engine, refresh=-10).issue("ana")
    await _tokens(engine).issue("ana")
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(refresh_tokens)) == 1


def _claims(pair: TokenPair, which: str = "refresh_token") -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(getattr(pair, which), options={"verify_signature": False})
    return claims
