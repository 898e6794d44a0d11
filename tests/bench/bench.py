"""Measures the running product and writes `docs/bench.md`. Best on an idle machine; takes about five minutes.

`--search` adds the search over 100,000 chunks, another six minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from pydantic import BaseModel, SecretStr

from database import open_database
from demo import RUNBOOKS
from embedded import embedded_postgres, embedded_valkey
from security.roles import Role
from settings import Settings
from tests.bench.figures import Memory, Times, report
from tests.support import slack_driver, teams_activities
from tests.support.fake_connector import TENANT, FakeConnector
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.processes import Command, started
from tests.support.running import Client, Server
from tests.support.simulator import PASSWORD
from tests.support.slack_driver import SlackDriver
from tws.objects import CommonStatus, JobFilter
from tws.wire import build_job_query

_ROUNDS = 150
_WARM_UP = 10
_PAUSE = 0.4
"""Seconds between two requests of a kind; the turn that each starts is over by then."""
_PAGE = Path(__file__).parents[2] / "docs" / "bench.md"
_QUESTION = "what failed?"
_SETTLING = 3
"""Seconds after which a server that was left alone is idle."""

_Request = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What the requests go to."""

    server: Server
    resync: Command
    baseline: str
    slack: FakeSlack
    connector: FakeConnector

    @property
    def resident(self) -> int:
        return int(psutil.Process(self.resync.process.pid).memory_info().rss)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Bench]:
    """Everything, each part in a process of its own but for the fake vendors."""
    async with (
        embedded_postgres(folder) as dsn,
        embedded_valkey(folder) as redis_url,
        FakeSlack() as slack,
        FakeConnector() as connector,
        started(folder, "tws-sim", "--port", "0", DEMO_PASSWORD=PASSWORD) as simulator,
        baseline(dsn) as bare,
    ):
        await _fill(dsn)
        tws_url = await simulator.line("tws ")
        settings = {
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_url,
            "TWS__URL": tws_url,
            "TWS__USERNAME": "operator",
            "TWS__PASSWORD": PASSWORD,
            "SECURITY__JWT_SECRET": "bench:0123456789-abcdefghij-klmnop",
            "SECURITY__PERSON_RATE": "100000/minute",
            "REST__RATE": "100000/minute",
            "SLACK__BOT_TOKEN": TOKEN,
            "SLACK__SIGNING_SECRET": slack_driver.SECRET,
            "SLACK__API_URL": slack.api_url,
            "PORT": "0",
            "DATA_DIR": str(folder / "data"),
            **_as_environment("TEAMS__", connector.settings()),
        }
        async with started(folder, "serve", **settings) as resync:
            server = Server(address=await resync.line("ready "), tws_url=tws_url)
            yield Bench(server, resync, bare, slack, connector)


@asynccontextmanager
async def baseline(dsn: str) -> AsyncIterator[str]:
    """The address of the bare handler."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.baseline", dsn, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().removeprefix("ready ").strip()
    finally:
        process.terminate()
        await process.wait()


async def _fill(dsn: str) -> None:
    """One person with accounts everywhere, and the demo's runbooks."""
    async with open_database(Settings(_env_file=None, database_url=SecretStr(dsn))) as database:
        actors = database.actors
        await actors.add("operator", "Operator", Role.OPERATOR, PASSWORD)
        await actors.link("operator", "slack", slack_driver.TEAM, slack_driver.PERSON, linked_by="bench")
        await actors.link("operator", "teams", TENANT, teams_activities.AAD_OBJECT_ID, linked_by="bench")
        await database.library.ingest.ingest_paths([RUNBOOKS])


def _as_environment(prefix: str, section: BaseModel) -> dict[str, str]:
    values: dict[str, Any] = section.model_dump(exclude_unset=True)
    return {
        f"{prefix}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


async def _measure(requests: dict[str, _Request]) -> dict[str, list[float]]:
    """Runs the requests in turn, round after round; seconds of each."""
    taken: dict[str, list[float]] = {name: [] for name in requests}
    for number in range(-_WARM_UP, _ROUNDS):
        for name, request in requests.items():
            start = time.perf_counter()
            await request()
            seconds = time.perf_counter() - start
            if number >= 0:
                taken[name].append(seconds)
            await asyncio.sleep(max(0, _PAUSE / len(requests) - seconds))
    return taken


def _acknowledgements(bench: Bench, session: aiohttp.ClientSession, client: Client) -> dict[str, _Request]:
    slack = SlackDriver(session, f"{bench.server.address}/slack/events")

    async def insert() -> None:
        async with session.post(bench.baseline, json={"text": _QUESTION}) as answer:
            assert answer.status == 200

    async def command() -> None:
        answer = await slack.send_command(slack_driver.command(_QUESTION))
        assert answer.status == 200

    async def activity() -> None:
        message = teams_activities.message(bench.connector.service_url, _QUESTION)
        headers = {"Authorization": token}
        url = f"{bench.server.address}/api/messages"
        async with session.post(url, json=message, headers=headers) as answer:
            assert answer.status in {200, 202}

    async def accepted() -> None:
        """Until the headers of the stream, which come when the message is stored."""
        headers = {"Accept": "text/event-stream"}
        answer = await client.session.post("/api/v1/chat", json={"message": _QUESTION}, headers=headers)
        assert answer.status == 200
        drained.append(asyncio.create_task(_drain(answer)))

    token = bench.connector.sign()
    drained: list[asyncio.Task[None]] = []
    return {"baseline": insert, "slack": command, "teams": activity, "rest": accepted}


async def _drain(answer: aiohttp.ClientResponse) -> None:
    async with answer:
        assert "event: reply" in await answer.text()


def _status_turn(bench: Bench, session: aiohttp.ClientSession, client: Client) -> dict[str, _Request]:
    query = build_job_query(JobFilter(common_statuses=(CommonStatus.ERROR,), limit=20))
    params = {**query, "limit": "20", "offset": "0"}
    authorization = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}

    async def plan() -> None:
        url = f"{bench.server.tws_url}/plan/job"
        async with session.get(url, params=params, headers=authorization) as answer:
            assert "PAYROLL" in json.dumps(await answer.json())

    async def ask() -> None:
        assert "PAYROLL" in (await client.ask(_QUESTION))["reply"]["plain_text"]

    return {"baseline": plan, "turn": ask}


async def _bench() -> str:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        async with (
            running(Path(name)) as bench,
            aiohttp.ClientSession() as session,
            bench.server.client("operator") as client,
        ):
            await asyncio.sleep(_SETTLING)
            fresh = bench.resident
            acks = await _measure(_acknowledgements(bench, session, client))
            turns = await _measure(_status_turn(bench, session, client))
            # The search's index and model are loaded by the first question that needs them.
            await client.ask("why did PAYROLL fail?")
            await asyncio.sleep(_SETTLING)
            used = bench.resident
    base = acks["baseline"]
    times = [
        Times("Slack command, signed, to 200", acks["slack"], base, "p95 < 50"),
        Times("Teams activity, signed, to 202", acks["teams"], base, "p95 < 50"),
        Times("REST question to its acceptance", acks["rest"], base, "p95 < 50"),
        Times(
            f"Status turn without a model (“{_QUESTION}”)", turns["turn"], turns["baseline"], "median < 150"
        ),
    ]
    memory = [Memory("idle after the start", fresh), Memory("idle after the run", used)]
    return report(times, memory, pause=_PAUSE, load=load)


def _apart(module: str) -> str:
    """The part of the page that a module measures, in a process of its own: memory is part of it."""
    command = [sys.executable, "-m", f"tests.bench.{module}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # ours


if __name__ == "__main__":
    parts = [
        asyncio.run(_bench()),
        "## Slack and Teams, beside their bare SDKs\n",
        _apart("channel_bench"),
        "## Reasons and consequences\n",
        _apart("plan_bench"),
        "## The mirror of the plan\n",
        _apart("mirror_bench"),
        "## The brain\n",
        _apart("brain_bench"),
        "## Alerts\n",
        _apart("alert_bench"),
    ]
    if "--search" in sys.argv:
        parts += ["## The search at 100,000 chunks\n", _apart("search_bench")]
    page = "\n".join(parts)
    _PAGE.write_text(page)
    sys.stdout.write(page)
