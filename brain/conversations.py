"""What conversations leave behind, and how it goes: at their own wish, or by age."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import psycopg
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Conversation
from brain.turns.withdrawal import forget
from security.audit import AuditEntry, AuditLog
from security.roles import Actor

_BATCH = 200
"""Threads that are looked up at once: few, so that little happens before they are pruned."""
_SUPERSEDED = "count(*) > 1"
_IDLE = "max((checkpoint ->> 'ts')::timestamptz) < now() - make_interval(days => :days)"


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

    async def prune(self, *, idle_days: int) -> None:
        """Keeps the last checkpoint of each thread, and no thread that nobody spoke in for so many days."""
        await self._prune("delete", _IDLE, days=idle_days)
        await self._prune("keep_latest", _SUPERSEDED)

    async def _prune(self, strategy: str, condition: str, **values: int) -> None:
        query = text(
            "SELECT thread_id FROM checkpoints WHERE thread_id > :after"
            f" GROUP BY 1 HAVING {condition} ORDER BY 1 LIMIT {_BATCH}"
        )
        after = ""
        while after is not None:
            async with self.engine.connect() as connection:
                found = await connection.execute(query, {"after": after, **values})
                threads = found.scalars().all()
            for thread in threads:
                # Somebody speaks in it right now: the next round comes back to it.
                with suppress(psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    await self.saver.aprune([thread], strategy=strategy)
            after = threads[-1] if threads else None
