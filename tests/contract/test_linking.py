"""Somebody who is unknown in a chat shows who they are by a code from the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Channel, Conversation, InboundMessage, Sender
from security.audit import AuditLog
from security.linking import LinkCodes, read_code
from security.tables import audit_log, identities, link_codes
from tests.support.rest_server import rest_server
from tests.support.turns import ScriptedAnswers, Turns, make_message, open_turns


@pytest.fixture
async def turns(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[Turns]:
    async with open_turns(engine, postgres_dsn, redis_url, ScriptedAnswers()) as opened:
        yield opened


def _codes(turns: Turns) -> LinkCodes:
    return LinkCodes(turns.engine, turns.actors, AuditLog())


def _said(words: str, user: str = "U1") -> InboundMessage:
    return replace(
        make_message(words),
        conversation=Conversation(channel=Channel.SLACK, tenant="T1", conversation_id="D1"),
        sender=Sender(channel=Channel.SLACK, tenant="T1", user_id=user),
    )


async def _answer(turns: Turns, message: InboundMessage) -> str:
    before = len(turns.mailbox.words)
    await turns.run_next(message)
    assert len(turns.mailbox.words) == before + 1
    return turns.mailbox.words[-1]


async def test_a_code_links_once_and_is_audited(turns: Turns) -> None:
    assert "do not know you" in await _answer(turns, _said("what failed?"))
    issued = await _codes(turns).issue("ana")
    assert "You are linked, Ana" in await _answer(turns, _said(f"Link {issued.code.lower()}"))
    found = await turns.actors.resolve("slack", "T1", "U1")
    assert found is not None
    assert found.actor_id == "ana"
    assert "wrong, used or too old" in await _answer(turns, _said(f"link {issued.code}", user="U2"))
    assert await turns.actors.resolve("slack", "T1", "U2") is None
    async with turns.engine.connect() as connection:
        query = select(audit_log.c.actor_id, audit_log.c.target).where(audit_log.c.action == "identity_link")
        assert [tuple(row) for row in await connection.execute(query)] == [("ana", "slack T1 U1")]
        assert await connection.scalar(select(identities.c.linked_by)) == "one-time code"


async def test_a_newer_code_or_time_makes_a_code_void_and_none_is_stored(turns: Turns) -> None:
    first, second = await _codes(turns).issue("ana"), await _codes(turns).issue("ana")
    async with turns.engine.connect() as connection:
        (kept,) = (await connection.execute(select(link_codes.c.code_hash))).scalars()
    assert second.code.replace("-", "") not in kept
    assert "wrong" in await _answer(turns, _said(f"link {first.code}"))
    async with turns.engine.begin() as connection:
        await connection.execute(text("UPDATE link_codes SET expires_at = now()"))
    assert "wrong" in await _answer(turns, _said(f"link {second.code}"))
    assert second.expires_at - first.expires_at < timedelta(minutes=1)


async def test_codes_cannot_be_guessed_for_long(turns: Turns) -> None:
    for _ in range(5):
        await _answer(turns, _said("link AAAAA-AAAAA", user="U7"))
    issued = await _codes(turns).issue("ana")
    assert "too many tries" in await _answer(turns, _said(f"link {issued.code}", user="U7"))
    assert await turns.actors.resolve("slack", "T1", "U7") is None
    assert "You are linked" in await _answer(turns, _said(f"link {issued.code}", user="U8"))


async def test_who_is_shut_out_is_linked_no_more(turns: Turns) -> None:
    issued = await _codes(turns).issue("ana")
    await turns.actors.disable("ana")
    assert "wrong" in await _answer(turns, _said(f"link {issued.code}"))
    async with turns.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(identities)) == 0


@given(st.text(max_size=40))
def test_other_words_are_no_code(words: str) -> None:
    code = read_code(words)
    assert code is None or code.isalnum()
    assert read_code(f"please link {words}") is None


async def test_a_code_is_given_on_the_page_to_whoever_is_signed_in(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        viewer, path = await server.sign_in("viewer"), "/api/v1/me/link-code"
        async with server.client.put(path, headers=viewer) as response:
            assert response.status == 200
            issued = await response.json()
        assert read_code(f"vincular {issued['code']}") == issued["code"].replace("-", "")
        async with server.client.put(path) as response:
            assert response.status == 401
