"""The one place that drives the Bot Framework SDK, behind a small port of our own.

Replacing the SDK, which is at its end of life, means replacing this package. What is used of it: its data
types, the turn pipeline of `CloudAdapterBase` (`process_activity` inwards, `continue_conversation`
outwards) and the activity dispatch of `ActivityHandler`. Not used, because of what 4.17.1 does: its token
validation (see `verifier`), its MSAL credentials (one token request a turn, on the event loop's thread) and
its connector client (see `conversations`). They are replaced at the SDK's own seams,
`BotFrameworkAuthentication` and `ConnectorFactory`, so nothing here blocks the loop or uses a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

import aiohttp
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity, ActivityTypes, ConversationReference
from botframework.connector.auth import BotFrameworkAuthentication, ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory

from .conversations import Conversations, Patience
from .credentials import BotToken
from .errors import ServiceUrlRefusedError
from .service_urls import ServiceUrls

__all__ = ["TeamsAdapter", "TeamsConnector"]

_Turn: TypeAlias = Callable[[TurnContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Connector:
    """What the SDK's adapter expects of a connector client."""

    conversations: Conversations


class _Connectors(ConnectorFactory):  # type: ignore[misc]  # the SDK ships no types
    def __init__(
        self, session: aiohttp.ClientSession, token: BotToken, service_urls: ServiceUrls, patience: Patience
    ) -> None:
        self._session = session
        self._token = token
        self._service_urls = service_urls
        self._patience = patience

    async def create(self, service_url: str, audience: str | None = None) -> _Connector:
        """A client for one address of Teams; no other address ever sees the token."""
        del audience  # the token has one scope
        if not self._service_urls.permits(service_url):
            raise ServiceUrlRefusedError("the way back does not lead to a host of Teams")
        return _Connector(Conversations(self._session, self._token, service_url, self._patience))


class _Authentication(BotFrameworkAuthentication):  # type: ignore[misc]  # the SDK ships no types
    """Hands out our connectors; believes no token, for `TokenVerifier` has done so before."""

    def __init__(self, connectors: _Connectors) -> None:
        self._connectors = connectors

    async def authenticate_request(self, *_: object) -> NoReturn:
        raise PermissionError("tokens are checked before the SDK is called")

    async def authenticate_streaming_request(self, *_: object) -> NoReturn:
        raise PermissionError("streaming connections are not served")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> _Connectors:
        del claims_identity  # there is one bot
        return self._connectors

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """No sign-in cards, so no client for them."""


class TeamsAdapter(CloudAdapterBase):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's turn pipeline over our connectors."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: BotToken,
        *,
        app_id: str,
        service_urls: ServiceUrls,
        patience: Patience,
    ) -> None:
        self._app_id = app_id
        self._connectors = _Connectors(session, token, service_urls, patience)
        super().__init__(_Authentication(self._connectors))

    async def receive(self, activity: Activity, turn: _Turn) -> InvokeResponse | None:
        """Runs a turn for an activity that `TokenVerifier` has admitted; an answer only for invokes."""
        identity = AuthenticateRequestResult()
        identity.claims_identity = self.create_claims_identity(self._app_id)
        identity.connector_factory = self._connectors
        return await self.process_activity(identity, activity, turn)

    async def resume(self, reference: ConversationReference, turn: _Turn) -> None:
        """Runs a turn in a conversation of earlier. Raises `DeliveryError` from what the turn sends."""

        async def in_place(context: TurnContext) -> None:
            # The SDK invents an id for the turn, and a reply to that would point nowhere.
            context.activity.id = reference.activity_id
            await turn(context)

        await self.continue_conversation(reference, in_place, bot_app_id=self._app_id)


class TeamsConnector:
    """Sends into conversations, minutes or days after their last message. All methods raise `DeliveryError`."""

    def __init__(self, adapter: TeamsAdapter) -> None:
        self._adapter = adapter

    async def send(self, reference: ConversationReference, activity: Activity) -> str:
        """Sends the activity; returns the id that Teams gave it."""
        ids: list[str] = []

        async def turn(context: TurnContext) -> None:
            ids.append((await context.send_activity(activity)).id)

        await self._adapter.resume(reference, turn)
        return ids[0]

    async def update(self, reference: ConversationReference, activity_id: str, activity: Activity) -> None:
        """Puts the activity in the place of another. Raises `ActivityGoneError` when that is gone."""

        async def turn(context: TurnContext) -> None:
            activity.id = activity_id
            await context.update_activity(activity)

        await self._adapter.resume(reference, turn)

    async def typing(self, reference: ConversationReference) -> None:
        """Shows for a few seconds that the bot is at work."""
        await self.send(reference, Activity(type=ActivityTypes.typing))
