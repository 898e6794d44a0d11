"""What Resync listens to in Slack. A listener only claims the message durably; the work is done later.

Bolt runs these before it answers Slack (`process_before_response`), so an acknowledgement means that the
message is stored. What cannot be stored raises `NotStoredError`: a 503, after which Slack delivers it again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from brain.message import Conversation, InboundMessage
from brain.turns.inbox import AcceptsMessages

from .inbound import (
    MalformedEventError,
    from_action,
    from_command,
    from_event,
    is_addressed_to_another,
    is_direct,
    is_from_person,
    is_in_thread_of_bot,
)
from .settings import SlackSettings

__all__ = ["ConversationInbox", "NotStoredError", "register"]

_log = structlog.get_logger(__name__)

_Payload = Mapping[str, Any]


class NotStoredError(Exception):
    """A message could not be stored, so Slack must deliver it again."""


class ConversationInbox(AcceptsMessages, Protocol):
    """An inbox that remembers which conversations it took part in."""

    async def knows(self, conversation: Conversation) -> bool:
        """Whether a message of this conversation was accepted before."""
        ...


def register(bolt: AsyncApp, inbox: ConversationInbox, settings: SlackSettings) -> None:
    """Adds all listeners; each event has exactly one, since Bolt answers 404 to an event without."""
    listeners = _Listeners(inbox, settings)
    bolt.event("app_mention")(listeners.on_mention)
    bolt.event("message")(listeners.on_message)
    bolt.event(re.compile(".*"))(listeners.on_other_event)
    bolt.command("/tws")(listeners.on_command)
    bolt.action({"type": "block_actions", "action_id": re.compile(".*")})(listeners.on_action)


class _Listeners:
    """Bolt fills the parameters of its listeners by name."""

    def __init__(self, inbox: ConversationInbox, settings: SlackSettings) -> None:
        self._inbox = inbox
        self._settings = settings

    async def on_mention(self, body: _Payload) -> None:
        """The bot is mentioned in a channel."""
        if is_from_person(body["event"]):
            await self._take(body, from_event)

    async def on_message(self, body: _Payload) -> None:
        """Something is said to the bot alone, or in a channel that the app reads."""
        if is_from_person(body["event"]):
            await self._take(body, from_event, only_if=self._concerns_bot)

    async def on_command(self, body: _Payload, ack: AsyncAck) -> None:
        """Somebody uses `/tws …`; in_channel makes Slack show the command above its answer."""
        await self._take(body, from_command)
        await ack(response_type="in_channel")

    async def on_action(self, body: _Payload, ack: AsyncAck) -> None:
        """Somebody presses a button."""
        await self._take(body, from_action)
        await ack()

    async def on_other_event(self) -> None:
        """Everything else the app is subscribed to is acknowledged and left alone."""

    async def _take(
        self,
        body: _Payload,
        read: Callable[..., InboundMessage],
        *,
        only_if: Callable[[_Payload, InboundMessage], Awaitable[bool]] | None = None,
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
        try:
            async with asyncio.timeout(self._settings.claim_timeout.total_seconds()):
                if only_if is not None and not await only_if(body, message):
                    return
                accepted = await self._inbox.accept(message)
        except Exception as error:
            raise NotStoredError from error
        _log.info("slack_message_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)

    async def _concerns_bot(self, body: _Payload, message: InboundMessage) -> bool:
        """Direct messages, and threads the bot is in unless somebody else is addressed."""
        if not message.text:
            return False
        if is_direct(message.conversation.conversation_id):
            return True
        if "thread_ts" not in body["event"] or is_addressed_to_another(body):
            return False
        return is_in_thread_of_bot(body) or await self._inbox.knows(message.conversation)
