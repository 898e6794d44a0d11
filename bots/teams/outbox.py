"""The way back into a Teams conversation."""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

import structlog
from botbuilder.schema import Activity, ActivityTypes, Attachment, ConversationReference, Entity
from sqlalchemy.exc import SQLAlchemyError

from brain.message import InboundMessage, Locale
from brain.reply import Reply
from brain.turns.outbox import OutboxError

from .adapter import TeamsAdapter
from .connector import ActivityGoneError, ConversationGoneError
from .inbound import to_reference
from .references import References
from .render import to_card, to_summary

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_CARD: Final = "application/vnd.microsoft.card.adaptive"
_TYPING_SECONDS: Final = 3.0
"""Teams shows a typing sign for a few seconds; more often than this only uses up the rate limit."""


class AiLabel(Entity):  # type: ignore[misc]  # the SDK ships no types
    """Says that a model wrote it; the SDK drops what its own `Entity` does not know.

    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
    """

    _attribute_map: ClassVar = {
        "type": {"key": "type", "type": "str"},
        "kind": {"key": "@type", "type": "str"},
        "context": {"key": "@context", "type": "str"},
        "additional_type": {"key": "additionalType", "type": "[str]"},
    }

    def __init__(self) -> None:
        super().__init__(type="https://schema.org/Message")
        self.kind = "Message"
        self.context = "https://schema.org"
        self.additional_type = ["AIGeneratedContent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A conversation, and how to get there."""

    tenant: str
    conversation_id: str
    route: Mapping[str, str] | None
    """None: as the reference that is kept says."""
    is_asked: bool
    """Whether somebody waits there for an answer; into dead conversations only answers are sent."""


class TeamsOutbox:
    """Answers one message, or writes into a conversation without being asked; an `Outbox`."""

    def __init__(self, adapter: TeamsAdapter, references: References, place: Place, locale: Locale) -> None:
        self._adapter = adapter
        self._references = references
        self._place = place
        self._locale = locale
        self._next_typing = -math.inf

    async def progress(self, line: str) -> None:
        """Shows the typing sign; Teams has no place for the line."""
        del line
        if time.monotonic() < self._next_typing:
            return
        self._next_typing = time.monotonic() + _TYPING_SECONDS
        try:
            await self._adapter.post(await self._reference(), Activity(type=ActivityTypes.typing))
        except OutboxError as error:
            _log.info("typing_not_shown", error=str(error))

    async def delta(self, piece: str) -> None:
        """Nothing: Teams streams in one-to-one chats only, and a streamed message carries no card."""

    async def send(self, reply: Reply) -> str | None:
        """Sends the card. Raises `OutboxError`."""
        return await self._tell(lambda reference: self._adapter.post(reference, self._to_activity(reply)))

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Puts the card in the place of an earlier one, or sends it if that is gone. Raises `OutboxError`."""
        try:
            await self._tell(
                lambda reference: self._adapter.put(reference, message_id, self._to_activity(reply))
            )
        except ActivityGoneError:
            await self.send(reply)

    async def _tell(self, call: Callable[[ConversationReference], Awaitable[_T]]) -> _T:
        """Calls Teams, and remembers whether the conversation is still there."""
        place, reference = self._place, await self._reference()
        try:
            told = await call(reference)
        except ConversationGoneError:
            await self._references.bury(place.tenant, place.conversation_id)
            raise
        if place.is_asked and place.route is not None:
            await self._references.keep(place.tenant, place.conversation_id, place.route)
        return told

    async def _reference(self) -> ConversationReference:
        """The way there now. Raises `OutboxError` where there is none."""
        place = self._place
        if place.is_asked and place.route is not None:
            return to_reference(place.route)
        try:
            known = await self._references.find(place.tenant, place.conversation_id)
        except (SQLAlchemyError, OSError) as error:
            raise OutboxError(f"the reference cannot be read: {error!r}", retryable=True) from error
        if known is not None and known.is_dead:
            raise OutboxError("Teams has refused this conversation before", retryable=False)
        if known is None and place.route is None:
            raise OutboxError("Resync was never in this conversation", retryable=False)
        # People move to another region of Teams, and with them the address of old messages.
        now = {"service_url": known.route["service_url"]} if known else {}
        return to_reference({**(place.route or (known.route if known else {})), **now})

    def _to_activity(self, reply: Reply) -> Activity:
        card = Attachment(content_type=_CARD, content=to_card(reply, self._locale))
        label = [AiLabel()] if reply.is_generated else None
        return Activity(
            type=ActivityTypes.message, summary=to_summary(reply), attachments=[card], entities=label
        )


class TeamsOutboxes:
    """Makes the ways back; an `OutboxFactory` for messages that came from Teams."""

    def __init__(self, adapter: TeamsAdapter, references: References) -> None:
        self._adapter = adapter
        self._references = references

    def __call__(self, turn_id: str, message: InboundMessage) -> TeamsOutbox:
        """The way back to where the message came from; no turn id: nobody waits for what is sent.

        Raises KeyError for a message that did not come from Teams.
        """
        where = message.conversation
        to_reference(message.route)
        return self._to(
            Place(
                tenant=where.tenant,
                conversation_id=where.conversation_id,
                route=message.route,
                is_asked=bool(turn_id),
            ),
            message.locale or Locale.EN,
        )

    def to_conversation(self, tenant: str, conversation_id: str, locale: Locale) -> TeamsOutbox:
        """A way into a chat or channel that Resync was in, without a message from there."""
        place = Place(tenant=tenant, conversation_id=conversation_id, route=None, is_asked=False)
        return self._to(place, locale)

    def _to(self, place: Place, locale: Locale) -> TeamsOutbox:
        return TeamsOutbox(self._adapter, self._references, place, locale)
