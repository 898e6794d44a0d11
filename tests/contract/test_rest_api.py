"""The REST API over HTTP: who may call what, what bad requests get, and the document that describes it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS31Validator
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.metered import open_meter
from tests.support.rest_server import PASSWORD, RestServer, rest_server

JSON = {"Content-Type": "application/json"}
UNKNOWN = "00000000000000000000000000000000"


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


async def test_login_gives_a_pair_of_tokens_that_open_the_door(server: RestServer) -> None:
    body = {"username": "Operator", "password": PASSWORD}
    async with server.client.post("/api/v1/auth/login", json=body) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        pair = await response.json()
    assert pair.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 300
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    async with server.client.get("/api/v1/auth/me", headers=headers) as response:
        me = await response.json()
    assert me["username"] == "operator"
    assert me["role"] == "operator"
    assert me["permissions"] == ["approve", "ask", "propose"]


async def test_a_refresh_token_works_once(server: RestServer) -> None:
    body = {"username": "viewer", "password": PASSWORD}
    async with server.client.post("/api/v1/auth/login", json=body) as response:
        token = {"refresh_token": (await response.json())["refresh_token"]}
    async with server.client.post("/api/v1/auth/refresh", json=token) as response:
        assert response.status == 200
    async with server.client.post("/api/v1/auth/refresh", json=token) as response:
        assert response.status == 401
        assert (await response.json())["code"] == "token_revoked"


@pytest.mark.parametrize("username", ["operator", "nobody"])
async def test_a_wrong_login_does_not_tell_which_part_was_wrong(server: RestServer, username: str) -> None:
    body = {"username": username, "password": "guess"}
    async with server.client.post("/api/v1/auth/login", json=body) as response:
        assert response.status == 401
        document = await response.json()
    assert document["code"] == "wrong_credentials"
    assert document["detail"] == "User name or password is wrong."


@pytest.mark.parametrize("header", [None, "Basic b3BlcmF0b3I6eA==", "Bearer", "Bearer x.y.z"])
async def test_every_guarded_endpoint_asks_for_a_token(server: RestServer, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    guarded = [each for each in server.routes.endpoints if each.permission]
    assert len(guarded) > 8
    for endpoint in guarded:
        path = re.sub(r"{\w+}", UNKNOWN, endpoint.path)
        async with server.client.request(endpoint.method, path, headers=headers) as response:
            assert response.status == 401, endpoint.path
            assert response.content_type == "application/problem+json"
            assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_disabled_person_is_out_at_once(server: RestServer) -> None:
    headers = await server.sign_in("operator")
    await server.directory.disable("operator")
    async with server.client.get("/api/v1/auth/me", headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("username", "method", "path"),
    [
        ("viewer", "POST", f"/api/v1/proposals/{UNKNOWN}/decision"),
        ("operator", "POST", "/api/v1/rag/documents"),
        ("operator", "DELETE", f"/api/v1/rag/documents/{UNKNOWN}"),
        ("supervisor", "GET", "/api/v1/admin/stats"),
        ("supervisor", "GET", "/api/v1/admin/model-calls"),
        ("supervisor", "GET", "/api/v1/admin/model-usage"),
    ],
)
async def test_a_role_that_may_not_is_refused(
    server: RestServer, username: str, method: str, path: str
) -> None:
    headers = await server.sign_in(username)
    async with server.client.request(method, path, headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["code"] == "not_permitted"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (JSON, b"{", 400, "malformed_json"),
        (JSON, b"\xff\xfe", 400, "malformed_json"),
        (JSON, b'"\\ud800"', 400, "malformed_json"),
        ({"Content-Type": "text/plain"}, b'{"message": "x"}', 415, "unsupported_media_type"),
        (JSON, b'{"message": "' + b"x" * 70_000 + b'"}', 413, "too_large"),
        (JSON, b'{"message": ""}', 422, "invalid"),
        (JSON, b'{"message": "\\u0000"}', 422, "invalid"),
        (JSON, b"[]", 422, "invalid"),
        (JSON, b'{"message": "x", "tool": "rerun"}', 422, "invalid"),
        ({**JSON, "Idempotency-Key": "a b"}, b'{"message": "x"}', 400, "idempotency_key_malformed"),
    ],
)
async def test_a_bad_request_gets_a_problem(
    server: RestServer, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    signed_in = await server.sign_in("viewer")
    async with server.client.post("/api/v1/chat", headers={**signed_in, **headers}, data=body) as response:
        document = await response.json()
        assert (response.status, document["code"]) == (status, code)
        assert response.content_type == "application/problem+json"
    assert not server.brain.turns


async def test_a_body_of_unknown_length_is_cut_off_at_the_limit(server: RestServer) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    headers = {**await server.sign_in("viewer"), **JSON}
    async with server.client.post("/api/v1/chat", headers=headers, data=endless()) as response:
        assert response.status == 413


async def test_a_validation_problem_names_the_fields(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    body = {"query": "x", "k": 99, "more": 1}
    async with server.client.post("/api/v1/rag/query", headers=headers, json=body) as response:
        document = await response.json()
    assert response.status == 422
    assert {each["field"] for each in document["errors"]} == {"k", "more"}
    assert "k: " in document["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/chat", 405),
        ("GET", "/api/v1/turns/..%2F..%2Fetc", 404),
        ("GET", "/api/v1/turns/%00", 404),
        ("GET", f"/api/v1/turns/{UNKNOWN}", 404),
        ("GET", "/assets/secret.py", 404),
    ],
)
async def test_what_is_not_there_is_a_problem_too(
    server: RestServer, method: str, path: str, status: int
) -> None:
    headers = await server.sign_in("admin")
    async with server.client.request(method, path, headers=headers) as response:
        assert response.status == status
        assert (await response.json())["status"] == status


async def test_health_tells_strangers_no_parts(server: RestServer) -> None:
    async with server.client.get("/api/v1/health") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ok", "parts": None}
    headers = await server.sign_in("viewer")
    async with server.client.get("/api/v1/health", headers=headers) as response:
        parts = (await response.json())["parts"]
    assert parts["database"]["status"] == "ok"


async def test_stats_count_what_was_done(server: RestServer) -> None:
    headers = await server.sign_in("admin")
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hello"}) as response:
        assert response.status == 200
    async with server.client.get("/api/v1/admin/stats", headers=headers) as response:
        stats = await response.json()
    assert sum(stats["turns"].values()) == 1
    assert stats["documents"] == 0
    assert stats["proposals"] == {}


async def test_an_administrator_sees_what_models_were_asked_and_what_that_cost(
    server: RestServer, engine: AsyncEngine
) -> None:
    async with open_meter(engine, prices={"m-1": {"input": 2, "output": 4}}) as meter:
        for person in ("ana", "ben"):
            meter.provider.say("Because.")
            await meter.ask(by=person)
        await meter.recorded(2)
    headers = await server.sign_in("admin")

    async def get(path: str) -> Any:
        async with server.client.get(f"/api/v1/admin/{path}", headers=headers) as response:
            return response.status, await response.json()

    status, found = await get("model-calls?actor=ana")
    assert status == 200
    (call,) = found["calls"]
    assert (call["actor_id"], call["model"], call["outcome"], call["cost"]) == ("ana", "m-1", "ok", "0.00005")
    assert call["sent"][0] == {"role": "system", "text": "Be brief."}
    assert len((await get("model-calls?limit=1"))[1]["calls"]) == 1
    assert len((await get("model-calls"))[1]["calls"]) == 2
    status, found = await get("model-usage?days=1")
    (day,) = found["days"]
    assert (status, day["calls"], day["failed"], day["input_tokens"], day["output_tokens"]) == (
        200,
        2,
        0,
        22,
        14,
    )
    assert day["cost"] == "0.00010"
    for wrong in ("model-calls?limit=0", "model-calls?actor=%00", "model-usage?days=x", "model-usage?to=1"):
        assert (await get(wrong))[0] == 422, wrong


async def test_the_openapi_document_is_valid_and_complete(server: RestServer) -> None:
    async with server.client.get("/openapi.json") as response:
        document = await response.json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.2.3"
    for name, schema in document["components"]["schemas"].items():
        OAS31Validator.check_schema(schema)
        assert schema.keys() & {"type", "enum", "$ref"}, name
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert documented == {(each.method, each.path) for each in server.routes.endpoints}
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references
    assert references <= document["components"]["schemas"].keys()
    operations = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(operations) == len(set(operations))


async def test_answers_and_problems_match_the_openapi_document(server: RestServer) -> None:
    async with server.client.get("/openapi.json") as response:
        document = await response.json()

    def check(value: object, name: str) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(schema).validate(value)

    headers = await server.sign_in("admin")
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hello"}) as response:
        answer = await response.json()
    check(answer, "ChatAnswer")
    async with server.client.get(f"/api/v1/turns/{answer['turn_id']}", headers=headers) as response:
        check(await response.json(), "TurnAnswer")
    async with server.client.get("/api/v1/admin/stats", headers=headers) as response:
        check(await response.json(), "Stats")
    async with server.client.get("/api/v1/health", headers=headers) as response:
        check(await response.json(), "Health")
    async with server.client.post("/api/v1/rag/query", headers=headers, json={"query": ""}) as response:
        check(await response.json(), "Problem")


async def test_every_status_an_operation_may_answer_with_is_documented(server: RestServer) -> None:
    for endpoint in server.routes.endpoints:
        assert 500 in endpoint.errors
        if endpoint.permission:
            assert {401, 403, 429} <= set(endpoint.errors), endpoint.path
        if endpoint.request is not None:
            assert {400, 413, 415, 422} <= set(endpoint.errors), endpoint.path
