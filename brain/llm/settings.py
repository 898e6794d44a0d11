"""Which language models to ask, if any, how long to wait for them, and what they are not told."""

from decimal import Decimal
from ipaddress import ip_address
from typing import Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from .mask_pattern import site_kind

Task: TypeAlias = Literal["assistant", "documents", "planner"]
"""What a model is asked for: to answer with tools, to word what documents say, to plan a compound request."""


class Price(BaseModel):
    """What a model costs, in money of the site's choice per million tokens."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        """What so many tokens cost."""
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


class BudgetSettings(BaseModel):
    """What may be spent in a day of `turns.timezone`; tokens are those sent and answered together."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    person_tokens_per_day: int | None = Field(default=None, ge=0)
    """Tokens that one person may use up in a day; unset means no limit."""
    channel_tokens_per_day: int | None = Field(default=None, ge=0)
    """Tokens that all people of one channel may use up in a day."""
    tokens_per_day: int | None = Field(default=None, ge=0)
    """Tokens that may be used up in a day."""
    money_per_day: Decimal | None = Field(default=None, ge=0)
    """Money that may be spent in a day, by `llm.prices`; models without a price count as free."""


class ModelSettings(BaseModel):
    """One model at one provider."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    provider: Literal["none", "openai", "anthropic"] = "none"
    """Whose protocol the model speaks; `none` works without a model."""
    base_url: str | None = None
    """Address of an own or compatible server, such as http://127.0.0.1:8000/v1; unset means the provider's public
    service."""
    api_key: SecretStr | None = None
    """The provider's key; needed unless `base_url` names an own server."""
    model: str = ""
    """The model's name at the provider; needed with a provider."""
    request_timeout_seconds: float = Field(default=30, gt=0)
    """Longest silence of the provider before or during one answer, in seconds."""
    max_output_tokens: int = Field(default=1200, ge=1)
    """Longest answer of one round, in tokens."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature; unset leaves it to the model."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.provider == "none":
            return self
        if not self.model:
            raise ValueError("llm.model must be set when llm.provider is")
        if self.base_url is None and self.api_key is None:
            raise ValueError("llm.api_key must be set unless llm.base_url names an own server")
        if self.base_url is not None:
            address = urlsplit(self.base_url)
            if address.scheme not in {"http", "https"} or not address.hostname:
                raise ValueError("llm.base_url must be an http or https address")
        return self

    def unsafe(self) -> tuple[str, ...]:
        """What must not be used in production, each message naming its setting; empty when all is well."""
        if self.provider == "none" or self.base_url is None:
            return ()
        address = urlsplit(self.base_url)
        if address.scheme == "http" and not _is_loopback(address.hostname or ""):
            return ("llm.base_url uses plain HTTP to another machine, which exposes job logs and the key",)
        return ()


class LlmSettings(ModelSettings):
    """The `llm` section. Without a provider Resync answers from its own grammar and facts."""

    time_limit_seconds: float = Field(default=45, gt=0)
    """For a whole answer with all its tool calls, in seconds."""
    max_rounds: int = Field(default=6, ge=1)
    """How many times the model is asked within one answer."""
    tasks: dict[Task, str] = Field(default_factory=dict)
    """Names of other models of the same provider for single tasks: `assistant`, `documents`, `planner`; for example a
    small one: `{"documents": "small-1"}`."""
    fallbacks: tuple[ModelSettings, ...] = ()
    """Models that are asked in this order while the first is away, each with settings of its own: `provider`,
    `base_url`, `api_key`, `model`, `request_timeout_seconds`, `max_output_tokens`, `temperature`."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """What each model costs per million tokens, e.g. {"some-model": {"input": 2.5, "output": 10}}."""
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    """What may be spent in a day."""
    keep_sent_days: int = Field(default=7, ge=0)
    """Days for which administrators can see what was sent to the model; 0 keeps none of it."""
    breaker_failures: int = Field(default=3, ge=1)
    """After so many failures in a row a model is let alone."""
    breaker_pause_seconds: float = Field(default=30, gt=0)
    """For how long, until one request tries again, in seconds."""
    masking: bool = True
    """Whether secrets and personal data are replaced by placeholders before anything is sent to a model."""
    mask_patterns: dict[str, str] = Field(default_factory=dict)
    """What else is personal data here: names, in capital letters, and regular expressions whose repetitions are
    bounded, such as `{"BADGE": "BR-[0-9]{6}"}`."""

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if any(one.provider == "none" for one in self.fallbacks):
            raise ValueError("llm.fallbacks: each model needs a provider")
        for name, pattern in self.mask_patterns.items():
            site_kind(name, pattern)
        return self

    def unsafe(self) -> tuple[str, ...]:
        """As of one model, for all of them."""
        return (*super().unsafe(), *(message for one in self.fallbacks for message in one.unsafe()))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
