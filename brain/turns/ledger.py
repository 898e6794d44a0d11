"""The state of turns in PostgreSQL: which one is next, what it answered, when it was done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy import RowMapping, case, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain import reply as replies
from brain.message import InboundMessage, from_jsonable
from brain.reply import Reply
from brain.tables import TURNS, UNFINISHED
from brain.turns.inbox import enqueue

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn that a worker has taken."""

    turn_id: str
    message: InboundMessage
    attempts: int
    """1 the first time; more after a worker died with it."""
    reply: Reply | None
    """The answer, when only its delivery is left."""


class Ledger:
    """Reads and writes turns. `locks` is an engine of its own: a lock occupies a connection for a turn."""

    def __init__(self, engine: AsyncEngine, locks: AsyncEngine) -> None:
        self._engine = engine
        # One statement needs no BEGIN and COMMIT, each of which is a round trip.
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._locks = locks.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def hold(self, order_key: str) -> AsyncIterator[bool]:
        """Holds the key's lock; yields whether it was free. It frees itself when the process dies."""
        key = {"key": order_key}
        async with self._locks.connect() as connection:
            held = await connection.execute(
                text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key
            )
            is_held = bool(held.scalar())
            try:
                yield is_held
            finally:
                if is_held:
                    try:
                        await connection.execute(
                            text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), key
                        )
                    except DBAPIError:
                        # The connection is gone, and the lock with it.
                        await connection.invalidate()

    async def take_next(self, order_key: str) -> Turn | None:
        """The oldest unfinished turn under the key, marked as running; None when there is none.

        A turn that an earlier release stored in a form that this one cannot read is closed: there is no way back.
        """
        while (row := await self._take(order_key)) is not None:
            turn = _read(row)
            if turn is not None:
                return turn
            await self.close(row["turn_id"])
        return None

    async def _take(self, order_key: str) -> RowMapping | None:
        oldest = (
            select(TURNS.c.turn_id)
            .where(TURNS.c.order_key == order_key, TURNS.c.state.in_(UNFINISHED))
            .order_by(TURNS.c.seq)
            .limit(1)
            .scalar_subquery()
        )
        take = (
            update(TURNS)
            .where(TURNS.c.turn_id == oldest)
            .values(
                state=case((TURNS.c.state == "answered", "answered"), else_="running"),
                attempts=TURNS.c.attempts + 1,
                started_at=func.coalesce(TURNS.c.started_at, func.now()),
            )
            .returning(TURNS.c.turn_id, TURNS.c.message, TURNS.c.attempts, TURNS.c.reply)
        )
        async with self._single.connect() as connection:
            return (await connection.execute(take)).mappings().one_or_none()

    async def answer(self, turn_id: str, reply: Reply, *, outcome: str) -> None:
        """Stores the answer; from now on only its delivery is left."""
        await self._update(
            turn_id, state="answered", reply=replies.to_jsonable(reply), agent=reply.agent, outcome=outcome
        )

    async def close(self, turn_id: str) -> None:
        """The turn needs nothing more."""
        await self._update(turn_id, state="done", finished_at=func.now())

    async def give_back(self, turn_id: str) -> None:
        """What a lost connection interrupted was no attempt."""
        await self._update(turn_id, attempts=TURNS.c.attempts - 1)

    async def _update(self, turn_id: str, **values: object) -> None:
        async with self._single.connect() as connection:
            await connection.execute(update(TURNS).where(TURNS.c.turn_id == turn_id).values(**values))

    async def unfinished_keys(self, *, older_than: timedelta) -> list[str]:
        """Keys with turns that have waited for a while: a worker died, or a wake-up was lost."""
        query = (
            select(TURNS.c.order_key)
            .where(TURNS.c.state.in_(UNFINISHED), TURNS.c.accepted_at < func.now() - older_than)
            .group_by(TURNS.c.order_key)
            .order_by(func.min(TURNS.c.seq))
        )
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def put_last(self, order_key: str) -> None:
        """What is left to do under the key, if anything, comes after all that wait now."""
        left = select(TURNS.c.turn_id).where(TURNS.c.order_key == order_key, TURNS.c.state.in_(UNFINISHED))
        async with self._engine.begin() as connection:
            if (await connection.execute(left.limit(1))).first() is not None:
                await enqueue(connection, [order_key])

    async def oldest_age(self) -> timedelta:
        """How long the oldest unfinished turn has waited; zero when there is none."""
        query = select(func.now() - func.min(TURNS.c.accepted_at)).where(TURNS.c.state.in_(UNFINISHED))
        async with self._engine.connect() as connection:
            age: timedelta | None = (await connection.execute(query)).scalar()  # type: ignore[assignment]  # an interval
            return age or timedelta()

    async def stats(self) -> dict[str, int]:
        """Finished turns by outcome (`dropped`: there was no way back), and unfinished ones as `unfinished`."""
        ended = func.coalesce(TURNS.c.outcome, "dropped")
        outcome = case((TURNS.c.state == "done", ended), else_="unfinished")
        query = select(outcome, func.count()).group_by(outcome)
        async with self._engine.connect() as connection:
            return {str(name): count for name, count in await connection.execute(query)}


def _read(row: RowMapping) -> Turn | None:
    """The turn; without its reply, which is then made anew, where only that cannot be read."""
    turn_id, stored = row["turn_id"], row["reply"]
    try:
        message = from_jsonable(row["message"])
    except ValidationError as error:
        _log.error("turn_unreadable", turn_id=turn_id, faults=error.error_count())
        return None
    try:
        reply = None if stored is None else replies.from_jsonable(stored)
    except ValidationError as error:
        _log.warning("reply_unreadable", turn_id=turn_id, faults=error.error_count())
        reply = None
    return Turn(turn_id=turn_id, message=message, attempts=row["attempts"], reply=reply)
