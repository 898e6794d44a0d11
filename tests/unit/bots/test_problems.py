"""Problem documents: whatever ends a request, the client reads the same shape."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from sqlalchemy.exc import OperationalError, ProgrammingError
from structlog.testing import capture_logs

from bots.problems import ProblemError, problem, problem_middleware


def _raising(error: BaseException) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(_request: web.Request) -> web.StreamResponse:
        raise error

    return handler


async def _answer_to(error: BaseException) -> tuple[web.Response, dict[str, object]]:
    response = await problem_middleware(make_mocked_request("GET", "/x"), _raising(error))
    assert isinstance(response, web.Response)
    assert response.content_type == "application/problem+json"
    assert response.text is not None
    return response, json.loads(response.text)


def test_a_problem_carries_what_the_rfc_names_and_a_code() -> None:
    response = problem(404, "job_not_found", "There is no such job.", headers={"X-Hint": "1"})
    assert response.text is not None
    assert json.loads(response.text) == {
        "type": "urn:resync:problem:job_not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such job.",
        "code": "job_not_found",
    }
    assert response.headers["X-Hint"] == "1"
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_problem_error_becomes_its_document() -> None:
    error = ProblemError(422, "invalid", "k: too large", errors=[{"field": "k", "message": "too large"}])
    response, document = await _answer_to(error)
    assert response.status == 422
    assert document["errors"] == [{"field": "k", "message": "too large"}]


async def test_an_http_exception_keeps_the_headers_that_tell_the_client_what_to_do() -> None:
    response, document = await _answer_to(web.HTTPMethodNotAllowed("PUT", ["GET", "POST"]))
    assert response.status == 405
    assert response.headers["Allow"] == "GET,POST"
    assert document["code"] == "method_not_allowed"


async def test_an_unlisted_status_still_has_a_stable_code() -> None:
    _, document = await _answer_to(web.HTTPExpectationFailed())
    assert document["code"] == "http_417"


async def test_a_redirect_is_no_problem() -> None:
    with pytest.raises(web.HTTPFound):
        await problem_middleware(make_mocked_request("GET", "/"), _raising(web.HTTPFound("/docs")))


async def test_an_unexpected_error_is_logged_and_its_message_kept_from_the_client() -> None:
    with capture_logs() as logs:
        response, document = await _answer_to(RuntimeError("password=hunter2"))
    assert response.status == 500
    assert document["code"] == "internal"
    assert "hunter2" not in str(document)
    assert [entry["event"] for entry in logs] == ["request_failed"]


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("gone")),
        asyncpg.CannotConnectNowError("starting up"),
        ConnectionRefusedError("no"),
    ],
)
async def test_a_database_that_is_away_is_unavailable_for_now(error: Exception) -> None:
    response, document = await _answer_to(error)
    assert response.status == 503
    assert document["code"] == "unavailable"
    assert response.headers["Retry-After"] == "2"


async def test_a_wrong_query_is_our_fault_and_not_an_outage() -> None:
    response, _ = await _answer_to(ProgrammingError("SELEKT", {}, Exception("syntax")))
    assert response.status == 500
