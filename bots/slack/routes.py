"""POST /slack/events: events, commands and interactivity, through Bolt.

Protocol: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bots.problems import problem

from .listeners import ConversationInbox, NotStoredError, register
from .settings import SlackSettings

__all__ = ["SlackRoutes"]

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Bolt raises where a payload is not shaped as Slack shapes it; it reads on without looking."""

_log = structlog.get_logger(__name__)


class SlackRoutes:
    """The one address that the Slack app's manifest names."""

    def __init__(self, settings: SlackSettings, inbox: ConversationInbox) -> None:
        self._settings = settings
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value())
        self._bolt = _bolt_app(settings, inbox)

    def register(self, app: web.Application) -> None:
        """Adds the route."""
        app.router.add_post("/slack/events", self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """Hands a signed request to Bolt.

        400, 401, 413 and 503 are problem documents; after 503 Slack delivers again.
        """
        try:
            body = await request.clone(client_max_size=self._settings.max_body_bytes).read()
        except web.HTTPRequestEntityTooLarge:
            return problem(413, "too_large", "The request is larger than this server takes from Slack.")
        if not self._is_signed(request, body):
            _log.warning("slack_signature_refused", remote=request.remote)
            return problem(401, "bad_signature", "The request is not signed by Slack, or too old.")
        try:
            answer = await self._bolt.async_dispatch(_to_bolt_request(request, body))
        except NotStoredError as error:
            # A traceback could quote the message.
            _log.error("slack_claim_failed", error=type(error.__cause__).__name__)
            return problem(503, "not_stored", "The message could not be stored; deliver it again.")
        except _UNREADABLE as error:
            _log.warning("slack_body_malformed", error=type(error).__name__)
            return problem(400, "malformed_body", "The body is not a Slack payload.")
        return await to_aiohttp_response(answer)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        # Bolt verifies too, but parses first, answers 500 to a timestamp that is no number, and logs the
        # body of a request that it refuses.
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        try:
            return signature.isascii() and self._verifier.is_valid(body, timestamp, signature)
        except ValueError:
            return False


def _to_bolt_request(request: web.Request, body: bytes) -> AsyncBoltRequest:
    return AsyncBoltRequest(
        body=body.decode(),
        query=request.query_string,
        headers={name: request.headers.getall(name) for name in request.headers},
    )


def _bolt_app(settings: SlackSettings, inbox: ConversationInbox) -> AsyncApp:
    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Without this Bolt calls auth.test while Slack waits, and loses the event (200) when that fails.
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=settings.bot_token.get_secret_value()
        )

    bolt = AsyncApp(
        name="resync",
        process_before_response=True,
        signing_secret=settings.signing_secret.get_secret_value(),
        client=AsyncWebClient(base_url=settings.api_url),
        authorize=authorize,
    )
    bolt.error(_raise)
    register(bolt, inbox, settings)
    return bolt


async def _raise(error: Exception) -> None:
    # Bolt answers 500 to everything; `receive` knows better what went wrong.
    raise error
