"""The bulkhead."""

from __future__ import annotations

import asyncio

import pytest

from tws.bulkhead import Bulkhead
from tws.errors import TwsHeldBackError


async def test_a_bulkhead_runs_some_lets_some_wait_and_refuses_the_rest() -> None:
    bulkhead, ended = Bulkhead("tws", running=2, waiting=1, wait_seconds=10), asyncio.Event()
    most = running = 0

    async def ask() -> None:
        nonlocal most, running
        async with bulkhead.slot():
            running += 1
            most = max(most, running)
            await ended.wait()
            running -= 1

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    await asyncio.sleep(0.01)
    assert [task.done() for task in tasks] == [False, False, False, True]
    ended.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 2
    assert [type(result) for result in results] == [type(None)] * 3 + [TwsHeldBackError]


async def test_who_waits_too_long_is_held_back_and_leaves_no_trace() -> None:
    bulkhead = Bulkhead("tws", running=1, waiting=1, wait_seconds=0.01)
    for _ in range(3):
        async with bulkhead.slot():
            with pytest.raises(TwsHeldBackError):
                async with bulkhead.slot():
                    pytest.fail("there is no room")
