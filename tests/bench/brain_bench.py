"""Measures what the brain adds to LangGraph, and many conversations at once. `python -m tests.bench.brain_bench`."""

from __future__ import annotations

import asyncio
import operator
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypedDict

import numpy as np
import structlog
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

from brain.message import Channel, Conversation, InboundMessage, Locale, Sender
from brain.reply import from_json
from brain.turns.ledger import Turn
from embedded import embedded_postgres, embedded_valkey
from evals.stage import staged
from security.roles import Actor, Role
from services import Services
from settings import Settings
from tests.support.turns import Mailbox

_RUNS = 150
_CONVERSATIONS, _EACH = 50, 4
_PAUSES = (5.0, 0.0)
"""Seconds: people read an answer before they ask again; without a pause it is a queue that is measured."""
_OPERATOR = Actor(actor_id="operator", display_name="Otto", role=Role.OPERATOR)
_GOALS = (
    "Goals: at most 2.5 times the first; p95 under a second. A worker takes one turn a wake-up, so that who asks "
    "again at once goes behind those who wait."
)
_PATIENCE = timedelta(seconds=60)
_JOBS = (
    "PAYROLL",
    "APURACAO",
    "DWH_LOAD",
    "EXTRACT_CARDS",
    "SFTP_BACEN",
    "POS_SETTLE",
    "CERT_SYNC",
    "BKP_CATALOG",
)


class _State(TypedDict, total=False):
    words: Annotated[list[str], operator.add]


def _message(words: str, conversation: str, by: str = _OPERATOR.actor_id) -> InboundMessage:
    return InboundMessage(
        delivery_id=uuid.uuid4().hex,
        conversation=Conversation(channel=Channel.WEB, tenant="bench", conversation_id=conversation),
        sender=Sender(channel=Channel.WEB, tenant="bench", user_id=by),
        text=words,
        received_at=datetime.now(UTC),
    )


async def _timed(run: Callable[[int], Awaitable[object]]) -> list[float]:
    seconds = []
    for number in range(_RUNS + 10):
        started = time.perf_counter()
        await run(number)
        seconds.append(time.perf_counter() - started)
    return seconds[10:]


def _nothing(state: _State) -> _State:
    return _State(words=state["words"][:1])


async def _bare(dsn: str) -> list[float]:
    """Three nodes that do nothing, with the same checkpointer and durability."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(dsn, kwargs=options, max_size=4, open=False) as pool:
        graph = StateGraph(_State)
        for name in ("one", "two", "three"):
            graph.add_node(name, _nothing)
        graph.add_edge(START, "one")
        graph.add_edge("one", "two")
        graph.add_edge("two", "three")
        graph.add_edge("three", END)
        compiled = graph.compile(checkpointer=AsyncPostgresSaver(pool))  # type: ignore[arg-type]  # rows are dicts

        async def run(number: int) -> object:
            config = {"configurable": {"thread_id": f"bare-{number}"}}
            return await compiled.ainvoke(_State(words=["hello"]), config, durability="exit")  # type: ignore[arg-type]

        return await _timed(run)


async def _brain(services: Services, words: str) -> list[float]:
    async def run(number: int) -> object:
        message = _message(words, f"brain-{words}-{number}")
        turn = Turn(turn_id=uuid.uuid4().hex, message=message, attempts=1, reply=None)
        return await services.brain.answer(
            turn, _OPERATOR, Locale.EN, Mailbox()(turn.turn_id, message), frozenset()
        )

    return await _timed(run)


def _person(number: int) -> str:
    """Each of them asks no more than a person may."""
    return f"operator{number}"


async def _converse(services: Services, number: int, job: str, seconds: list[float], pause: float) -> int:
    """One conversation, question after question; how many answers were of its own job."""
    right = 0
    await asyncio.sleep(pause * number / _CONVERSATIONS)
    for _ in range(_EACH):
        started = time.perf_counter()
        accepted = await services.inbox.accept(
            _message(f"status of {job}", f"many-{number}", _person(number))
        )
        async for event in services.events.follow(accepted.turn_id, patience=_PATIENCE):
            if event.kind == "reply":
                right += f".{job}:" in from_json(event.data).plain_text
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(pause)
    return right


async def _many(services: Services, pause: float) -> str:
    """A sentence about conversations that ask again after a pause."""
    for number in range(_CONVERSATIONS):
        await services.database.actors.add(
            _person(number), "Otto", Role.OPERATOR, uuid.uuid4().hex, replace=True
        )
    seconds: list[float] = []
    right = await asyncio.gather(
        *(
            _converse(services, number, _JOBS[number % len(_JOBS)], seconds, pause)
            for number in range(_CONVERSATIONS)
        )
    )
    many = 1000 * np.array(seconds)
    return (
        f"{_CONVERSATIONS} conversations at once, {_EACH} questions each, {pause:.0f} s between an answer and the next "
        f"question, through inbox and worker: median {np.median(many):.0f} ms, p95 {np.percentile(many, 95):.0f} ms; "
        f"{sum(right)} of {_CONVERSATIONS * _EACH} answers were of the job that was asked about."
    )


def _row(name: str, seconds: Sequence[float], base: Sequence[float]) -> str:
    median = float(np.median(seconds))
    ratio = median / float(np.median(base))
    return f"| {name} | {1000 * median:.1f} | {1000 * np.percentile(seconds, 95):.1f} | {ratio:.2f} |"


def _settings(folder: Path, dsn: str, redis_url: str) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings takes it, its plugin does not know
        data_dir=folder,
        database_url=SecretStr(dsn),
        redis_url=SecretStr(redis_url),
    )


async def _report() -> str:
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder:
        async with (
            embedded_postgres(Path(folder)) as dsn,
            embedded_valkey(Path(folder)) as redis_url,
            staged(_settings(Path(folder), dsn, redis_url), "night") as stage,
        ):
            services = stage.services
            base = await _bare(dsn)
            greeting = await _brain(services, "hello")
            status = await _brain(services, "status of PAYROLL")
            together = [await _many(services, pause) for pause in _PAUSES]
    lines = [
        f"| {_RUNS} turns each | median ms | p95 ms | against the first |",
        "|---|---|---|---|",
        _row("three empty nodes, same checkpointer and durability", base, base),
        _row("the brain: a greeting", greeting, base),
        _row("the brain: the status of a job", status, base),
    ]
    return "\n\n".join(["\n".join(lines), *together, _GOALS])


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the page is on stdout
    sys.stdout.write(asyncio.run(_report()) + "\n")
