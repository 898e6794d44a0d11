"""Opens the model that the settings name."""

from .model import Model
from .settings import LlmSettings


def open_model(settings: LlmSettings) -> Model | None:
    """The model, None without a provider; whoever opens it closes it.

    A provider's SDK is imported only here: each costs tens of megabytes and a second or two.
    """
    match settings.provider:
        case "none":
            return None
        case "openai":
            from .openai_model import OpenAiModel  # noqa: PLC0415 – see the docstring

            return OpenAiModel(settings)
        case "anthropic":
            from .anthropic_model import AnthropicModel  # noqa: PLC0415 – see the docstring

            return AnthropicModel(settings)
