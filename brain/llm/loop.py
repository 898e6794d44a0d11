"""Lets a model use tools until it has an answer, within bounds that it cannot move."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import structlog

from .data_block import to_data_block
from .heard import Heard
from .model import Model, ModelMessage, ModelTurn, ModelUnavailableError, OnDelta, ToolCall, ToolSpec
from .settings import LlmSettings

_log = structlog.get_logger(__name__)

OnProgress: TypeAlias = Callable[[str], Awaitable[None]]
"""Called with a tool's name before it runs."""

_RETRY_PAUSE_SECONDS = 0.5
_LONGEST_RETRY_PAUSE_SECONDS = 5.0
"""A person waits: beyond this the answer without a model comes sooner."""

_CALL_AS_TEXT = re.compile(
    r'(?:<tool_call>|```(?:json)?)?\s*\[?\s*\{\s*"name"\s*:\s*"[\w-]+"\s*,\s*"(?:arguments|parameters)"\s*:'
)
"""What small models write, or servers pass on, where a call should be."""

_MAX_SAME_CALLS = 3
"""The first runs, the second is refused, the third shows that the model will not stop."""


class ToolArgumentsError(Exception):
    """The model called a tool with arguments of the wrong type or with unknown values.

    The message is told to the model, so that it can do better.
    """


class RunnableTool(Protocol):
    """A tool that the model may call."""

    @property
    def spec(self) -> ToolSpec:
        """What the model is told about it; the same at each call."""
        ...

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Text for the model. Raises `ToolArgumentsError`; any other error ends the loop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallRecord:
    """A call that the model made."""

    name: str
    arguments: Mapping[str, Any]
    outcome: Literal["ran", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopResult:
    """The model's answer and how it came to it."""

    text: str
    """Never blank."""
    calls: tuple[ToolCallRecord, ...]
    """In order."""
    degraded: frozenset[str] = frozenset()
    """`model_fallback` where another model than the first one answered."""
    tokens: int = 0
    """In and out, as far as the provider counts."""


class _Bench:
    """The tools of one run and what was done with them."""

    def __init__(self, tools: Sequence[RunnableTool], on_progress: OnProgress) -> None:
        self.specs = [tool.spec for tool in tools]
        self.records: list[ToolCallRecord] = []
        self.tokens = 0
        self._tools = {tool.spec.name: tool for tool in tools}
        self._on_progress = on_progress
        self._seen: Counter[str] = Counter()

    async def answer(self, call: ToolCall, *, is_last: bool) -> ModelMessage:
        """Runs the call or refuses it; either way the model is told."""
        outcome: Literal["ran", "refused"] = "ran"
        try:
            text = await self._run(call)
        except ToolArgumentsError as error:
            outcome = "refused"
            text = f"Not run: {error}"
        self.records.append(ToolCallRecord(name=call.name, arguments=call.arguments, outcome=outcome))
        if is_last:
            text += "\nNo more tool calls are possible. Answer now from what you have."
        return ModelMessage(role="tool", tool_call_id=call.id, text=text, is_error=outcome == "refused")

    async def _run(self, call: ToolCall) -> str:
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolArgumentsError(f"there is no such tool; the tools are {', '.join(self._tools)}")
        self._count(call)
        await self._on_progress(call.name)
        return to_data_block(call.name, await tool.run(call.arguments))

    def _count(self, call: ToolCall) -> None:
        key = call.name + json.dumps(dict(call.arguments), sort_keys=True)
        self._seen[key] += 1
        if self._seen[key] >= _MAX_SAME_CALLS:
            raise ModelUnavailableError("the model repeats the same tool call", retryable=False)
        if self._seen[key] > 1:
            raise ToolArgumentsError("already called with these arguments, the answer is above")


class ToolLoop:
    """Asks the model, runs the tools it wants, asks again.

    At most `max_rounds` questions and `time_limit_seconds` in all, however the model behaves.
    """

    def __init__(self, model: Model, settings: LlmSettings) -> None:
        self._model = model
        self._max_rounds = settings.max_rounds
        self._time_limit = settings.time_limit_seconds

    async def run(
        self,
        system: str,
        history: Sequence[ModelMessage],
        question: str,
        tools: Sequence[RunnableTool],
        on_delta: OnDelta,
        on_progress: OnProgress,
    ) -> LoopResult:
        """The answer to the question.

        `on_delta` gets all text as it arrives, also what the model says between tool calls; only the last
        turn's text is the answer. Raises `ModelUnavailableError` when there is none, and whatever a tool
        raises other than `ToolArgumentsError`.
        """
        messages = [
            ModelMessage(role="system", text=system),
            *history,
            ModelMessage(role="user", text=question),
        ]
        bench = _Bench(tools, on_progress)
        try:
            async with asyncio.timeout(self._time_limit) as deadline:
                turn = await self._converse(messages, bench, on_delta)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise ModelUnavailableError("no answer within the time limit", retryable=True) from None
        return LoopResult(
            text=_answer_of(turn),
            calls=tuple(bench.records),
            degraded=frozenset({"model_fallback"}) if turn.stood_in else frozenset(),
            tokens=bench.tokens,
        )

    async def _converse(self, messages: list[ModelMessage], bench: _Bench, on_delta: OnDelta) -> ModelTurn:
        for round_number in range(1, self._max_rounds + 1):
            turn = await self._ask(messages, bench.specs, on_delta)
            _log.info(
                "model_turn",
                model=turn.model,
                round=round_number,
                stop_reason=turn.stop_reason,
                tools=[call.name for call in turn.tool_calls],
                input_tokens=turn.input_tokens,
                output_tokens=turn.output_tokens,
            )
            bench.tokens += (turn.input_tokens or 0) + (turn.output_tokens or 0)
            if not turn.tool_calls:
                return turn
            messages.append(
                ModelMessage(role="assistant", text=turn.text, tool_calls=turn.tool_calls, raw=turn.raw)
            )
            is_last = round_number + 1 >= self._max_rounds
            messages += [await bench.answer(call, is_last=is_last) for call in turn.tool_calls]
        raise ModelUnavailableError(f"no answer in {self._max_rounds} rounds", retryable=False)

    async def _ask(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """One turn, with a second try for what may pass, unless a part of the first was already shown."""
        heard = Heard(on_delta)
        try:
            return await self._model.complete(messages, tools, heard)
        except ModelUnavailableError as error:
            pause = max(error.retry_after_seconds, _RETRY_PAUSE_SECONDS)
            if heard.anything or not error.retryable or pause > _LONGEST_RETRY_PAUSE_SECONDS:
                raise
            _log.warning("model_retry", model=self._model.name, reason=error.reason, pause_seconds=pause)
        await asyncio.sleep(pause)
        return await self._model.complete(messages, tools, on_delta)


def _answer_of(turn: ModelTurn) -> str:
    text = turn.text.strip()
    if turn.stop_reason == "refusal":
        raise ModelUnavailableError("the model declined to answer", retryable=False)
    if not text:
        raise ModelUnavailableError("empty answer", retryable=True)
    if _CALL_AS_TEXT.match(text):
        raise ModelUnavailableError("a tool call written as text", retryable=False)
    return f"{text} …" if turn.stop_reason == "length" else text
