"""A thousand alerts a minute for ten minutes, through two kills. `python -m tests.bench.alert_endurance`.

Apart from the other figures, as it takes so long.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import numpy as np

from tests.bench.alert_bench import EACH, Beside, beside, body_of, fill, post
from tests.support.processes import Command, started
from tests.support.simulator import PASSWORD

_MINUTES = 10
_KILLS = (3, 7)
"""Minutes after which the server is killed."""
_CHANGE_EACH = 1.0
"""Seconds between two changes of state."""
_PATIENCE = 60
"""Seconds that what was accepted may take to be folded."""


@dataclass
class _Sent:
    """What the senders saw. One that gets no answer sends again, as the script of the event rules does."""

    accepted: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)
    repeated: int = 0
    away: list[float] = field(default_factory=list)


async def _alert(session: aiohttp.ClientSession, url: str, body: bytes, sent: _Sent) -> None:
    while True:
        try:
            seconds = await post(session, url, body)
        except (aiohttp.ClientError, OSError, AssertionError):
            sent.repeated += 1
            await asyncio.sleep(0.5)
        else:
            sent.accepted.append(seconds)
            return


async def _alerts(address: str, selections: list[str], until: float, sent: _Sent) -> int:
    """Half about jobs that wait for what failed, half about jobs that no plan has."""
    url, count = f"{address}/webhooks/tws", 0
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as sending:
        for count in itertools.count():
            if (now := time.perf_counter()) >= until:
                break
            place, _, rest = selections[count % len(selections)].partition("#")
            stream, _, job = rest.partition(".")
            known = {"JobStreamWorkstation": place, "JobStreamName": stream, "JobName": job}
            body = body_of(count, **(known if count % 2 else {"JobName": f"P{count}"}))
            sending.create_task(_alert(session, url, body, sent))
            await asyncio.sleep(max(0.0, EACH - (time.perf_counter() - now)))
    return count


async def _changes(address: str, numbers: list[int], until: float, sent: _Sent) -> None:
    """Somebody acknowledges one incident after the other."""
    body = {"username": "operator", "password": PASSWORD}
    async with aiohttp.ClientSession(address) as session:
        async with session.post("/api/v1/auth/login", json=body) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['access_token']}"}
        left = iter(numbers)
        while time.perf_counter() < until:
            path = f"/api/v1/incidents/{next(left)}/acknowledge"
            began = time.perf_counter()
            try:
                async with session.post(path, headers=headers) as response:
                    assert response.status == 200, await response.text()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(1)
            else:
                sent.changed.append(time.perf_counter() - began)
            await asyncio.sleep(_CHANGE_EACH)


async def _kills(folder: Path, near: Beside, first: Command, began: float, sent: _Sent) -> None:
    """Kills the server twice; the next one starts at once, on the same port."""
    async with AsyncExitStack() as stack:
        running = first
        for minute in _KILLS:
            await asyncio.sleep(began + 60 * minute - time.perf_counter())
            await running.kill()
            killed = time.perf_counter()
            running = await stack.enter_async_context(started(folder, "serve", **near.settings))
            await running.line("ready ")
            sent.away.append(time.perf_counter() - killed)
        await asyncio.sleep(began + 60 * _MINUTES + _PATIENCE - time.perf_counter())


async def _incidents(connection: asyncpg.Connection) -> list[int]:
    """Incidents to acknowledge, which no plan ends."""
    rows = await connection.fetch(
        "INSERT INTO incidents (engine, trouble, severity, cause, subject, turn_id, first_seen, last_seen)"
        " SELECT 'TWS', 'split:' || n, 'low', 'failed', 'X' || n, 'x', now(), now() FROM generate_series(1, 900) n RETURNING id"
    )
    return [row["id"] for row in rows]


async def _report(folder: Path) -> str:
    sent = _Sent()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with beside(folder) as found:
        near = Beside(
            dsn=found.dsn,
            tws_url=found.tws_url,
            slack=found.slack,
            bare=found.bare,
            settings={**found.settings, "PORT": str(port)},
        )
        async with started(folder, "serve", **near.settings) as resync:
            address = await resync.line("ready ")
            await asyncio.sleep(10)  # the plan is read
            connection = await asyncpg.connect(near.dsn)
            await fill(connection)
            numbers = await _incidents(connection)
            rows = await connection.fetch(
                "SELECT selection FROM tws_objects WHERE kind = 'job' AND status <> 'SUCC' AND selection NOT LIKE '%.OUTRO%'"
            )
            began = time.perf_counter()
            until = began + 60 * _MINUTES
            async with asyncio.TaskGroup() as work:
                counted = work.create_task(_alerts(address, [row[0] for row in rows], until, sent))
                work.create_task(_changes(address, numbers, until, sent))
                work.create_task(_kills(folder, near, resync, began, sent))
            stored = await connection.fetchval("SELECT count(*) FROM alerts WHERE source = 'tws'")
            left = await connection.fetchval(
                "SELECT count(*) FROM alerts WHERE source = 'tws' AND folded_at IS NULL"
            )
            incidents = await connection.fetchval(
                "SELECT count(*) FROM incidents WHERE trouble LIKE 'job:%' AND subject LIKE '%CARGA_SALDOS'"
            )
            await connection.close()
    accepted, changed = (1000 * np.array(seconds) for seconds in (sent.accepted, sent.changed))
    return (
        f"{counted.result():,} alerts in {_MINUTES} minutes beside 100,000 stored, over a plan of ten thousand jobs; the server killed (-9) "
        f"after {_KILLS[0]} and {_KILLS[1]} minutes, away {' and '.join(f'{seconds:.0f} s' for seconds in sent.away)}: {stored:,} stored, {left} not "
        f"folded, {incidents} incident of the one failure; {sent.repeated:,} tries without an answer were repeated. Accepted in "
        f"{np.median(accepted):.1f} ms at the median, {np.percentile(accepted, 95):.1f} ms at p95 (wanted < 100). {len(changed)} "
        f"incidents acknowledged meanwhile: {np.median(changed):.1f} ms at the median, {np.percentile(changed, 95):.1f} ms at p95 (wanted < 200)."
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        sys.stdout.write(asyncio.run(_report(Path(name))) + "\n")
