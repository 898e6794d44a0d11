"""The durable inbox: a message is claimed and queued in one transaction, then it can be acknowledged."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from pgqueuer import AsyncpgDriver, Queries
from pydantic_core import to_json
from sqlalchemy import select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain import reply as replies
from brain.batches import Batches
from brain.message import Channel, Conversation, InboundMessage, from_jsonable, to_jsonable
from brain.reply import Reply
from brain.tables import TURNS
from observability.metrics import Metrics

ENTRYPOINT = "turns"
"""The queue's entry point; the payload is an order key, and a worker handles what waits under it."""
_AT_ONCE = 100
"""Messages claimed in one transaction."""
_CLAIM = text(
    "INSERT INTO turns (turn_id, channel, tenant, delivery_id, order_key, message)"
    " SELECT new.* FROM unnest(CAST(:turn_ids AS text[]), CAST(:channels AS text[]), CAST(:tenants AS text[]),"
    " CAST(:delivery_ids AS text[]), CAST(:order_keys AS text[]), CAST(:messages AS jsonb[])) new"
    " ON CONFLICT ON CONSTRAINT turns_delivery DO NOTHING RETURNING turn_id"
)
"""Of arrays, so that it is the same statement for one message and for many."""


_Delivery: TypeAlias = tuple[str, str, str]
"""Channel, tenant and the channel's id of it."""


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


class RecallsMessages(AcceptsMessages, Protocol):
    """An inbox from which can be taken back what nobody has begun to answer."""

    async def recall(self, channel: Channel, tenant: str, delivery_id: str) -> bool:
        """Whether there was such a message."""
        ...


class Inbox:
    """Takes messages of all channels."""

    def __init__(self, engine: AsyncEngine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._batches = Batches(self._claim, most=_AT_ONCE)

    @property
    def is_pressed(self) -> bool:
        """Whether many messages arrive at once just now."""
        return self._batches.is_pressed

    async def accept(self, message: InboundMessage) -> Accepted:
        """Claims the delivery and queues the turn; a second delivery joins the first one's turn.

        Raises SQLAlchemy's errors when the database is away; nothing is stored then and the channel
        must not acknowledge.
        """
        accepted = await self._batches.add(message)
        self._metrics.message_accepted(
            channel=message.conversation.channel,
            seconds=(datetime.now(UTC) - message.received_at).total_seconds(),
            duplicate=accepted.duplicate,
        )
        return accepted

    async def _claim(self, messages: Sequence[InboundMessage]) -> Sequence[Accepted]:
        """In one transaction; of the same delivery twice the first one counts."""
        ids = [uuid.uuid4().hex for _ in messages]
        deliveries = [
            (one.conversation.channel, one.conversation.tenant, one.delivery_id) for one in messages
        ]
        values = {
            "turn_ids": ids,
            "channels": [one.conversation.channel for one in messages],
            "tenants": [one.conversation.tenant for one in messages],
            "delivery_ids": [one.delivery_id for one in messages],
            "order_keys": [one.order_key for one in messages],
            "messages": [to_json(to_jsonable(one)).decode() for one in messages],
        }
        async with self._engine.begin() as connection:
            claimed = set((await connection.execute(_CLAIM, values)).scalars())
            new = [one.order_key for one, turn_id in zip(messages, ids, strict=True) if turn_id in claimed]
            await enqueue(connection, new)
            earlier = await _turn_ids(
                connection, [one for one, own in zip(deliveries, ids, strict=True) if own not in claimed]
            )
        return [
            Accepted(turn_id=own if own in claimed else earlier[one], duplicate=own not in claimed)
            for one, own in zip(deliveries, ids, strict=True)
        ]

    async def find(self, turn_id: str) -> InboundMessage | None:
        """The message of a turn, None for an unknown one."""
        async with self._engine.connect() as connection:
            found = await connection.execute(select(TURNS.c.message).where(TURNS.c.turn_id == turn_id))
            value = found.scalar()
        return None if value is None else from_jsonable(value)

    async def recall(self, channel: Channel, tenant: str, delivery_id: str) -> bool:
        """Takes back what nobody has begun to answer; whether there was such a message."""
        mine = (TURNS.c.channel == channel, TURNS.c.tenant == tenant, TURNS.c.delivery_id == delivery_id)
        taken = (
            update(TURNS).where(*mine, TURNS.c.state == "waiting").values(state="done", outcome="recalled")
        )
        async with self._engine.begin() as connection:
            return (await connection.execute(taken)).rowcount > 0

    async def answered(self, turn_id: str) -> tuple[InboundMessage, Reply] | None:
        """The message of a turn and its answer; None while there is none."""
        query = select(TURNS.c.message, TURNS.c.reply).where(
            TURNS.c.turn_id == turn_id, TURNS.c.reply.is_not(None)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (from_jsonable(row.message), replies.from_jsonable(row.reply))

    async def knows(self, conversation: Conversation) -> bool:
        """Whether a message of this conversation was accepted before."""
        query = select(TURNS.c.turn_id).where(TURNS.c.order_key == conversation.key).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar() is not None


async def _turn_ids(connection: AsyncConnection, deliveries: Sequence[_Delivery]) -> dict[_Delivery, str]:
    """The turns of deliveries that were claimed before."""
    key = (TURNS.c.channel, TURNS.c.tenant, TURNS.c.delivery_id)
    query = select(*key, TURNS.c.turn_id).where(tuple_(*key).in_(deliveries))
    rows = await connection.execute(query) if deliveries else ()
    return {(channel, tenant, delivery_id): turn_id for channel, tenant, delivery_id, turn_id in rows}


async def enqueue(connection: AsyncConnection, order_keys: Sequence[str]) -> None:
    """Wakes a worker for each key, behind all that wait; on the same connection, so that claim and jobs commit together."""
    if not order_keys:
        return
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    queries = Queries(AsyncpgDriver(raw.driver_connection))
    await queries.enqueue(
        [ENTRYPOINT] * len(order_keys), [key.encode() for key in order_keys], [0] * len(order_keys)
    )
