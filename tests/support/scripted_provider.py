"""A loopback server that answers each POST with the next step of a script: the base of the fake providers."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Step:
    """One answer: a status with a JSON body, or a stream of raw server-sent events."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[bytes] = ()
    end: Literal["close", "abort", "hang"] = "close"
    """After the events: end the response, tear the connection down, or say nothing more."""


def event(data: object, name: str | None = None) -> bytes:
    """A server-sent event; text is sent as it is, anything else as JSON."""
    line = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {line}\n\n".encode()


class ScriptedProvider:
    """Use as `async with ScriptedProvider(path) as provider`; `requests` holds what the client sent."""

    def __init__(self, path: str) -> None:
        self.script: deque[Step] = deque()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self._released = asyncio.Event()
        app = web.Application()
        app.router.add_post(path, self._answer)
        self._runner = web.AppRunner(app)

    @property
    def url(self) -> str:
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.headers.append(request.headers.copy())
        step = self.script.popleft()
        if step.status != 200:
            return web.json_response(step.body, status=step.status, headers=step.headers)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for piece in step.events:
            await response.write(piece)
        if step.end == "hang":
            await self._released.wait()
        elif step.end == "abort" and request.transport:
            request.transport.abort()
        return response
