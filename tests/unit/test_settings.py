"""What the server refuses to start with, and what an operator is shown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from settings import Settings, effective, unsafe

_SECRET = "kX7-pQ2-vR9-mT4-wL6-zB3-hN8-cJ5-yD1"
_TWS = {"url": "https://tws.example.com:31116", "username": "resync", "password": _SECRET}


def _settings(**sections: Any) -> Settings:
    return Settings(_env_file=None, **({"tws": _TWS, "security": {"jwt_secret": _SECRET}} | sections))


def test_the_defaults_with_an_engine_and_a_secret_are_safe() -> None:
    assert unsafe(_settings()) == []


@pytest.mark.parametrize(
    ("sections", "setting"),
    [
        ({"tws": None}, "RESYNC_TWS__URL"),
        ({"tws": _TWS | {"url": "http://tws.example.com:31116"}}, "RESYNC_TWS__URL"),
        ({"tws": _TWS | {"username": "", "password": None}}, "RESYNC_TWS__"),
        (
            {
                "observability": {
                    "langfuse_host": "http://far.example",
                    "langfuse_public_key": "p",
                    "langfuse_secret_key": "s",
                }
            },
            "RESYNC_OBSERVABILITY__LANGFUSE_HOST",
        ),
        ({"llm": {"provider": "openai", "model": "m", "base_url": "http://far.example/v1"}}, "llm.base_url"),
        ({"security": {}}, "RESYNC_SECURITY__JWT_SECRET"),
    ],
)
def test_each_unsafe_setting_is_named(sections: dict[str, Any], setting: str) -> None:
    (problem,) = unsafe(_settings(**sections))
    assert setting in problem
    assert _SECRET not in problem


def test_all_problems_are_told_at_once() -> None:
    sections = {
        "tws": None,
        "llm": {"provider": "openai", "model": "m", "base_url": "http://far.example/v1"},
    }
    assert len(unsafe(_settings(**sections))) == 2


def test_an_unknown_value_is_refused() -> None:
    with pytest.raises(ValidationError, match="concurrency"):
        _settings(turns={"concurrency": 0})


def test_every_setting_is_shown_by_its_variable_and_no_secret_is() -> None:
    shown = effective(
        _settings(
            database_url=SecretStr(f"postgresql://resync:{_SECRET}@db/resync"),
            redis_url=SecretStr(f"redis://:{_SECRET}@cache"),
            llm={"provider": "openai", "model": "m", "api_key": _SECRET},
            security={"jwt_secret": _SECRET},
            slack={"bot_token": f"xoxb-{_SECRET}", "signing_secret": _SECRET},
            webhook={"sources": {"prod": {"secret": _SECRET}}},
        )
    )
    assert _SECRET not in str(shown)
    assert shown["RESYNC_DATABASE_URL"] == shown["RESYNC_TWS__PASSWORD"] == "********"
    assert shown["RESYNC_TWS__USERNAME"] == "resync"
    assert shown["RESYNC_PORT"] == "8080"
    assert shown["RESYNC_SLACK__BOT_TOKEN"] == "********"
    assert all(name.startswith("RESYNC_") and name == name.upper() for name in shown)


def test_a_secret_that_is_not_set_is_shown_as_such() -> None:
    shown = effective(_settings(tws=_TWS | {"password": None, "api_key": ""}))
    assert (shown["RESYNC_TWS__PASSWORD"], shown["RESYNC_TWS__API_KEY"]) == ("None", "")


def test_the_environment_is_read_by_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_TWS__URL", "https://tws.example.com")
    monkeypatch.setenv("RESYNC_TURNS__LOCALE", "pt")
    monkeypatch.setenv("RESYNC_ACTIONS__BULK_PER_HOUR", "7")
    monkeypatch.setenv("RESYNC_MORE_TWS__TEST__URL", "https://test.example.com")
    read = Settings(_env_file=None)
    assert read.tws is not None
    assert read.tws.url == "https://tws.example.com/twsd/api/v2"
    assert read.turns.locale == "pt"
    assert read.actions.bulk_per_hour == 7
    assert [engine.name for engine in read.engines] == ["TWS", "TEST"]


def test_engines_of_the_same_name_are_unsafe() -> None:
    settings = _settings(more_tws={"other": _TWS | {"name": "TWS"}})
    assert any(problem.startswith("RESYNC_MORE_TWS") for problem in unsafe(settings))


def test_what_is_unsafe_about_a_further_engine_names_it() -> None:
    settings = _settings(more_tws={"test": _TWS | {"password": None}})
    assert any(problem.startswith("RESYNC_MORE_TWS__TEST__PASSWORD") for problem in unsafe(settings))


def test_the_secrets_of_a_further_engine_are_masked() -> None:
    shown = effective(_settings(more_tws={"test": _TWS | {"password": "hunter2"}}))
    assert shown["RESYNC_MORE_TWS__TEST__PASSWORD"] == "********"
    assert "hunter2" not in str(shown)


def test_prices_and_budgets_of_the_model_come_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_LLM__PRICES", '{"m": {"input": 2.5, "output": 10}}')
    monkeypatch.setenv("RESYNC_LLM__BUDGET__PERSON_TOKENS_PER_DAY", "5000")
    llm = _settings().llm
    assert (llm.prices["m"].output, llm.budget.person_tokens_per_day, llm.budget.tokens_per_day) == (
        10,
        5000,
        None,
    )
