"""The app package for Teams is what Teams takes."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

FOLDER = Path(__file__).parents[3] / "manifests/teams"
VALUES = {
    "RESYNC_TEAMS__APP_ID": "11111111-2222-3333-4444-555555555555",
    "RESYNC_DEVELOPER_NAME": "Operations",
    "RESYNC_PUBLIC_URL": "https://resync.example",
    "RESYNC_PRIVACY_URL": "https://resync.example/privacy",
    "RESYNC_TERMS_URL": "https://resync.example/terms",
}


def _manifest() -> dict[str, Any]:
    template = (FOLDER / "manifest.json").read_text("utf-8")
    return json.loads(re.sub(r"\$\{\{(\w+)\}\}", lambda match: VALUES[match[1]], template))  # type: ignore[no-any-return]  # JSON


def test_manifest_follows_the_official_schema(shared_folder: Path) -> None:
    path = shared_folder / "schemas/teams-manifest/MicrosoftTeams.v1.22.schema.json"
    Draft4Validator(json.loads(path.read_text("utf-8-sig"))).validate(_manifest())


@pytest.mark.parametrize(("icon", "edge"), [("color", 192), ("outline", 32)])
def test_icon_is_a_png_of_the_size_teams_asks_for(icon: str, edge: int) -> None:
    data = (FOLDER / _manifest()["icons"][icon]).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (edge, edge)
