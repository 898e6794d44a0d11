"""Feedback over REST: from whoever may read the answer, decided once by whoever manages documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.rest.settings import RestSettings
from knowledge.documents import Kind, Properties, Reader
from knowledge.library import Library, open_library
from knowledge.properties import read_properties
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.tables import glossary
from security.audit import AuditLog
from security.tables import audit_log
from tests.support.brain_parts import EMBEDDER
from tests.support.rest_server import RestServer, rest_server

_FEEDBACK = "/api/v1/feedback"
_EVERYTHING = Reader(None)
_CORRECTION = "PAYROLL needs the tax table of the year; copy it from staging."


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


@pytest.fixture
async def library(engine: AsyncEngine) -> Library:
    return open_library(engine, KnowledgeSettings(), embedder=EMBEDDER)


async def _turn(server: RestServer, headers: dict[str, str], words: str = "what does PAYROLL need?") -> str:
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": words}) as response:
        assert response.status == 200
        turn_id: str = (await response.json())["turn_id"]
        return turn_id


async def _post(
    server: RestServer, path: str, headers: dict[str, str], body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    async with server.client.post(path, headers=headers, json=body) as response:
        return response.status, await response.json()


async def _queue(server: RestServer, headers: dict[str, str], state: str = "open") -> list[dict[str, Any]]:
    async with server.client.get(_FEEDBACK, headers=headers, params={"state": state}) as response:
        assert response.status == 200
        found: list[dict[str, Any]] = (await response.json())["feedback"]
        return found


async def _given(server: RestServer, correction: str = _CORRECTION, by: str = "viewer") -> str:
    headers = await server.sign_in(by)
    body = {"turn_id": await _turn(server, headers), "verdict": "bad", "correction": correction}
    status, given = await _post(server, _FEEDBACK, headers, body)
    assert status == 200
    feedback_id: str = given["id"]
    return feedback_id


async def test_a_person_may_change_their_mind_until_it_is_decided(server: RestServer) -> None:
    viewer, curator = await server.sign_in("viewer"), await server.sign_in("supervisor")
    turn_id = await _turn(server, viewer)
    first = await _post(server, _FEEDBACK, viewer, {"turn_id": turn_id, "verdict": "good"})
    second = await _post(
        server, _FEEDBACK, viewer, {"turn_id": turn_id, "verdict": "bad", "correction": _CORRECTION}
    )
    assert first == second
    (shown,) = await _queue(server, curator)
    assert shown["id"] == first[1]["id"]
    assert (shown["verdict"], shown["correction"], shown["question"]) == (
        "bad",
        _CORRECTION,
        "what does PAYROLL need?",
    )
    assert shown["sources"] == ["d1"]
    assert "actor_id" not in shown
    status, _ = await _post(server, f"{_FEEDBACK}/{shown['id']}/decision", curator, {"decision": "reject"})
    assert status == 200
    status, problem = await _post(server, _FEEDBACK, viewer, {"turn_id": turn_id, "verdict": "good"})
    assert (status, problem["code"]) == (409, "already_decided")
    assert [one["id"] for one in await _queue(server, curator, "rejected")] == [shown["id"]]


async def test_nobody_judges_an_answer_of_somebody_else(server: RestServer) -> None:
    viewer, operator = await server.sign_in("viewer"), await server.sign_in("operator")
    body = {"turn_id": await _turn(server, viewer), "verdict": "good"}
    assert (await _post(server, _FEEDBACK, operator, body))[0] == 404
    assert (await _post(server, _FEEDBACK, viewer, {"turn_id": "nothing", "verdict": "good"}))[0] == 404


async def test_what_is_not_answered_yet_cannot_be_judged(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    async with rest_server(
        engine, postgres_dsn, redis_url, works=False, settings=RestSettings(chat_wait=timedelta(seconds=0.1))
    ) as server:
        viewer = await server.sign_in("viewer")
        headers = {**viewer, "Accept": "application/json"}
        async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hello"}) as response:
            assert response.status == 202
            turn_id = (await response.json())["turn_id"]
        status, problem = await _post(server, _FEEDBACK, viewer, {"turn_id": turn_id, "verdict": "good"})
        assert (status, problem["code"]) == (409, "still_running")


async def test_only_who_manages_documents_sees_the_queue_and_decides(server: RestServer) -> None:
    feedback_id = await _given(server)
    for name in ("viewer", "operator"):
        headers = await server.sign_in(name)
        async with server.client.get(_FEEDBACK, headers=headers) as response:
            assert response.status == 403
        path = f"{_FEEDBACK}/{feedback_id}/decision"
        assert (await _post(server, path, headers, {"decision": "accept"}))[0] == 403


async def test_an_accepted_correction_becomes_a_document_once_and_is_audited(
    server: RestServer, library: Library, engine: AsyncEngine
) -> None:
    feedback_id, curator = await _given(server), await server.sign_in("supervisor")
    path = f"{_FEEDBACK}/{feedback_id}/decision"
    body = {"decision": "accept", "readers": ["role:operator"]}
    assert await _post(server, path, curator, body) == (200, {"decision": "accept"})
    assert (await _post(server, path, curator, {"decision": "reject"}))[0] == 404
    document = await library.store.find(f"correction:{feedback_id}")
    assert document is not None
    assert (document.kind, document.title, document.readers) == (
        "correction",
        "what does PAYROLL need?",
        {"role:operator"},
    )
    found = await library.search.search("what does PAYROLL need?", reader=_EVERYTHING)
    assert found.passages[0].text == _CORRECTION
    assert await _queue(server, curator) == []
    assert (await AuditLog().verify(engine)).intact
    async with engine.connect() as connection:
        rows = await connection.execute(select(audit_log.c.actor_id, audit_log.c.action, audit_log.c.target))
        assert ("supervisor", "accept_feedback", feedback_id) in [tuple(row) for row in rows]


async def test_an_accepted_line_of_the_glossary_is_stored_in_the_curators_words(
    server: RestServer, engine: AsyncEngine, library: Library
) -> None:
    feedback_id, curator = await _given(server, "holerite is the payslip"), await server.sign_in("supervisor")
    path = f"{_FEEDBACK}/{feedback_id}/decision"
    status, problem = await _post(
        server, path, curator, {"decision": "accept", "as": "glossary", "text": "x"}
    )
    assert (status, problem["code"]) == (422, "document_rejected")
    before = await library.store.revision()
    body = {"decision": "accept", "as": "glossary", "text": "holerite payslip"}
    assert (await _post(server, path, curator, body))[0] == 200
    async with engine.connect() as connection:
        lines = (await connection.execute(select(glossary.c.notion, glossary.c.added_by))).all()
    assert [tuple(line) for line in lines] == [("holerite payslip", "supervisor")]
    assert await library.store.revision() != before


async def test_a_correction_cannot_open_what_its_sources_restrict(
    server: RestServer, library: Library
) -> None:
    report = await library.ingest.ingest_bytes(
        "sap.md", b"# SAP\n\nPAYROLL.", properties=read_properties({"readers": "role:supervisor"})
    )
    hidden = await library.ingest.ingest_bytes(
        "hr.md", b"# HR\n\nPAYROLL.", properties=read_properties({"readers": "group:hr"})
    )
    assert report.document_id
    assert hidden.document_id
    curator = await server.sign_in("supervisor")
    for document_id, is_seen in ((report.document_id, True), (hidden.document_id, False)):
        given = await library.feedback.give(
            f"t-{document_id}", "boss", "bad", question="?", correction=_CORRECTION, sources=[document_id]
        )
        path = f"{_FEEDBACK}/{given}/decision"
        status, problem = await _post(server, path, curator, {"decision": "accept"})
        assert (status, problem["code"]) == (
            (422, "document_rejected") if is_seen else (404, "feedback_not_found")
        )
        assert (str(given) in {one["id"] for one in await _queue(server, curator)}) is is_seen
        status, _ = await _post(server, path, curator, {"decision": "accept", "readers": ["role:supervisor"]})
        assert status == (200 if is_seen else 404)


async def test_verdicts_weigh_the_cases_that_were_cited(library: Library) -> None:
    ids = []
    kinds: tuple[Kind, ...] = ("case", "document")
    for kind in kinds:
        report = await library.ingest.ingest_bytes(
            f"{kind}.md", f"# A {kind}\n\nPAYROLL.".encode(), properties=Properties(kind=kind)
        )
        assert report.document_id
        ids.append(report.document_id)

    async def weights(verdict: Any) -> list[float]:
        await library.feedback.give("t1", "ann", verdict, question="?", correction="", sources=ids)
        return [await _weight(library.store, one) for one in ids]

    assert await weights("good") == pytest.approx([1.25, 1])
    assert await weights("good") == pytest.approx([1.25, 1])
    assert await weights("bad") == pytest.approx([0.8, 1])


async def _weight(store: Store, document_id: str) -> float:
    document = await store.get(document_id, _EVERYTHING)
    assert document is not None
    return document.weight
