"""A model whose calls are recorded and paid for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from observability.tracing import Tracer

from .calls import Ending, ModelCalls, Outcome, Usage
from .heard import Heard
from .model import Model, ModelMessage, ModelTurn, ModelUnavailableError, OnDelta, ToolSpec
from .payer import PAYER
from .settings import LlmSettings

_CHARS_PER_TOKEN = 3
"""Fewer than models have on average, so that an estimate is rather too high."""


class Metered:
    """Asks the model where a budget allows it, and records each call in the ledger and in the trace."""

    def __init__(self, model: Model, *, settings: LlmSettings, calls: ModelCalls, tracer: Tracer) -> None:
        self.name = model.name
        self._model = model
        self._settings = settings
        self._calls = calls
        self._tracer = tracer
        self._endings: set[asyncio.Task[None]] = set()

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says. Raises `BudgetExhaustedError` before anything is sent."""
        payer, sent = PAYER.get(), [_plain(message) for message in messages]
        most = self._most(sent, tools)
        kept = sent if self._settings.keep_sent_days else None
        call_id = await self._calls.begin(payer, self.name, most, kept)
        span = self._tracer.model_call(turn_id=payer.turn_id, task=payer.task, model=self.name)
        started, heard = time.perf_counter(), Heard(on_delta)
        # Unless the provider ends it, what it bills is not known.
        ending = Ending(
            outcome="unavailable", model=self.name, usage=most, reason="broken off", latency=timedelta()
        )
        try:
            turn = await self._model.complete(messages, tools, heard)
            outcome: Outcome = "refused" if turn.stop_reason == "refusal" else "ok"
            model = turn.model or self.name
            ending = replace(
                ending, outcome=outcome, model=model, usage=self._used(turn, most, model), reason=""
            )
        except ModelUnavailableError as error:
            # Providers do not bill what they never began to answer.
            usage = most if heard.anything else self._usage(0, 0)
            ending = replace(ending, usage=usage, reason=error.reason)
            raise
        finally:
            ending = replace(ending, latency=timedelta(seconds=time.perf_counter() - started))
            span.end(**asdict(ending.usage), outcome=ending.outcome, reason=ending.reason)
            self._record(call_id, ending)
        return turn

    async def aclose(self) -> None:
        """Waits until all that ended is recorded, and closes the connections."""
        await asyncio.gather(*self._endings)
        await self._model.aclose()

    def _most(self, sent: Sequence[dict[str, Any]], tools: Sequence[ToolSpec]) -> Usage:
        """What the call may use: all that is sent, and the longest answer."""
        size = json.dumps([sent, [(tool.name, tool.description, dict(tool.json_schema)) for tool in tools]])
        return self._usage(_estimate(size), self._settings.max_output_tokens)

    def _used(self, turn: ModelTurn, most: Usage, model: str) -> Usage:
        """What the provider counted, else an estimate."""
        counted, answered = turn.input_tokens, turn.output_tokens
        return self._usage(
            most.input_tokens if counted is None else counted,
            _estimate(turn.text) if answered is None else answered,
            model,
        )

    def _usage(self, input_tokens: int, output_tokens: int, model: str = "") -> Usage:
        price = self._settings.prices.get(model or self.name)
        cost = None if price is None else price.of(input_tokens, output_tokens)
        return Usage(input_tokens=input_tokens, output_tokens=output_tokens, cost=cost)

    def _record(self, call_id: str, ending: Ending) -> None:
        """Stores the ending in the background: no answer waits for it."""
        task = asyncio.create_task(self._calls.end(call_id, ending), name=f"model-call-{call_id}")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _plain(message: ModelMessage) -> dict[str, Any]:
    """What a provider is told by the message, without what is empty."""
    calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in message.tool_calls]
    return {"role": message.role, "text": message.text, **({"tool_calls": calls} if calls else {})}


def _estimate(text: str) -> int:
    """Tokens of a text that nobody counted."""
    return -(-len(text) // _CHARS_PER_TOKEN)
