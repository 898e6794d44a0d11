"""A real model behind the real SDK: whether the protocol holds, not how good the answers are."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable

import pytest

from brain.llm.factory import open_loops
from brain.llm.model import Model
from brain.llm.settings import LlmSettings
from observability.metrics import Metrics
from tests.support.brain_parts import Parts
from tests.support.small_model import Recorder, running_small_model
from tests.support.talk import open_talk

pytestmark = pytest.mark.timeout(600)

_QUESTIONS = {
    # What is asked, and what the answer must have, whoever gives it.
    "why did PAYROLL fail?": "PAYROLL",
    "what failed?": "PAYROLL",
    "por que o PAYROLL falhou?": "PAYROLL",
    "what is waiting?": "",
}


@pytest.fixture(scope="module")
async def small_model() -> AsyncIterator[LlmSettings]:
    async with running_small_model(max_rounds=3) as settings:
        yield settings


async def test_a_real_model_calls_our_tools_by_their_schemas_and_every_turn_ends(
    parts: Parts, postgres_dsn: str, small_model: LlmSettings, record_property: Callable[[str, object], None]
) -> None:
    recorders: list[Recorder] = []

    def record(model: Model) -> Model:
        recorders.append(Recorder(model))
        return recorders[-1]

    started, by_model = time.perf_counter(), 0
    async with (
        open_loops(small_model, Metrics(), record) as loops,
        open_talk(parts, postgres_dsn, loop=loops["assistant"]) as talk,
    ):
        for words, wanted in _QUESTIONS.items():
            reply = await talk.elsewhere().say(words)
            assert wanted in reply.plain_text, words
            assert reply.plain_text.strip(), words
            assert reply.agent == "assistant" or reply.degraded == ("model",), words
            by_model += reply.agent == "assistant"
    (recorder,) = recorders
    figures = {
        "requests": len(recorder.turns),
        "calls": len(recorder.calls),
        "valid": len(recorder.calls) - len(recorder.wrong),
        "answers": by_model,
        "seconds": round(time.perf_counter() - started),
    }
    record_property("figures", figures)
    logging.getLogger(__name__).info("small model: %s", figures)
    assert len(recorder.turns) >= len(_QUESTIONS)
    assert recorder.calls
    assert recorder.wrong == []
