"""A gate before the simulator: requests pass, are held, get lost, or find nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web
from yarl import URL


@dataclass(slots=True)
class Hold:
    """One request that is stopped at the gate."""

    method: str
    where: Literal["request", "answer"]
    """Whether the simulator has not seen it yet, or has answered it already."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _decided: asyncio.Event = field(default_factory=asyncio.Event)
    _is_lost: bool = False

    def release(self) -> None:
        """Lets it go on."""
        self._decided.set()

    def lose(self) -> None:
        """It never arrives, nor does an answer."""
        self._is_lost = True
        self._decided.set()

    async def stop(self, request: web.Request) -> None:
        self.reached.set()
        await self._decided.wait()
        if self._is_lost and request.transport is not None:
            request.transport.abort()
        if self._is_lost:
            raise asyncio.CancelledError


class TwsGate:
    """Forwards to one simulator, under an address that stays the same when the gate is shut and opened."""

    def __init__(self, tws_url: str, session: aiohttp.ClientSession) -> None:
        self._target = URL(tws_url)
        self._session = session
        self._hold: Hold | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return str(self._target.with_port(self._port))

    def hold(self, method: str, where: Literal["request", "answer"] = "request") -> Hold:
        """Stops the next request of the method."""
        self._hold = Hold(method, where)
        return self._hold

    async def open(self) -> None:
        """Listens."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Nobody listens any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _pass(self, request: web.Request) -> web.Response:
        hold = self._take(request.method)
        body = await request.read()
        if hold is not None and hold.where == "request":
            await hold.stop(request)
        target = self._target.join(URL(request.raw_path, encoded=True))
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        async with self._session.request(request.method, target, data=body, headers=headers) as answer:
            content = await answer.read()
        if hold is not None and hold.where == "answer":
            await hold.stop(request)
        return web.Response(
            status=answer.status, body=content, headers={"Content-Type": answer.headers["Content-Type"]}
        )

    def _take(self, method: str) -> Hold | None:
        hold = self._hold
        if hold is None or hold.method != method:
            return None
        self._hold = None
        return hold


_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that belong to one hop."""


@asynccontextmanager
async def gate_before(tws_url: str) -> AsyncIterator[TwsGate]:
    """An open gate."""
    async with aiohttp.ClientSession() as session:
        gate = TwsGate(tws_url, session)
        await gate.open()
        try:
            yield gate
        finally:
            await gate.shut()
