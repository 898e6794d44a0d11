"""Deletes what has been kept for long enough, once a day."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import psycopg_pool
import structlog
from sqlalchemy import ColumnElement, Delete, Update, delete, func, null, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.conversations import Conversations
from brain.settings import RetentionSettings
from brain.tables import MODEL_CALLS, POSTINGS, TURN_EVENTS, TURNS

_ROUND = timedelta(days=1)
_BATCH = 1000
"""Rows of one transaction: none holds its locks for long."""
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('retention'))")

_log = structlog.get_logger(__name__)


class Retention:
    """Runs beside the worker: at its start and then daily; of several processes one does at a time."""

    def __init__(
        self,
        engine: AsyncEngine,
        conversations: Conversations,
        settings: RetentionSettings,
        *,
        keep_sent_days: int,
    ) -> None:
        self._engine = engine
        self._conversations = conversations
        self._settings = settings
        self._keep_sent_days = keep_sent_days
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look for what is too old."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def aclose(self) -> None:
        """Stops; what is left is deleted in the next round of any process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> None:
        """Deletes what is too old; nothing while another process does. Raises the database's errors."""
        async with self._engine.begin() as lock:
            if not (await lock.execute(_LOCK)).scalar_one():
                return
            for column, change in self._changes():
                await self._in_batches(column, change)
            await self._conversations.prune(idle_days=self._settings.conversations_days)

    def _changes(self) -> list[tuple[ColumnElement[str] | ColumnElement[int], Delete | Update]]:
        """What goes, each with the column that tells its rows apart."""
        kept, calls, turns = self._settings, MODEL_CALLS.c, TURNS.c
        ended = select(turns.turn_id).where(
            turns.state == "done", _older(turns.finished_at, kept.events_days)
        )
        return [
            (TURN_EVENTS.c.turn_id, delete(TURN_EVENTS).where(TURN_EVENTS.c.turn_id.in_(ended))),
            (
                turns.turn_id,
                delete(TURNS).where(turns.state == "done", _older(turns.finished_at, kept.turns_days)),
            ),
            (POSTINGS.c.id, delete(POSTINGS).where(_older(POSTINGS.c.posted_at, kept.turns_days))),
            (calls.id, delete(MODEL_CALLS).where(_older(calls.started_at, kept.model_calls_days))),
            (
                calls.id,
                update(MODEL_CALLS)
                .where(calls.sent.is_not(None), _older(calls.started_at, self._keep_sent_days))
                .values(sent=null()),
            ),
        ]

    async def _in_batches(
        self, column: ColumnElement[str] | ColumnElement[int], change: Delete | Update
    ) -> None:
        assert change.whereclause is not None
        some = select(column).where(change.whereclause).limit(_BATCH)
        while True:
            async with self._engine.begin() as connection:
                if not (await connection.execute(change.where(column.in_(some)))).rowcount:
                    return

    async def _run(self) -> None:
        while True:
            try:
                await self.run_once()
            except (OSError, DBAPIError, psycopg.Error, psycopg_pool.PoolTimeout) as error:
                _log.warning("retention_round_failed", error=type(error).__name__)
            await asyncio.sleep(_ROUND.total_seconds())


def _older(moment: ColumnElement[object], days: int) -> ColumnElement[bool]:
    return moment < func.now() - timedelta(days=days)
