"""Asks once more with less when a conversation is too long for a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from .data_block import shorten_data
from .model import ContextTooLongError, Model, ModelMessage, ModelTurn, OnDelta, ToolSpec

_log = structlog.get_logger(__name__)


class Fitted:
    """A model that is told less of what tools and documents say if it cannot read all of it.

    It stands inside the masks: what is cut is placeholders, never half an address that no mask would know.
    """

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self._model = model

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says. Raises `ContextTooLongError` if what is left does not fit either."""
        try:
            return await self._model.complete(messages, tools, on_delta)
        except ContextTooLongError:
            shorter = [replace(each, text=shorten_data(each.text)) for each in messages]
            if shorter == list(messages):
                raise
            _log.warning("model_context_cut", model=self.name, messages=len(messages))
        return await self._model.complete(shorter, tools, on_delta)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._model.aclose()
