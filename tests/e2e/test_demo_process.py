"""`resync demo` as one command: what it prints, Ctrl-C, `kill -9`, and the data folder that outlives both."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg
import pytest

from tests.support.postgres import address_of
from tests.support.processes import Command, processes_of, started
from tests.support.running import Client, Server
from tests.support.simulator import PASSWORD
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

_APPROVAL = {"decision": "approve", "reason": ""}


class Demo:
    """One data folder and two ports, on which the demo is started as often as it is needed."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self._folder = folder
        self._ports = _free_port(), _free_port()
        self._stack = AsyncExitStack()
        self._command: Command | None = None

    async def start(self) -> Server:
        """The running demo, started if it does not run."""
        if self._command is None:
            port, tws_port = self._ports
            arguments = f"demo --port {port} --tws-port {tws_port} --data-dir {self.data_dir}"
            self._command = await self._stack.enter_async_context(
                started(self._folder, *arguments.split(), DEMO_PASSWORD=PASSWORD)
            )
            assert await self._command.line("tws ") == f"http://127.0.0.1:{tws_port}/twsd/api/v2"
            assert await self._command.line("ready ") == f"http://127.0.0.1:{port}"
        port, tws_port = self._ports
        return Server(address=f"http://127.0.0.1:{port}", tws_url=f"http://127.0.0.1:{tws_port}/twsd/api/v2")

    async def stop(self) -> int:
        """Ctrl-C; gives the exit status."""
        assert self._command is not None
        command, self._command = self._command, None
        return await command.interrupt()

    async def kill(self) -> None:
        """`kill -9` of the demo itself."""
        assert self._command is not None
        command, self._command = self._command, None
        await command.kill()

    def kill_at_once(self) -> None:
        """The same before this process does anything else."""
        assert self._command is not None
        os.kill(self._command.process.pid, signal.SIGKILL)

    async def query(self, sql: str, *values: object) -> Any:
        """The first value of a query on the demo's database, which a kill leaves running."""
        connection = await asyncpg.connect(address_of(self.data_dir))
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    def orders(self, job: str) -> int:
        """How many changes of the job the simulated engine has accepted."""
        _, *lines = (self.data_dir / "tws" / "plan.jsonl").read_text().splitlines()
        return sum(json.loads(line).get("label", "").endswith(f".{job}") for line in lines)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._command is not None:
            await self.stop()
        await self._stack.aclose()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
async def demo() -> AsyncIterator[Demo]:
    # Directly under /tmp: PostgreSQL's socket lies in the folder, and its path must be short.
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder:
        async with Demo(Path(folder)) as running:
            yield running


async def _propose(client: Client, job: str) -> str:
    answer = await client.ask(f"rerun {job}")
    return str(answer["proposal"]["id"])


async def _plan_ids(server: Server) -> set[str]:
    page = await server.simulated("/plan/job?limit=1000")
    assert len(page["results"]) >= 300
    return {job["id"] for job in page["results"]}


async def test_ctrl_c_stops_every_process_and_the_next_start_continues(demo: Demo) -> None:
    server = await demo.start()
    assert {"postgres", "valkey-server"} <= processes_of(demo.data_dir)
    async with server.client("operator") as operator:
        answer = await operator.ask("what failed?")
        proposal = await _propose(operator, "EXTRACT_CARDS")
    assert answer["agent"] == "status"
    assert "PAYROLL" in answer["reply"]["plain_text"]
    plan = await _plan_ids(server)

    assert await demo.stop() == 0
    assert processes_of(demo.data_dir) == set()
    async with aiohttp.ClientSession() as session:
        for address in (server.address, server.tws_url):
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(address)

    server = await demo.start()
    assert await _plan_ids(server) == plan
    async with server.client("operator") as operator:
        status, kept = await operator.get(f"/api/v1/turns/{answer['turn_id']}")
        assert (status, kept["reply"]) == (200, answer["reply"])
        status, outcome = await operator.decide(proposal, "reject")
        assert (status, outcome["state"]) == (200, "rejected")


async def test_killed_during_a_question_and_as_an_approval_is_posted(demo: Demo) -> None:
    server = await demo.start()
    before = await server.runs_of("PAYROLL", "PAYDAILY")
    async with server.client("operator") as operator:
        proposal = await _propose(operator, "PAYROLL")
        question, stream = {"message": "why did DWH_LOAD fail?"}, {"Accept": "text/event-stream"}
        async with operator.session.post("/api/v1/chat", json=question, headers=stream) as response:
            async for line in response.content:
                if line == b"event: progress\n":
                    break
            _post_decision(server, operator, proposal)
            demo.kill_at_once()
    await demo.kill()
    asked = "SELECT turn_id FROM turns WHERE message->>'text' = $1"
    turn = await demo.query(asked, question["message"])

    server = await demo.start()
    async with server.client("operator") as operator:

        async def answered() -> Any:
            status, found = await operator.get(f"/api/v1/turns/{turn}")
            return found if status == 200 else None

        answer = await eventually(answered)
        assert answer["agent"] == "diagnosis"
        assert "DWH_LOAD" in answer["reply"]["plain_text"]
        # A client without an answer repeats its request.
        path = f"/api/v1/proposals/{proposal}/decision"
        status, outcome = await operator.post(path, _APPROVAL, **{"Idempotency-Key": "once"})
        assert (status, outcome["state"]) == (200, "confirmed")
        status, outcome = await operator.decide(proposal, "approve")
        assert (status, outcome["state"]) == (200, "confirmed")
    assert demo.orders("PAYROLL") == 1
    assert len(await server.runs_of("PAYROLL", "PAYDAILY")) == len(before) + 1


def _post_decision(server: Server, client: Client, proposal: str) -> None:
    """Sends an approval and returns when it has left, without a look at what comes back."""
    body = json.dumps(_APPROVAL).encode()
    head = (
        f"POST /api/v1/proposals/{proposal}/decision HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {client.session.headers['Authorization']}\r\nIdempotency-Key: once\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(server.address.rsplit(":", 1)[1]))) as connection:
        connection.sendall(head.encode() + body)


async def test_killed_when_the_engine_has_just_accepted_the_order(demo: Demo) -> None:
    server = await demo.start()
    before = await server.runs_of("POS_SETTLE", "POSCLOSE")
    async with server.client("operator") as operator:
        proposal = await _propose(operator, "POS_SETTLE")
        decision = asyncio.create_task(operator.decide(proposal, "approve"))

        async def accepted() -> int:
            return demo.orders("POS_SETTLE")

        await eventually(accepted, pause=0.001)
        await demo.kill()
        with pytest.raises(aiohttp.ClientConnectionError):
            await decision
    assert await demo.query("SELECT state FROM proposals WHERE id = $1", proposal) == "approved"

    server = await demo.start()

    async def settled() -> bool:
        """The next process finishes the turn without being asked."""
        unfinished = "SELECT count(*) FROM turns WHERE state <> 'done'"
        return int(await demo.query(unfinished)) == 0

    await eventually(settled)
    assert await demo.query("SELECT state FROM proposals WHERE id = $1", proposal) == "confirmed"
    async with server.client("operator") as operator:
        status, outcome = await operator.decide(proposal, "approve")
        assert (status, outcome["state"]) == (200, "confirmed")
    assert demo.orders("POS_SETTLE") == 1
    assert len(await server.runs_of("POS_SETTLE", "POSCLOSE")) == len(before) + 1
