"""The app package for Teams is what Teams takes."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from pydantic import SecretStr, ValidationError

from bots.teams.package import build_package
from bots.teams.settings import TeamsSettings
from brain.agents.grammar import read_request
from brain.message import Locale

APP_ID = "11111111-2222-3333-4444-555555555555"
SETTINGS = TeamsSettings(
    app_id=APP_ID, app_password=SecretStr("secret"), tenant_id="tenant", developer_name='"Operations" {x}'
)
URL = "https://resync.example/"


def _package(settings: TeamsSettings = SETTINGS, public_url: str = URL) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(build_package(settings, public_url=public_url, version="1.2.3")))


def _json(name: str) -> dict[str, Any]:
    return json.loads(_package().read(name))  # type: ignore[no-any-return]  # JSON


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("manifest.json", "MicrosoftTeams.v1.30.schema.json"),
        ("pt-br.json", "MicrosoftTeams.Localization.v1.30.schema.json"),
    ],
)
def test_package_follows_the_official_schemas(shared_folder: Path, file: str, schema: str) -> None:
    official = json.loads((shared_folder / "schemas/teams-manifest" / schema).read_text("utf-8-sig"))
    assert [error.message for error in Draft4Validator(official).iter_errors(_json(file))] == []
    assert list(Draft4Validator(official).iter_errors(_json(file) | {"misspelt": ""}))


def test_package_is_for_the_bot_and_the_address_of_the_settings() -> None:
    manifest = _json("manifest.json")
    assert manifest["id"] == manifest["bots"][0]["botId"] == APP_ID
    assert manifest["version"] == "1.2.3"
    assert manifest["validDomains"] == ["resync.example"]
    assert manifest["developer"] == {
        "name": '"Operations" {x}',
        "websiteUrl": URL,
        "privacyUrl": URL,
        "termsOfUseUrl": URL,
    }


def test_pages_of_the_organisation_are_named() -> None:
    pages = {"privacy_url": "https://example.org/privacy", "terms_url": "https://example.org/terms"}
    settings = TeamsSettings(app_id=APP_ID, app_password=SecretStr("s"), tenant_id="t", **pages)
    developer = json.loads(_package(settings).read("manifest.json"))["developer"]
    assert (developer["privacyUrl"], developer["termsOfUseUrl"]) == tuple(pages.values())
    with pytest.raises(ValidationError):
        TeamsSettings(privacy_url="http://example.org/")


def test_package_holds_every_file_that_the_manifest_names_and_no_other() -> None:
    manifest = _json("manifest.json")
    languages = [language["file"] for language in manifest["localizationInfo"]["additionalLanguages"]]
    assert sorted(_package().namelist()) == sorted(["manifest.json", *languages, *manifest["icons"].values()])


def test_same_settings_give_the_same_package() -> None:
    first, second = (build_package(SETTINGS, public_url=URL, version="1.2.3") for _ in range(2))
    assert first == second


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of all that a person reads in the manifest."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _texts(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, f"{path}[{index}]")
    elif isinstance(node, str) and path.endswith((".short", ".full", ".title", ".description")):
        yield path, node


def test_every_text_is_there_in_portuguese_too() -> None:
    assert {path for path, _ in _texts(_json("manifest.json"))} == set(_json("pt-br.json")) - {"$schema"}


@pytest.mark.parametrize(("file", "locale"), [("manifest.json", Locale.EN), ("pt-br.json", Locale.PT)])
def test_every_command_that_is_offered_is_understood(file: str, locale: Locale) -> None:
    content = _json(file)
    texts = dict(_texts(content)) if file == "manifest.json" else content
    commands = [text for path, text in texts.items() if ".commands[" in path and path.endswith(".title")]
    assert len(commands) == 4
    requests = [read_request(command, None) for command in commands]
    assert [request.kind for request in requests] == ["help", "status", "status", "status"]
    assert {request.locale for request in requests} == {locale}


@pytest.mark.parametrize(("icon", "edge"), [("color", 192), ("outline", 32)])
def test_icon_is_a_png_of_the_size_teams_asks_for(icon: str, edge: int) -> None:
    data = _package().read(_json("manifest.json")["icons"][icon])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, _, colour_type = struct.unpack(">IIBB", data[16:26])
    assert (width, height, colour_type) == (edge, edge, 6)  # 6: with transparency


@pytest.mark.parametrize("public_url", ["", "http://resync.example/", "resync.example"])
def test_package_needs_the_address_of_the_server(public_url: str) -> None:
    with pytest.raises(ValueError, match="RESYNC_REST__PUBLIC_URL"):
        _package(public_url=public_url)


def test_package_needs_a_bot() -> None:
    with pytest.raises(ValueError, match="RESYNC_TEAMS__APP_ID"):
        _package(TeamsSettings())
