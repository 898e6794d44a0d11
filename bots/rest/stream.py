"""Server-sent events over a response that lasts.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from aiohttp import hdrs, web
from pydantic import BaseModel

from security.headers import API_HEADERS

EVENT_STREAM: Final = "text/event-stream"
BEAT: Final = ": still working\n\n"
"""Keeps proxies from closing a connection on which nothing happens."""

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


def is_wanted(request: web.Request) -> bool:
    """Whether the client asks for events."""
    return EVENT_STREAM in request.headers.get(hdrs.ACCEPT, "")


def frame(kind: str, data: BaseModel | Mapping[str, object]) -> str:
    """An event as it is written."""
    text = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
    return f"event: {kind}\ndata: {text}\n\n"


async def respond(
    request: web.Request, frames: AsyncGenerator[str], headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Writes the frames until they or their reader end."""
    response = web.StreamResponse(
        headers={
            # Once a stream has begun no middleware can add them.
            **API_HEADERS,
            hdrs.CONTENT_TYPE: EVENT_STREAM,
            # nginx would otherwise collect the events until its buffer is full.
            "X-Accel-Buffering": "no",
            **(headers or {}),
        }
    )
    try:
        await response.prepare(request)
        async with aclosing(frames):
            async for text in frames:
                await response.write(text.encode())
        await response.write_eof()
    except ConnectionResetError:
        # Whatever is told about goes on and can be looked up.
        _log.info("stream_left", path=request.path)
    return response


async def beating(events: AsyncGenerator[_T], heartbeat: timedelta) -> AsyncGenerator[_T | None]:
    """The events, which are closed at the end, and None after each `heartbeat` of silence."""
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=heartbeat.total_seconds())
            if not done:
                yield None
                continue
            event = coming.result()
            if event is None:
                return
            yield event
            coming = asyncio.ensure_future(anext(events, None))
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()
