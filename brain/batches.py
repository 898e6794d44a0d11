"""Stores together what arrives while the last is being stored: many callers, one transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_MANY, _JUST_NOW = 4, 0.05
"""Items of one batch, and seconds since it was stored."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class Batches(Generic[_T, _R]):
    """`store` stores at most `most` items in one transaction and says what became of each, in their order.

    A batch that is refused is stored item by item, so that a caller meets the error of its own item and of no other;
    where the database is away, all of the batch learn it at once.
    """

    def __init__(self, store: Callable[[Sequence[_T]], Awaitable[Sequence[_R]]], *, most: int) -> None:
        self._store = store
        self._most = most
        self._waiting: list[tuple[_T, asyncio.Future[_R]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._last_size, self._last_at = 0, 0.0

    @property
    def is_pressed(self) -> bool:
        """Whether many come at once just now: then other work in this process had better wait a little."""
        return self._last_size > _MANY and time.monotonic() - self._last_at < _JUST_NOW

    async def add(self, item: _T) -> _R:
        """What became of the item; raises what `store` raises. Who gives up waiting does not stop the others."""
        stored: asyncio.Future[_R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._run())
        return await stored

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._settle(batch)
                self._last_size, self._last_at = len(batch), time.monotonic()
        finally:
            self._storing = None

    async def _settle(self, batch: Sequence[tuple[_T, asyncio.Future[_R]]]) -> None:
        batch = [one for one in batch if not one[1].done()]
        try:
            results = await self._store([item for item, _ in batch]) if batch else []
        except Exception as error:  # noqa: BLE001  # the callers handle it
            if len(batch) > 1 and not _is_away(error):
                for one in batch:
                    await self._settle([one])
            for _, stored in batch:
                if not stored.done():
                    stored.set_exception(error)
        else:
            for (_, stored), result in zip(batch, results, strict=True):
                if not stored.done():
                    stored.set_result(result)


def _is_away(error: Exception) -> bool:
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OSError | PoolTimeoutError)
