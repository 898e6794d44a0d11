"""Opens the models that the settings name, and what stands around them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import get_args

from observability.metrics import Metrics

from .fallback import Fallback
from .fitted import Fitted
from .loop import ToolLoop
from .masked import Masked
from .masking import kinds_of
from .model import Model
from .settings import LlmSettings, ModelSettings, Task


@asynccontextmanager
async def open_loops(
    settings: LlmSettings, metrics: Metrics, meter: Callable[[Model], Model] | None = None
) -> AsyncIterator[dict[Task, ToolLoop]]:
    """A loop for each task, none without a provider. Tasks of the same model share its connections and breaker.

    `meter` is put round what asks the providers: it sees what leaves the process.
    """
    models: dict[str, Model] = {}
    loops: dict[Task, ToolLoop] = {}
    async with AsyncExitStack() as stack:
        for task in get_args(Task):
            name = settings.tasks.get(task, settings.model)
            if name not in models and (
                opened := open_model(settings.model_copy(update={"model": name}), metrics, meter)
            ):
                models[name] = await stack.enter_async_context(aclosing(opened))
            if name in models:
                loops[task] = ToolLoop(models[name], settings)
        yield loops


def open_model(
    settings: LlmSettings, metrics: Metrics, meter: Callable[[Model], Model] | None = None
) -> Model | None:
    """The model with its fallbacks, None without a provider; whoever opens it closes it."""
    if settings.provider == "none":
        return None
    asking: Model = Fallback([_connect(one) for one in (settings, *settings.fallbacks)], settings, metrics)
    model = Fitted(meter(asking) if meter else asking)
    return Masked(model, kinds_of(settings.mask_patterns)) if settings.masking else model


def _connect(settings: ModelSettings) -> Model:
    """A provider's SDK is imported only here: each costs tens of megabytes and a second or two."""
    if settings.provider == "openai":
        from .openai_model import OpenAiModel  # noqa: PLC0415 – see the docstring

        return OpenAiModel(settings)
    from .anthropic_model import AnthropicModel  # noqa: PLC0415 – see the docstring

    return AnthropicModel(settings)
