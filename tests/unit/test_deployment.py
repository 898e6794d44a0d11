from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from docs.settings_table import PAGE, names, render
from settings import Settings, unsafe
from tests.support.repository import ROOT

_VARIABLE = re.compile(r"\bRESYNC_[A-Z0-9_]*[A-Z0-9]\b")


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def test_compose_file_follows_the_published_schema(compose: dict[str, Any]) -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)

    assert [error.message for error in validator.iter_errors(compose)] == []
    assert not validator.is_valid(compose | {"services": {"app": {"imag": "resync"}}})


def test_every_service_is_checked_and_confined(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"app", "postgres", "valkey"}
    for service in compose["services"].values():
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_database_and_the_cache_are_reached_by_the_server_alone(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert compose["networks"]["inside"]["internal"] is True
    assert [name for name, service in services.items() if "ports" in service] == ["app"]
    assert all(port.startswith("127.0.0.1:") for port in services["app"]["ports"])
    assert services["postgres"]["networks"] == services["valkey"]["networks"] == ["inside"]
    assert set(services["app"]["depends_on"]) == {"postgres", "valkey"}


def test_compose_file_has_no_password_of_its_own(compose: dict[str, Any]) -> None:
    places = [
        value
        for service in compose["services"].values()
        for name, value in service.get("environment", {}).items()
        if "PASSWORD" in name or "DATABASE" in name
    ]

    assert len(places) == 2
    assert all("${POSTGRES_PASSWORD:?" in value for value in places)


@pytest.mark.parametrize("name", [".env.example", "compose.yaml", "Dockerfile", "Makefile", ".ci/run"])
def test_every_setting_that_a_file_names_exists(name: str) -> None:
    assert set(_VARIABLE.findall((ROOT / name).read_text())) - names() == set()


def test_the_example_alone_does_not_start_and_names_each_missing_secret() -> None:
    problems = unsafe(Settings(_env_file=ROOT / ".env.example"))

    named = {match for problem in problems for match in _VARIABLE.findall(problem)}
    assert {"RESYNC_SECURITY__JWT_SECRET", "RESYNC_TWS__USERNAME", "RESYNC_TWS__PASSWORD"} <= named


def test_the_page_of_the_settings_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run `make docs`"


def test_every_setting_is_described() -> None:
    bare = re.findall(r"^\| `(\w+)` \|.*\|\s*\|$", render(), re.MULTILINE)

    assert len(names()) > 60
    assert bare == []
