"""An inbox in memory: it remembers what a channel handed over, and fails when told to."""

from __future__ import annotations

import asyncio

from brain.message import Channel, Conversation, InboundMessage
from brain.turns.inbox import Accepted


class RecordingInbox:
    """Drops duplicates by channel, tenant and delivery id, as the real one does."""

    def __init__(self) -> None:
        self.messages: list[InboundMessage] = []
        self.deliveries = 0
        self.recalled: list[str] = []
        self.error: Exception | None = None
        self.delay_seconds = 0.0
        self._turns: dict[tuple[str, str, str], str] = {}

    async def accept(self, message: InboundMessage) -> Accepted:
        self.deliveries += 1
        await asyncio.sleep(self.delay_seconds)
        if self.error is not None:
            raise self.error
        key = (message.conversation.channel, message.conversation.tenant, message.delivery_id)
        duplicate = key in self._turns
        turn_id = self._turns.setdefault(key, f"turn-{len(self._turns) + 1}")
        if not duplicate:
            self.messages.append(message)
        return Accepted(turn_id=turn_id, duplicate=duplicate)

    async def recall(self, channel: Channel, tenant: str, delivery_id: str) -> bool:
        key = (channel, tenant, delivery_id)
        self.recalled.append(delivery_id)
        return key in self._turns

    async def knows(self, conversation: Conversation) -> bool:
        return any(message.conversation == conversation for message in self.messages)
