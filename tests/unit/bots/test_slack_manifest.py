from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bots.slack import workspaces

SCOPES: dict[str, set[str]] = {
    "app_home_opened": set(),
    "member_joined_channel": {"channels:read", "groups:read"},
    "app_mention": {"app_mentions:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
}
"""https://docs.slack.dev/reference/events: what each event needs. The schema knows neither."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    path = Path(__file__).parents[3] / "manifests/slack/manifest.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def test_manifest_is_valid_for_slack(manifest: dict[str, Any], shared_folder: Path) -> None:
    schema = json.loads((shared_folder / "schemas/slack-manifest/manifest.schema.1.0.0.json").read_text())

    problems = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)]

    assert problems == []


def test_manifest_asks_for_the_scopes_its_features_need_and_no_more(manifest: dict[str, Any]) -> None:
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    needed = set().union(*(SCOPES[name] for name in events)) | {
        "commands",
        "chat:write",
        "chat:write.public",
        "im:write",  # conversations.open
    }

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed == set(workspaces.SCOPES)


def test_every_request_comes_to_the_one_route(manifest: dict[str, Any]) -> None:
    settings, features = manifest["settings"], manifest["features"]
    urls = {
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        *(command["url"] for command in features["slash_commands"]),
    }

    assert {url.partition("://")[2].partition("/")[2] for url in urls} == {"slack/events"}
    assert [command["command"] for command in features["slash_commands"]] == ["/tws"]
    assert {one["callback_id"]: one["type"] for one in features["shortcuts"]} == {
        "ask_tws": "global",
        "explain_this": "message",
    }
