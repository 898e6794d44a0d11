"""Measures acknowledgements beside those of bare SDKs, which store nothing. `python -m tests.bench.channel_bench`."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import numpy as np
from slack_sdk.signature import SignatureVerifier

from tests.bench.bench import Bench, running
from tests.support import slack_driver, teams_activities

_QUESTION = "hello"
_PACED, _A_SECOND = 1_000, 50
_ALONE = 200
_SATURATED, _AT_ONCE, _ROUNDS = 1_000, 32, 3


@dataclass(frozen=True, slots=True)
class _Request:
    """Made before the clock runs, so that the client costs little."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Channel:
    """A way in, at our address and at the bare SDK's."""

    name: str
    ours: str
    bare: str
    make: Callable[[int], Iterator[_Request]]
    sdk: str


def _commands(count: int) -> Iterator[_Request]:
    verifier = SignatureVerifier(slack_driver.SECRET)
    for number in range(count):
        # As many people in as many channels as a busy site has: each conversation is answered in order.
        fields = slack_driver.command(_QUESTION, channel=f"C{number % 200}")
        body, timestamp = urlencode(fields), str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(verifier.generate_signature(timestamp=timestamp, body=body)),
        }
        yield _Request(body.encode(), headers)


def _activities(bench: Bench) -> Callable[[int], Iterator[_Request]]:
    headers = {"Authorization": bench.connector.sign(), "Content-Type": "application/json"}

    def make(count: int) -> Iterator[_Request]:
        for number in range(count):
            activity = teams_activities.message(bench.connector.service_url, _QUESTION)
            activity["conversation"] = activity["conversation"] | {"id": f"a:{number % 200}"}
            yield _Request(json.dumps(activity).encode(), headers)

    return make


async def _send(session: aiohttp.ClientSession, url: str, request: _Request) -> float:
    """Seconds to the answer."""
    began = time.perf_counter()
    async with session.post(url, data=request.body, headers=request.headers) as answer:
        assert answer.status in {200, 201, 202}, answer.status
        await answer.read()
    return time.perf_counter() - began


async def _alone(session: aiohttp.ClientSession, url: str, requests: Iterator[_Request]) -> float:
    """Median of requests one after the other, in milliseconds."""
    return float(1000 * np.median([await _send(session, url, one) for one in requests]))


async def _paced(session: aiohttp.ClientSession, url: str, requests: Iterator[_Request]) -> Sequence[float]:
    """Milliseconds of each; the pace is kept whatever the answers take."""
    running: list[asyncio.Task[float]] = []
    began = time.perf_counter()
    for number, one in enumerate(requests):
        await asyncio.sleep(began + number / _A_SECOND - time.perf_counter())
        running.append(asyncio.create_task(_send(session, url, one)))
    return [1000 * seconds for seconds in await asyncio.gather(*running)]


async def _rate(session: aiohttp.ClientSession, url: str, requests: Iterator[_Request]) -> float:
    """Requests a second."""
    left = iter(list(requests))

    async def work() -> None:
        for one in left:
            await _send(session, url, one)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    return _SATURATED / (time.perf_counter() - began)


async def _beside(
    measure: Callable[[str], Awaitable[float]], channel: _Channel, rounds: int = _ROUNDS
) -> tuple[float, float]:
    """Ours and the bare SDK's median, measured in turn."""
    taken = [(await measure(channel.ours), await measure(channel.bare)) for _ in range(rounds)]
    ours, bare = np.median(np.array(taken), axis=0)
    return float(ours), float(bare)


async def _rest(session: aiohttp.ClientSession, address: str) -> None:
    """Returns once every message is answered."""
    while True:
        async with session.get(f"{address}/metrics") as answer:
            if "resync_queue_oldest_seconds 0.0" in await answer.text():
                return
        await asyncio.sleep(0.5)


async def _lines(session: aiohttp.ClientSession, channel: _Channel, address: str) -> Sequence[str]:
    async def alone(url: str) -> float:
        await _rest(session, address)
        return await _alone(session, url, channel.make(_ALONE))

    async def rate(url: str) -> float:
        await _rest(session, address)
        return await _rate(session, url, channel.make(_SATURATED))

    await _beside(alone, channel, rounds=1)
    paced = np.percentile(await _paced(session, channel.ours, channel.make(_PACED)), 95)
    (ours, bare), (fast, bare_fast) = await _beside(alone, channel), await _beside(rate, channel)
    name, sdk, ratio = channel.name, channel.sdk, fast / bare_fast
    rows = (
        (f"p95 at {_A_SECOND} a second", f"{paced:.1f} ms", "", "< 100 ms", paced < 100),
        ("median at one connection", f"{ours:.1f} ms", f"{bare:.1f} ms ({sdk})", "no slower", ours <= bare),
        (
            f"a second, {_AT_ONCE} connections",
            f"{fast:.0f}",
            f"{bare_fast:.0f} ({sdk})",
            f"ratio ≥ 0.4: {ratio:.2f}",
            ratio >= 0.4,
        ),
    )
    return [
        f"| {name}: {what} | {mine} | {other} | {goal}: {'met' if is_met else 'missed'} |"
        for what, mine, other, goal, is_met in rows
    ]


@asynccontextmanager
async def _bare(bench: Bench) -> AsyncIterator[str]:
    """The address of the bare SDKs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.channel_baseline",
        bench.slack.api_url,
        bench.connector.settings().open_id_metadata_url,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().removeprefix("ready ").strip()
    finally:
        process.terminate()
        await process.wait()


async def _report() -> str:
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        async with (
            running(Path(name)) as bench,
            _bare(bench) as bare,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            await asyncio.sleep(10)  # the plan is read
            at = bench.server.address
            channels = [
                _Channel(
                    "Slack command", f"{at}/slack/events", f"{bare}/slack/events", _commands, "slack-bolt"
                ),
                _Channel(
                    "Teams activity",
                    f"{at}/api/messages",
                    f"{bare}/api/messages",
                    _activities(bench),
                    "botbuilder",
                ),
            ]
            lines = [line for one in channels for line in await _lines(session, one, at)]
    head = (
        "| signed, to the acknowledgement | Resync, stored | bare SDK, not stored | goal |\n|---|---|---|---|"
    )
    return "\n".join([head, *lines])


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(_report()) + "\n")
