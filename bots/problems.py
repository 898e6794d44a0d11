"""Errors over HTTP as problem documents (https://www.rfc-editor.org/rfc/rfc9457), for every way in.

Clients branch on `code`, people read `detail`; what went wrong inside stays in the log.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

import asyncpg
import structlog
from aiohttp import hdrs, web
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"


class _Kind(NamedTuple):
    title: str
    code: str
    detail: str


# http.HTTPStatus renames 413 and 422 between Python versions, a contract may not.
_KINDS: Final[Mapping[int, _Kind]] = {
    400: _Kind("Bad Request", "bad_request", "The request cannot be read."),
    401: _Kind("Unauthorized", "not_authenticated", "Sign in first."),
    403: _Kind("Forbidden", "not_permitted", "You may not do this."),
    404: _Kind("Not Found", "not_found", "There is nothing at this address."),
    405: _Kind("Method Not Allowed", "method_not_allowed", "This address does not take this method."),
    406: _Kind("Not Acceptable", "not_acceptable", "This address cannot answer in the format asked for."),
    408: _Kind("Request Timeout", "request_timeout", "The request took too long to arrive."),
    409: _Kind("Conflict", "conflict", "The request conflicts with another one."),
    413: _Kind("Content Too Large", "too_large", "The request is larger than this server takes."),
    415: _Kind("Unsupported Media Type", "unsupported_media_type", "This address takes another media type."),
    422: _Kind("Unprocessable Content", "invalid", "The request is well-formed but not valid."),
    429: _Kind("Too Many Requests", "rate_limited", "Too many requests; try again later."),
    500: _Kind("Internal Server Error", "internal", "Something failed here; the log has the cause."),
    503: _Kind("Service Unavailable", "unavailable", "A part this answer needs is away; try again later."),
}

DATABASE_AWAY: Final = (DBAPIError, PoolTimeoutError, asyncpg.PostgresError, OSError)
"""What a database that is away, restarting or overrun raises; asyncpg's errors come bare while connecting."""
# What it raises when it is there and we asked wrongly.
_OURS: Final = (ProgrammingError, IntegrityError, DataError)

# Headers of an HTTPException that describe the answer to the client and not its replaced body.
_KEPT: Final[tuple[str, ...]] = (hdrs.ALLOW, hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE)


class ProblemError(Exception):
    """Ends a request with a problem document; the detail is shown to the client."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
        self.errors = errors
        """One `{field, message}` for each part of the request that is not valid."""


def problem_document(
    status: int, code: str, detail: str, *, errors: Sequence[Mapping[str, str]] = ()
) -> dict[str, object]:
    """The document itself: `type`, `title`, `status`, `detail`, `code`, and `errors` where there are any."""
    kind = _KINDS.get(status)
    document: dict[str, object] = {
        "type": f"urn:resync:problem:{code}",
        "title": kind.title if kind else f"HTTP {status}",
        "status": status,
        "detail": detail,
        "code": code,
    }
    return document | {"errors": list(errors)} if errors else document


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> web.Response:
    """The answer that carries the document; never cached."""
    return web.Response(
        status=status,
        text=json.dumps(problem_document(status, code, detail, errors=errors), ensure_ascii=False),
        content_type=MEDIA_TYPE,
        headers={**(headers or {}), hdrs.CACHE_CONTROL: "no-store"},
    )


@web.middleware
async def problem_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turns everything that ends a request early into a problem document.

    An unexpected error is logged with its traceback and answered without its message: `unavailable` when
    the database is away, otherwise `internal`.
    """
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 redirects are answers, not errors
            raise
        kind = _KINDS.get(error.status) or _Kind(error.reason, f"http_{error.status}", error.reason)
        kept = {name: error.headers[name] for name in _KEPT if name in error.headers}
        return problem(error.status, kind.code, kind.detail, headers=kept)
    except Exception as error:  # noqa: BLE001 the outermost boundary of a request
        found = to_problem(error, request)
        return problem(found.status, found.code, found.detail, headers=found.headers, errors=found.errors)


def to_problem(error: Exception, request: web.Request) -> ProblemError:
    """What the client may read of an error; one that is no problem yet is logged with its traceback."""
    if isinstance(error, ProblemError):
        return error
    _log.exception("request_failed", method=request.method, path=request.path, exc_info=error)
    if isinstance(error, DATABASE_AWAY) and not isinstance(error, _OURS):
        return ProblemError(503, _KINDS[503].code, _KINDS[503].detail, headers={hdrs.RETRY_AFTER: "2"})
    return ProblemError(500, _KINDS[500].code, _KINDS[500].detail)
