"""Measures how alerts are taken, and how a storm becomes one card. `python -m tests.bench.alert_bench`."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import numpy as np
from pydantic import SecretStr

from bots.webhook.signature import sign
from database import open_database
from embedded import embedded_postgres, embedded_valkey
from security.roles import Role
from settings import Settings
from tests.bench.bench import baseline
from tests.support import slack_driver
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.processes import started
from tests.support.running import Server
from tests.support.simulator import PASSWORD
from tws.simulator.catalogue import FOLDER

_SECRET = "a secret of thirty-two characters"
_STORED = 100_000
_PACED, EACH = 1000, 0.06
"""Alerts at 1,000 a minute."""
_SATURATED, _AT_ONCE = 4000, 32
_STORM_AT_ONCE = 8
_OTHERS = """
  OUTRAS:
    workstation: AGT_FIN01
    starts: 1400
    repeat: 200
    steps: ["OUTRO*40"]
"""
"""Eight thousand jobs that have nothing to do with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What runs beside the server, and its settings."""

    dsn: str
    tws_url: str
    slack: FakeSlack
    bare: str
    settings: Mapping[str, str]


@asynccontextmanager
async def beside(folder: Path) -> AsyncIterator[Beside]:
    """A database, a plan of ten thousand jobs with a storm in it, Slack, and a bare handler to compare with."""
    storm = folder / "storm.yaml"
    text = (FOLDER / "plans" / "storm.yaml").read_text(encoding="utf-8")
    storm.write_text(text.replace("\nfaults:", f"{_OTHERS}\nfaults:"), encoding="utf-8")
    async with (
        embedded_postgres(folder) as dsn,
        embedded_valkey(folder) as redis_url,
        FakeSlack() as slack,
        started(
            folder, "tws-sim", "--port", "0", "--scenario", str(storm), DEMO_PASSWORD=PASSWORD
        ) as simulator,
        baseline(dsn) as bare,
    ):
        async with open_database(Settings(_env_file=None, database_url=SecretStr(dsn))) as database:
            await database.actors.add("operator", "Operator", Role.OPERATOR, PASSWORD)
        tws_url = await simulator.line("tws ")
        sources = {"tws": {"secret": _SECRET, "notify": [f"slack:{slack_driver.TEAM}:C9"]}}
        settings = {
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_url,
            "TWS__URL": tws_url,
            "TWS__USERNAME": "operator",
            "TWS__PASSWORD": PASSWORD,
            "SECURITY__JWT_SECRET": "bench:0123456789-abcdefghij-klmnop",
            "REST__RATE": "100000/minute",
            "SLACK__BOT_TOKEN": TOKEN,
            "SLACK__SIGNING_SECRET": slack_driver.SECRET,
            "SLACK__API_URL": slack.api_url,
            "WEBHOOK__SOURCES": json.dumps(sources),
            "PORT": "0",
            "DATA_DIR": str(folder / "data"),
        }
        yield Beside(dsn=dsn, tws_url=tws_url, slack=slack, bare=bare, settings=settings)


def body_of(number: int, **attributes: object) -> bytes:
    """An alert as TWS's event rule sends it."""
    alert = {"event": "JobStatusChanged", "JobNumber": number, "InternalStatus": "ABEND", **attributes}
    return json.dumps(alert).encode()


async def post(session: aiohttp.ClientSession, url: str, body: bytes) -> float:
    """Signs and sends it; seconds until it was accepted."""
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Resync-Timestamp": stamp,
        "X-Resync-Signature": sign(_SECRET, stamp, body),
    }
    began = time.perf_counter()
    async with session.post(url, data=body, headers=headers) as answer:
        assert answer.status in {200, 202}, answer.status
        await answer.read()
    return time.perf_counter() - began


async def _rate(session: aiohttp.ClientSession, url: str, bodies: Sequence[bytes], at_once: int) -> float:
    """Requests a second."""
    left = iter(bodies)

    async def work() -> None:
        for body in left:
            await post(session, url, body)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return len(bodies) / (time.perf_counter() - began)


class _Noted(list[Any]):
    """Calls of Slack's API; `cards` has when each card was posted or changed."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[float] = []

    def append(self, call: Any) -> None:
        super().append(call)
        if call.arguments.get("channel") == "C9":
            self.cards.append(time.perf_counter())


async def _storm(session: aiohttp.ClientSession, server: Server, slack: FakeSlack, dsn: str) -> str:
    """Two thousand alerts of one failure, in any order, some of them twice."""
    chance = random.Random(7)  # noqa: S311  # the same order each time
    names = [f"POSICAO{number:02}" for number in range(1, 40)] + ["CONSOLIDA"]
    streams = [f"AGENCIA{number:02}" for number in range(1, 51)]
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT selection FROM tws_objects WHERE kind = 'job' AND status <> 'SUCC'")
    chosen = [row["selection"] for row in rows if ".OUTRO" not in row["selection"]]
    assert len(chosen) >= len(names) * len(streams)
    bodies = []
    for number, selection in enumerate(chosen):
        place, _, rest = selection.partition("#")
        stream, _, job = rest.partition(".")
        attributes = {"JobStreamWorkstation": place, "JobStreamName": stream, "JobName": job}
        bodies += [body_of(number, **attributes)] * chance.choice((1, 1, 2))
    chance.shuffle(bodies)
    slack.calls = noted = _Noted()
    url = f"{server.address}/webhooks/tws"
    first = time.perf_counter() + await post(session, url, bodies[0])
    rate = await _rate(session, url, bodies[1:], _STORM_AT_ONCE)
    last = time.perf_counter()
    await asyncio.sleep(8)
    incidents = await connection.fetch("SELECT subject, root FROM incidents WHERE trouble NOT LIKE 'late%'")
    folded = await connection.fetchval("SELECT count(*) FROM alerts WHERE incident_id IS NOT NULL")
    times = await connection.fetchval("SELECT sum(times) FROM alerts")
    await connection.close()
    a_second = max(Counter(map(int, noted.cards)).values())
    return (
        f"{len(bodies):,} alerts of {len(chosen):,} jobs, over a plan of ten thousand, in random order, {_STORM_AT_ONCE} at a time "
        f"({rate:.0f} a second): {len(incidents)} incident, root {incidents[0]['subject']}; {folded:,} alerts folded, "
        f"{times:,} reports counted; card {noted.cards[0] - first:.1f} s after the first alert (wanted < 5), final "
        f"{max(noted.cards[-1] - last, 0):.1f} s after the last (wanted < 5); {len(noted.cards)} posts and updates, at most {a_second} in a second."
    )


async def fill(connection: asyncpg.Connection) -> None:
    """Stores a hundred thousand alerts."""
    await connection.execute(
        "INSERT INTO alerts (id, source, fingerprint, alert, folded_at)"
        " SELECT md5(n::text), 'old', n::text, '{\"event\": \"x\"}', now() FROM generate_series(1, $1::int) n",
        _STORED,
    )


async def _taking(session: aiohttp.ClientSession, server: Server, bare: str, dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    await fill(connection)
    url = f"{server.address}/webhooks/tws"
    seconds = []
    for number in range(_PACED):
        began = time.perf_counter()
        seconds.append(await post(session, url, body_of(10**6 + number, JobName=f"P{number}")))
        await asyncio.sleep(max(0.0, EACH - (time.perf_counter() - began)))
    ours = await _rate(
        session,
        url,
        [body_of(2 * 10**6 + number, JobName=f"S{number}") for number in range(_SATURATED)],
        _AT_ONCE,
    )
    least = await _rate(session, bare, [body_of(number) for number in range(_SATURATED)], _AT_ONCE)
    kept = await connection.fetchval("SELECT count(*) FROM alerts WHERE alert->>'job' ~ '^[PS][0-9]+$'")
    await connection.close()
    milliseconds = 1000 * np.array(seconds)
    return (
        f"With {_STORED:,} alerts stored, 1,000 a minute: accepted in {np.median(milliseconds):.1f} ms at the median, "
        f"{np.percentile(milliseconds, 95):.1f} ms at p95 (wanted < 100). Saturated, {_AT_ONCE} at a time: {ours:.0f} a second; a bare "
        f"aiohttp handler that inserts the same body with asyncpg, in the same run: {least:.0f}; ratio {ours / least:.2f} (wanted ≥ 0.5). "
        f"{kept:,} of {_PACED + _SATURATED:,} stored."
    )


async def _report() -> str:
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with (
            beside(folder) as near,
            started(folder, "serve", **near.settings) as resync,
            aiohttp.ClientSession() as session,
        ):
            server = Server(address=await resync.line("ready "), tws_url=near.tws_url)
            await asyncio.sleep(10)  # the plan is read
            return "\n\n".join(
                [
                    await _storm(session, server, near.slack, near.dsn),
                    await _taking(session, server, near.bare, near.dsn),
                ]
            )


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(_report()) + "\n")
