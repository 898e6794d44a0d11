"""The durable inbox: a message is claimed and queued in one transaction, then it can be acknowledged."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pgqueuer import AsyncpgDriver, Queries
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.message import Conversation, InboundMessage, from_jsonable, to_jsonable
from brain.tables import TURNS
from observability.metrics import Metrics

ENTRYPOINT = "turns"
"""The queue's entry point; the payload is an order key, and a worker handles what waits under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that is stored and will be answered."""

    turn_id: str
    duplicate: bool
    """Whether this delivery had been accepted before; then the turn is the earlier one."""


class AcceptsMessages(Protocol):
    """What a channel needs to hand a message over."""

    async def accept(self, message: InboundMessage) -> Accepted:
        """Stores the message durably. Fails closed: an exception means that nothing was taken."""
        ...


class Inbox:
    """Takes messages of all channels."""

    def __init__(self, engine: AsyncEngine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics

    async def accept(self, message: InboundMessage) -> Accepted:
        """Claims the delivery and queues the turn; a second delivery joins the first one's turn.

        Raises SQLAlchemy's errors when the database is away; nothing is stored then and the channel
        must not acknowledge.
        """
        accepted = await self._claim(message)
        self._metrics.message_accepted(
            channel=message.conversation.channel,
            seconds=(datetime.now(UTC) - message.received_at).total_seconds(),
            duplicate=accepted.duplicate,
        )
        return accepted

    async def _claim(self, message: InboundMessage) -> Accepted:
        conversation = message.conversation
        claim = (
            insert(TURNS)
            .values(
                turn_id=uuid.uuid4().hex,
                channel=conversation.channel,
                tenant=conversation.tenant,
                delivery_id=message.delivery_id,
                order_key=message.order_key,
                message=to_jsonable(message),
            )
            .on_conflict_do_nothing(constraint="turns_delivery")
            .returning(TURNS.c.turn_id)
        )
        async with self._engine.begin() as connection:
            turn_id = (await connection.execute(claim)).scalar()
            if turn_id is not None:
                await enqueue(connection, message.order_key)
                return Accepted(turn_id=turn_id, duplicate=False)
            earlier = await connection.execute(
                select(TURNS.c.turn_id).where(
                    TURNS.c.channel == conversation.channel,
                    TURNS.c.tenant == conversation.tenant,
                    TURNS.c.delivery_id == message.delivery_id,
                )
            )
            return Accepted(turn_id=earlier.scalar_one(), duplicate=True)

    async def find(self, turn_id: str) -> InboundMessage | None:
        """The message of a turn, None for an unknown one."""
        async with self._engine.connect() as connection:
            found = await connection.execute(select(TURNS.c.message).where(TURNS.c.turn_id == turn_id))
            value = found.scalar()
        return None if value is None else from_jsonable(value)

    async def knows(self, conversation: Conversation) -> bool:
        """Whether a message of this conversation was accepted before."""
        query = select(TURNS.c.turn_id).where(TURNS.c.order_key == conversation.key).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar() is not None


async def enqueue(connection: AsyncConnection, order_key: str) -> None:
    """Wakes a worker for the key, behind all that wait; on the same connection, so that claim and job commit together."""
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    await Queries(AsyncpgDriver(raw.driver_connection)).enqueue(ENTRYPOINT, order_key.encode())
