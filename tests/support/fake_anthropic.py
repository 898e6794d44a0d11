"""A server that speaks Anthropic's streaming messages, from a script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.scripted_provider import ScriptedProvider, Step, event


class FakeAnthropic(ScriptedProvider):
    """`say`, `call` and the like append a step to the script."""

    def __init__(self) -> None:
        super().__init__("/v1/messages")

    @property
    def base_url(self) -> str:
        return self.url

    def say(self, *pieces: str, finish: str = "end_turn") -> None:
        self.stream(text_block(0, pieces), finish=finish)

    def call(self, name: str, arguments: Mapping[str, Any] | str, call_id: str = "c1") -> None:
        self.stream(call_block(0, name, arguments, call_id), finish="tool_use")

    def break_off(self, *pieces: str) -> None:
        self.script.append(Step(events=[_START, *text_block(0, pieces)[:-1]], end="abort"))

    def end_early(self, *pieces: str) -> None:
        self.script.append(Step(events=[_START, *text_block(0, pieces)[:-1]]))

    def hang(self, *pieces: str) -> None:
        self.script.append(Step(events=[_START, *text_block(0, pieces)[:-1]], end="hang"))

    def send_garbage(self) -> None:
        self.script.append(Step(events=[_START, event('{"type": "content_bl', "content_block_delta")]))

    def send_wrong_types(self) -> None:
        delta = _typed("content_block_delta", index=0, delta={"type": "text_delta", "text": {"a": 1}})
        self.script.append(Step(events=[_START, delta]))

    def fail_inside(self) -> None:
        error = {"type": "overloaded_error", "message": "secret prompt"}
        self.script.append(Step(events=[_START, _typed("error", error=error)]))

    def refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        body = {"type": "error", "error": {"type": "some_error", "message": "wrong key sk-secret"}}
        self.script.append(Step(status=status, headers=headers or {}, body=body))

    def refuse_length(self) -> None:
        message = "prompt is too long: 204857 tokens > 200000 maximum"
        error = {"type": "invalid_request_error", "message": message}
        self.script.append(Step(status=400, body={"type": "error", "error": error}))

    def decline(self) -> None:
        self.say("I", finish="refusal")

    def run_out_of_tokens(self, text: str) -> None:
        self.say(text, finish="max_tokens")

    def stop_strangely(self) -> None:
        self.say("Hm.", finish="moon_phase")

    def stream(self, *blocks: Sequence[bytes], finish: str) -> None:
        """A whole stream of these blocks."""
        delta = {"stop_reason": finish, "stop_sequence": None}
        events = [
            _START,
            _typed("ping"),
            *(piece for block in blocks for piece in block),
            _typed("message_delta", delta=delta, usage={"output_tokens": 7}),
            _typed("message_stop"),
        ]
        self.script.append(Step(events=events))


def text_block(index: int, pieces: Sequence[str]) -> list[bytes]:
    """A block of text in these pieces."""
    return _block(index, {"type": "text", "text": ""}, [{"type": "text_delta", "text": p} for p in pieces])


def call_block(index: int, name: str, arguments: Mapping[str, Any] | str, call_id: str) -> list[bytes]:
    """A tool call whose arguments come in two pieces."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    halves = (text[: len(text) // 2], text[len(text) // 2 :])
    start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    return _block(index, start, [{"type": "input_json_delta", "partial_json": half} for half in halves])


def thinking_block(index: int, thought: str, signature: str) -> list[bytes]:
    """A signed thought."""
    deltas = [
        {"type": "thinking_delta", "thinking": thought},
        {"type": "signature_delta", "signature": signature},
    ]
    return _block(index, {"type": "thinking", "thinking": "", "signature": ""}, deltas)


def redacted_block(index: int, data: str) -> list[bytes]:
    """A thought that the provider encrypted."""
    return _block(index, {"type": "redacted_thinking", "data": data}, [])


def _block(index: int, start: Mapping[str, Any], deltas: Sequence[Mapping[str, Any]]) -> list[bytes]:
    return [
        _typed("content_block_start", index=index, content_block=start),
        *(_typed("content_block_delta", index=index, delta=delta) for delta in deltas),
        _typed("content_block_stop", index=index),
    ]


def _typed(name: str, **fields: Any) -> bytes:
    return event({"type": name, **fields}, name)


_START = _typed(
    "message_start",
    message={
        "id": "x",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    },
)
