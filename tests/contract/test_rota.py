"""The handover is posted at the end of each shift: to each target once, whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.rota import Rota
from brain.incidents.shifts import Shifts
from brain.message import Locale
from brain.turns.outbox import Outbox
from tests.support.killing import Killed, killed_at
from tests.support.turns import Mailbox, make_message
from tests.support.waiting import eventually
from tws.mirror.plans import Plans

_NOW = datetime.now(UTC)
_END = _NOW.replace(second=0, microsecond=0) - timedelta(minutes=1)
_TARGETS = ("slack:T1:C1", "teams:t:c")


@dataclass
class _Channels:
    """A mailbox for each target that there is."""

    boxes: dict[str, Mailbox] = field(default_factory=lambda: {target: Mailbox() for target in _TARGETS})

    def __call__(self, target: str) -> Outbox | None:
        box = self.boxes.get(target)
        return None if box is None else box("", make_message(""))

    @property
    def posted(self) -> list[int]:
        return [len(box.sent) for box in self.boxes.values()]


def _rota(
    engine: AsyncEngine,
    channels: Callable[[str], Outbox | None],
    *,
    notify: tuple[str, ...] = _TARGETS,
    now: datetime = _NOW,
) -> Rota:
    return Rota(
        engine,
        shifts=Shifts(engine, plans=Plans(engine), engines=("TWS",)),
        times=(f"{_END:%H:%M}", f"{_END - timedelta(hours=8):%H:%M}"),
        targets=channels,
        notify=notify,
        locale=Locale.PT,
        zone=ZoneInfo("UTC"),
        clock=lambda: now,
    )


async def test_of_many_replicas_one_posts_to_each_target(engine: AsyncEngine) -> None:
    channels = _Channels()
    counts = await asyncio.gather(*(_rota(engine, channels).round() for _ in range(8)))
    assert sum(counts) == 2
    assert channels.posted == [1, 1]
    (_, reply) = channels.boxes[_TARGETS[0]].sent[0]
    assert reply.plain_text.startswith(f"Passagem de turno de {_END:%Y-%m-%d}, ")
    assert f"{_END:%H:%M} UTC" in reply.plain_text
    assert await _rota(engine, channels).round() == 0


async def test_who_dies_anywhere_leaves_the_rest_to_others_and_nothing_is_posted_twice(
    engine: AsyncEngine,
) -> None:
    for statement in range(1, 100):
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM handovers"))
        channels = _Channels()
        with killed_at(engine, statement) as death, suppress(Killed):
            await _rota(engine, channels).round()
        await _rota(engine, channels).round()
        assert channels.posted == [1, 1], statement
        if not death.has_come:
            break
    assert not death.has_come


async def test_a_channel_that_is_away_is_tried_again_later(engine: AsyncEngine) -> None:
    channels = _Channels()
    channels.boxes[_TARGETS[0]].fail(1, retryable=True)
    channels.boxes[_TARGETS[1]].fail(1, retryable=False)
    await _rota(engine, channels).round()
    assert await _rota(engine, channels).round() == 0
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE handovers SET due_at = now()"))
    assert await _rota(engine, channels).round() == 1
    assert channels.posted == [1, 0]


async def test_an_unknown_target_stands_in_nobodys_way(engine: AsyncEngine) -> None:
    channels = _Channels()
    await _rota(engine, channels, notify=("slack:T9:GONE", *_TARGETS)).round()
    assert channels.posted == [1, 1]


@pytest.mark.parametrize("after", [timedelta(seconds=5), timedelta(hours=2)])
async def test_it_waits_for_the_last_events_and_not_for_ever(engine: AsyncEngine, after: timedelta) -> None:
    channels = _Channels()
    rota = _rota(engine, channels, now=_END + after)
    assert await rota.round() == 0
    assert channels.posted == [0, 0]


async def test_it_runs_beside_the_worker_and_stops_between_two_posts(engine: AsyncEngine) -> None:
    channels = _Channels()
    rota = _rota(engine, channels)
    rota.start()
    await eventually(lambda: _is_done(channels))
    await rota.aclose()
    assert channels.posted == [1, 1]


async def _is_done(channels: _Channels) -> bool:
    return channels.posted == [1, 1]
