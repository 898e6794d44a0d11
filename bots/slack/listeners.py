"""What Resync does with Slack's events (`forms` has the rest): it stores a message durably and leaves the work for later."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog
from slack_bolt.async_app import AsyncApp

from bots.intake import storing
from brain.message import Channel, Conversation, InboundMessage
from brain.turns.inbox import RecallsMessages

from . import inbound
from .inbound import MalformedEventError, Payload
from .settings import SlackSettings
from .workspaces import Installed

CLAIM_SECONDS = 2.5
"""Longest time to store a message: Slack gives up after 3 s and delivers again."""

_log = structlog.get_logger(__name__)


class ConversationInbox(RecallsMessages, Protocol):
    """An inbox that remembers which conversations it took part in."""

    async def knows(self, conversation: Conversation) -> bool:
        """Whether a message of this conversation was accepted before."""
        ...


class Listeners:
    """Claim a message durably and leave the work for later; Bolt fills their parameters by name."""

    def __init__(self, inbox: ConversationInbox, settings: SlackSettings, installed: Installed) -> None:
        self._inbox = inbox
        self._installed = installed
        self._settings = settings

    def register(self, bolt: AsyncApp) -> None:
        """Adds all listeners; each event has exactly one, since Bolt answers 404 to an event without."""
        bolt.event("app_mention")(self.on_mention)
        bolt.event("message")(self.on_message)
        bolt.event("app_home_opened")(self.on_home)
        bolt.event("member_joined_channel")(self.on_joined)
        bolt.event("app_uninstalled")(self.on_uninstalled)
        bolt.event("tokens_revoked")(self.on_revoked)
        bolt.event(re.compile(".*"))(self.on_other_event)

    async def on_mention(self, body: Payload) -> None:
        """The bot is mentioned in a channel."""
        if inbound.is_from_person(body["event"]):
            await self._take(body, inbound.from_event)

    async def on_message(self, body: Payload) -> None:
        """Something is said to the bot alone, or in a channel that the app reads; or is taken back, or changed."""
        event = body["event"]
        if inbound.is_from_person(event):
            await self._take(body, inbound.from_event, only_if=self._concerns_bot)
        elif gone := inbound.removed_delivery(event):
            async with storing(max_seconds=CLAIM_SECONDS):
                await self._inbox.recall(Channel.SLACK, body["team_id"], gone)
            if inbound.is_edit(event):
                await self._take(body, inbound.from_edit, only_if=self._concerns_bot)

    async def on_home(self, body: Payload) -> None:
        """Somebody opens the app: its page is made anew."""
        if body["event"].get("tab") == inbound.HOME:
            await self._take(body, inbound.from_home)

    async def on_joined(self, body: Payload) -> None:
        """Somebody comes into a channel; the bot says what it can do when it is itself."""
        await self._take(body, inbound.from_joining)

    async def on_uninstalled(self, body: Payload) -> None:
        """The app was removed from a workspace."""
        async with storing(max_seconds=CLAIM_SECONDS):
            await self._installed.forget(body["team_id"])

    async def on_revoked(self, body: Payload) -> None:
        """Tokens became void; only the bot's matter."""
        if body["event"].get("tokens", {}).get("bot"):
            await self.on_uninstalled(body)

    async def on_other_event(self) -> None:
        """Everything else the app is subscribed to is acknowledged and left alone."""

    async def _take(
        self,
        body: Payload,
        read: Callable[..., InboundMessage | None],
        *,
        only_if: Callable[[Payload, InboundMessage], Awaitable[bool]] | None = None,
    ) -> None:
        try:
            message = read(body, received_at=datetime.now(UTC))
        except MalformedEventError as error:
            # Acknowledged all the same: a second delivery would bring the same payload.
            _log.warning("slack_payload_malformed", field=error.field, type=body.get("type"))
            return
        if message is None:
            return
        if not self._settings.allows(message.conversation.tenant, message.sender.tenant):
            _log.warning("slack_team_refused", team=message.sender.tenant)
            return
        async with storing(max_seconds=CLAIM_SECONDS):
            if only_if is not None and not await only_if(body, message):
                return
            accepted = await self._inbox.accept(message)
        _log.info("slack_message_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)

    async def _concerns_bot(self, body: Payload, message: InboundMessage) -> bool:
        """Direct messages, and threads the bot is in unless somebody else is addressed."""
        if inbound.is_direct(message.conversation.conversation_id):
            return True
        if (
            not message.text
            or message.conversation.thread_id is None
            or inbound.is_addressed_to_another(body)
        ):
            return False
        if message.route.get("thread_ts") == body["event"].get("ts"):
            return False
        return inbound.is_in_thread_of_bot(body) or await self._inbox.knows(message.conversation)
