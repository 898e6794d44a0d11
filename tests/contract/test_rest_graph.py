"""The knowledge graph over REST, each answer for the caller's eyes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.graph import KnowledgeGraph
from knowledge.store import Store
from tests.support.fake_plan import make_plan
from tests.support.plan import make_run
from tests.support.relations import store_document
from tests.support.rest_server import RestServer, rest_server
from tests.support.simulator import SteppingClock
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings
from tws.objects import CommonStatus

_GRAPH, _COVERAGE = "/api/v1/knowledge/graph", "/api/v1/knowledge/coverage"


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


@pytest.fixture
async def plan_read_at(engine: AsyncEngine, server: RestServer) -> datetime:
    """A plan with a failed job is in the mirror and the graph."""
    now, source = datetime.now(UTC), make_plan()
    run = make_run(status="ABEND", return_code=8, started_at=now - timedelta(hours=1), ended_at=now)
    source.change("stream1.1", status="ABEND", common_status=CommonStatus.ERROR, runs=(run,))
    mirror = Mirror(
        engine,
        name="TWS",
        source=source,
        settings=MirrorSettings(),
        metrics=server.inbox._metrics,
        graph=KnowledgeGraph(engine).replace_source,
        clock=SteppingClock(now),
    )
    await mirror.poll()
    await mirror.aclose()
    return now


async def test_what_is_known_of_a_name_now_and_then(
    server: RestServer, engine: AsyncEngine, plan_read_at: datetime
) -> None:
    await store_document(
        Store(engine), "Secret", {"JOB1": "Owner: HR"}, readers=frozenset({"role:supervisor"})
    )
    viewer, supervisor = await server.sign_in("viewer"), await server.sign_in("supervisor")

    async def ask(headers: dict[str, str], **query: str) -> dict[str, list[dict[str, object]]]:
        async with server.client.get(_GRAPH, headers=headers, params=query) as response:
            assert response.status == 200, await response.text()
            schema = _schema(await _document(server), "GraphAnswer")
            answer = await response.json()
            Draft202012Validator(schema).validate(answer)
            return dict(answer)

    seen = await ask(viewer, name="AGT1#STREAM1.JOB1")
    assert {fact["relation"] for fact in seen["facts"]} == {"follows", "belongs_to", "runs_on"}
    assert {fact["relation"] for fact in (await ask(supervisor, name="job1"))["facts"]} > {
        "about",
        "owned_by",
    }
    before = (plan_read_at - timedelta(minutes=1)).isoformat()
    assert (await ask(viewer, name="JOB1", at=before)) == {
        "facts": [],
        "impact": {"reached": [], "is_cut": False},
    }


@pytest.mark.usefixtures("plan_read_at")
async def test_failures_that_no_runbook_covers(server: RestServer, engine: AsyncEngine) -> None:
    headers = await server.sign_in("viewer")

    async def gaps() -> list[tuple[str, int, str | None]]:
        async with server.client.get(_COVERAGE, headers=headers) as response:
            assert response.status == 200, await response.text()
            answer = await response.json()
        Draft202012Validator(_schema(await _document(server), "CoverageAnswer")).validate(answer)
        return [(gap["selection"], gap["return_code"], gap["runbook"]) for gap in answer["gaps"]]

    store = Store(engine)
    assert await gaps() == [("AGT1#STREAM1.JOB1", 8, None)]
    await store_document(store, "Book", {"JOB1": "Read the log."}, source="a")
    assert await gaps() == [("AGT1#STREAM1.JOB1", 8, "Book")]
    await store_document(store, "Book", {"JOB1 with RC 8": "Read the log."}, source="a")
    assert await gaps() == []


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (_GRAPH, {}, "invalid"),
        (_GRAPH, {"name": " "}, "invalid"),
        (_GRAPH, {"name": "A", "at": "yesterday"}, "invalid"),
        (_GRAPH, {"name": "A", "at": "2026-03-02T02:10:00"}, "invalid"),
        (_GRAPH, {"name": "A", "depth": "9"}, "invalid"),
        (_GRAPH, {"name": "A", "engine": "NONE"}, "engine_unknown"),
        (_COVERAGE, {"engine": "NONE"}, "engine_unknown"),
    ],
)
async def test_a_bad_question_is_refused(
    server: RestServer, path: str, query: dict[str, str], code: str
) -> None:
    headers = await server.sign_in("viewer")
    async with server.client.get(path, headers=headers, params=query) as response:
        assert response.status == 422
        assert (await response.json())["code"] == code


async def test_the_parameters_are_described(server: RestServer) -> None:
    operation = (await _document(server))["paths"][_GRAPH]["get"]
    described = {one["name"]: (one["in"], one["required"]) for one in operation["parameters"]}
    assert described == {"engine": ("query", False), "name": ("query", True), "at": ("query", False)}
    assert "422" in operation["responses"]


async def _document(server: RestServer) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    async with server.client.get("/openapi.json") as response:
        return dict(await response.json())


def _schema(document: dict[str, object], model: str) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{model}", "components": document["components"]}
