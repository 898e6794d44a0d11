"""Each call of a model is recorded with what it used, cost and sent, and is refused when a budget is used up."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from brain.llm.budget import Budget, BudgetExhaustedError
from brain.llm.calls import Ending, ModelCalls, Usage
from brain.llm.model import ModelMessage, ModelUnavailableError, ToolCall
from brain.llm.payer import Payer
from brain.llm.settings import BudgetSettings
from brain.tables import MODEL_CALLS
from observability.settings import ObservabilitySettings
from observability.tracing import Tracer
from tests.support.fake_langfuse import attributes, fake_langfuse
from tests.support.fake_openai import FakeOpenAi
from tests.support.metered import QUESTION, open_meter

_PRICES = {"m-1": {"input": "2.5", "output": 10}}
_ESTIMATED = 1200
"""What an answer may have in tokens, which is set aside while it is made."""


async def test_a_call_is_recorded_with_its_payer_figures_cost_and_what_was_sent(engine: AsyncEngine) -> None:
    async with open_meter(engine, prices=_PRICES) as meter:
        meter.provider.say("Because.")
        assert (await meter.ask()).text == "Because."
        (call,) = await meter.recorded()
    assert (call.turn_id, call.actor_id, call.channel, call.task) == ("turn-ana", "ana", "web", "assistant")
    assert (call.model, call.outcome, call.reason) == ("m-1", "ok", "")
    assert (call.input_tokens, call.output_tokens) == (11, 7)
    assert call.cost == Decimal("0.0000975")
    assert call.latency_ms is not None
    assert call.started_at.tzinfo is not None
    assert call.sent == [{"role": "system", "text": "Be brief."}, {"role": "user", "text": "why? \x00"}]


async def test_tool_calls_are_part_of_what_was_sent_and_keys_are_not(engine: AsyncEngine) -> None:
    messages = (
        *QUESTION,
        ModelMessage(
            role="assistant", tool_calls=(ToolCall(id="c1", name="job_log", arguments={"job": "X"}),)
        ),
        ModelMessage(role="tool", tool_call_id="c1", text="rc=8"),
    )
    async with open_meter(engine) as meter:
        meter.provider.say("Ok.")
        await meter.ask(messages=messages)
        (call,) = await meter.recorded()
    assert call.cost is None
    assert call.sent is not None
    assert call.sent[2]["tool_calls"] == [{"name": "job_log", "arguments": {"job": "X"}}]
    assert call.sent[3] == {"role": "tool", "text": "rc=8"}
    assert "sk-secret" not in str(call)


async def test_what_is_kept_is_masked_and_another_model_is_recorded_with_its_own_price(
    engine: AsyncEngine,
) -> None:
    messages = (ModelMessage(role="user", text="ana@folha.example says password=hunter2"),)
    async with FakeOpenAi() as spare:
        fallback = {"provider": "openai", "base_url": spare.base_url, "model": "m-2"}
        prices = {"m-1": {"input": 1000, "output": 1000}, "m-2": {"input": 1, "output": 1}}
        async with open_meter(engine, fallbacks=[fallback], prices=prices) as meter:
            meter.provider.refuse(500)
            spare.say("Ok, [EMAIL_1].")
            assert (await meter.ask(messages=messages)).text == "Ok, ana@folha.example."
            (call,) = await meter.recorded()
    assert (call.model, call.cost) == ("m-2", Decimal("0.000018"))
    assert call.sent == [{"role": "user", "text": "[EMAIL_1] says password=[SECRET]"}]


async def test_nothing_that_was_sent_is_kept_if_so_set(engine: AsyncEngine) -> None:
    async with open_meter(engine, keep_sent_days=0) as meter:
        meter.provider.say("Ok.")
        await meter.ask()
        (call,) = await meter.recorded()
    assert call.sent is None


async def test_a_refusal_and_failures_are_recorded_with_their_reason(engine: AsyncEngine) -> None:
    async with open_meter(engine, prices=_PRICES) as meter:
        meter.provider.decline()
        assert (await meter.ask()).stop_reason == "refusal"
        meter.provider.refuse(500)
        meter.provider.break_off("Beca")
        for _ in range(2):
            with pytest.raises(ModelUnavailableError):
                await meter.ask()
        broken, refused, declined = await meter.recorded(3)
    assert (declined.outcome, declined.output_tokens) == ("refused", 7)
    assert (refused.outcome, refused.reason) == ("unavailable", "HTTP 500")
    assert (refused.input_tokens, refused.output_tokens, refused.cost) == (0, 0, 0)
    # It had begun to answer, so it may bill all that was set aside.
    assert broken.outcome == "unavailable"
    assert broken.input_tokens > 0
    assert broken.output_tokens == _ESTIMATED


async def test_a_call_that_nobody_waits_for_any_more_stays_paid(engine: AsyncEngine) -> None:
    async with open_meter(engine) as meter:
        meter.provider.hang("Be")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await meter.ask()
        (call,) = await meter.recorded()
    assert (call.outcome, call.reason) == ("unavailable", "broken off")
    assert call.output_tokens == _ESTIMATED


async def test_what_a_provider_does_not_count_is_estimated(engine: AsyncEngine) -> None:
    async with open_meter(engine) as meter:
        meter.provider.stream({"content": "x" * 300}, finish="stop")
        await meter.ask()
        (call,) = await meter.recorded()
    assert call.output_tokens == 100
    assert 20 < call.input_tokens < 60


@pytest.mark.parametrize(
    ("budget", "other", "used_up"),
    [
        ({"person_tokens_per_day": 18}, {"by": "ana", "channel": "slack"}, "used up"),
        ({"person_tokens_per_day": 18}, {"by": "ben", "channel": "web"}, ""),
        ({"person_tokens_per_day": 19}, {"by": "ana", "channel": "web"}, ""),
        ({"channel_tokens_per_day": 18}, {"by": "ben", "channel": "web"}, "used up"),
        ({"channel_tokens_per_day": 18}, {"by": "ana", "channel": "slack"}, ""),
        ({"tokens_per_day": 18}, {"by": "ben", "channel": "slack"}, "used up"),
        ({"money_per_day": "0.0000975"}, {"by": "ben", "channel": "slack"}, "used up"),
        ({"money_per_day": "0.0000976"}, {"by": "ben", "channel": "slack"}, ""),
        ({}, {"by": "ana", "channel": "web"}, ""),
    ],
)
async def test_a_budget_is_used_up_by_what_it_is_for(
    engine: AsyncEngine, budget: dict[str, object], other: dict[str, str], used_up: str
) -> None:
    async with open_meter(engine, budget=budget, prices=_PRICES) as meter:
        meter.provider.say("One.")
        meter.provider.say("Two.")
        await meter.ask()
        await meter.recorded()
        if used_up:
            with pytest.raises(BudgetExhaustedError, match=next(iter(budget))) as refused:
                await meter.ask(**other)
            assert not refused.value.retryable
        else:
            await meter.ask(**other)
        await meter.recorded(1 if used_up else 2)
        assert len(meter.provider.requests) == (1 if used_up else 2)


async def test_a_budget_begins_anew_with_the_day_of_the_site(engine: AsyncEngine) -> None:
    async with open_meter(engine, budget={"tokens_per_day": 1}, zone="America/Sao_Paulo") as meter:
        meter.provider.say("One.")
        meter.provider.say("Two.")
        await meter.ask()
        await meter.recorded()
        midnight = "date_trunc('day', now(), 'America/Sao_Paulo')"
        await _date_calls(engine, f"{midnight}")
        with pytest.raises(BudgetExhaustedError):
            await meter.ask()
        await _date_calls(engine, f"{midnight} - interval '1 second'")
        await meter.ask()
        await meter.recorded(2)
        today, yesterday = await meter.calls.usage(days=5)
    assert (today.day - yesterday.day) == timedelta(days=1)
    assert (today.calls, today.failed, today.input_tokens, today.output_tokens) == (1, 0, 11, 7)


async def _date_calls(engine: AsyncEngine, moment: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(update(MODEL_CALLS).values(started_at=text(moment)))


async def test_of_calls_at_once_only_the_last_goes_beyond_the_budget(engine: AsyncEngine) -> None:
    async with open_meter(engine, budget={"tokens_per_day": 3 * _ESTIMATED}) as meter:
        for _ in range(20):
            meter.provider.hang()
        calls = [asyncio.create_task(meter.ask(by=f"p{number}")) for number in range(20)]
        refused, _ = await asyncio.wait(calls, timeout=2)
        assert len(refused) == 17
        assert all(isinstance(call.exception(), BudgetExhaustedError) for call in refused)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert len(await meter.recorded(3)) == 3


async def test_an_answer_does_not_wait_for_its_record(engine: AsyncEngine) -> None:
    async with open_meter(engine) as meter, engine.connect() as connection:

        async def lock(_piece: str) -> None:
            await connection.execute(text("SELECT id FROM model_calls FOR UPDATE"))

        meter.provider.say("Because.")
        assert (await meter.ask(on_delta=lock)).text == "Because."
        (running,) = await meter.calls.recent(limit=5)
        assert (running.outcome, running.output_tokens) == ("running", _ESTIMATED)
        await connection.rollback()
        (call,) = await meter.recorded()
        assert call.output_tokens == 7


async def test_a_record_that_cannot_be_stored_leaves_what_was_set_aside() -> None:
    away = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    calls = ModelCalls(away, Budget(BudgetSettings(), ZoneInfo("UTC")))
    usage = Usage(input_tokens=1, output_tokens=1, cost=None)
    await calls.end("c1", Ending(outcome="ok", model="m-1", usage=usage, latency=timedelta(seconds=1)))
    with pytest.raises(ConnectionRefusedError):
        await calls.begin(Payer(), "m-1", usage, None)


@pytest.mark.parametrize("langfuse_is", ["well", "hanging"])
async def test_figures_are_traced_without_texts_and_without_delay(
    engine: AsyncEngine, langfuse_is: str
) -> None:
    async with fake_langfuse(hangs=langfuse_is == "hanging") as langfuse:
        settings = ObservabilitySettings(
            langfuse_host=langfuse.url,
            langfuse_public_key=f"pk-lf-{uuid.uuid4()}",
            langfuse_secret_key="sk-lf-1",
        )
        tracer = Tracer(settings, str)
        async with open_meter(engine, tracer=tracer, prices=_PRICES) as meter:
            for _ in range(3):
                meter.provider.say("Because.")
            async with asyncio.timeout(5):
                for _ in range(3):
                    await meter.ask()
        await tracer.aclose()
    if langfuse_is == "hanging":
        assert langfuse.spans == []
        return
    span = langfuse.spans[0]
    found = attributes(span)
    assert span.name == "assistant"
    assert found["langfuse.observation.type"] == "generation"
    assert found["langfuse.observation.model.name"] == "m-1"
    assert found["langfuse.observation.usage_details"] == '{"input": 11, "output": 7}'
    assert found["langfuse.observation.cost_details"] == '{"total": 9.75e-05}'
    assert span.end_time_unix_nano > span.start_time_unix_nano
    assert b"Because" not in span.SerializeToString()
