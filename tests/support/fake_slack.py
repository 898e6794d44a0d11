"""Slack's Web API on loopback, as far as Resync uses it. It refuses what Slack refuses."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.slack_limits import check_blocks, texts_of

TOKEN = "xoxb-fake"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed answer: an error code, or an HTTP status."""

    error: str = ""
    status: int = 200
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    arguments: dict[str, Any]


class FakeSlack:
    """`async with FakeSlack() as slack`; then `slack.api_url`, `slack.calls`, `slack.messages`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: dict[tuple[str, str], dict[str, Any]] = {}
        """What stands in the channels now, by channel and ts, in the order it was posted."""
        self.responses: list[dict[str, Any]] = []
        """What was sent to the response_url."""
        self.foreign_channels: set[str] = set()
        """Channels without the bot."""
        self._failures: defaultdict[str, list[Failure]] = defaultdict(list)
        self._clock = itertools.count(1)
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        app.router.add_post("/response", self._take_response)
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._server.close()

    @property
    def api_url(self) -> str:
        return str(self._server.make_url("/api/"))

    @property
    def response_url(self) -> str:
        return str(self._server.make_url("/response"))

    @property
    def methods(self) -> list[str]:
        return [call.method for call in self.calls]

    def fail(self, method: str, *failures: Failure) -> None:
        """The next calls of the method fail, in this order."""
        self._failures[method].extend(failures)

    def forget(self, channel: str, ts: str) -> None:
        """Somebody deletes a message."""
        del self.messages[channel, ts]

    async def _answer(self, request: web.Request) -> web.Response:
        method, arguments = request.match_info["method"], await _arguments(request)
        self.calls.append(Call(method, arguments))
        if self._failures[method]:
            return _fail(self._failures[method].pop(0))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _refuse("invalid_auth")
        handler = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
        }.get(method)
        return handler(arguments) if handler else _refuse("unknown_method")

    def _post(self, arguments: dict[str, Any]) -> web.Response:
        channel = arguments["channel"]
        if channel in self.foreign_channels:
            return _refuse("not_in_channel")
        problem = _problem(arguments)
        if problem:
            return _refuse(problem)
        ts = f"1767225600.{next(self._clock):06}"
        self.messages[channel, ts] = arguments
        return web.json_response({"ok": True, "channel": channel, "ts": ts, "message": arguments})

    def _update(self, arguments: dict[str, Any]) -> web.Response:
        key = arguments["channel"], arguments["ts"]
        problem = _problem(arguments) if key in self.messages else "message_not_found"
        if problem:
            return _refuse(problem)
        self.messages[key] = self.messages[key] | arguments
        return web.json_response({"ok": True, "channel": key[0], "ts": key[1]})

    def _delete(self, arguments: dict[str, Any]) -> web.Response:
        if self.messages.pop((arguments["channel"], arguments["ts"]), None) is None:
            return _refuse("message_not_found")
        return web.json_response({"ok": True})

    async def _take_response(self, request: web.Request) -> web.Response:
        if self._failures["response_url"]:
            return _fail(self._failures["response_url"].pop(0))
        self.responses.append(await request.json())
        return web.Response(text="ok")


async def _arguments(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        arguments: dict[str, Any] = await request.json()
        return arguments
    form = {name: str(value) for name, value in (await request.post()).items()}
    return form | ({"blocks": json.loads(form["blocks"])} if "blocks" in form else {})


def _problem(arguments: dict[str, Any]) -> str | None:
    blocks = arguments.get("blocks") or []
    if not arguments.get("text") and not blocks:
        return "no_text"
    if len(arguments.get("text", "")) > 4_000:
        return "msg_too_long"
    if sum(map(len, texts_of(blocks))) > 13_000:
        return "msg_blocks_too_long"
    return "invalid_blocks" if check_blocks(blocks) else None


def _fail(failure: Failure) -> web.Response:
    if failure.status == 429:
        headers = {"Retry-After": str(failure.retry_after or 1)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
    if failure.status != 200:
        return web.Response(status=failure.status, text="<html>upstream</html>", content_type="text/html")
    return _refuse(failure.error)


def _refuse(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
