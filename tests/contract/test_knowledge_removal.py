"""A removed document leaves nothing behind, and a restricted one is seen by its readers alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.rest.idempotency import forget_documents
from brain.llm.model import ModelMessage
from brain.reply import Reply, to_json
from brain.turns.withdrawal import withdraw
from knowledge.documents import Properties, Reader
from knowledge.library import Library, open_library
from knowledge.settings import KnowledgeSettings
from security.roles import Actor, Role
from tests.support.brain_parts import EMBEDDER
from tests.support.metered import open_meter
from tests.support.rest_server import PASSWORD, RestServer, rest_server
from tests.support.talk import Talk

_DOCUMENT = b"""# Quokka runbook

## ZZX0042E

ZZX0042E means that the quokkasecret has expired; the job QUOKKAJOB is owned by team Quokkateam.
Explanation: the quokkasecret is old.
Operator response: renew the quokkasecret.
"""
_ASKED = "what does ZZX0042E mean?"


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


@pytest.fixture
async def library(engine: AsyncEngine) -> Library:
    return open_library(
        engine, KnowledgeSettings(), embedder=EMBEDDER, on_removed=(withdraw, forget_documents)
    )


async def _places(engine: AsyncEngine, word: str) -> set[str]:
    """All tables of the database that hold the word, in any column, also in binary ones."""
    found = set()
    async with engine.connect() as connection:
        tables = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        )
        for table in tables.scalars().all():
            query = f'SELECT 1 FROM "{table}" AS t WHERE t::text ILIKE :word OR t::text ILIKE :hex LIMIT 1'  # noqa: S608  # our own names
            patterns = {"word": f"%{word}%", "hex": f"%{word.encode().hex()}%"}
            if (await connection.execute(text(query), patterns)).first():
                found.add(table)
    return found


async def test_nothing_of_a_removed_document_remains_anywhere(
    server: RestServer, talk: Talk, engine: AsyncEngine
) -> None:
    headers = await server.sign_in("supervisor")
    form = aiohttp.FormData()
    form.add_field("file", _DOCUMENT, filename="quokka.md", content_type="text/markdown")
    async with server.client.post("/api/v1/rag/documents", headers=headers, data=form) as response:
        assert response.status == 201, await response.text()
        document_id = (await response.json())["document_id"]
    keyed = {**headers, "Idempotency-Key": "k1"}
    async with server.client.post("/api/v1/rag/query", headers=keyed, json={"query": _ASKED}) as response:
        assert "quokkasecret" in await response.text()
    server.brain.reply = await talk.say(_ASKED)
    assert "quokkasecret" in server.brain.reply.plain_text
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": _ASKED}) as response:
        turn_id = (await response.json())["turn_id"]
    async with open_meter(engine) as meter:
        meter.provider.say("Renew the quokkasecret.")
        await meter.ask(messages=[ModelMessage(role="user", text="quokkasecret")])
        await meter.recorded()
    body = {"turn_id": turn_id, "verdict": "bad", "correction": "It means something else."}
    async with server.client.post("/api/v1/feedback", headers=headers, json=body) as response:
        assert response.status == 200
    held = await _places(engine, "quokka")
    assert held >= {
        "kb_documents",
        "kb_chunks",
        "kb_answers",
        "kb_ingests",
        "kg_nodes",
        "turns",
        "turn_events",
        "model_calls",
    }
    assert "idempotency_keys" in held
    assert held.isdisjoint({"checkpoints", "checkpoint_blobs", "checkpoint_writes", "audit_log"})

    async with server.client.delete(f"/api/v1/rag/documents/{document_id}", headers=headers) as response:
        assert response.status == 204

    assert await _places(engine, "quokka") == set()
    assert await _places(engine, document_id) == set()
    async with server.client.get(f"/api/v1/turns/{turn_id}", headers=headers) as response:
        answer = await response.json()
    assert answer["reply"]["plain_text"] == "This answer is gone: a document that it quoted was removed."
    assert answer["citations"] == []
    server.brain.reply = await talk.say(_ASKED)
    assert server.brain.reply.citations == ()


_GROUPS = ("sap", "hr")
_TOKENS = st.frozensets(
    st.sampled_from(["role:operator", "role:admin", *(f"group:{one}" for one in _GROUPS)]), max_size=2
)
_PEOPLE = st.builds(
    lambda role, groups: Actor(
        actor_id=f"p-{role}-{'-'.join(sorted(groups))}", display_name="P", role=role, groups=groups
    ),
    st.sampled_from(list(Role)),
    st.frozensets(st.sampled_from(_GROUPS)),
)
_WORDS = ("what does {} mean?", "how do I fix {}?", "o que significa {}?", "where is {}?", "who owns {}?")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    documents=st.lists(_TOKENS, min_size=1, max_size=3),
    asking=st.lists(st.tuples(_PEOPLE, st.sampled_from(_WORDS)), min_size=2, max_size=4),
)
async def test_a_role_without_access_sees_no_passage_title_or_kept_answer(
    server: RestServer,
    library: Library,
    talk: Talk,
    documents: list[frozenset[str]],
    asking: list[tuple[Actor, str]],
) -> None:
    for document in await library.store.list(Reader(None)):
        await library.store.delete(document.id)
    for number, readers in enumerate(documents):
        await library.ingest.ingest_bytes(
            f"d{number}.md",
            f"# Titleof{number} of ZZX0042E\n\nZZX0042E means secretof{number} of the job ZZJOB.\n".encode(),
            properties=Properties(readers=readers),
        )
    for person, words in [*asking, *asking]:
        hidden = [
            number for number, readers in enumerate(documents) if readers and not readers & person.readers
        ]
        found = await library.search.search(words.format("ZZX0042E"), reader=Reader(person.readers))
        said = [
            repr(found),
            to_json(await _said(talk, person, words)),
            await _over_rest(server, person, words),
        ]
        for number in hidden:
            for shown in said:
                assert f"secretof{number}" not in shown
                assert f"Titleof{number}" not in shown


async def _said(talk: Talk, person: Actor, words: str) -> Reply:
    return await talk.elsewhere().say(words.format("ZZX0042E"), by=person)


async def _over_rest(server: RestServer, person: Actor, words: str) -> str:
    await server.directory.add(
        person.actor_id, "P", person.role, PASSWORD, groups=sorted(person.groups), replace=True
    )
    headers = await server.sign_in(person.actor_id)
    async with server.client.post(
        "/api/v1/rag/query", headers=headers, json={"query": words.format("ZZX0042E")}
    ) as response:
        query = await response.text()
    async with server.client.get("/api/v1/rag/documents", headers=headers) as response:
        return query + await response.text()
