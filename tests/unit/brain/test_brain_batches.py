"""What arrives while the last is being stored is stored together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from brain.batches import Batches


class _Shelf:
    """Stores numbers, slowly; a negative one spoils the batch that it is in."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_open = asyncio.Event()
        self.is_away = False

    async def store(self, numbers: Sequence[int]) -> Sequence[str]:
        self.batches.append(list(numbers))
        await self.is_open.wait()
        if self.is_away:
            raise ConnectionRefusedError
        if min(numbers) < 0:
            raise ValueError("a number below zero")
        return [str(number) for number in numbers]


async def _adding(batches: Batches[int, str], numbers: Sequence[int]) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(batches.add(number)) for number in numbers]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_meanwhile_is_stored_by_the_next_batches_in_order() -> None:
    shelf = _Shelf()
    batches = Batches(shelf.store, most=3)
    first = await _adding(batches, [0])
    rest = await _adding(batches, range(1, 6))
    shelf.is_open.set()
    assert await asyncio.gather(*first, *rest) == ["0", "1", "2", "3", "4", "5"]
    assert shelf.batches == [[0], [1, 2, 3], [4, 5]]
    assert await batches.add(6) == "6"


async def test_an_item_that_cannot_be_stored_harms_no_other() -> None:
    shelf = _Shelf()
    shelf.is_open.set()
    batches = Batches(shelf.store, most=10)
    results = await asyncio.gather(*await _adding(batches, [1, -1, 2]), return_exceptions=True)
    assert results[0] == "1"
    assert isinstance(results[1], ValueError)
    assert results[2] == "2"


async def test_where_the_database_is_away_all_learn_it_at_once() -> None:
    shelf = _Shelf()
    shelf.is_open.set()
    shelf.is_away = True
    batches = Batches(shelf.store, most=10)
    results = await asyncio.gather(*await _adding(batches, [1, 2, 3]), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionRefusedError] * 3
    assert shelf.batches == [[1, 2, 3]]


async def test_many_at_once_press_for_a_moment_and_one_alone_does_not() -> None:
    shelf = _Shelf()
    shelf.is_open.set()
    batches = Batches(shelf.store, most=10)
    await batches.add(0)
    assert not batches.is_pressed
    await asyncio.gather(*await _adding(batches, range(6)))
    assert batches.is_pressed
    await asyncio.sleep(0.06)
    assert not batches.is_pressed


async def test_who_gives_up_waiting_is_left_out_and_stops_nobody() -> None:
    shelf = _Shelf()
    batches = Batches(shelf.store, most=10)
    first = await _adding(batches, [0])
    impatient, patient = await _adding(batches, [1, 2])
    impatient.cancel()
    await asyncio.sleep(0)
    shelf.is_open.set()
    assert [await first[0], await patient] == ["0", "2"]
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert shelf.batches == [[0], [2]]
