"""What any model must do, for each provider, through the provider's real SDK."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from brain.llm.model import Model, ModelMessage, ModelUnavailableError, ToolCall
from tests.support.providers import JOBS_SPEC, FakeProvider, Pieces, ProviderName, open_provider

QUESTION = [ModelMessage(role="system", text="Be short."), ModelMessage(role="user", text="Why?")]


@pytest.fixture(params=["openai", "anthropic"])
def provider_name(request: pytest.FixtureRequest) -> ProviderName:
    name: ProviderName = request.param
    return name


@pytest.fixture
async def opened(provider_name: ProviderName) -> AsyncIterator[tuple[FakeProvider, Model]]:
    async with open_provider(provider_name) as pair:
        yield pair


@pytest.fixture
def provider(opened: tuple[FakeProvider, Model]) -> FakeProvider:
    return opened[0]


@pytest.fixture
def model(opened: tuple[FakeProvider, Model]) -> Model:
    return opened[1]


async def failure_of(model: Model) -> ModelUnavailableError:
    with pytest.raises(ModelUnavailableError) as caught:
        await model.complete(QUESTION, [JOBS_SPEC], Pieces().add)
    return caught.value


async def test_text_is_streamed_and_returned_whole(provider: FakeProvider, model: Model) -> None:
    provider.say("O disco ", "está ", "cheio.")
    pieces = Pieces()
    turn = await model.complete(QUESTION, [], pieces.add)
    assert pieces == ["O disco ", "está ", "cheio."]
    assert turn.text == "O disco está cheio."
    assert turn.stop_reason == "end"
    assert (turn.input_tokens, turn.output_tokens) == (11, 7)


async def test_a_tool_call_arrives_with_its_arguments(provider: FakeProvider, model: Model) -> None:
    provider.call("find_jobs", {"name": "FOLHA_É"}, call_id="c7")
    turn = await model.complete(QUESTION, [JOBS_SPEC], Pieces().add)
    assert turn.stop_reason == "tools"
    assert turn.tool_calls == (ToolCall(id="c7", name="find_jobs", arguments={"name": "FOLHA_É"}),)


async def test_a_tool_call_without_arguments_has_none(provider: FakeProvider, model: Model) -> None:
    provider.call("find_jobs", "")
    turn = await model.complete(QUESTION, [JOBS_SPEC], Pieces().add)
    assert turn.tool_calls[0].arguments == {}


async def test_running_out_of_tokens_is_told(provider: FakeProvider, model: Model) -> None:
    provider.run_out_of_tokens("The disk")
    turn = await model.complete(QUESTION, [], Pieces().add)
    assert (turn.text, turn.stop_reason) == ("The disk", "length")


async def test_declining_is_told(provider: FakeProvider, model: Model) -> None:
    provider.decline()
    assert (await model.complete(QUESTION, [], Pieces().add)).stop_reason == "refusal"


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (429, True),
        (500, True),
        (503, True),
        (529, True),
    ],
)
async def test_a_refused_request_says_whether_it_may_pass(
    provider: FakeProvider, model: Model, status: int, *, retryable: bool
) -> None:
    provider.refuse(status)
    error = await failure_of(model)
    assert error.reason == f"HTTP {status}"
    assert error.retryable is retryable
    assert len(provider.requests) == 1


async def test_retry_after_is_passed_on(provider: FakeProvider, model: Model) -> None:
    provider.refuse(429, {"retry-after": "17"})
    assert (await failure_of(model)).retry_after_seconds == 17


async def test_retry_after_as_a_date_counts_as_absent(provider: FakeProvider, model: Model) -> None:
    provider.refuse(503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})
    assert (await failure_of(model)).retry_after_seconds == 0


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (lambda provider: provider.break_off("The di"), "connection failed or stream broken"),
        (lambda provider: provider.end_early("The di"), "stream ended early"),
        (lambda provider: provider.end_early(), "stream ended early"),
        (lambda provider: provider.send_garbage(), "malformed stream"),
        (lambda provider: provider.send_wrong_types(), "malformed stream"),
        (lambda provider: provider.call("find_jobs", '{"name": "PAY'), "malformed tool arguments"),
        (lambda provider: provider.call("find_jobs", "[1]"), "malformed tool arguments"),
    ],
    ids=["torn", "half", "empty", "garbage", "wrong types", "half arguments", "arguments no object"],
)
async def test_a_broken_stream_is_no_answer(
    provider: FakeProvider, model: Model, fail: Callable[[Any], None], reason: str
) -> None:
    fail(provider)
    error = await failure_of(model)
    assert error.reason == reason
    assert error.retryable


async def test_an_error_inside_a_stream_is_no_answer(provider: FakeProvider, model: Model) -> None:
    provider.fail_inside()
    assert (await failure_of(model)).retryable


async def test_an_unknown_stop_reason_is_no_answer(provider: FakeProvider, model: Model) -> None:
    provider.stop_strangely()
    error = await failure_of(model)
    assert error.reason == "unknown stop reason"
    assert not error.retryable


@pytest.mark.parametrize("pieces", [(), ("The di",)], ids=["at once", "in the middle"])
async def test_silence_ends_in_a_timeout(provider_name: ProviderName, pieces: tuple[str, ...]) -> None:
    async with open_provider(provider_name, request_timeout_seconds=0.3) as (provider, model):
        provider.hang(*pieces)
        error = await failure_of(model)
    assert error.reason == "no answer in time"
    assert error.retryable


async def test_an_unreachable_server_is_told(provider_name: ProviderName) -> None:
    async with open_provider(provider_name, base_url="http://127.0.0.1:9") as (_, model):
        error = await failure_of(model)
    assert error.reason == "connection failed or stream broken"
    assert error.retryable


async def test_failures_hold_neither_key_nor_the_providers_words(
    provider: FakeProvider, model: Model
) -> None:
    provider.refuse(401)
    provider.fail_inside()
    for _ in range(2):
        told = "".join(traceback.format_exception(await failure_of(model)))
        assert "secret" not in told


async def test_an_error_of_the_listener_is_not_the_models(provider: FakeProvider, model: Model) -> None:
    async def refuse(_piece: str) -> None:
        raise ValueError("the channel is gone")

    provider.say("Hello")
    with pytest.raises(ValueError, match="the channel is gone"):
        await model.complete(QUESTION, [], refuse)


async def test_a_model_works_again_after_a_failure(provider: FakeProvider, model: Model) -> None:
    provider.break_off("The di")
    provider.say("Full disk.")
    await failure_of(model)
    assert (await model.complete(QUESTION, [], Pieces().add)).text == "Full disk."
