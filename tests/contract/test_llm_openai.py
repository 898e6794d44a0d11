"""What goes over the wire to OpenAI's protocol, and the ways in which compatible servers differ."""

from __future__ import annotations

import pytest

from brain.llm.model import ModelMessage, ToolCall
from tests.support.fake_openai import FakeOpenAi
from tests.support.providers import JOBS_SPEC, Pieces, open_provider

QUESTION = ModelMessage(role="user", text="Why?")


async def test_the_request_is_what_any_compatible_server_understands() -> None:
    async with open_provider("openai", max_output_tokens=55, temperature=0.1) as (provider, model):
        provider.say("Because.")
        await model.complete(
            [ModelMessage(role="system", text="Short."), QUESTION], [JOBS_SPEC], Pieces().add
        )
    assert provider.headers[0]["Authorization"] == "Bearer sk-secret"
    assert provider.requests == [
        {
            "model": "m-1",
            "messages": [{"role": "system", "content": "Short."}, {"role": "user", "content": "Why?"}],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "find_jobs",
                        "description": "Jobs of the plan by name.",
                        "parameters": JOBS_SPEC.json_schema,
                    },
                }
            ],
            "max_tokens": 55,
            "temperature": 0.1,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


async def test_without_tools_and_temperature_neither_is_sent() -> None:
    async with open_provider("openai") as (provider, model):
        provider.say("Because.")
        await model.complete([QUESTION], [], Pieces().add)
    assert not {"tools", "temperature"} & provider.requests[0].keys()


async def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    async with open_provider("openai", api_key=None) as (provider, model):
        provider.say("Because.")
        await model.complete([QUESTION], [], Pieces().add)
    assert provider.headers[0]["Authorization"] == "Bearer none"


async def test_tool_results_go_back_with_their_calls() -> None:
    messages = [
        QUESTION,
        ModelMessage(
            role="assistant", tool_calls=(ToolCall(id="c1", name="find_jobs", arguments={"name": "PAÍS"}),)
        ),
        ModelMessage(role="tool", tool_call_id="c1", text="none"),
    ]
    async with open_provider("openai") as (provider, model):
        provider.say("None.")
        await model.complete(messages, [JOBS_SPEC], Pieces().add)
    assert provider.requests[0]["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "find_jobs", "arguments": '{"name": "PAÍS"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "none"},
    ]


async def test_a_server_that_counts_nothing_is_fine() -> None:
    async with open_provider("openai") as (provider, model):
        assert isinstance(provider, FakeOpenAi)
        provider.stream({"content": "Because."}, finish="stop")
        turn = await model.complete([QUESTION], [], Pieces().add)
    assert (turn.text, turn.input_tokens, turn.output_tokens) == ("Because.", None, None)


async def test_interleaved_calls_are_told_apart_by_index() -> None:
    async with open_provider("openai") as (provider, model):
        assert isinstance(provider, FakeOpenAi)
        provider.stream(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "one", "arguments": ""}}]},
            {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "two", "arguments": "{"}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"x": 1}'}}]},
            {"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]},
            finish="tool_calls",
        )
        turn = await model.complete([QUESTION], [JOBS_SPEC], Pieces().add)
    assert turn.tool_calls == (
        ToolCall(id="a", name="one", arguments={"x": 1}),
        ToolCall(id="b", name="two", arguments={}),
    )


@pytest.mark.parametrize("index", [{"index": 0}, {}], ids=["all zero", "none"])
async def test_calls_without_proper_index_are_told_apart_by_id(index: dict[str, int]) -> None:
    async with open_provider("openai") as (provider, model):
        assert isinstance(provider, FakeOpenAi)
        provider.stream(
            {"tool_calls": [{**index, "id": "a", "function": {"name": "one", "arguments": "{}"}}]},
            {"tool_calls": [{**index, "id": "b", "function": {"name": "two", "arguments": "{}"}}]},
            finish="tool_calls",
        )
        turn = await model.complete([QUESTION], [JOBS_SPEC], Pieces().add)
    assert [(call.id, call.name) for call in turn.tool_calls] == [("a", "one"), ("b", "two")]


async def test_calls_without_id_get_one_and_stop_counts_as_tools() -> None:
    async with open_provider("openai") as (provider, model):
        assert isinstance(provider, FakeOpenAi)
        provider.stream(
            {"tool_calls": [{"index": 0, "function": {"name": "one", "arguments": "{}"}}]}, finish="stop"
        )
        turn = await model.complete([QUESTION], [JOBS_SPEC], Pieces().add)
    assert turn.tool_calls == (ToolCall(id="call_1", name="one", arguments={}),)
    assert turn.stop_reason == "tools"
