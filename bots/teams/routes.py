"""`POST /api/messages`: the door for the Bot Framework channel, and what stands behind it."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from aiohttp import hdrs, web
from botbuilder.core import InvokeResponse
from botbuilder.schema import Activity, ActivityTypes
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.intake import read_body
from bots.problems import ProblemError
from brain.turns.inbox import RecallsMessages

from .adapter import TeamsAdapter, TeamsBot
from .inbound import MalformedActivityError, read_activity
from .outbox import TeamsOutboxes
from .references import References
from .settings import TeamsSettings
from .verifier import TokenVerifier

_log = structlog.get_logger(__name__)


class TeamsRoutes:
    """Verifies, reads, hands over."""

    def __init__(
        self,
        settings: TeamsSettings,
        session: aiohttp.ClientSession,
        adapter: TeamsAdapter,
        bot: TeamsBot,
    ) -> None:
        self._verifier = TokenVerifier(settings, session)
        self._adapter = adapter
        self._bot = bot
        self._max_body_bytes = settings.max_body_bytes

    def register(self, app: web.Application) -> None:
        """Adds the route; the application's middleware turns `ProblemError` into an answer."""
        app.router.add_post("/api/messages", self.receive_activity)

    async def receive_activity(self, request: web.Request) -> web.Response:
        """202 for a message taken, 200 for anything that needs no answer, the answer itself for an invoke.

        Raises `ProblemError` 400, 401, 403, 413, 415 and 503; nothing was taken then.
        """
        try:
            # The token first: nothing of a stranger's body is parsed.
            token = await self._verifier.verify(request.headers.get(hdrs.AUTHORIZATION))
            activity = read_activity(await self._read_json(request))
            self._verifier.admit(token, activity)
            return _answer(activity, await self._adapter.receive(activity, self._bot.on_turn))
        except MalformedActivityError as error:
            _log.warning("activity_rejected", status=400, code=error.code)
            raise ProblemError(400, error.code, str(error)) from error
        except ProblemError as error:
            _log.warning("activity_rejected", status=error.status, code=error.code)
            raise

    async def _read_json(self, request: web.Request) -> Any:
        if request.content_type != "application/json":
            raise ProblemError(415, "unsupported_media_type", "An activity is application/json.")
        body = await read_body(request, self._max_body_bytes)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise MalformedActivityError("The body is not JSON.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsChannel:
    """In and out."""

    routes: TeamsRoutes
    outboxes: TeamsOutboxes
    references: References


def build_channel(
    settings: TeamsSettings, session: aiohttp.ClientSession, inbox: RecallsMessages, engine: AsyncEngine
) -> TeamsChannel:
    """Puts the parts together; opens nothing, so there is nothing to close. The session stays the caller's."""
    adapter, references = TeamsAdapter(session, settings), References(engine)
    return TeamsChannel(
        routes=TeamsRoutes(settings, session, adapter, TeamsBot(inbox, references)),
        outboxes=TeamsOutboxes(adapter, references),
        references=references,
    )


def _answer(activity: Activity, response: InvokeResponse | None) -> web.Response:
    if response is None:
        taken = activity.type == ActivityTypes.message
        return web.Response(status=HTTPStatus.ACCEPTED if taken else HTTPStatus.OK)
    if response.body is None:
        return web.Response(status=response.status)
    return web.json_response(response.body, status=response.status)
