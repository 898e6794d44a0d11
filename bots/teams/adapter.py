"""The one place that drives the Bot Framework SDK, behind a small port of our own.

Replacing the SDK, which is at its end of life, means replacing this package. What is used of it: its data
types, the turn pipeline of `CloudAdapterBase` (`process_activity` inwards, `continue_conversation`
outwards) and the activity dispatch of `ActivityHandler`. Not used, because of what 4.17.1 does: its token
validation (see `verifier`), its MSAL credentials (one token request a turn, on the event loop's thread) and
its connector client (see `connector`). They are replaced at the SDK's own seams,
`BotFrameworkAuthentication` and `ConnectorFactory`, so nothing here blocks the loop or uses a thread.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final, NoReturn, Self, TypeAlias

import aiohttp
import structlog
from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity, ChannelAccount, ConversationReference
from botframework.connector.auth import BotFrameworkAuthentication, ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory

from bots.intake import storing
from brain.message import Channel, InboundMessage, Locale
from brain.turns.inbox import RecallsMessages
from brain.turns.outbox import OutboxError

from .connector import BotToken, Conversations, Patience
from .inbound import (
    MalformedActivityError,
    base_of,
    delivery_of,
    tenants_of,
    to_edit,
    to_help_request,
    to_locale,
    to_message,
)
from .references import References
from .settings import TeamsSettings

_log = structlog.get_logger(__name__)

_WORKING: Final = {Locale.EN: "Working on it…", Locale.PT: "Um momento…"}

_Turn: TypeAlias = Callable[[TurnContext], Awaitable[None]]


class _Seams(BotFrameworkAuthentication, ConnectorFactory):  # type: ignore[misc]  # the SDK ships no types
    """Hands out our connectors; believes no token, for `TokenVerifier` has done so before."""

    def __init__(self, session: aiohttp.ClientSession, settings: TeamsSettings, patience: Patience) -> None:
        self._session = session
        self._settings = settings
        self._patience = patience
        self._token = BotToken(session, settings)

    async def create(self, service_url: str, audience: str | None = None) -> SimpleNamespace:
        """A client for one address of Teams; no other address ever sees the token."""
        del audience  # the token has one scope
        if not self._settings.permits(service_url):
            raise OutboxError("the way back does not lead to a host of Teams", retryable=False)
        # The SDK asks its connector client for this one attribute.
        return SimpleNamespace(
            conversations=Conversations(self._session, self._token, service_url, self._patience)
        )

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> Self:
        del claims_identity  # there is one bot
        return self

    async def authenticate_request(self, *_: object) -> NoReturn:
        raise PermissionError("tokens are checked before the SDK is called")

    async def authenticate_streaming_request(self, *_: object) -> NoReturn:
        raise PermissionError("streaming connections are not served")

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """No sign-in cards, so no client for them."""


class TeamsAdapter(CloudAdapterBase):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's turn pipeline over our connectors."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: TeamsSettings,
        patience: Patience = Patience(),  # noqa: B008  # frozen
    ) -> None:
        self._app_id = settings.app_id
        self._seams = _Seams(session, settings, patience)
        super().__init__(self._seams)

    async def receive(self, activity: Activity, turn: _Turn) -> InvokeResponse | None:
        """Runs a turn for an activity that `TokenVerifier` has admitted; an answer only for invokes."""
        identity = AuthenticateRequestResult()
        identity.claims_identity = self.create_claims_identity(self._app_id)
        identity.connector_factory = self._seams
        return await self.process_activity(identity, activity, turn)

    async def post(self, reference: ConversationReference, activity: Activity) -> str | None:
        """Sends into a conversation of earlier; returns the id that Teams gave. Raises `OutboxError`."""
        ids: list[str | None] = []

        async def turn(context: TurnContext) -> None:
            ids.append((await context.send_activity(activity)).id)

        await self._resume(reference, turn)
        return ids[0] or None

    async def put(self, reference: ConversationReference, activity_id: str, activity: Activity) -> None:
        """Puts the activity in the place of another. Raises `ActivityGoneError` when that is gone."""

        async def turn(context: TurnContext) -> None:
            activity.id = activity_id
            await context.update_activity(activity)

        await self._resume(reference, turn)

    async def _resume(self, reference: ConversationReference, turn: _Turn) -> None:
        async def in_place(context: TurnContext) -> None:
            # The SDK invents an id for the turn, and a reply to that would point nowhere.
            context.activity.id = reference.activity_id
            await turn(context)

        await self.continue_conversation(reference, in_place, bot_app_id=self._app_id)


class TeamsBot(ActivityHandler):  # type: ignore[misc]  # the SDK ships no types
    """Messages, button presses and its own arrival; all else is acknowledged and forgotten.

    Not a `TeamsActivityHandler`: that one asks the roster of Teams about every new member and reads the
    payloads of two dozen invokes before it finds that nobody serves them.
    """

    def __init__(self, inbox: RecallsMessages, references: References) -> None:
        super().__init__()
        self._inbox = inbox
        self._references = references

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """A message, or a button of a client that knows no `Action.Execute`."""
        await self._accept(to_message(turn_context.activity, received_at=datetime.now(UTC)))

    async def on_message_update_activity(self, turn_context: TurnContext) -> None:
        """Changed words are asked in the place of the old ones, if nobody has begun to answer those."""
        activity = turn_context.activity
        message = to_edit(activity, received_at=datetime.now(UTC))
        await self._recall(activity)
        if message is not None:
            await self._accept(message)

    async def on_message_delete_activity(self, turn_context: TurnContext) -> None:
        """A message is taken back."""
        await self._recall(turn_context.activity)

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        """Nothing more is posted where the app was removed."""
        activity = turn_context.activity
        for tenant in tenants_of(activity) if activity.conversation else ():
            await self._references.bury(tenant, base_of(activity.conversation.id))

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greets when it is added itself, by answering as if it had been asked for help."""
        activity = turn_context.activity
        ids = {member.id for member in members_added if member}  # the SDK lets null through
        if activity.recipient and activity.recipient.id in ids:
            await self._accept(to_help_request(activity, received_at=datetime.now(UTC)))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """A button press; its answer is due within seconds, so it only says that the press arrived."""
        activity = turn_context.activity
        if activity.name != "adaptiveCard/action":
            return InvokeResponse(status=HTTPStatus.NOT_IMPLEMENTED)
        try:
            message = to_message(activity, received_at=datetime.now(UTC))
        except MalformedActivityError as error:
            details = {"code": error.code, "message": str(error)}
            return _card_answer(HTTPStatus.BAD_REQUEST, "error", details)
        await self._accept(message)
        return _card_answer(HTTPStatus.OK, "activity.message", _WORKING[to_locale(activity) or Locale.EN])

    async def _recall(self, activity: Activity) -> None:
        delivery = delivery_of(activity)
        async with storing():
            for tenant in tenants_of(activity):
                await self._inbox.recall(Channel.TEAMS, tenant, delivery)

    async def _accept(self, message: InboundMessage) -> None:
        async with storing():
            accepted = await self._inbox.accept(message)
        _log.info("teams_message_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)


def _card_answer(status: int, kind: str, value: object) -> InvokeResponse:
    """The HTTP status is always 200; the card's own status is inside."""
    # https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format
    body = {"statusCode": int(status), "type": f"application/vnd.microsoft.{kind}", "value": value}
    return InvokeResponse(status=int(HTTPStatus.OK), body=body)
