"""POST /slack/events: events, commands and interactivity, through Bolt.

Bolt runs the listeners before it answers Slack (`process_before_response`), so an acknowledgement means that
the message is stored. What cannot be stored ends in a 503, after which Slack delivers it again.

Protocol: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from secrets import token_hex

import structlog
from aiohttp import web
from slack_bolt import BoltResponse
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bots.intake import read_body, storing
from bots.problems import ProblemError
from brain.message import Locale

from .forms import Interactions
from .listeners import CLAIM_SECONDS, ConversationInbox, Listeners
from .settings import SlackSettings
from .socket import listening
from .workspaces import Installed, Workspaces

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Bolt raises where a payload is not shaped as Slack shapes it; it reads on without looking."""

_log = structlog.get_logger(__name__)


class SlackRoutes:
    """The one address that the Slack app's manifest names."""

    def __init__(
        self,
        settings: SlackSettings,
        inbox: ConversationInbox,
        installed: Installed,
        *,
        locale: Locale,
    ) -> None:
        self._settings = settings
        # Without a secret (Socket Mode) no request can be signed, and none is taken.
        secret = settings.signing_secret.get_secret_value() or token_hex()
        self._verifier = SignatureVerifier(secret)
        self._bolt = _bolt_app(settings, inbox, installed, secret)
        Interactions(inbox=inbox, settings=settings, locale=locale).register(self._bolt)
        self._installed = installed

    def register(self, app: web.Application) -> None:
        """Adds the routes and the socket; the application's middleware turns `ProblemError` into an answer."""
        app.router.add_post("/slack/events", self.receive)
        if isinstance(self._installed, Workspaces):
            flow = self._installed.flow
            app.router.add_get("/slack/install", _page(flow.handle_installation))
            app.router.add_get("/slack/oauth_redirect", _page(flow.handle_callback))
        if self._settings.app_token.get_secret_value():
            app.cleanup_ctx.append(self._listen)

    async def _listen(self, _app: web.Application) -> AsyncIterator[None]:
        async with listening(self._bolt, self._settings):
            yield

    async def receive(self, request: web.Request) -> web.Response:
        """Hands a signed request to Bolt.

        Raises `ProblemError` 400, 401, 413 and 503; after 503 Slack delivers again.
        """
        body = await read_body(request, self._settings.max_body_bytes)
        if not self._is_signed(request, body):
            _log.warning("slack_signature_refused", remote=request.remote)
            raise ProblemError(401, "bad_signature", "The request is not signed by Slack, or too old.")
        try:
            answer = await self._bolt.async_dispatch(_to_bolt(request, body.decode()))
        except _UNREADABLE as error:
            _log.warning("slack_body_malformed", error=type(error).__name__)
            raise ProblemError(400, "malformed_body", "The body is not a Slack payload.") from error
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


def _to_bolt(request: web.Request, body: str = "") -> AsyncBoltRequest:
    headers: dict[str, str | Sequence[str]] = {name: request.headers.getall(name) for name in request.headers}
    return AsyncBoltRequest(body=body, query=request.query_string, headers=headers)


def _page(
    handle: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def show(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await handle(_to_bolt(request)))

    return show


def _bolt_app(
    settings: SlackSettings, inbox: ConversationInbox, installed: Installed, secret: str
) -> AsyncApp:
    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        # Without this Bolt calls auth.test while Slack waits, and loses the event (200) when that fails.
        async with storing(max_seconds=CLAIM_SECONDS):
            token = await installed.token(team_id or "")
        if token is None:
            return None
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    bolt = AsyncApp(
        name="resync",
        process_before_response=True,
        signing_secret=secret,
        client=AsyncWebClient(base_url=settings.api_url),
        authorize=authorize,  # type: ignore[arg-type]  # Bolt takes None for a team without installation
    )
    bolt.error(_raise)
    Listeners(inbox, settings, installed).register(bolt)
    return bolt


async def _raise(error: Exception) -> None:
    # Bolt answers 500 to everything; `receive` knows better what went wrong.
    raise error
