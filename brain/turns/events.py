"""What a running turn shows: progress, pieces of the answer and the answer, readable by any process.

Events are rows, so a client that reconnects misses none and a worker elsewhere can write them; NOTIFY
only wakes the readers.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

import asyncpg
import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.tables import TURN_EVENTS
from brain.turns.connection import CONNECTION_LOST

EventKind: TypeAlias = Literal["progress", "delta", "reply"]

_CHANNEL = "resync_turn_events"
_POLL = timedelta(seconds=1)
"""How long a reader sleeps at most: a lost notification costs a second, never an answer."""
_RECONNECT = timedelta(seconds=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEvent:
    """One event of a turn, in order of `number` from 1."""

    turn_id: str
    number: int
    kind: EventKind
    data: str
    """A line for `progress`, a piece of text for `delta`, a `Reply` as JSON for `reply` (always last)."""


class TurnEvents:
    """Writes and follows the events of turns; one LISTEN connection a process serves all readers."""

    def __init__(self, engine: AsyncEngine, listen_dsn: str) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._listen_dsn = listen_dsn
        self._readers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen."""
        self._listener = asyncio.create_task(self._listen(), name="turn-events")

    async def aclose(self) -> None:
        """Stops listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    async def publish(self, turn_id: str, kind: EventKind, data: str) -> None:
        """Appends an event. A turn has one writer, so its numbers do not collide."""
        number = select(func.coalesce(func.max(TURN_EVENTS.c.number), 0) + 1).where(
            TURN_EVENTS.c.turn_id == turn_id
        )
        added = (
            insert(TURN_EVENTS)
            .values(turn_id=turn_id, number=number.scalar_subquery(), kind=kind, data=data)
            .returning(TURN_EVENTS.c.turn_id)
            .cte("added")
        )
        async with self._engine.connect() as connection:
            await connection.execute(select(func.pg_notify(_CHANNEL, added.c.turn_id)))

    async def follow(self, turn_id: str, *, patience: timedelta) -> AsyncGenerator[TurnEvent]:
        """All events from the first; ends after `reply`. Raises TimeoutError after `patience` without it."""
        wake = asyncio.Event()
        self._readers[turn_id].add(wake)
        seen = 0
        # No asyncio.timeout here: it would cancel whatever the reader does between two events.
        deadline = time.monotonic() + patience.total_seconds()
        try:
            while True:
                wake.clear()
                for event in await self._read(turn_id, seen):
                    seen = event.number
                    yield event
                    if event.kind == "reply":
                        return
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError
                await _wait(wake, min(_POLL.total_seconds(), remaining))
        finally:
            self._readers[turn_id].discard(wake)
            if not self._readers[turn_id]:
                del self._readers[turn_id]

    async def _read(self, turn_id: str, after: int) -> list[TurnEvent]:
        query = (
            select(TURN_EVENTS)
            .where(TURN_EVENTS.c.turn_id == turn_id, TURN_EVENTS.c.number > after)
            .order_by(TURN_EVENTS.c.number)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings()
            return [TurnEvent(**row) for row in rows]

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
                _log.warning("turn_events_listener_lost")
            except CONNECTION_LOST as error:
                _log.warning("turn_events_listener_failed", error=type(error).__name__)
            await asyncio.sleep(_RECONNECT.total_seconds())

    async def _listen_once(self) -> None:
        """Passes notifications on until the connection breaks."""
        connection = await asyncpg.connect(self._listen_dsn)
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(_CHANNEL, self._on_notify)
            await lost.wait()
        finally:
            await connection.close(timeout=2)

    def _on_notify(self, _connection: object, _pid: int, _channel: str, turn_id: object) -> None:
        for wake in self._readers.get(str(turn_id), ()):
            wake.set()


async def _wait(event: asyncio.Event, at_most_seconds: float) -> None:
    try:
        async with asyncio.timeout(at_most_seconds):
            await event.wait()
    except TimeoutError:
        return
