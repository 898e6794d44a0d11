"""The way back to whoever sent a message: a port that each channel implements."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from brain.message import Channel, InboundMessage
from brain.reply import Reply


class OutboxError(Exception):
    """A reply could not be delivered. `retryable` says whether a later try may succeed."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class Outbox(Protocol):
    """Made per message by its channel; holds the way back. Every method may raise `OutboxError`."""

    async def progress(self, line: str) -> None:
        """Shows that work goes on: typing, a status line. Losing one is harmless, so it never raises."""

    async def delta(self, piece: str) -> None:
        """Shows a piece of the answer as it grows, where the channel can; otherwise does nothing."""

    async def send(self, reply: Reply) -> str | None:
        """Sends the answer; returns the channel's id of the message, None where there is none."""

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Puts the reply in the place of a message sent before; sends anew if that one is gone."""


OutboxFactory: TypeAlias = Callable[[str, InboundMessage], Outbox]
"""Makes the way back for one turn, from the turn's id and its message."""
Outboxes: TypeAlias = Mapping[Channel, OutboxFactory]
