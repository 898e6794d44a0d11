"""What happens when a conversation is too long for a model."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from brain.llm.data_block import to_data_block
from brain.llm.model import ContextTooLongError, Model, ModelMessage
from tests.support.fake_openai import FakeOpenAi
from tests.support.providers import FakeProvider, Pieces, ProviderName, open_provider
from tests.support.scripted_provider import Step

_LOG = "\n".join(
    ["HEAD", *["copying ana@example.com"] * 200, "ORA-01653: unable to extend", *["copying"] * 800, "TAIL"]
)
_MESSAGES = [
    ModelMessage(role="system", text="Be short."),
    ModelMessage(role="user", text="Why?"),
    ModelMessage(role="assistant", text="", tool_calls=()),
    ModelMessage(role="user", text=to_data_block("job_log", _LOG)),
]


@pytest.fixture(params=["openai", "anthropic"])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[tuple[FakeProvider, Model]]:
    name: ProviderName = request.param
    async with open_provider(name) as pair:
        yield pair


async def test_long_data_is_cut_to_head_tail_and_telling_lines(opened: tuple[FakeProvider, Model]) -> None:
    provider, model = opened
    provider.refuse_length()
    provider.say("Full, says ", "[EMAIL_1].")
    turn = await model.complete(_MESSAGES, [], Pieces().add)
    assert turn.text == "Full, says ana@example.com."
    whole, cut = (str(request["messages"]) for request in provider.requests)
    assert len(cut) < 3000 < len(whole)
    for kept in ("HEAD", "ORA-01653: unable to extend", "TAIL", "Why?", "characters left out", "</data>"):
        assert kept in cut
    assert "example.com" not in whole + cut


async def test_what_does_not_fit_even_then_is_told(opened: tuple[FakeProvider, Model]) -> None:
    provider, model = opened
    provider.refuse_length()
    provider.refuse_length()
    with pytest.raises(ContextTooLongError, match="too long for the model") as caught:
        await model.complete(_MESSAGES, [], Pieces().add)
    assert not caught.value.retryable
    assert len(provider.requests) == 2


async def test_a_long_question_without_data_is_not_asked_twice(opened: tuple[FakeProvider, Model]) -> None:
    provider, model = opened
    provider.refuse_length()
    with pytest.raises(ContextTooLongError):
        await model.complete(_MESSAGES[:2], [], Pieces().add)
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": 400, "message": "no", "type": "exceed_context_size_error", "n_ctx": 512}),
        (400, {"message": "This model's maximum context length is 4096 tokens.", "code": None}),
        (413, {"message": "too large"}),
    ],
)
async def test_other_servers_say_it_in_other_words(status: int, error: dict[str, object]) -> None:
    async with open_provider("openai") as (provider, model):
        assert isinstance(provider, FakeOpenAi)
        provider.script.append(Step(status=status, body={"error": error}))
        provider.say("Full.")
        assert (await model.complete(_MESSAGES, [], Pieces().add)).text == "Full."


async def test_a_long_conversation_is_no_outage_of_the_model() -> None:
    async with open_provider("openai", breaker_failures=1) as (provider, model):
        provider.refuse_length()
        provider.say("Full.")
        assert (await model.complete(_MESSAGES, [], Pieces().add)).text == "Full."
