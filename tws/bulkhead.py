"""A bulkhead: one slow engine must not take all of Resync's attention, nor Resync all of the engine's.

Written here because a semaphore does nearly all of it; no library of ours bounds those that wait.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import TwsHeldBackError


class Bulkhead:
    """Lets a number of requests run at once and some more wait, for a limited time; the others fail at once."""

    def __init__(self, name: str, *, running: int, waiting: int, wait_seconds: float) -> None:
        self._name = name
        self._slots = asyncio.Semaphore(running)
        self._most_waiting = waiting
        self._wait_seconds = wait_seconds
        self._waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Around one request. Raises `TwsHeldBackError` when there is no room in time."""
        if self._slots.locked() and self._waiting >= self._most_waiting:
            raise TwsHeldBackError(self._name, "too many requests wait for it")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise TwsHeldBackError(self._name, "requests before this one take too long") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()
