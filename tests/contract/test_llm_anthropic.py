"""What goes over the wire to Anthropic's protocol, and its peculiarities."""

from __future__ import annotations

import pytest

from brain.llm.model import ModelMessage, ToolCall
from tests.support.fake_anthropic import FakeAnthropic, call_block, redacted_block, text_block, thinking_block
from tests.support.providers import JOBS_SPEC, Pieces, open_provider

QUESTION = ModelMessage(role="user", text="Why?")


async def test_the_request_is_what_the_messages_api_wants() -> None:
    async with open_provider("anthropic", max_output_tokens=55, temperature=0.1) as (provider, model):
        provider.say("Because.")
        await model.complete(
            [ModelMessage(role="system", text="Short."), QUESTION], [JOBS_SPEC], Pieces().add
        )
    assert provider.headers[0]["Authorization"] == "Bearer sk-secret"
    assert provider.requests == [
        {
            "model": "m-1",
            "max_tokens": 55,
            "system": "Short.",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}],
            "tools": [
                {
                    "name": "find_jobs",
                    "description": "Jobs of the plan by name.",
                    "input_schema": JOBS_SPEC.json_schema,
                }
            ],
            "temperature": 0.1,
            "stream": True,
        }
    ]


async def test_without_tools_system_and_temperature_none_is_sent() -> None:
    async with open_provider("anthropic") as (provider, model):
        provider.say("Because.")
        await model.complete([QUESTION], [], Pieces().add)
    assert not {"tools", "system", "temperature"} & provider.requests[0].keys()


async def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-somebody-else")
    async with open_provider("anthropic", api_key=None) as (provider, model):
        provider.say("Because.")
        await model.complete([QUESTION], [], Pieces().add)
    assert provider.headers[0]["Authorization"] == "Bearer none"


async def test_results_of_one_turns_tools_go_back_in_one_message() -> None:
    calls = (
        ToolCall(id="a", name="find_jobs", arguments={"name": "A"}),
        ToolCall(id="b", name="find_jobs", arguments={"name": "B"}),
    )
    messages = [
        QUESTION,
        ModelMessage(role="assistant", text="I look.", tool_calls=calls),
        ModelMessage(role="tool", tool_call_id="a", text="none"),
        ModelMessage(role="tool", tool_call_id="b", text="unknown", is_error=True),
    ]
    async with open_provider("anthropic") as (provider, model):
        provider.say("None.")
        await model.complete(messages, [JOBS_SPEC], Pieces().add)
    assert provider.requests[0]["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "a", "name": "find_jobs", "input": {"name": "A"}},
                {"type": "tool_use", "id": "b", "name": "find_jobs", "input": {"name": "B"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "none", "is_error": False},
                {"type": "tool_result", "tool_use_id": "b", "content": "unknown", "is_error": True},
            ],
        },
    ]


async def test_thoughts_go_back_unchanged_and_are_not_shown() -> None:
    async with open_provider("anthropic") as (provider, model):
        assert isinstance(provider, FakeAnthropic)
        provider.stream(
            thinking_block(0, "Let me see.", "sig=="),
            redacted_block(1, "x0f"),
            text_block(2, []),
            text_block(3, ["I look."]),
            call_block(4, "find_jobs", {"name": "A"}, "a"),
            finish="tool_use",
        )
        provider.say("None.")
        pieces = Pieces()
        turn = await model.complete([QUESTION], [JOBS_SPEC], pieces.add)
        answer = ModelMessage(role="assistant", text=turn.text, tool_calls=turn.tool_calls, raw=turn.raw)
        result = ModelMessage(role="tool", tool_call_id="a", text="none")
        await model.complete([QUESTION, answer, result], [JOBS_SPEC], Pieces().add)
    assert pieces == ["I look."]
    assert turn.text == "I look."
    assert provider.requests[1]["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "x0f"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "a", "name": "find_jobs", "input": {"name": "A"}},
    ]
