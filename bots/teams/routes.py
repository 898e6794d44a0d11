"""`POST /api/messages`: the door for the Bot Framework channel."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import hdrs, web
from botbuilder.core import InvokeResponse
from botbuilder.schema import Activity, ActivityTypes

from bots.problems import problem

from .adapter import TeamsAdapter
from .bot import TeamsBot
from .errors import BodyRejectedError, InboundError, MalformedActivityError
from .inbound import read_activity, tenants_of
from .verifier import TokenVerifier

__all__ = ["TeamsRoutes"]

_log = structlog.get_logger(__name__)

_RETRY_AFTER = "30"
"""Seconds, with 503."""


class TeamsRoutes:
    """Verifies, reads, hands over. What the inbox raises passes through: nothing was taken then."""

    def __init__(
        self, verifier: TokenVerifier, adapter: TeamsAdapter, bot: TeamsBot, *, max_body_bytes: int
    ) -> None:
        self._verifier = verifier
        self._adapter = adapter
        self._bot = bot
        self._max_body_bytes = max_body_bytes

    def register(self, app: web.Application) -> None:
        """Adds the route."""
        app.router.add_post("/api/messages", self.receive_activity)

    async def receive_activity(self, request: web.Request) -> web.Response:
        """202 for a message taken, 200 for anything that needs no answer, the answer itself for an invoke."""
        try:
            # The token first: nothing of a stranger's body is parsed.
            token = await self._verifier.verify(request.headers.get(hdrs.AUTHORIZATION))
            activity = read_activity(await self._read_json(request))
            self._verifier.admit(
                token,
                service_url=activity.service_url,
                channel_id=activity.channel_id,
                tenants=tenants_of(activity),
            )
            response = await self._adapter.receive(activity, self._bot.on_turn)
        except InboundError as error:
            _log.warning("activity_rejected", status=error.status, code=error.code)
            return problem(error.status, error.code, str(error), headers=_headers(error))
        return _answer(activity, response)

    async def _read_json(self, request: web.Request) -> Any:
        if request.content_type != "application/json":
            raise BodyRejectedError(415, "unsupported_media_type", "An activity is application/json.")
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise BodyRejectedError(413, "too_large", "The activity is too large.")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise MalformedActivityError("The body is not JSON.") from error


def _headers(error: InboundError) -> dict[str, str]:
    if error.status == HTTPStatus.UNAUTHORIZED:
        return {hdrs.WWW_AUTHENTICATE: "Bearer"}
    return {hdrs.RETRY_AFTER: _RETRY_AFTER} if error.retryable else {}


def _answer(activity: Activity, response: InvokeResponse | None) -> web.Response:
    if response is None:
        taken = activity.type == ActivityTypes.message
        return web.Response(status=HTTPStatus.ACCEPTED if taken else HTTPStatus.OK)
    if response.body is None:
        return web.Response(status=response.status)
    return web.json_response(response.body, status=response.status)
