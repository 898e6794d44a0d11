"""A model behind Anthropic's messages protocol.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, TypeAlias

import anthropic
from pydantic import BaseModel, BeforeValidator, ConfigDict

from .failures import read_arguments, told_as_unavailable
from .model import ModelMessage, ModelTurn, ModelUnavailableError, OnDelta, StopReason, ToolCall, ToolSpec
from .settings import LlmSettings

__all__ = ["AnthropicModel"]

_PUBLIC_URL = "https://api.anthropic.com"

_STOP_REASONS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


_Text: TypeAlias = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""The SDK makes None of what a compatible server leaves out."""


class _Part(BaseModel):
    """What an event holds that matters here. The SDK does not check types, these models do."""

    model_config = ConfigDict(from_attributes=True)


class _Usage(_Part):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Message(_Part):
    usage: _Usage | None = None


class _Block(_Part):
    type: str
    text: _Text = ""
    id: _Text = ""
    name: _Text = ""
    thinking: _Text = ""
    signature: _Text = ""
    data: _Text = ""
    partial_json: str = ""
    """A tool call's arguments as they arrive."""


class _Delta(_Part):
    text: _Text = ""
    partial_json: _Text = ""
    thinking: _Text = ""
    signature: _Text = ""
    stop_reason: str | None = None


class _Event(_Part):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None


class AnthropicModel:
    """One model at one server."""

    def __init__(self, settings: LlmSettings) -> None:
        self.name = settings.model
        self._client = anthropic.AsyncAnthropic(
            # Own servers without keys still get a header; the SDK would look in the environment for None.
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            base_url=settings.base_url or _PUBLIC_URL,
            timeout=settings.request_timeout_seconds,
            max_retries=0,  # the tool loop retries, within its time limit
        )
        self._max_tokens = settings.max_output_tokens
        # Part of the protocol for the models that allow it, but no longer a parameter of the SDK.
        self._extra_body = {} if settings.temperature is None else {"temperature": settings.temperature}

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says."""
        answer = _Answer()
        async with aclosing(self._stream(messages, tools)) as events:
            async for event in events:
                if piece := answer.add(event):
                    await on_delta(piece)
        return answer.to_turn()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _stream(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[_Event]:
        system = "\n\n".join(message.text for message in messages if message.role == "system")
        with told_as_unavailable(anthropic.AnthropicError):
            stream = await self._client.messages.create(
                model=self.name,
                max_tokens=self._max_tokens,
                messages=_to_messages(messages),
                system=system or anthropic.omit,
                tools=[_to_tool(spec) for spec in tools] or anthropic.omit,
                stream=True,
                extra_body=self._extra_body,
            )
            async with stream:
                async for event in stream:
                    yield _Event.model_validate(event)


class _Answer:
    """Events added up to a turn."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._stop_reason: str | None = None
        self._usage = _Usage()

    def add(self, event: _Event) -> str:
        """Takes an event; returns the piece of text in it, empty when there is none."""
        self._count(event.message.usage if event.message else event.usage)
        if event.content_block:
            self._blocks[event.index] = event.content_block
            return event.content_block.text
        if event.delta is None:
            return ""
        self._stop_reason = event.delta.stop_reason or self._stop_reason
        if block := self._blocks.get(event.index):
            block.text += event.delta.text
            block.thinking += event.delta.thinking
            block.signature += event.delta.signature
            block.partial_json += event.delta.partial_json
        return event.delta.text

    def to_turn(self) -> ModelTurn:
        """The whole. Raises `ModelUnavailableError` when the stream ended too early or strangely."""
        if self._stop_reason is None:
            raise ModelUnavailableError("stream ended early", retryable=True)
        reason = _STOP_REASONS.get(self._stop_reason)
        if reason is None:
            raise ModelUnavailableError("unknown stop reason", retryable=False)
        blocks = list(self._blocks.values())
        return ModelTurn(
            text="".join(block.text for block in blocks if block.type == "text"),
            tool_calls=tuple(
                ToolCall(id=block.id, name=block.name, arguments=read_arguments(block.partial_json))
                for block in blocks
                if block.type == "tool_use"
            ),
            stop_reason=reason,
            input_tokens=self._usage.input_tokens,
            output_tokens=self._usage.output_tokens,
            raw=[_to_content(block) for block in blocks if _goes_back(block)],
        )

    def _count(self, usage: _Usage | None) -> None:
        if usage:
            self._usage = _Usage(
                input_tokens=usage.input_tokens or self._usage.input_tokens,
                output_tokens=usage.output_tokens or self._usage.output_tokens,
            )


def _goes_back(block: _Block) -> bool:
    # The API refuses empty texts.
    return block.type in {"thinking", "redacted_thinking", "tool_use"} or bool(block.text)


def _to_content(block: _Block) -> dict[str, Any]:
    """A block as it goes back: a model that thought before a tool call must get its thoughts unchanged."""
    match block.type:
        case "thinking":
            return {"type": "thinking", "thinking": block.thinking, "signature": block.signature}
        case "redacted_thinking":
            return {"type": "redacted_thinking", "data": block.data}
        case "tool_use":
            return {
                "type": "tool_use",
                "id": block.id,
                "name": block.name,
                "input": read_arguments(block.partial_json),
            }
        case _:
            return {"type": "text", "text": block.text}


def _to_tool(spec: ToolSpec) -> Any:
    return {"name": spec.name, "description": spec.description, "input_schema": dict(spec.json_schema)}


def _to_messages(messages: Sequence[ModelMessage]) -> list[Any]:
    """Without system texts; the results of one turn's tools together in one message, as the API wants them."""
    converted: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if converted and converted[-1]["role"] == role:
            converted[-1]["content"] += _content_of(message)
        else:
            converted.append({"role": role, "content": _content_of(message)})
    return converted


def _content_of(message: ModelMessage) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [
            {
                "type": "tool_result",
                "tool_use_id": message.tool_call_id,
                "content": message.text,
                "is_error": message.is_error,
            }
        ]
    if isinstance(message.raw, list):
        return list(message.raw)
    text = [{"type": "text", "text": message.text}] if message.text else []
    return text + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
        for call in message.tool_calls
    ]
