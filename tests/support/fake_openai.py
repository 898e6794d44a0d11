"""A server that speaks OpenAI's streaming chat completions, from a script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.scripted_provider import ScriptedProvider, Step, event


class FakeOpenAi(ScriptedProvider):
    """`say`, `call` and the like append a step to the script."""

    def __init__(self) -> None:
        super().__init__("/v1/chat/completions")

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def say(self, *pieces: str, finish: str = "stop") -> None:
        self.stream(
            *({"content": piece} for piece in pieces),
            finish=finish,
            usage={"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        )

    def call(self, name: str, arguments: Mapping[str, Any] | str, call_id: str = "c1") -> None:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        middle = len(text) // 2
        self.stream(
            {"tool_calls": [_call(call_id, name, text[:middle])]},
            {"tool_calls": [_call(None, None, text[middle:])]},
            finish="tool_calls",
        )

    def break_off(self, *pieces: str) -> None:
        events = [_chunk({"content": piece}) for piece in pieces]
        self.script.append(Step(events=events, end="abort"))

    def end_early(self, *pieces: str) -> None:
        self.script.append(Step(events=[_chunk({"content": piece}) for piece in pieces]))

    def hang(self, *pieces: str) -> None:
        events = [_chunk({"content": piece}) for piece in pieces]
        self.script.append(Step(events=events, end="hang"))

    def send_garbage(self) -> None:
        self.script.append(Step(events=[event('{"choices": [{"del')]))

    def send_wrong_types(self) -> None:
        self.script.append(Step(events=[event({"choices": [{"index": 0, "delta": {"content": {"a": 1}}}]})]))

    def fail_inside(self) -> None:
        error = {"error": {"message": "secret prompt", "type": "server_error"}}
        self.script.append(Step(events=[event(error)]))

    def refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        body = {"error": {"message": "wrong key sk-secret", "type": "error", "code": None}}
        self.script.append(Step(status=status, headers=headers or {}, body=body))

    def refuse_length(self) -> None:
        error = {"message": "sk-secret", "type": "invalid_request_error", "code": "context_length_exceeded"}
        self.script.append(Step(status=400, body={"error": error}))

    def decline(self) -> None:
        self.say("I", finish="content_filter")

    def run_out_of_tokens(self, text: str) -> None:
        self.say(text, finish="length")

    def stop_strangely(self) -> None:
        self.say("Hm.", finish="moon_phase")

    def stream(
        self, *deltas: Mapping[str, Any], finish: str | None = None, usage: Mapping[str, int] | None = None
    ) -> None:
        """A whole stream of these deltas."""
        events: Sequence[bytes] = [
            _chunk({"role": "assistant", "content": ""}),
            *(_chunk(delta) for delta in deltas),
            _chunk({}, finish=finish),
            *([event({**_HEAD, "choices": [], "usage": usage})] if usage else []),
            event("[DONE]"),
        ]
        self.script.append(Step(events=events))


_HEAD = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    return event({**_HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _call(call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    piece: dict[str, Any] = {"index": 0, "function": function}
    return piece if call_id is None else {**piece, "id": call_id, "type": "function"}
