"""A second model behind the first, each through its provider's real SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from brain.llm.anthropic_model import AnthropicModel
from brain.llm.factory import open_loops, open_model
from brain.llm.fallback import Fallback
from brain.llm.loop import ToolLoop
from brain.llm.model import ModelMessage, ModelTurn, ModelUnavailableError
from brain.llm.openai_model import OpenAiModel
from brain.llm.settings import LlmSettings
from observability.metrics import Metrics
from tests.support.fake_anthropic import FakeAnthropic, call_block, text_block, thinking_block
from tests.support.fake_openai import FakeOpenAi
from tests.support.providers import JOBS_SPEC, Pieces, settings_for

_QUESTION = [ModelMessage(role="user", text="Why?")]


class Pair:
    """An OpenAI model, an Anthropic model behind it, and a clock that stands still."""

    def __init__(self, first: FakeOpenAi, second: FakeAnthropic, **changes: Any) -> None:
        self.first, self.second = first, second
        self.now = 0.0
        self.shown = Pieces()
        settings = chain(first, second, **changes)
        models = [OpenAiModel(settings), AnthropicModel(settings.fallbacks[0])]
        self.metrics = Metrics()
        self.model = Fallback(models, settings, self.metrics, lambda: self.now)

    async def ask(self) -> ModelTurn:
        return await self.model.complete(_QUESTION, [JOBS_SPEC], self.shown.add)

    async def failure(self) -> ModelUnavailableError:
        with pytest.raises(ModelUnavailableError) as caught:
            await self.ask()
        return caught.value

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.requests), len(self.second.requests)


def chain(first: FakeOpenAi, second: FakeAnthropic, **changes: Any) -> LlmSettings:
    spare = {"provider": "anthropic", "base_url": second.base_url, "model": "m-2"}
    options = {"request_timeout_seconds": 0.4, "breaker_failures": 2, "breaker_pause_seconds": 10}
    return settings_for("openai", first, fallbacks=[spare], **(options | changes))


@asynccontextmanager
async def open_pair(**changes: Any) -> AsyncIterator[Pair]:
    async with FakeOpenAi() as first, FakeAnthropic() as second:
        pair = Pair(first, second, **changes)
        async with aclosing(pair.model):
            yield pair


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with open_pair() as opened:
        yield opened


@pytest.mark.parametrize("failure", ["401", "429", "500", "529", "hang", "break_off", "garbage"])
async def test_the_second_answers_when_the_first_fails(pair: Pair, failure: str) -> None:
    match failure:
        case "hang":
            pair.first.hang()
        case "break_off":
            pair.first.break_off()
        case "garbage":
            pair.first.send_garbage()
        case status:
            pair.first.refuse(int(status))
    pair.second.say("Full ", "disk.")
    turn = await pair.ask()
    assert (turn.text, turn.model, turn.stood_in) == ("Full disk.", "m-2", True)
    assert pair.shown == ["Full ", "disk."]


async def test_the_second_answers_when_nobody_listens_at_the_first() -> None:
    async with open_pair(base_url="http://127.0.0.1:9") as pair:
        pair.second.say("Full disk.")
        assert (await pair.ask()).model == "m-2"


async def test_the_first_answers_while_it_can(pair: Pair) -> None:
    pair.first.say("Full disk.")
    turn = await pair.ask()
    assert (turn.text, turn.model, turn.stood_in) == ("Full disk.", "m-1", False)
    assert pair.asked == (1, 0)


async def test_refused_requests_do_not_take_the_model_from_others(pair: Pair) -> None:
    for _ in range(4):
        pair.first.refuse(400)
        pair.second.say("Full disk.")
        await pair.ask()
    assert pair.asked == (4, 4)


async def test_after_a_part_was_shown_nobody_else_begins(pair: Pair) -> None:
    pair.first.break_off("The di")
    assert (await pair.failure()).reason == "connection failed or stream broken"
    assert pair.shown == ["The di"]
    assert pair.asked == (1, 0)


async def test_a_model_that_asked_to_wait_is_skipped_until_then(pair: Pair) -> None:
    pair.first.refuse(429, {"retry-after": "17"})
    for _ in range(2):
        pair.second.say("Full disk.")
        assert (await pair.ask()).model == "m-2"
    pair.now = 16.9
    pair.second.say("Full disk.")
    assert (await pair.ask()).model == "m-2"
    assert pair.asked == (1, 3)
    pair.now = 17
    pair.first.say("Full disk.")
    assert (await pair.ask()).model == "m-1"


async def test_no_model_can_ask_for_more_than_an_hour(pair: Pair) -> None:
    pair.first.refuse(503, {"retry-after": "inf"})
    pair.second.say("Full disk.")
    await pair.ask()
    pair.now = 3600
    pair.first.say("Full disk.")
    assert (await pair.ask()).model == "m-1"


async def test_a_model_that_fails_in_a_row_is_let_alone_and_then_tried_again(pair: Pair) -> None:
    for _ in range(2):
        pair.first.refuse(500)
        pair.second.say("Full disk.")
        await pair.ask()
    pair.second.say("Full disk.")
    assert (await pair.ask()).model == "m-2"
    assert pair.asked == (2, 3)
    pair.now = 10
    pair.first.say("Full disk.")
    assert (await pair.ask()).model == "m-1"
    pair.first.refuse(500)
    pair.second.say("Full disk.")
    assert (await pair.ask()).model == "m-2"
    assert pair.asked == (4, 4)


async def test_metrics_say_how_requests_ended_and_in_which_state_each_breaker_is(pair: Pair) -> None:
    def shown() -> set[str]:
        rendered = pair.metrics.render().decode()
        return {line for line in rendered.splitlines() if line.startswith("resync_model_")}

    def states(model: str, now: str) -> set[str]:
        every = ("closed", "open", "half_open")
        return {f'resync_model_breaker{{model="{model}",state="{one}"}} {one == now:.1f}' for one in every}

    def requests(model: str, **counts: float) -> set[str]:
        name = f'resync_model_requests_total{{model="{model}"'
        return {f'{name},outcome="{outcome}"}} {count:.1f}' for outcome, count in counts.items()}

    assert states("m-1", "closed") | states("m-2", "closed") <= shown()
    pair.first.refuse(400)
    for _ in range(2):
        pair.first.refuse(500)
    for _ in range(4):
        pair.second.say("Full disk.")
        await pair.ask()
    counted = requests("m-1", refused=1, away=2, skipped=1) | requests("m-2", ok=4)
    assert counted | states("m-1", "open") | states("m-2", "closed") <= shown()
    pair.now = 10
    pair.first.hang()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await pair.ask()
    assert requests("m-1", interrupted=1) | states("m-1", "open") <= shown()
    pair.first.decline()
    await pair.ask()
    assert requests("m-1", declined=1) | states("m-1", "closed") <= shown()


@pytest.mark.parametrize(
    ("first", "second", "reason", "retryable", "wait"),
    [
        (500, 401, "HTTP 500; HTTP 401", True, 0),
        (401, 403, "HTTP 401; HTTP 403", False, 0),
        (429, 529, "HTTP 429; HTTP 529", True, 3),
    ],
)
async def test_when_all_fail_the_failure_is_that_of_all(
    pair: Pair, first: int, second: int, reason: str, wait: float, *, retryable: bool
) -> None:
    pair.first.refuse(first, {"retry-after": "7"} if first == 429 else {})
    pair.second.refuse(second, {"retry-after": "3"} if second == 529 else {})
    error = await pair.failure()
    assert (error.reason, error.retryable, error.retry_after_seconds) == (reason, retryable, wait)


async def test_when_all_asked_to_wait_nobody_is_asked(pair: Pair) -> None:
    pair.first.refuse(429, {"retry-after": "7"})
    pair.second.refuse(429, {"retry-after": "30"})
    await pair.failure()
    error = await pair.failure()
    assert error.reason == "left alone for 7 s; left alone for 30 s"
    assert (error.retryable, error.retry_after_seconds) == (True, 7)
    assert pair.asked == (1, 1)


async def test_a_turn_that_another_model_thought_up_goes_on_without_its_thoughts() -> None:
    async with FakeAnthropic() as first, FakeAnthropic() as second:
        spare = {"provider": "anthropic", "base_url": second.base_url, "model": "m-2"}
        model = open_model(settings_for("anthropic", first, fallbacks=[spare]), Metrics())
        assert model is not None
        async with aclosing(model):
            first.stream(
                thinking_block(0, "Hm.", "signed"),
                text_block(1, ["Look."]),
                call_block(2, "find_jobs", {"name": "A"}, "c1"),
                finish="tool_use",
            )
            turn = await model.complete(_QUESTION, [JOBS_SPEC], Pieces().add)
            messages = [
                *_QUESTION,
                ModelMessage(role="assistant", text=turn.text, tool_calls=turn.tool_calls, raw=turn.raw),
                ModelMessage(role="tool", tool_call_id="c1", text="RC 8"),
            ]
            first.refuse(500)
            second.say("RC 8.")
            assert (await model.complete(messages, [JOBS_SPEC], Pieces().add)).text == "RC 8."
    sent = [provider.requests[-1]["messages"][1]["content"] for provider in (first, second)]
    assert [[block["type"] for block in blocks] for blocks in sent] == [
        ["thinking", "text", "tool_use"],
        ["text", "tool_use"],
    ]


async def test_the_loop_says_that_another_model_helped() -> None:
    async with FakeOpenAi() as first, FakeAnthropic() as second:
        settings = chain(first, second)
        model = open_model(settings, Metrics())
        assert model is not None
        async with aclosing(model):
            first.refuse(500)
            second.say("Full disk.")
            result = await _run(ToolLoop(model, settings))
            assert (result.text, result.degraded) == ("Full disk.", {"model_fallback"})
            first.say("Full disk.")
            assert (await _run(ToolLoop(model, settings))).degraded == frozenset()


async def test_each_task_is_given_to_its_model() -> None:
    async with FakeOpenAi() as provider:
        settings = settings_for("openai", provider, tasks={"documents": "small-1"})
        async with open_loops(settings, Metrics()) as loops:
            for loop in loops.values():
                provider.say("Full disk.")
                await _run(loop)
            assert list(loops) == ["assistant", "documents", "planner"]
    assert [request["model"] for request in provider.requests] == ["m-1", "small-1", "m-1"]


async def test_without_a_provider_there_is_no_loop() -> None:
    async with open_loops(LlmSettings(), Metrics()) as loops:
        assert loops == {}


async def _run(loop: ToolLoop) -> Any:
    return await loop.run("Be short.", (), "Why?", (), Pieces().add, Pieces().add)
