"""A model behind the chat completions protocol: OpenAI, and llama.cpp, Ollama, vLLM and the like.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import openai
from pydantic import AliasPath, Field

from .model import ModelMessage, ModelTurn, OnDelta, StopReason, ToolCall, ToolSpec
from .settings import ModelSettings
from .stream import Part, Text, read_arguments, read_stop_reason, told_as_unavailable

_PUBLIC_URL = "https://api.openai.com/v1"

_STOP_REASONS: dict[str, StopReason] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "refusal",
}


class _Call(Part):
    """A tool call or a piece of one."""

    index: int | None = None
    id: Text = ""
    name: Text = Field(default="", validation_alias=AliasPath("function", "name"))
    arguments: Text = Field(default="", validation_alias=AliasPath("function", "arguments"))


class _Choice(Part):
    text: Text = Field(default="", validation_alias=AliasPath("delta", "content"))
    tool_calls: list[_Call] | None = Field(default=None, validation_alias=AliasPath("delta", "tool_calls"))
    finish_reason: str | None = None


class _Usage(Part):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(Part):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class OpenAiModel:
    """One model at one server."""

    def __init__(self, settings: ModelSettings) -> None:
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
                if piece := answer.add(chunk):
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
        self._text = ""
        self._calls: list[_Call] = []
        self._finish_reason: str | None = None
        self._usage = _Usage()

    def add(self, chunk: _Chunk) -> str:
        """Takes a chunk; returns the text in it, empty when there is none."""
        self._usage = chunk.usage or self._usage
        text = ""
        for choice in chunk.choices or ():
            self._finish_reason = choice.finish_reason or self._finish_reason
            text += choice.text
            for piece in choice.tool_calls or ():
                self._add_call(piece)
        self._text += text
        return text

    def to_turn(self) -> ModelTurn:
        """The whole. Raises `ModelUnavailableError` when the stream ended too early or strangely."""
        reason = read_stop_reason(self._finish_reason, _STOP_REASONS)
        calls = tuple(
            ToolCall(id=call.id or f"call_{number}", name=call.name, arguments=read_arguments(call.arguments))
            for number, call in enumerate(self._calls, 1)
        )
        return ModelTurn(
            text=self._text,
            tool_calls=calls,
            # Some servers say "stop" although they call tools.
            stop_reason="tools" if calls and reason == "end" else reason,
            input_tokens=self._usage.prompt_tokens,
            output_tokens=self._usage.completion_tokens,
        )

    def _add_call(self, piece: _Call) -> None:
        for call in reversed(self._calls):
            # Some servers number every call 0 or not at all, so a new id begins a new call too.
            if call.index == piece.index and piece.id in {"", call.id}:
                call.name = call.name or piece.name
                call.arguments += piece.arguments
                return
        self._calls.append(piece)


def _to_tool(spec: ToolSpec) -> dict[str, Any]:
    function = {"name": spec.name, "description": spec.description, "parameters": dict(spec.json_schema)}
    return {"type": "function", "function": function}


def _to_call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _to_message(message: ModelMessage) -> Any:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    if not message.tool_calls:
        return {"role": message.role, "content": message.text}
    return {
        "role": "assistant",
        "content": message.text or None,
        "tool_calls": [_to_call(call) for call in message.tool_calls],
    }
