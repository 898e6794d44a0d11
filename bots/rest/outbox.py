"""The way back to the web page, the terminal and REST clients: events of the turn, read by whoever asked."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bots.problems import DATABASE_AWAY
from brain.message import InboundMessage
from brain.reply import Reply, to_json
from brain.turns.events import EventKind, TurnEvents
from brain.turns.outbox import Outbox, OutboxError

_log = structlog.get_logger(__name__)


class WebOutboxes:
    """Makes the way back for one turn."""

    def __init__(self, events: TurnEvents) -> None:
        self._events = events

    def __call__(self, turn_id: str, message: InboundMessage) -> Outbox:  # noqa: ARG002 the port's signature
        """The outbox of this turn; the message needs nothing more, since its sender follows the turn."""
        return _WebOutbox(self._events, turn_id)


@dataclass(frozen=True, slots=True)
class _WebOutbox:
    events: TurnEvents
    turn_id: str

    async def progress(self, line: str) -> None:
        try:
            await self.events.publish(self.turn_id, "progress", line)
        except DATABASE_AWAY as error:
            _log.info("progress_lost", turn_id=self.turn_id, error=type(error).__name__)

    async def delta(self, piece: str) -> None:
        await self._publish("delta", piece)

    async def send(self, reply: Reply) -> None:
        await self._publish("reply", to_json(reply))

    async def replace(self, message_id: str, reply: Reply) -> None:  # noqa: ARG002 the page puts it in place
        await self.send(reply)

    async def _publish(self, kind: EventKind, data: str) -> None:
        try:
            await self.events.publish(self.turn_id, kind, data)
        except DATABASE_AWAY as error:
            raise OutboxError(f"the {kind} could not be stored", retryable=True) from error
