"""Documents handed in over REST: what is declared of them, how far they are, and who sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.rest.settings import RestSettings
from security.roles import Role
from tests.support.office import make_zip
from tests.support.rest_server import PASSWORD, RestServer, rest_server
from tests.support.waiting import until

DOCUMENTS, INGESTS, PAGES = "/api/v1/rag/documents", "/api/v1/rag/ingests", "/api/v1/rag/pages"


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


async def _upload(
    server: RestServer, headers: dict[str, str], data: bytes, filename: str = "a.md", **fields: str
) -> tuple[int, dict[str, Any]]:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", data, filename=filename, content_type="application/octet-stream")
    async with server.client.post(DOCUMENTS, headers=headers, data=form) as response:
        return response.status, await response.json()


async def _get(server: RestServer, headers: dict[str, str], path: str) -> tuple[int, dict[str, Any]]:
    async with server.client.get(path, headers=headers) as response:
        return response.status, await response.json()


async def test_what_the_form_declares_is_stored(server: RestServer) -> None:
    headers = await server.sign_in("supervisor")
    declared = {
        "readers": "role:viewer",
        "language": "pt",
        "valid_to": "2030-12-31",
        "link": "https://wiki/a",
    }
    status, added = await _upload(server, headers, b"about a", **declared)
    assert (status, added["outcome"]) == (201, "added")
    _, content = await _get(server, headers, f"{DOCUMENTS}/{added['document_id']}")
    assert declared.items() <= (content["document"] | {"readers": "role:viewer"}).items()
    assert content["document"]["readers"] == ["role:viewer"]
    status, again = await _upload(server, headers, b"about a", **declared)
    assert (status, again["outcome"]) == (200, "unchanged")


@pytest.mark.parametrize(
    "declared",
    [{"readers": "role:boss"}, {"language": "tlh"}, {"valid_from": "2030-01-01", "valid_to": "2029-01-01"}],
)
async def test_what_is_mistyped_is_refused(server: RestServer, declared: dict[str, str]) -> None:
    status, problem = await _upload(server, await server.sign_in("supervisor"), b"about a", **declared)
    assert (status, problem["code"]) == (422, "document_rejected")


async def test_a_form_field_has_its_limit(server: RestServer) -> None:
    status, _ = await _upload(
        server, await server.sign_in("supervisor"), b"a", link="https://w/" + "x" * 5000
    )
    assert status == 413


async def test_an_archive_is_told_document_by_document(server: RestServer) -> None:
    headers = await server.sign_in("supervisor")
    data = make_zip({"a.md": "about a", "b.pdf": "no PDF"})
    status, view = await _upload(server, headers, data, "x.zip")
    assert (status, view["state"]) == (202, "done")
    assert [(report["source"], report["outcome"]) for report in view["reports"]] == [
        ("x.zip!/a.md", "added"),
        ("x.zip!/b.pdf", "rejected"),
    ]
    assert (await _get(server, headers, f"{INGESTS}/{view['id']}")) == (200, view)
    assert (await _get(server, headers, INGESTS)) == (200, {"ingests": [view]})


async def test_what_takes_longer_is_looked_up_later(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    patience = RestSettings(upload_wait=timedelta(milliseconds=1))
    async with rest_server(engine, postgres_dsn, redis_url, settings=patience, works=False) as closed:
        headers = await closed.sign_in("supervisor")
        status, waiting = await _upload(closed, headers, b"about a")
    assert (status, waiting["state"], waiting["reports"]) == (202, "queued", [])
    async with rest_server(engine, postgres_dsn, redis_url) as opened:
        headers = await opened.sign_in("supervisor")
        address = f"{INGESTS}/{waiting['id']}"
        _, done = await until(lambda: _get(opened, headers, address), lambda got: got[1]["state"] == "done")
    assert [report["outcome"] for report in done["reports"]] == ["added"]


async def test_nobody_sees_what_others_handed_in(server: RestServer) -> None:
    _, view = await _upload(
        server, await server.sign_in("supervisor"), make_zip({"a.md": "x", "b.md": "y"}), "x.zip"
    )
    admin = await server.sign_in("admin")
    status, problem = await _get(server, admin, f"{INGESTS}/{view['id']}")
    assert (status, problem["code"]) == (404, "ingest_not_found")
    assert await _get(server, admin, INGESTS) == (200, {"ingests": []})
    assert (await _get(server, await server.sign_in("operator"), INGESTS))[0] == 403


async def test_a_page_of_a_host_that_is_not_allowed_is_refused(server: RestServer) -> None:
    headers = await server.sign_in("supervisor")
    body = {"url": "http://169.254.169.254/latest/meta-data"}
    async with server.client.post(PAGES, headers=headers, json=body) as response:
        assert response.status == 422
        assert "not among the allowed" in (await response.json())["detail"]


async def test_a_document_that_one_may_not_read_cannot_be_replaced_or_removed(server: RestServer) -> None:
    await server.directory.add("hr", "HR", Role.SUPERVISOR, PASSWORD, groups=["hr"])
    hr, other = await server.sign_in("hr"), await server.sign_in("supervisor")
    _, added = await _upload(server, hr, b"salaries", readers="group:hr")
    await _upload(server, hr, make_zip({"b.md": "more salaries"}), "x.zip", readers="group:hr")
    for filename, data in (("a.md", b"mine now"), ("x.zip", make_zip({"c.md": "mine now"}))):
        status, problem = await _upload(server, other, data, filename)
        assert (status, problem["code"]) == (409, "source_taken")
    async with server.client.delete(f"{DOCUMENTS}/{added['document_id']}", headers=other) as response:
        assert response.status == 404
    assert (await _get(server, hr, f"{DOCUMENTS}/{added['document_id']}"))[0] == 200


async def test_a_person_without_access_sees_nothing_of_a_document(server: RestServer) -> None:
    ids = {}
    supervisor = await server.sign_in("admin")
    await server.directory.add("sap", "SAP", Role.VIEWER, PASSWORD, groups=["sap"])
    for readers in ("", "role:operator", "role:admin", "group:sap", "group:hr", "group:hr,role:supervisor"):
        status, added = await _upload(
            server,
            supervisor,
            f"about {readers}".encode(),
            f"{readers}.md".replace(":", "-"),
            readers=readers,
        )
        assert status == 201, added
        ids[readers] = added["document_id"]
    may = {
        "viewer": {""},
        "operator": {"", "role:operator"},
        "supervisor": {"", "role:operator", "group:hr,role:supervisor"},
        "admin": {"", "role:operator", "role:admin", "group:hr,role:supervisor"},
        "sap": {"", "group:sap"},
    }
    for person, allowed in may.items():
        headers = await server.sign_in(person)
        _, listed = await _get(server, headers, DOCUMENTS)
        assert {document["id"] for document in listed["documents"]} == {
            ids[readers] for readers in allowed
        }, person
        for readers, document_id in ids.items():
            status, _ = await _get(server, headers, f"{DOCUMENTS}/{document_id}")
            assert status == (200 if readers in allowed else 404), (person, readers)
