"""`resync serve` without a worker and `resync work` beside it: turns outlive the worker that runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.support.postgres import fresh_database
from tests.support.processes import Command, run, started
from tests.support.running import Server
from tests.support.simulator import PASSWORD, running_simulator
from tests.support.tws_gate import TwsGate, gate_before

pytestmark = pytest.mark.timeout(240)


class Workers:
    """A server and its one worker; the way to TWS is in the test's hands."""

    def __init__(self, server: Server, gate: TwsGate, folder: Path, settings: dict[str, str]) -> None:
        self.server = server
        self.gate = gate
        self._folder = folder
        self._settings = settings
        self._stack = AsyncExitStack()
        self._worker: Command | None = None

    async def replace(self) -> None:
        """Kills the worker, if there is one, and starts another."""
        if self._worker is not None:
            await self._worker.kill()
        self._worker = await self._stack.enter_async_context(started(self._folder, "work", **self._settings))
        await self._worker.line("working")

    async def aclose(self) -> None:
        assert self._worker is not None
        assert await self._worker.interrupt() == 0
        await self._stack.aclose()


@asynccontextmanager
async def _serving(dsn: str, redis_url: str, folder: Path) -> AsyncIterator[Workers]:
    async with running_simulator() as tws_url, gate_before(tws_url) as gate:
        settings = {
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_url,
            "TWS__URL": gate.url,
            "TWS__USERNAME": "resync",
            "TWS__PASSWORD": PASSWORD,
            "TWS__WRITE": "true",
            "TWS__READ_BACK_PATIENCE": "3",
            "TWS__READ_BACK_INTERVAL": "0.1",
            "SECURITY__JWT_SECRET": "worker-tests:0123456789-abcdefghij",
            "PORT": "0",
            "DATA_DIR": str(folder / "data"),
            "RUN_WORKER": "false",
        }
        added = await run(
            folder, "user", "add", "operator", "--role", "operator", typed=f"{PASSWORD}\n" * 2, **settings
        )
        assert added.status == 0, added.errors
        async with started(folder, "serve", **settings) as serve:
            server = Server(address=await serve.line("ready "), tws_url=tws_url)
            workers = Workers(server, gate, folder, settings)
            await workers.replace()
            yield workers
            await workers.aclose()
            assert await serve.interrupt() == 0


@pytest.fixture(scope="module")
async def workers(
    postgres_dsn: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workers]:
    async with (
        fresh_database(postgres_dsn) as dsn,
        _serving(dsn, redis_url, tmp_path_factory.mktemp("workers")) as running,
    ):
        yield running


async def test_question_over_http_is_answered_by_the_worker(workers: Workers) -> None:
    async with workers.server.client("operator") as operator:
        answer = await operator.ask("what failed?")
    assert answer["agent"] == "status"
    assert "PAYROLL" in answer["reply"]["plain_text"]


async def test_second_worker_finishes_what_a_killed_one_left_once_and_in_order(workers: Workers) -> None:
    async with workers.server.client("operator") as operator:
        greeting = await operator.ask("help")
        conversation = {"conversation_id": greeting["conversation_id"]}
        question, key = conversation | {"message": "why did CERT_SYNC fail?"}, {"Idempotency-Key": "held"}
        held = workers.gate.hold("GET")
        first = asyncio.create_task(operator.post("/api/v1/chat", question, **key))
        await held.reached.wait()
        duplicate = asyncio.create_task(operator.post("/api/v1/chat", question, **key))
        # "it" has a meaning only after the question before was answered.
        following = asyncio.create_task(operator.post("/api/v1/chat", conversation | {"message": "rerun it"}))
        await workers.replace()
        held.lose()
        (status, answer), (_, joined), (_, proposed) = await first, await duplicate, await following
    assert status == 200, answer
    assert answer["agent"] == "diagnosis"
    assert joined == answer
    assert proposed["proposal"]["target"].endswith(".CERT_SYNC")


@pytest.mark.parametrize(
    ("job", "job_stream", "method", "where", "fate", "state", "runs"),
    [
        # Killed while it checks the plan: the next worker makes the change.
        ("PAYROLL", "PAYDAILY", "GET", "request", "lost", "confirmed", 1),
        # Killed with the order on its way: it arrives all the same, once.
        ("POS_SETTLE", "POSCLOSE", "PUT", "request", "arrives", "confirmed", 1),
        # Killed after the engine took the order: nobody has read the answer.
        ("DWH_LOAD", "DWHNIGHT", "PUT", "answer", "lost", "confirmed", 1),
        # The order is lost with the worker: nobody can know that, so nobody sends it again.
        ("SFTP_BACEN", "REGULAT", "PUT", "request", "lost", "unknown", 0),
    ],
)
async def test_killed_worker_leaves_one_change_at_most_and_a_true_report(
    workers: Workers,
    job: str,
    job_stream: str,
    method: str,
    where: str,
    fate: str,
    state: str,
    runs: int,
) -> None:
    server = workers.server
    before = await server.runs_of(job, job_stream)
    async with server.client("operator") as operator:
        proposal = (await operator.ask(f"rerun {job}"))["proposal"]["id"]
        held = workers.gate.hold(method, where)
        decision = asyncio.create_task(operator.decide(proposal, "approve"))
        await held.reached.wait()
        await workers.replace()
        if fate == "arrives":
            held.release()
        else:
            held.lose()
        status, outcome = await decision
        assert (status, outcome["state"]) == (200, state)
        assert len(await server.runs_of(job, job_stream)) == len(before) + runs
        # Pressing again changes nothing and is told the same.
        status, outcome = await operator.decide(proposal, "approve")
        assert (status, outcome["state"]) == (200, state)
    assert len(await server.runs_of(job, job_stream)) == len(before) + runs
    orders = [order for order in await server.simulated("/sim/actions") if order["job"].endswith(f".{job}")]
    assert len(orders) == runs
