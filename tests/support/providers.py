"""Opens a fake provider together with the product's model that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal, TypeAlias

from brain.llm.factory import open_model
from brain.llm.model import Model, ToolSpec
from brain.llm.settings import LlmSettings
from observability.metrics import Metrics
from tests.support.fake_anthropic import FakeAnthropic
from tests.support.fake_openai import FakeOpenAi

ProviderName: TypeAlias = Literal["openai", "anthropic"]
FakeProvider: TypeAlias = FakeOpenAi | FakeAnthropic

JOBS_SPEC = ToolSpec(
    name="find_jobs",
    description="Jobs of the plan by name.",
    json_schema={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
)


def settings_for(name: ProviderName, provider: FakeProvider, **changes: Any) -> LlmSettings:
    """Settings that lead to the fake, quick enough for tests."""
    values = {
        "provider": name,
        "base_url": provider.base_url,
        "api_key": "sk-secret",
        "model": "m-1",
        "time_limit_seconds": 10,
        "request_timeout_seconds": 5,
    }
    return LlmSettings.model_validate(values | changes)


@asynccontextmanager
async def open_provider(name: ProviderName, **changes: Any) -> AsyncIterator[tuple[FakeProvider, Model]]:
    """The fake and a model connected to it."""
    async with FakeOpenAi() if name == "openai" else FakeAnthropic() as provider:
        model = open_model(settings_for(name, provider, **changes), Metrics())
        assert model is not None
        async with aclosing(model):
            yield provider, model


class Pieces(list[str]):
    """Collects what is streamed."""

    async def add(self, piece: str) -> None:
        self.append(piece)
