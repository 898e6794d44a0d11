"""Puts masks between the product and a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from security.personal_data import Kind

from .masking import Masks, Restored, each_text
from .model import Model, ModelMessage, ModelTurn, OnDelta, ToolSpec
from .prompt import fixed_chars


class Masked:
    """A model that is told no secrets and no personal data; `brain/llm/masking.py` says what comes back."""

    def __init__(self, model: Model, kinds: Sequence[Kind]) -> None:
        self.name = model.name
        self._model = model
        self._kinds = kinds

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says. What stands in the system prompts that ship with Resync is not masked."""
        masks = Masks(self._kinds)
        restored = Restored(masks)

        async def show(piece: str) -> None:
            if ready := restored.add(piece):
                await on_delta(ready)

        # Long logs take tens of milliseconds, which other turns should not wait for.
        hidden = await asyncio.to_thread(lambda: [_hidden(each, masks) for each in messages])
        turn = await self._model.complete(hidden, tools, show)
        if rest := restored.rest():
            await on_delta(rest)
        calls = (
            replace(call, arguments=each_text(call.arguments, masks.restore)) for call in turn.tool_calls
        )
        return replace(turn, text=masks.restore(turn.text), tool_calls=tuple(calls))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._model.aclose()


def _hidden(message: ModelMessage, masks: Masks) -> ModelMessage:
    """`raw` is what a model wrote from placeholders, so that it stays."""
    fixed = fixed_chars(message.text) if message.role == "system" else 0
    calls = (replace(call, arguments=each_text(call.arguments, masks.hide)) for call in message.tool_calls)
    return replace(
        message, text=message.text[:fixed] + masks.hide(message.text[fixed:]), tool_calls=tuple(calls)
    )
