from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tws.settings import TwsSettings


def settings(**values: Any) -> TwsSettings:
    return TwsSettings.model_validate(
        {"url": "https://tws.example.com:31116", "username": "resync", "password": "x", **values}
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://tws.example.com:31116",
        "https://tws.example.com:31116/",
        "https://TWS.example.com:31116/twsd",
        "https://tws.example.com:31116/twsd/api/",
        "https://tws.example.com:31116/twsd/api/v2",
        " https://tws.example.com:31116/twsd/api/v2/ ",
    ],
)
def test_every_way_to_write_the_address_means_the_same(url: str) -> None:
    assert settings(url=url).url == "https://tws.example.com:31116/twsd/api/v2"


def test_a_path_of_a_reverse_proxy_is_kept() -> None:
    assert (
        settings(url="https://gate.example.com/master1").url == "https://gate.example.com/master1/twsd/api/v2"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tws.example.com:31116",
        "ftp://tws.example.com",
        "https://",
        "https://h:99999",
        "https://h:0",
        "https://h/x?y=1",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        settings(url=url)


def test_credentials_in_the_address_are_refused() -> None:
    with pytest.raises(ValidationError, match="settings of their own"):
        settings(url="https://resync:secret@tws.example.com")


def test_a_proper_configuration_is_safe() -> None:
    assert settings().unsafe() == []
    assert settings(username="", password=None, api_key="eyJ.abc.def").unsafe() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:31116", "http://[::1]:31116", "http://localhost:31116"])
def test_plain_http_is_safe_on_this_machine(url: str) -> None:
    assert settings(url=url).unsafe() == []


@pytest.mark.parametrize(
    "url",
    ["http://tws.example.com:31116", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://localhost.x"],
)
def test_plain_http_to_another_machine_is_unsafe(url: str) -> None:
    (message,) = settings(url=url).unsafe()
    assert "RESYNC_TWS__URL" in message


def test_missing_credentials_are_unsafe() -> None:
    (message,) = settings(username="", password=None).unsafe()
    assert "RESYNC_TWS__API_KEY" in message
    (message,) = settings(password="").unsafe()
    assert "RESYNC_TWS__PASSWORD" in message


def test_an_account_that_no_header_can_carry_is_unsafe() -> None:
    (message,) = settings(api_key="two words").unsafe()
    assert "RESYNC_TWS__API_KEY" in message
    assert "two words" not in message
    (message,) = settings(username="a:b").unsafe()
    assert "RESYNC_TWS__USERNAME" in message


def test_unverified_tls_is_a_decision_of_its_own_but_contradicts_a_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    assert settings(allow_unverified_tls=True).unsafe() == []
    (message,) = settings(allow_unverified_tls=True, ca_bundle=bundle).unsafe()
    assert "RESYNC_TWS__ALLOW_UNVERIFIED_TLS" in message


def test_a_missing_bundle_is_unsafe(tmp_path: Path) -> None:
    (message,) = settings(ca_bundle=tmp_path / "none.pem").unsafe()
    assert "RESYNC_TWS__CA_BUNDLE" in message


def test_changes_are_off_and_certificates_are_checked_by_default() -> None:
    assert not settings().write
    assert not settings().allow_unverified_tls


@pytest.mark.parametrize("text", ["30", "PT30S", "00:00:30"])
def test_spans_may_be_seconds_or_iso(text: str) -> None:
    assert settings(read_timeout=text).read_timeout == timedelta(seconds=30)


@pytest.mark.parametrize("text", ["0", "-1", "P2D", "soon"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        settings(read_timeout=text)


def test_secrets_do_not_show() -> None:
    shown = repr(settings(password="hunter2", api_key="eyJhbGciOi"))
    assert "hunter2" not in shown
    assert "eyJhbGciOi" not in shown


def test_the_address_of_the_master_comes_before_those_of_its_backups_each_once() -> None:
    backups = ["https://bkm.example.com:31116", "https://tws.example.com:31116/twsd"]
    assert settings(fallback_urls=backups).urls == (
        "https://tws.example.com:31116/twsd/api/v2",
        "https://bkm.example.com:31116/twsd/api/v2",
    )


def test_plain_http_to_a_backup_is_unsafe() -> None:
    (message,) = settings(fallback_urls=["http://bkm.example.com"]).unsafe("RESYNC_ENGINES[DR].")
    assert message.startswith("RESYNC_ENGINES[DR].URL")


@pytest.mark.parametrize("name", ["", "1A", "A B", "A/B", "x" * 41])
def test_an_engine_has_a_name_that_people_can_write(name: str) -> None:
    with pytest.raises(ValidationError):
        settings(name=name)


def test_the_account_becomes_credentials_and_a_key_wins() -> None:
    assert settings().credentials.authorization() == "Basic cmVzeW5jOng="
    assert settings(api_key="eyJ.k").credentials.authorization() == "Bearer eyJ.k"
    assert "eyJ.k" not in repr(settings(api_key="eyJ.k").credentials)
