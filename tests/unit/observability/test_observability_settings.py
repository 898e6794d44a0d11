from __future__ import annotations

import pytest
from pydantic import ValidationError

from observability.settings import ObservabilitySettings


def _settings(host: str) -> ObservabilitySettings:
    return ObservabilitySettings.model_validate(
        {"langfuse_host": host, "langfuse_public_key": "pk", "langfuse_secret_key": "sk"}
    )


@pytest.mark.parametrize(
    "host", ["https://langfuse.example.com", "http://127.0.0.1:3000", "http://[::1]:3000", "http://localhost"]
)
def test_keys_travel_protected_or_not_at_all(host: str) -> None:
    assert _settings(host).unsafe() == []


def test_keys_over_plain_http_are_unsafe() -> None:
    (problem,) = _settings("http://langfuse.example.com").unsafe()
    assert problem.startswith("RESYNC_OBSERVABILITY__LANGFUSE_HOST ")


def test_plain_http_without_keys_is_nobodys_problem() -> None:
    settings = ObservabilitySettings.model_validate({"langfuse_host": "http://langfuse.example.com"})
    assert settings.unsafe() == []


@pytest.mark.parametrize("half", ["langfuse_public_key", "langfuse_secret_key"])
def test_half_a_pair_of_keys_is_refused(half: str) -> None:
    with pytest.raises(ValidationError, match="together"):
        ObservabilitySettings.model_validate({half: "key"})
