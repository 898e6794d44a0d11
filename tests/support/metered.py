"""A fake provider behind a metered model, and what the ledger says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from brain.llm.budget import Budget
from brain.llm.calls import ModelCall, ModelCalls
from brain.llm.factory import open_model
from brain.llm.metered import Metered
from brain.llm.model import Model, ModelMessage, ModelTurn, OnDelta
from brain.llm.payer import paying
from observability.metrics import Metrics
from observability.settings import ObservabilitySettings
from observability.tracing import Tracer
from tests.support.fake_openai import FakeOpenAi
from tests.support.providers import Pieces, settings_for
from tests.support.waiting import until

QUESTION = (ModelMessage(role="system", text="Be brief."), ModelMessage(role="user", text="why? \x00"))

_PIECES = Pieces()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The model as the brain has it."""

    provider: FakeOpenAi
    model: Model
    calls: ModelCalls

    async def ask(
        self,
        *,
        by: str = "ana",
        channel: str = "web",
        messages: Sequence[ModelMessage] = QUESTION,
        on_delta: OnDelta = _PIECES.add,
    ) -> ModelTurn:
        """One call, in a turn called like the person."""
        with paying(turn_id=f"turn-{by}", actor_id=by, channel=channel, task="assistant"):
            return await self.model.complete(messages, (), on_delta)

    async def recorded(self, count: int = 1) -> tuple[ModelCall, ...]:
        """The calls, the newest first, once so many have ended."""
        return await until(
            lambda: self.calls.recent(limit=100),
            lambda calls: len([call for call in calls if call.outcome != "running"]) >= count,
        )


@asynccontextmanager
async def open_meter(
    engine: AsyncEngine, *, zone: str = "UTC", tracer: Tracer | None = None, **settings: Any
) -> AsyncIterator[Meter]:
    """`settings` are those of `llm`; the fake counts 11 tokens in and 7 out for each answer."""
    async with FakeOpenAi() as provider:
        llm = settings_for("openai", provider, **settings)
        calls = ModelCalls(engine, Budget(llm.budget, ZoneInfo(zone)))
        tracer = tracer or Tracer(ObservabilitySettings(), str)
        model = open_model(llm, Metrics(), partial(Metered, settings=llm, calls=calls, tracer=tracer))
        assert model is not None
        async with aclosing(model):
            yield Meter(provider=provider, model=model, calls=calls)
