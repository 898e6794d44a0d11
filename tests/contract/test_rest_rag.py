"""The documents over REST, with the real store, search and embedding; and keys that keep an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.problems import ProblemError
from bots.rest.endpoint import ACTOR
from bots.rest.idempotency import IdempotencyKeys
from bots.rest.settings import RestSettings
from bots.rest.tables import IDEMPOTENCY_KEYS
from security.roles import Actor, Role
from tests.support.rest_server import RestServer, rest_server

DOCUMENTS = "/api/v1/rag/documents"
QUERY = "/api/v1/rag/query"
RUNBOOK = b"""# Payroll

## Missing tax table

PAYCALC stops with return code 8 when the tax table is missing. Copy it from staging and rerun PAYCALC.

## Full disk

Remove the oldest files of the spool folder.
"""


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


def _form(data: bytes, *, filename: str = "payroll.md", field: str = "file") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(field, data, filename=filename, content_type="text/markdown")
    return form


async def test_a_document_is_added_found_read_and_removed(server: RestServer) -> None:
    headers = await server.sign_in("supervisor")
    async with server.client.post(DOCUMENTS, headers=headers, data=_form(RUNBOOK)) as response:
        assert response.status == 201
        added = await response.json()
    assert added["outcome"] == "added"
    assert added["source"] == "payroll.md"

    body = {"query": "Why does PAYCALC stop with return code 8?", "k": 2}
    async with server.client.post(QUERY, headers=headers, json=body) as response:
        found = await response.json()
    assert found.keys() == {"answerable", "answer", "passages"}
    assert found["answerable"] is True
    assert "tax table" in found["answer"]
    assert found["passages"][0].keys() == {"document_id", "document_title", "location", "text", "score"}
    assert found["passages"][0]["document_id"] == added["document_id"]

    async with server.client.get(DOCUMENTS, headers=headers) as response:
        documents = (await response.json())["documents"]
    assert [document["id"] for document in documents] == [added["document_id"]]

    address = f"{DOCUMENTS}/{added['document_id']}"
    async with server.client.get(address, headers=headers) as response:
        content = await response.json()
    assert content["document"] == documents[0]
    assert "return code 8" in " ".join(passage["text"] for passage in content["passages"])

    async with server.client.delete(address, headers=headers) as response:
        assert response.status == 204
    for method in ("GET", "DELETE"):
        async with server.client.request(method, address, headers=headers) as response:
            assert response.status == 404
            assert (await response.json())["code"] == "document_not_found"


async def test_a_question_that_no_document_answers_gets_none(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    async with server.client.post(QUERY, headers=headers, json={"query": "capital of Peru"}) as response:
        assert await response.json() == {"answerable": False, "answer": None, "passages": []}


async def test_an_unknown_filter_names_the_known_ones(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    body = {"query": "x", "filters": {"colour": "red"}}
    async with server.client.post(QUERY, headers=headers, json=body) as response:
        assert response.status == 422
        document = await response.json()
    assert document["code"] == "filter_rejected"
    assert "document_id" in document["detail"]


async def test_an_unreadable_document_is_refused_with_the_reason(server: RestServer) -> None:
    headers = await server.sign_in("supervisor")
    form = _form(b"\x00\x01\x02\x03" * 200, filename="payroll.exe")
    async with server.client.post(DOCUMENTS, headers=headers, data=form) as response:
        assert response.status == 422
        document = await response.json()
    assert document["code"] == "document_rejected"
    assert document["detail"]


async def test_an_upload_beyond_the_limit_is_refused(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    settings = RestSettings(upload_max="10kB")
    async with rest_server(engine, postgres_dsn, redis_url, settings=settings) as server:
        headers = await server.sign_in("supervisor")
        for size in (10_001, 100_000):
            form = _form(b"x" * size)
            async with server.client.post(DOCUMENTS, headers=headers, data=form) as response:
                assert response.status == 413


@pytest.mark.parametrize(
    ("content_type", "data", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"no boundary", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 400),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
    ],
)
async def test_what_is_no_form_with_a_file_is_refused(
    server: RestServer, content_type: str, data: bytes, status: int
) -> None:
    headers = {**await server.sign_in("supervisor"), "Content-Type": content_type}
    async with server.client.post(DOCUMENTS, headers=headers, data=data) as response:
        assert response.status == status


async def test_a_form_without_the_file_is_refused(server: RestServer) -> None:
    headers = await server.sign_in("supervisor")
    form = _form(RUNBOOK, field="attachment")
    async with server.client.post(DOCUMENTS, headers=headers, data=form) as response:
        assert response.status == 422
        assert (await response.json())["errors"] == [{"field": "file", "message": "a file is required"}]


@pytest.mark.parametrize("filename", ["../../etc/payroll.md", "..\\\\..\\\\etc\\\\payroll.md"])
async def test_a_file_name_loses_its_path(server: RestServer, filename: str) -> None:
    boundary = "multipart/form-data; boundary=b"
    headers = {**await server.sign_in("supervisor"), "Content-Type": boundary}
    disposition = f'Content-Disposition: form-data; name="file"; filename="{filename}"'.encode()
    data = b"\r\n".join([b"--b", disposition, b"", RUNBOOK, b"--b--", b""])
    async with server.client.post(DOCUMENTS, headers=headers, data=data) as response:
        assert (await response.json())["source"] == "payroll.md"


async def test_a_repeated_upload_gets_the_first_answer(server: RestServer) -> None:
    headers = {**await server.sign_in("supervisor"), "Idempotency-Key": "k1"}
    answers = []
    for _ in range(2):
        async with server.client.post(DOCUMENTS, headers=headers, data=_form(RUNBOOK)) as response:
            answers.append((response.status, await response.json()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    assert response.headers["Idempotency-Replayed"] == "true"
    async with server.client.post(DOCUMENTS, headers=headers, data=_form(RUNBOOK + b"!")) as response:
        assert response.status == 422
        assert (await response.json())["code"] == "idempotency_key_reused"


async def test_a_store_that_is_away_is_said_so(server: RestServer, engine: AsyncEngine) -> None:
    headers = await server.sign_in("viewer")
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE kb_documents RENAME TO kb_documents_away"))
    try:
        async with server.client.get(DOCUMENTS, headers=headers) as response:
            document = await response.json()
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE kb_documents_away RENAME TO kb_documents"))
    assert (document["status"], document["code"]) == (503, "knowledge_store_unavailable")


def _request(key: str = "k1") -> web.Request:
    request = make_mocked_request("POST", "/api/v1/x", headers={"Idempotency-Key": key})
    request[ACTOR] = Actor(actor_id="ana", display_name="Ana", role=Role.OPERATOR)
    return request


async def test_a_request_in_flight_is_not_run_again(engine: AsyncEngine) -> None:
    keys = IdempotencyKeys(engine)
    started, finish = asyncio.Event(), asyncio.Event()

    async def slow() -> web.Response:
        started.set()
        await finish.wait()
        return web.json_response({"done": True})

    first = asyncio.create_task(keys.once(_request(), b"x", slow))
    await started.wait()
    with pytest.raises(ProblemError) as caught:
        await keys.once(_request(), b"x", slow)
    assert (caught.value.status, caught.value.code) == (409, "request_in_flight")
    finish.set()
    await first
    replayed = await keys.once(_request(), b"x", slow)
    assert replayed.body == b'{"done": true}'


async def test_a_failed_request_leaves_its_key_free(engine: AsyncEngine) -> None:
    keys = IdempotencyKeys(engine)

    async def failing() -> web.Response:
        raise ProblemError(503, "unavailable", "later")

    async def succeeding() -> web.Response:
        return web.json_response({"done": True})

    with pytest.raises(ProblemError):
        await keys.once(_request(), b"x", failing)
    response = await keys.once(_request(), b"x", succeeding)
    assert "Idempotency-Replayed" not in response.headers


@pytest.mark.parametrize(
    ("age", "status", "is_kept"),
    [
        (timedelta(hours=23), 200, True),
        (timedelta(hours=25), 200, False),
        (timedelta(minutes=4), None, True),
        (timedelta(minutes=6), None, False),
    ],
)
async def test_a_key_is_forgotten_after_its_time(
    engine: AsyncEngine, age: timedelta, status: int | None, *, is_kept: bool
) -> None:
    keys = IdempotencyKeys(engine)
    await keys.delivery_id(_request("old"), b"x")
    async with engine.begin() as connection:
        await connection.execute(update(IDEMPOTENCY_KEYS).values(created_at=func.now() - age, status=status))
    await keys.delivery_id(_request("new"), b"x")
    async with engine.connect() as connection:
        left = (await connection.execute(select(IDEMPOTENCY_KEYS.c.key))).scalars().all()
    assert set(left) == ({"old", "new"} if is_kept else {"new"})


async def test_a_key_joins_the_delivery_only_with_the_same_content(engine: AsyncEngine) -> None:
    keys = IdempotencyKeys(engine)
    first = await keys.delivery_id(_request(), b"x")
    assert await keys.delivery_id(_request(), b"x") == first
    assert await keys.delivery_id(_request("k2"), b"x") != first
    with pytest.raises(ProblemError) as caught:
        await keys.delivery_id(_request(), b"y")
    assert caught.value.code == "idempotency_key_reused"
