"""The way back into a Teams conversation."""

import math
import time
from typing import Final

import structlog
from botbuilder.schema import Activity, ActivityTypes, Attachment, ConversationReference

from brain.message import InboundMessage, Locale
from brain.reply import Reply
from brain.turns.outbox import OutboxError

from .adapter import TeamsAdapter
from .connector import ActivityGoneError
from .inbound import to_reference
from .render import to_card, to_summary

_log = structlog.get_logger(__name__)

_CARD: Final = "application/vnd.microsoft.card.adaptive"
_TYPING_SECONDS: Final = 3.0
"""Teams shows a typing sign for a few seconds; more often than this only uses up the rate limit."""


class TeamsOutbox:
    """Answers one message; an `Outbox`."""

    def __init__(self, adapter: TeamsAdapter, reference: ConversationReference, locale: Locale) -> None:
        self._adapter = adapter
        self._reference = reference
        self._locale = locale
        self._next_typing = -math.inf

    async def progress(self, line: str) -> None:
        """Shows the typing sign; Teams has no place for the line."""
        del line
        if time.monotonic() < self._next_typing:
            return
        self._next_typing = time.monotonic() + _TYPING_SECONDS
        try:
            await self._adapter.post(self._reference, Activity(type=ActivityTypes.typing))
        except OutboxError as error:
            _log.info("typing_not_shown", error=str(error))

    async def delta(self, piece: str) -> None:
        """Nothing: Teams streams in one-to-one chats only, and a streamed message carries no card."""

    async def send(self, reply: Reply) -> str | None:
        """Sends the card. Raises `OutboxError`."""
        return await self._adapter.post(self._reference, self._to_activity(reply))

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Puts the card in the place of an earlier one, or sends it if that is gone. Raises `OutboxError`."""
        try:
            await self._adapter.put(self._reference, message_id, self._to_activity(reply))
        except ActivityGoneError:
            await self.send(reply)

    def _to_activity(self, reply: Reply) -> Activity:
        card = Attachment(content_type=_CARD, content=to_card(reply, self._locale))
        return Activity(type=ActivityTypes.message, summary=to_summary(reply), attachments=[card])


class TeamsOutboxes:
    """Makes the outbox of a turn; an `OutboxFactory`."""

    def __init__(self, adapter: TeamsAdapter) -> None:
        self._adapter = adapter

    def __call__(self, _turn_id: str, message: InboundMessage) -> TeamsOutbox:
        """Raises KeyError for a message that did not come from Teams."""
        return TeamsOutbox(self._adapter, to_reference(message.route), message.locale or Locale.EN)
