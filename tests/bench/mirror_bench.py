"""Measures the plan mirror on a plan of 100,000 jobs. `python -m tests.bench.mirror_bench`; takes about a minute."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import psutil
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import migrations
from embedded import embedded_postgres
from observability.logging import configure
from observability.metrics import Metrics
from observability.settings import ObservabilitySettings
from security.masking import mask_event
from tests.support.fake_plan import FakePlan, make_plan
from tws.mirror.codec import encode
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings
from tws.tables import OBJECTS

_STREAMS, _JOBS_A_STREAM = 10_000, 10
_MOVED = 200
"""Jobs that change between two polls."""
_SAMPLE = 1000
"""Rows that the baseline writes."""
_NAME = "BENCH"
_NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorFigures:
    """Seconds, and bytes of resident memory. The engine is an object in the same process, to measure only our part."""

    objects: int
    first_poll: float
    """Reads, encodes and stores everything."""
    baseline: float
    """The same with one upsert a row, extrapolated from a sample."""
    idle_poll: float
    changed_poll: float
    whole_poll: float
    """A whole read that finds nothing new."""
    first_copy: float
    """From the tables to a `Plan` in memory."""
    fresh_copy: float
    """Brings a copy up to date."""
    unchanged_copy: float
    longest_pause: float
    """The longest turn of the event loop during the first copy."""
    poller_memory: int
    copy_memory: int

    @property
    def table(self) -> str:
        """As Markdown."""
        rows = {
            "first poll: read, encode, store": f"{self.first_poll:.1f} s",
            f"one upsert a row instead, extrapolated from {_SAMPLE} rows": f"{self.baseline:.1f} s"
            f" ({self.baseline / self.first_poll:.1f} times as long)",
            "poll that finds nothing new": f"{self.idle_poll * 1000:.0f} ms",
            f"poll after {_MOVED} jobs in as many streams changed": f"{self.changed_poll * 1000:.0f} ms",
            "whole read that finds nothing new": f"{self.whole_poll:.1f} s",
            "memory that the poller keeps": f"{self.poller_memory / 1e6:.0f} MB",
            "first copy in memory, from the tables": f"{self.first_copy:.1f} s",
            "longest pause of the event loop meanwhile": f"{self.longest_pause * 1000:.0f} ms",
            f"copy brought up to date with {_MOVED} jobs": f"{self.fresh_copy * 1000:.0f} ms",
            "copy that is up to date": f"{self.unchanged_copy * 1000:.1f} ms",
            "memory of a copy": f"{self.copy_memory / 1e6:.0f} MB",
        }
        lines = (f"| {name} | {value} |" for name, value in rows.items())
        return "\n".join((f"| Mirror of {self.objects:,} objects | |", "|---|---|", *lines, ""))


async def measure(engine: AsyncEngine) -> MirrorFigures:
    """Runs everything against an empty, migrated database."""
    source = make_plan(_STREAMS, _JOBS_A_STREAM)
    before = _resident()
    mirror = _mirror(engine, source)
    first_poll = await _seconds(mirror.poll())
    poller_memory = _resident() - before
    idle_poll = await _seconds(mirror.poll())

    plans = Plans(engine, fresh_for=timedelta(0))
    before = _resident()
    with _watched() as pauses:
        first_copy = await _seconds(plans.current(_NAME))
    copy_memory = _resident() - before
    unchanged_copy = await _seconds(plans.current(_NAME))
    for number in range(_MOVED):
        source.to(f"stream{number}.1", "EXEC")
    changed_poll = await _seconds(mirror.poll())
    fresh_copy = await _seconds(plans.current(_NAME))

    await mirror.aclose()
    whole_poll = await _seconds(_mirror(engine, source).poll())
    return MirrorFigures(
        objects=len(source.objects),
        first_poll=first_poll,
        baseline=await _row_by_row(engine, source) / _SAMPLE * len(source.objects),
        idle_poll=idle_poll,
        changed_poll=changed_poll,
        whole_poll=whole_poll,
        first_copy=first_copy,
        fresh_copy=fresh_copy,
        unchanged_copy=unchanged_copy,
        longest_pause=max(pauses),
        poller_memory=poller_memory,
        copy_memory=copy_memory,
    )


def _mirror(engine: AsyncEngine, source: FakePlan) -> Mirror:
    return Mirror(engine, name=_NAME, source=source, settings=MirrorSettings(), metrics=Metrics())


async def _row_by_row(engine: AsyncEngine, source: FakePlan) -> float:
    """Seconds to write a sample as an ORM's merge does: a statement each, all in one transaction."""
    started = time.perf_counter()
    async with engine.begin() as connection:
        for each in islice(source.objects.values(), _SAMPLE):
            row = encode(each)._asdict()
            row |= {"engine": "BASELINE", "since": _NOW, "revision": 1, "content": json.loads(row["content"])}
            upsert = insert(OBJECTS).values(row)
            await connection.execute(
                upsert.on_conflict_do_update(index_elements=["engine", "kind", "id"], set_=row)
            )
    return time.perf_counter() - started


async def _seconds(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    assert await work is not None
    return time.perf_counter() - started


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Collects how long the event loop took for each turn meanwhile, in seconds."""
    pauses: list[float] = []

    async def watch() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0)
            pauses.append(time.perf_counter() - started)
            await asyncio.sleep(0.001)

    task = asyncio.create_task(watch())
    try:
        yield pauses
    finally:
        task.cancel()


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


async def _main() -> MirrorFigures:
    configure(ObservabilitySettings(log_level="warning"), mask_event)
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        async with embedded_postgres(Path(name)) as dsn:
            await migrations.upgrade(dsn)
            engine = create_async_engine(migrations.sqlalchemy_url(dsn))
            try:
                return await measure(engine)
            finally:
                await engine.dispose()


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(_main()).table)
