"""What conversations leave behind, and how it goes: at their own wish, or by age."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from sqlalchemy import ColumnElement, DateTime, Text, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Conversation
from brain.turns.withdrawal import forget
from security.audit import AuditEntry, AuditLog
from security.roles import Actor

_BATCH = 200
"""Threads that are looked up at once: few, so that little happens before they are pruned."""
_CHECKPOINTS = table("checkpoints", column("thread_id", Text), column("checkpoint", JSONB))
"""The saver's own table, as far as it is read here."""


@dataclass(frozen=True, slots=True)
class Conversations:
    """Their memories are threads of LangGraph, under their keys; what was said in them is in the turns.

    Every method raises the errors of SQLAlchemy and psycopg when the database is away.
    """

    engine: AsyncEngine
    saver: AsyncPostgresSaver
    audit: AuditLog

    async def forget(self, conversation: Conversation, *, by: Actor, notice: str) -> None:
        """Deletes the memory and what was said, which the notice replaces; that it was done is audited."""
        entry = AuditEntry(
            actor_id=by.actor_id,
            channel=conversation.channel,
            action="forget",
            target=conversation.key,
            phase="other",
        )
        async with self.engine.begin() as connection:
            await forget(connection, conversation.key, notice)
            await self.audit.append(connection, entry)
        await self.saver.adelete_thread(conversation.key)

    async def is_readable(self, conversation: Conversation) -> bool:
        """Whether the stored memory, if any, can be made out, whichever release stored it."""
        try:
            await self.saver.aget({"configurable": {"thread_id": conversation.key}})
        except psycopg.Error:
            raise
        except Exception:  # noqa: BLE001  # whatever the serializer raises, nobody gets further
            return False
        return True

    async def prune(self, *, idle_days: int) -> None:
        """Keeps the last checkpoint of each thread, and no thread that nobody spoke in for so many days."""
        last = func.max(cast(_CHECKPOINTS.c.checkpoint["ts"].astext, DateTime(timezone=True)))
        await self._prune("delete", last < func.now() - timedelta(days=idle_days))
        await self._prune("keep_latest", func.count() > 1)

    async def _prune(self, strategy: str, condition: ColumnElement[bool]) -> None:
        after = ""
        while threads := await self._threads(condition, after):
            for thread in threads:
                # Somebody speaks in it right now: the next round comes back to it.
                with suppress(psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    await self.saver.aprune([thread], strategy=strategy)
            after = threads[-1]

    async def _threads(self, condition: ColumnElement[bool], after: str) -> Sequence[str]:
        """The next threads for which the condition holds, in the order of their ids."""
        thread_id = _CHECKPOINTS.c.thread_id
        query = select(thread_id).where(thread_id > after).group_by(thread_id).having(condition)
        async with self.engine.connect() as connection:
            found = await connection.execute(query.order_by(thread_id).limit(_BATCH))
            return found.scalars().all()
