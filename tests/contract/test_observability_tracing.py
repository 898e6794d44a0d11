"""Traces of turns, exported to a Langfuse on loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable

import pytest

from observability.settings import ObservabilitySettings
from observability.tracing import Tracer
from security.masking import mask_secrets
from tests.support.fake_langfuse import attributes, fake_langfuse


def _tracer(url: str, mask: Callable[[str], str] = mask_secrets, *, send_text: bool = False) -> Tracer:
    settings = ObservabilitySettings(
        langfuse_host=url,
        langfuse_public_key=f"pk-lf-{uuid.uuid4()}",
        langfuse_secret_key="sk-lf-1",
        langfuse_send_text=send_text,
    )
    return Tracer(settings, mask)


def _run_turn(tracer: Tracer, turn_id: str = "turn-1", key: str = "web:local:c1") -> None:
    with tracer.turn(turn_id=turn_id, conversation_key=key, actor_id="ana") as span:
        span.update(question="why did PAYROLL fail? password=hunter2", answer="disk full", agent="diagnosis")


async def test_a_turn_arrives_with_person_conversation_and_facts() -> None:
    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url)
        _run_turn(tracer)
        await tracer.aclose()
        (span,) = langfuse.spans
    found = attributes(span)
    assert found["user.id"] == "ana"
    assert found["session.id"] == "web:local:c1"
    assert found["langfuse.observation.metadata.turn_id"] == '"turn-1"'
    assert found["langfuse.observation.metadata.agent"] == '"diagnosis"'
    assert langfuse.authorizations[0].startswith("Basic ")


async def test_texts_stay_here_unless_allowed() -> None:
    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url)
        _run_turn(tracer)
        await tracer.aclose()
        (span,) = langfuse.spans
    assert b"PAYROLL" not in span.SerializeToString()
    assert b"disk full" not in span.SerializeToString()


async def test_allowed_texts_are_masked() -> None:
    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url, send_text=True)
        _run_turn(tracer)
        await tracer.aclose()
        (span,) = langfuse.spans
    found = attributes(span)
    assert found["langfuse.observation.input"] == "why did PAYROLL fail? password=***"
    assert found["langfuse.observation.output"] == "disk full"


async def test_runs_of_the_same_turn_share_a_trace() -> None:
    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url)
        for turn_id in ("turn-1", "turn-1", "turn-2"):
            _run_turn(tracer, turn_id)
        await tracer.aclose()
        first, again, other = (span.trace_id for span in langfuse.spans)
    assert first == again != other


async def test_long_conversation_keys_keep_their_sessions_apart() -> None:
    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url)
        for last in "ab":
            _run_turn(tracer, key="teams:" + "x" * 300 + last)
        await tracer.aclose()
        sessions = {attributes(span)["session.id"] for span in langfuse.spans}
    assert len(sessions) == 2


async def test_an_error_is_named_by_its_kind_alone_and_passes_through() -> None:
    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url)
        with (
            pytest.raises(LookupError, match="secret words"),
            tracer.turn(turn_id="turn-1", conversation_key="c", actor_id="ana"),
        ):
            raise LookupError("secret words")
        await tracer.aclose()
        (span,) = langfuse.spans
    assert attributes(span)["langfuse.observation.status_message"] == "LookupError"
    assert b"secret words" not in span.SerializeToString()


async def test_a_hanging_langfuse_delays_neither_turns_nor_the_end() -> None:
    async with fake_langfuse(hangs=True) as langfuse:
        tracer = _tracer(langfuse.url)
        _run_turn(tracer)
        assert await asyncio.to_thread(langfuse.asked.wait, 10), "nothing was exported while turns went on"
        start = time.perf_counter()
        for number in range(100):
            _run_turn(tracer, f"turn-{number}")
        assert time.perf_counter() - start < 1
        await tracer.aclose()
        assert time.perf_counter() - start < 4


async def test_a_dead_langfuse_delays_neither_turns_nor_the_end() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        tracer = _tracer(f"http://127.0.0.1:{unused.getsockname()[1]}")
        start = time.perf_counter()
        _run_turn(tracer)
        assert time.perf_counter() - start < 1
        await tracer.aclose()
        assert time.perf_counter() - start < 4


async def test_a_failing_mask_loses_the_text_and_not_the_turn() -> None:
    def broken(text: str) -> str:
        raise ValueError(text)

    async with fake_langfuse() as langfuse:
        tracer = _tracer(langfuse.url, broken, send_text=True)
        _run_turn(tracer)
        await tracer.aclose()
        (span,) = langfuse.spans
    assert b"PAYROLL" not in span.SerializeToString()


def test_without_keys_turns_run_and_langfuse_is_not_even_imported() -> None:
    script = """
import sys
from observability.settings import ObservabilitySettings
from observability.tracing import Tracer
with Tracer(ObservabilitySettings(), str).turn(turn_id="t", conversation_key="c", actor_id="ana") as span:
    span.update(question="why?", answer="done", agent="status")
sys.exit("langfuse" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
