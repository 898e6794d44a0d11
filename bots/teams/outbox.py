"""The way back into a Teams conversation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog
from botbuilder.schema import Activity, ActivityTypes, Attachment, ConversationReference

from brain.message import InboundMessage, Locale
from brain.reply import Reply
from brain.turns.outbox import OutboxError

from .adapter import TeamsConnector
from .errors import ActivityGoneError, DeliveryError
from .reference import to_reference
from .render import to_card, to_summary

__all__ = ["TeamsOutbox", "TeamsOutboxes"]

_log = structlog.get_logger(__name__)

CARD: Final = "application/vnd.microsoft.card.adaptive"

_TYPING_SECONDS: Final = 3.0
"""Teams shows a typing sign for a few seconds; more often than this only uses up the rate limit."""


class TeamsOutbox:
    """Answers one message; an `Outbox`."""

    def __init__(
        self,
        connector: TeamsConnector,
        reference: ConversationReference,
        locale: Locale,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connector = connector
        self._reference = reference
        self._locale = locale
        self._clock = clock
        self._typed_at: float | None = None

    async def progress(self, line: str) -> None:
        """Shows the typing sign; Teams has no place for the line."""
        del line
        now = self._clock()
        if self._typed_at is not None and now - self._typed_at < _TYPING_SECONDS:
            return
        self._typed_at = now
        try:
            await self._connector.typing(self._reference)
        except DeliveryError as error:
            _log.info("typing_not_shown", error=str(error))

    async def delta(self, piece: str) -> None:
        """Nothing: Teams streams in one-to-one chats only, and a streamed message carries no card."""

    async def send(self, reply: Reply) -> str | None:
        """Sends the card. Raises `OutboxError`."""
        try:
            return await self._connector.send(self._reference, self._to_activity(reply)) or None
        except DeliveryError as error:
            raise OutboxError(str(error), retryable=error.retryable) from error

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Puts the card in the place of an earlier one, or sends it if that is gone. Raises `OutboxError`."""
        try:
            await self._connector.update(self._reference, message_id, self._to_activity(reply))
        except ActivityGoneError:
            await self.send(reply)
        except DeliveryError as error:
            raise OutboxError(str(error), retryable=error.retryable) from error

    def _to_activity(self, reply: Reply) -> Activity:
        card = Attachment(content_type=CARD, content=to_card(reply, self._locale))
        return Activity(type=ActivityTypes.message, summary=to_summary(reply), attachments=[card])


class TeamsOutboxes:
    """Makes the outbox of a turn; an `OutboxFactory`."""

    def __init__(self, connector: TeamsConnector) -> None:
        self._connector = connector

    def __call__(self, turn_id: str, message: InboundMessage) -> TeamsOutbox:
        """Raises KeyError for a message that did not come from Teams."""
        del turn_id  # Teams has no place for it
        return TeamsOutbox(self._connector, to_reference(message.route), message.locale or Locale.EN)
