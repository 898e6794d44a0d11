"""POST /slack/events: events, commands and interactivity, through Bolt.

Bolt runs the listeners before it answers Slack (`process_before_response`), so an acknowledgement means that
the message is stored. What cannot be stored ends in a 503, after which Slack delivers it again.

Protocol: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bots.intake import read_body, storing
from bots.problems import ProblemError
from brain.message import Conversation, InboundMessage
from brain.turns.inbox import AcceptsMessages

from . import inbound
from .inbound import MalformedEventError, Payload
from .settings import SlackSettings

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Bolt raises where a payload is not shaped as Slack shapes it; it reads on without looking."""

_CLAIM_SECONDS = 2.5
"""Longest time to store a message: Slack gives up after 3 s and delivers again."""

_log = structlog.get_logger(__name__)


class ConversationInbox(AcceptsMessages, Protocol):
    """An inbox that remembers which conversations it took part in."""

    async def knows(self, conversation: Conversation) -> bool:
        """Whether a message of this conversation was accepted before."""
        ...


class SlackRoutes:
    """The one address that the Slack app's manifest names."""

    def __init__(self, settings: SlackSettings, inbox: ConversationInbox) -> None:
        self._max_body_bytes = settings.max_body_bytes
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value())
        self._bolt = _bolt_app(settings, inbox)

    def register(self, app: web.Application) -> None:
        """Adds the route; the application's middleware turns `ProblemError` into an answer."""
        app.router.add_post("/slack/events", self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """Hands a signed request to Bolt.

        Raises `ProblemError` 400, 401, 413 and 503; after 503 Slack delivers again.
        """
        body = await read_body(request, self._max_body_bytes)
        if not self._is_signed(request, body):
            _log.warning("slack_signature_refused", remote=request.remote)
            raise ProblemError(401, "bad_signature", "The request is not signed by Slack, or too old.")
        try:
            answer = await self._bolt.async_dispatch(
                AsyncBoltRequest(
                    body=body.decode(),
                    query=request.query_string,
                    headers={name: request.headers.getall(name) for name in request.headers},
                )
            )
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


def _bolt_app(settings: SlackSettings, inbox: ConversationInbox) -> AsyncApp:
    token = settings.bot_token.get_secret_value()

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Without this Bolt calls auth.test while Slack waits, and loses the event (200) when that fails.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    bolt = AsyncApp(
        name="resync",
        process_before_response=True,
        signing_secret=settings.signing_secret.get_secret_value(),
        client=AsyncWebClient(base_url=settings.api_url),
        authorize=authorize,
    )
    bolt.error(_raise)
    _Listeners(inbox, settings).register(bolt)
    return bolt


async def _raise(error: Exception) -> None:
    # Bolt answers 500 to everything; `receive` knows better what went wrong.
    raise error


class _Listeners:
    """Claim a message durably and leave the work for later; Bolt fills their parameters by name."""

    def __init__(self, inbox: ConversationInbox, settings: SlackSettings) -> None:
        self._inbox = inbox
        self._settings = settings

    def register(self, bolt: AsyncApp) -> None:
        """Adds all listeners; each event has exactly one, since Bolt answers 404 to an event without."""
        bolt.event("app_mention")(self.on_mention)
        bolt.event("message")(self.on_message)
        bolt.event(re.compile(".*"))(self.on_other_event)
        bolt.command("/tws")(self.on_command)
        bolt.action({"type": "block_actions", "action_id": re.compile(".*")})(self.on_action)

    async def on_mention(self, body: Payload) -> None:
        """The bot is mentioned in a channel."""
        if inbound.is_from_person(body["event"]):
            await self._take(body, inbound.from_event)

    async def on_message(self, body: Payload) -> None:
        """Something is said to the bot alone, or in a channel that the app reads."""
        if inbound.is_from_person(body["event"]):
            await self._take(body, inbound.from_event, only_if=self._concerns_bot)

    async def on_command(self, body: Payload, ack: AsyncAck) -> None:
        """Somebody uses `/tws …`; in_channel makes Slack show the command above its answer."""
        await self._take(body, inbound.from_command)
        await ack(response_type="in_channel")

    async def on_action(self, body: Payload, ack: AsyncAck) -> None:
        """Somebody presses a button."""
        await self._take(body, inbound.from_action)
        await ack()

    async def on_other_event(self) -> None:
        """Everything else the app is subscribed to is acknowledged and left alone."""

    async def _take(
        self,
        body: Payload,
        read: Callable[..., InboundMessage],
        *,
        only_if: Callable[[Payload, InboundMessage], Awaitable[bool]] | None = None,
    ) -> None:
        try:
            message = read(body, received_at=datetime.now(UTC))
        except MalformedEventError as error:
            # Acknowledged all the same: a second delivery would bring the same payload.
            _log.warning("slack_payload_malformed", field=error.field, type=body.get("type"))
            return
        if not self._settings.allows(message.conversation.tenant, message.sender.tenant):
            _log.warning("slack_team_refused", team=message.sender.tenant)
            return
        async with storing(max_seconds=_CLAIM_SECONDS):
            if only_if is not None and not await only_if(body, message):
                return
            accepted = await self._inbox.accept(message)
        _log.info("slack_message_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)

    async def _concerns_bot(self, body: Payload, message: InboundMessage) -> bool:
        """Direct messages, and threads the bot is in unless somebody else is addressed."""
        if not message.text:
            return False
        if inbound.is_direct(message.conversation.conversation_id):
            return True
        if "thread_ts" not in body["event"] or inbound.is_addressed_to_another(body):
            return False
        return inbound.is_in_thread_of_bot(body) or await self._inbox.knows(message.conversation)
