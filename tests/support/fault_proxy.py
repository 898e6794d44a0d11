"""A loopback proxy in front of a TWS master that loses requests and answers on purpose.

Reads pass unless it `is_down`. Each change meets the next of `faults`, and passes when there is none.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

Fault: TypeAlias = Literal["lose_request", "lose_answer", "swallow", "garble", "hang"]
"""`lose_*` break the connection before or after the master acted; `swallow` answers 200 and forwards nothing;
`garble` forwards and answers something unreadable; `hang` forwards and never answers."""


class FaultProxy:
    """What it saw and what it shall do."""

    def __init__(self, target: str, session: aiohttp.ClientSession) -> None:
        self._target = target
        self._session = session
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.changes: list[str] = []
        """Path and query of every change that arrived, forwarded or not."""
        self.is_down = False
        self.broken_reads: tuple[str, ...] = ()
        """Ends of paths whose reads break off."""
        self.log_text: str | None = None
        """Instead of every job log."""
        self.pretended: dict[str, dict[str, Any]] = {}
        """By name of a job or workstation: fields that reads show otherwise than the master has them."""
        self.before_change: Callable[[], Awaitable[None]] | None = None
        """Runs before a change is forwarded: what somebody else does in that moment."""
        self.after_change: Callable[[], None] | None = None
        """Runs once a change was forwarded, before it is answered."""
        self.close_after_reads: int | None = None
        """After so many more reads nobody listens any more: connections are refused."""
        self.released = asyncio.Event()
        self.site: web.TCPSite | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Forwards the request, or does to it what was asked for."""
        if self.is_down:
            return _break(request)
        if request.method == "GET":
            is_broken = request.path.endswith(self.broken_reads)
            return _break(request) if is_broken else await self._read(request)
        self.changes.append(request.path_qs)
        fault = self.faults.popleft() if self.faults else None
        if self.before_change is not None:
            await self.before_change()
        if fault == "lose_request":
            return _break(request)
        if fault == "swallow":
            return web.json_response({"id": "x", "url": "x"})
        response = await self._forward(request)
        if self.after_change is not None:
            self.after_change()
        if fault == "lose_answer":
            return _break(request)
        if fault == "garble":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        if fault == "hang":
            await self.released.wait()
        return response

    async def _read(self, request: web.Request) -> web.Response:
        if self.log_text is not None and request.path.endswith("/joblog"):
            return web.Response(text=self.log_text)
        response = await self._forward(request)
        if self.pretended:
            answer = json.loads(response.body)
            for one in answer.get("results", [answer]):
                _put_over(one, self.pretended.get(one.get("name"), {}))
            response = web.json_response(answer)
        if self.close_after_reads is not None:
            self.close_after_reads -= 1
            # A connection that stays open would outlive the door.
            response.force_close()
            if self.close_after_reads == 0 and self.site is not None:
                await self.site.stop()
        return response

    async def _forward(self, request: web.Request) -> web.Response:
        skipped = {"host", "content-length", "accept-encoding", "connection"}
        headers = {name: value for name, value in request.headers.items() if name.lower() not in skipped}
        async with self._session.request(
            request.method, self._target + request.path_qs, headers=headers, data=await request.read()
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )


def _put_over(target: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, dict):
            _put_over(target.setdefault(name, {}), value)
        else:
            target[name] = value


def _break(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def running_proxy(tws_url: str) -> AsyncIterator[FaultProxy]:
    """The proxy on a free port; its `url` stands for that of the master's REST API."""
    parts = urlsplit(tws_url)
    async with aiohttp.ClientSession() as session:
        proxy = FaultProxy(f"{parts.scheme}://{parts.netloc}", session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        proxy.site = web.TCPSite(runner, "127.0.0.1", 0)
        await proxy.site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}{parts.path}"
        try:
            yield proxy
        finally:
            proxy.released.set()
            await runner.cleanup()
