from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from brain.llm.factory import open_model
from brain.llm.settings import LlmSettings
from observability.metrics import Metrics


def settings(**values: object) -> LlmSettings:
    return LlmSettings.model_validate({"provider": "openai", "model": "m", **values})


def test_without_a_provider_there_is_no_model() -> None:
    assert open_model(LlmSettings(), Metrics()) is None
    assert LlmSettings().unsafe() == ()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"model": "", "api_key": "k"}, "llm.model"),
        ({}, "llm.api_key"),
        ({"base_url": "ftp://models"}, "llm.base_url"),
        ({"base_url": "models:8000"}, "llm.base_url"),
        ({"api_key": "k", "max_rounds": 0}, "max_rounds"),
        ({"api_key": "k", "time_limit_seconds": 0}, "time_limit_seconds"),
        ({"api_key": "k", "fallbacks": [{}]}, "llm.fallbacks"),
        ({"api_key": "k", "fallbacks": [{"provider": "openai", "model": "m-2"}]}, "fallbacks.0"),
        ({"api_key": "k", "tasks": {"poetry": "m-2"}}, "tasks.poetry"),
        ({"api_key": "k", "mask_patterns": {"BADGE": "a+"}}, "llm.mask_patterns.BADGE"),
        ({"api_key": "k", "breaker_failures": 0}, "breaker_failures"),
        ({"api_key": "k", "breaker_pause_seconds": 0}, "breaker_pause_seconds"),
        ({"api_key": "k", "prices": {"m": {"input": 1}}}, "output"),
        ({"api_key": "k", "budget": {"tokens_per_day": -1}}, "tokens_per_day"),
        ({"api_key": "k", "keep_sent_days": -1}, "keep_sent_days"),
    ],
)
def test_incomplete_settings_name_what_is_missing(values: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        settings(**values)


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:9/v1", "https://models.example/v1"],
)
def test_loopback_and_tls_are_safe(base_url: str) -> None:
    assert settings(base_url=base_url).unsafe() == ()


@pytest.mark.parametrize("host", ["models.example", "10.0.0.5", "localhost.models.example"])
def test_plain_http_to_another_machine_is_unsafe(host: str) -> None:
    (message,) = settings(base_url=f"http://{host}/v1").unsafe()
    assert "llm.base_url" in message


def test_a_fallback_is_judged_like_the_first_model() -> None:
    spare = {"provider": "openai", "model": "m-2", "base_url": "http://10.0.0.5/v1"}
    (message,) = settings(api_key="k", fallbacks=[spare]).unsafe()
    assert "plain HTTP" in message


def test_the_key_is_never_printed() -> None:
    spare = {"provider": "openai", "model": "m-2", "api_key": "sk-secret"}
    assert "sk-secret" not in repr(settings(api_key="sk-secret", fallbacks=[spare]))


def test_prices_are_per_million_tokens_and_exact() -> None:
    prices = settings(api_key="k", prices={"m": {"input": 0.1, "output": "0.7"}}).prices
    assert prices["m"].of(3, 1) == Decimal("0.000001")
