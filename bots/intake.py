"""What every channel does with a request before it answers: reads it within limits, stores it or says no."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import hdrs, web

from bots.problems import ProblemError

_log = structlog.get_logger(__name__)


async def read_body(request: web.Request, max_bytes: int) -> bytes:
    """The whole body. Raises `ProblemError` 413 as soon as it is longer than `max_bytes`."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > max_bytes:
            raise ProblemError(413, "too_large", f"The body may have at most {max_bytes} bytes.")
    return bytes(body)


def storable(text: str) -> str:
    """The text without what JSON can express and PostgreSQL cannot store: NUL, half a surrogate pair."""
    return text.encode(errors="replace").decode().replace("\0", "")


@asynccontextmanager
async def storing(*, max_seconds: float | None = None) -> AsyncIterator[None]:
    """Whatever goes wrong inside means that nothing was stored: `ProblemError` 503, so it is sent again.

    The error is logged by its type alone, since a traceback could quote the message.
    """
    try:
        async with asyncio.timeout(max_seconds):
            yield
    except Exception as error:
        _log.error("message_not_stored", error=type(error).__name__)
        detail = "The message could not be stored; send it again."
        raise ProblemError(503, "not_stored", detail, headers={hdrs.RETRY_AFTER: "10"}) from error
