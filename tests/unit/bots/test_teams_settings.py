"""Teams settings: safe as they come, and an address of this machine never means another."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bots.teams.settings import TeamsSettings

COMPLETE: dict[str, Any] = {"app_id": "bot", "app_password": SecretStr("s"), "tenant_id": "t-1"}


def test_teams_is_off_without_an_app_id() -> None:
    assert not TeamsSettings().enabled


@pytest.mark.parametrize("missing", ["app_password", "tenant_id"])
def test_half_a_registration_is_refused(missing: str) -> None:
    with pytest.raises(ValidationError, match="required with app_id"):
        TeamsSettings(**{name: value for name, value in COMPLETE.items() if name != missing})


def test_own_tenant_alone_is_welcome_by_default() -> None:
    assert TeamsSettings(**COMPLETE).allowed_tenants == {"t-1"}
    assert TeamsSettings(**COMPLETE, tenant_allow_list={"t-2", "t-3"}).allowed_tenants == {"t-2", "t-3"}


def test_token_comes_from_the_own_tenant() -> None:
    url = TeamsSettings(**COMPLETE).outbound_token_url
    assert url == "https://login.microsoftonline.com/t-1/oauth2/v2.0/token"


@pytest.mark.parametrize("name", ["open_id_metadata_url", "token_url"])
@pytest.mark.parametrize("url", ["http://login.example/x", "ftp://localhost/x", "login.example", ""])
def test_addresses_of_microsoft_are_https(name: str, url: str) -> None:
    with pytest.raises(ValidationError, match="must be https"):
        TeamsSettings(**COMPLETE, **{name: url})


def test_secret_is_not_shown() -> None:
    assert "s3cr3t" not in repr(TeamsSettings(**COMPLETE | {"app_password": SecretStr("s3cr3t")}))


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net:443/emea/",
        "https://SMBA.trafficmanager.net/emea/",
        "https://smba.infra.gcc.teams.microsoft.com/teams",
    ],
)
def test_hosts_of_teams_may_see_the_token(url: str) -> None:
    assert TeamsSettings().permits(url)


STRANGERS = [
    "http://smba.trafficmanager.net/emea/",
    "https://smba.trafficmanager.net:8443/",
    "https://smba.trafficmanager.net.evil.example/",
    "https://evil.example/smba.trafficmanager.net",
    "https://smba.trafficmanager.net@evil.example/",
    "https://user@smba.trafficmanager.net/",
    "https://smba.trafficmanager.net\\@evil.example/",
    "https://smba.trafficmanager.net/?next=https://evil.example",
    "https://smba.trafficmanager.net/#x",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://localhost.evil.example/",
    "http://127.0.0.1.evil.example/",
    "http://0.0.0.0/",
    "file:///etc/passwd",
    "//smba.trafficmanager.net/",
    "https://[",
    "",
]


@pytest.mark.parametrize("url", STRANGERS)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_strangers_may_not_see_the_token(url: str, allow_loopback: bool) -> None:  # noqa: FBT001  # pytest passes it
    assert not TeamsSettings(allow_loopback_service_url=allow_loopback).permits(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3978/", "http://localhost:1/", "http://[::1]:9/"])
def test_this_machine_stands_in_for_teams_only_when_asked(url: str) -> None:
    assert not TeamsSettings().permits(url)
    assert TeamsSettings(allow_loopback_service_url=True).permits(url)
