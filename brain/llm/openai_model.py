"""A model behind the chat completions protocol: OpenAI, and llama.cpp, Ollama, vLLM and the like.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import openai
from pydantic import BaseModel, ConfigDict

from .failures import read_arguments, told_as_unavailable
from .model import ModelMessage, ModelTurn, ModelUnavailableError, OnDelta, StopReason, ToolCall, ToolSpec
from .settings import LlmSettings

__all__ = ["OpenAiModel"]

_PUBLIC_URL = "https://api.openai.com/v1"

_STOP_REASONS: dict[str, StopReason] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "refusal",
}


class _Part(BaseModel):
    """What a chunk holds that matters here. The SDK does not check types, these models do."""

    model_config = ConfigDict(from_attributes=True)


class _Function(_Part):
    name: str | None = None
    arguments: str | None = None


class _CallPiece(_Part):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(_Part):
    content: str | None = None
    tool_calls: list[_CallPiece] | None = None


class _Choice(_Part):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(_Part):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class OpenAiModel:
    """One model at one server."""

    def __init__(self, settings: LlmSettings) -> None:
        self.name = settings.model
        self._client = openai.AsyncOpenAI(
            # Own servers without keys still get a header; the SDK would look in the environment for None.
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            base_url=settings.base_url or _PUBLIC_URL,
            timeout=settings.request_timeout_seconds,
            max_retries=0,  # the tool loop retries, within its time limit
        )
        # OpenAI's reasoning models refuse the old name, other servers may not know the new one.
        limit_name = "max_completion_tokens" if settings.base_url is None else "max_tokens"
        self._options: dict[str, Any] = {limit_name: settings.max_output_tokens}
        if settings.temperature is not None:
            self._options["temperature"] = settings.temperature

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says."""
        answer = _Answer()
        async with aclosing(self._stream(messages, tools)) as chunks:
            async for chunk in chunks:
                for piece in answer.add(chunk):
                    await on_delta(piece)
        return answer.to_turn()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _stream(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[_Chunk]:
        options = dict(self._options)
        if tools:
            options["tools"] = [_to_tool(spec) for spec in tools]
        with told_as_unavailable(openai.OpenAIError):
            stream = await self._client.chat.completions.create(
                model=self.name,
                messages=[_to_message(message) for message in messages],
                stream=True,
                stream_options={"include_usage": True},
                **options,
            )
            async with stream:
                async for chunk in stream:
                    yield _Chunk.model_validate(chunk)


class _Answer:
    """Chunks added up to a turn."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: list[_Call] = []
        self._finish_reason: str | None = None
        self._usage = _Usage()

    def add(self, chunk: _Chunk) -> list[str]:
        """Takes a chunk; returns the pieces of text in it."""
        if chunk.usage:
            self._usage = chunk.usage
        pieces = []
        for choice in chunk.choices or ():
            self._finish_reason = choice.finish_reason or self._finish_reason
            if choice.delta and choice.delta.content:
                pieces.append(choice.delta.content)
            for piece in (choice.delta and choice.delta.tool_calls) or ():
                self._add_call(piece)
        self._text += pieces
        return pieces

    def to_turn(self) -> ModelTurn:
        """The whole. Raises `ModelUnavailableError` when the stream ended too early or strangely."""
        if self._finish_reason is None:
            raise ModelUnavailableError("stream ended early", retryable=True)
        reason = _STOP_REASONS.get(self._finish_reason)
        if reason is None:
            raise ModelUnavailableError("unknown stop reason", retryable=False)
        calls = tuple(call.to_tool_call(number) for number, call in enumerate(self._calls, 1))
        return ModelTurn(
            text="".join(self._text),
            tool_calls=calls,
            # Some servers say "stop" although they call tools.
            stop_reason="tools" if calls and reason == "end" else reason,
            input_tokens=self._usage.prompt_tokens,
            output_tokens=self._usage.completion_tokens,
        )

    def _add_call(self, piece: _CallPiece) -> None:
        # Some servers number every call 0 or not at all, so a new id begins a new call too.
        call = next((call for call in reversed(self._calls) if call.continues_with(piece)), None)
        if call is None:
            call = _Call(piece)
            self._calls.append(call)
        call.add(piece)


class _Call:
    """A tool call that arrives in pieces."""

    def __init__(self, first: _CallPiece) -> None:
        self._index = first.index
        self._id = first.id or ""
        self._name = ""
        self._arguments: list[str] = []

    def continues_with(self, piece: _CallPiece) -> bool:
        return piece.index == self._index and (not piece.id or piece.id == self._id)

    def add(self, piece: _CallPiece) -> None:
        if piece.function:
            self._name = self._name or piece.function.name or ""
            self._arguments.append(piece.function.arguments or "")

    def to_tool_call(self, number: int) -> ToolCall:
        return ToolCall(
            id=self._id or f"call_{number}",
            name=self._name,
            arguments=read_arguments("".join(self._arguments)),
        )


def _to_tool(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": spec.name,
            "description": spec.description,
            "parameters": dict(spec.json_schema),
        },
    }


def _to_message(message: ModelMessage) -> Any:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    if not message.tool_calls:
        return {"role": message.role, "content": message.text}
    return {
        "role": "assistant",
        "content": message.text or None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
                },
            }
            for call in message.tool_calls
        ],
    }
