"""Waits for what other processes bring about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")


async def eventually(find: Callable[[], Awaitable[_T]], *, seconds: float = 30, pause: float = 0.02) -> _T:
    """What `find` gives once it is truthy; fails after the time."""
    deadline = time.monotonic() + seconds
    while not (found := await find()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        await asyncio.sleep(pause)
    return found


async def until(read: Callable[[], Awaitable[_T]], is_done: Callable[[_T], bool]) -> _T:
    """What `read` gives once it is done."""

    async def find() -> list[_T]:
        value = await read()
        return [value] if is_done(value) else []

    return (await eventually(find, pause=0.05))[0]
