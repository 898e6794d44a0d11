"""A model behind Anthropic's messages protocol.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import anthropic
from pydantic import AliasChoices, AliasPath, Field

from .model import ModelMessage, ModelTurn, OnDelta, StopReason, ToolCall, ToolSpec
from .settings import ModelSettings
from .stream import Part, Text, read_arguments, read_stop_reason, told_as_unavailable

_PUBLIC_URL = "https://api.anthropic.com"

_STOP_REASONS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}

_SENT_BACK = {
    "text": {"type", "text"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name"},
}
"""Fields by type of block: a model that thought before a tool call must get its thoughts unchanged."""


class _Usage(Part):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Content(Part):
    """A block, or what is added to one."""

    type: Text = ""
    text: Text = ""
    thinking: Text = ""
    signature: Text = ""
    data: Text = ""
    id: Text = ""
    name: Text = ""
    partial_json: Text = ""
    """A tool call's arguments as they arrive."""


class _Event(Part):
    index: int = 0
    content_block: _Content | None = None
    delta: _Content | None = None
    stop_reason: str | None = Field(default=None, validation_alias=AliasPath("delta", "stop_reason"))
    usage: _Usage | None = Field(
        default=None, validation_alias=AliasChoices("usage", AliasPath("message", "usage"))
    )


class AnthropicModel:
    """One model at one server."""

    def __init__(self, settings: ModelSettings) -> None:
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
        self._blocks: dict[int, _Content] = {}
        self._stop_reason: str | None = None
        self._usage = _Usage()

    def add(self, event: _Event) -> str:
        """Takes an event; returns the piece of text in it, empty when there is none."""
        self._stop_reason = event.stop_reason or self._stop_reason
        if event.usage:
            self._usage.input_tokens = event.usage.input_tokens or self._usage.input_tokens
            self._usage.output_tokens = event.usage.output_tokens or self._usage.output_tokens
        if event.content_block:
            self._blocks[event.index] = event.content_block
            return event.content_block.text
        if event.delta is None:
            return ""
        if block := self._blocks.get(event.index):
            block.text += event.delta.text
            block.thinking += event.delta.thinking
            block.signature += event.delta.signature
            block.partial_json += event.delta.partial_json
        return event.delta.text

    def to_turn(self) -> ModelTurn:
        """The whole. Raises `ModelUnavailableError` when the stream ended too early or strangely."""
        reason = read_stop_reason(self._stop_reason, _STOP_REASONS)
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


def _goes_back(block: _Content) -> bool:
    # The API refuses empty texts.
    return block.type in _SENT_BACK and (block.type != "text" or bool(block.text))


def _to_content(block: _Content) -> dict[str, Any]:
    content = block.model_dump(include=_SENT_BACK[block.type])
    if block.type == "tool_use":
        content["input"] = read_arguments(block.partial_json)
    return content


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
