"""Waits for what other processes bring about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["eventually"]

_T = TypeVar("_T")


async def eventually(find: Callable[[], Awaitable[_T]], *, seconds: float = 30, pause: float = 0.02) -> _T:
    """What `find` gives once it is truthy; fails after the time."""
    deadline = time.monotonic() + seconds
    while not (found := await find()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        await asyncio.sleep(pause)
    return found
