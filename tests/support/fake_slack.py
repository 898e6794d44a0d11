"""Slack's Web API on loopback, as far as Resync uses it. It refuses what Slack refuses."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.slack_limits import check_blocks, check_view, texts_of

TOKEN = "xoxb-fake"
CLIENT, CLIENT_SECRET, APP_TOKEN = "11.22", "the client's secret", "xapp-fake"

_MESSAGE = {"text", "blocks", "parse", "link_names", "unfurl_links", "unfurl_media"}
_ARGUMENTS: dict[str, tuple[set[str], set[str]]] = {
    "auth.test": (set(), set()),
    "apps.connections.open": (set(), set()),
    "chat.postMessage": ({"channel"}, _MESSAGE | {"thread_ts"}),
    "chat.postEphemeral": ({"channel", "user"}, _MESSAGE | {"thread_ts"}),
    "chat.update": ({"channel", "ts"}, _MESSAGE),
    "chat.delete": ({"channel", "ts"}, set()),
    "conversations.open": ({"users"}, set()),
    "oauth.v2.access": (set(), {"code", "grant_type", "refresh_token", "redirect_uri"}),
    "views.open": ({"trigger_id", "view"}, set()),
    "views.update": ({"view", "view_id"}, {"hash"}),
    "views.publish": ({"user_id", "view"}, {"hash"}),
}
"""Required and optional arguments, as in https://docs.slack.dev/reference/methods."""
_EVERYWHERE = {"team_id"}
"""Bolt names the team in every call; Slack reads it where it matters."""


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
    token: str = ""


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
        self.tokens = {TOKEN: "T1"}
        """The team of each token that is valid."""
        self.codes: dict[str, str] = {}
        """Teams that just agreed to an installation, by the code that Slack hands over once."""
        self.refreshing: dict[str, str] = {}
        """The team of each refresh token; it works once."""
        self.lifetime: int | None = None
        """Of tokens, in seconds; None: they do not end."""
        self.whispers: list[dict[str, Any]] = []
        """What one person saw only."""
        self.views: dict[str, dict[str, Any]] = {}
        """Modals by view id, and each person's home by user id."""
        self.sockets: list[web.WebSocketResponse] = []
        """Connections of Socket Mode, the last one is in use."""
        self.acks: list[dict[str, Any]] = []
        """Acknowledged envelopes."""
        self.is_silent = False
        """Whether pings are left without an answer."""
        self._failures: defaultdict[str, list[Failure]] = defaultdict(list)
        self._clock = itertools.count(1)
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        app.router.add_post("/response", self._take_response)
        app.router.add_get("/socket", self._serve_socket)
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
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append(Call(method, arguments, token))
        if self._failures[method]:
            return _fail(self._failures[method].pop(0))
        if method == "oauth.v2.access":
            return self._install(request, arguments)
        if token not in ({APP_TOKEN} if method == "apps.connections.open" else self.tokens):
            return _refuse("invalid_auth")
        handler = {
            "auth.test": self._who,
            "apps.connections.open": self._connect,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._whisper,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.open": self._open_direct,
            "views.open": self._open_view,
            "views.update": self._update_view,
            "views.publish": self._publish,
        }.get(method)
        if handler is None:
            return _refuse("unknown_method")
        required, optional = _ARGUMENTS[method]
        if not required <= set(arguments) <= required | optional | _EVERYWHERE:
            return _refuse("invalid_arguments")
        return handler(arguments)

    def _who(self, _arguments: dict[str, Any]) -> web.Response:
        return web.json_response(
            {"ok": True, "bot_id": "B1", "user_id": "UBOT", "url": "https://x.slack.com/"}
        )

    def _install(self, request: web.Request, arguments: dict[str, Any]) -> web.Response:
        expected = aiohttp.encode_basic_auth(CLIENT, CLIENT_SECRET)
        if request.headers.get("Authorization") != expected:
            return _refuse("bad_client_secret")
        is_refresh = arguments.get("grant_type") == "refresh_token"
        given = (self.refreshing if is_refresh else self.codes).pop(
            arguments.get("refresh_token" if is_refresh else "code", ""), None
        )
        if given is None:
            return _refuse("invalid_refresh_token" if is_refresh else "invalid_code")
        number = next(self._clock)
        token = f"xoxb-{given}-{number}"
        self.tokens[token] = given
        answer = {
            "ok": True,
            "access_token": token,
            "token_type": "bot",
            "scope": "chat:write",
            "bot_user_id": "UBOT",
            "app_id": "A1",
            "team": {"id": given, "name": given},
            "enterprise": None,
            "authed_user": {"id": "U9"},
            "is_enterprise_install": False,
        }
        if self.lifetime is not None:
            self.refreshing[f"xoxe-{number}"] = given
            answer |= {"refresh_token": f"xoxe-{number}", "expires_in": self.lifetime}
        return web.json_response(answer)

    def _connect(self, _arguments: dict[str, Any]) -> web.Response:
        url = self._server.make_url("/socket").with_scheme("ws")
        return web.json_response({"ok": True, "url": str(url)})

    async def _serve_socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        async for message in socket:
            if message.type is aiohttp.WSMsgType.PING and not self.is_silent:
                await socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                self.acks.append(json.loads(message.data))
        return socket

    async def push(self, payload: dict[str, Any], kind: str = "events_api") -> str:
        """Sends an envelope over the newest connection; its id."""
        envelope = f"envelope-{next(self._clock)}"
        body = {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True}
        await self.sockets[-1].send_json(body)
        return envelope

    def _whisper(self, arguments: dict[str, Any]) -> web.Response:
        if arguments["channel"] in self.foreign_channels:
            return _refuse("not_in_channel")
        problem = _problem(arguments)
        if problem:
            return _refuse(problem)
        self.whispers.append(arguments)
        return web.json_response({"ok": True, "message_ts": f"1767225600.{next(self._clock):06}"})

    def _open_direct(self, arguments: dict[str, Any]) -> web.Response:
        return web.json_response({"ok": True, "channel": {"id": f"D{arguments['users'].removeprefix('U')}"}})

    def _open_view(self, arguments: dict[str, Any]) -> web.Response:
        return self._keep_view(f"V{next(self._clock)}", "modal", arguments["view"])

    def _update_view(self, arguments: dict[str, Any]) -> web.Response:
        known = arguments["view_id"] in self.views
        return (
            self._keep_view(arguments["view_id"], "modal", arguments["view"])
            if known
            else _refuse("not_found")
        )

    def _publish(self, arguments: dict[str, Any]) -> web.Response:
        return self._keep_view(arguments["user_id"], "home", arguments["view"])

    def _keep_view(self, view_id: str, kind: str, view: Any) -> web.Response:
        view = json.loads(view) if isinstance(view, str) else view
        problems = check_view(view, kind)
        if problems:
            return web.json_response({"ok": False, "error": "invalid_arguments", "messages": problems})
        self.views[view_id] = view
        return web.json_response({"ok": True, "view": {**view, "id": view_id, "hash": "1.x"}})

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
