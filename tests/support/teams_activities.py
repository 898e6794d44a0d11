"""Activities as Teams sends them, as JSON."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from tests.support.fake_connector import APP_ID, TENANT

BOT_ID = f"28:{APP_ID}"
USER_ID = "29:1-user"
AAD_OBJECT_ID = "99999999-8888-7777-6666-555555555555"
PERSONAL_CHAT = "a:1-personal"
CHANNEL_THREAD = "19:team-channel@thread.tacv2;messageid=1700000000001"

_numbers = itertools.count(1)

Activity = dict[str, Any]


def activity(service_url: str, type_: str, **overrides: Any) -> Activity:
    """An activity of a type in the personal chat; a field overridden with None is left out."""
    fields: Activity = {
        "type": type_,
        "id": f"f:{next(_numbers)}",
        "timestamp": "2026-03-02T03:04:05.678Z",
        "serviceUrl": service_url,
        "channelId": "msteams",
        "from": {"id": USER_ID, "name": "Ana Souza", "aadObjectId": AAD_OBJECT_ID},
        "recipient": {"id": BOT_ID, "name": "Resync"},
        "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": PERSONAL_CHAT},
        "channelData": {"tenant": {"id": TENANT}},
        "locale": "en-US",
    }
    return {name: value for name, value in (fields | overrides).items() if value is not None}


def message(service_url: str, text: str = "what failed?", **overrides: Any) -> Activity:
    return activity(service_url, "message", text=text, textFormat="plain", **overrides)


def channel_message(service_url: str, text: str, **overrides: Any) -> Activity:
    """A post in a channel that mentions the bot first."""
    mention = "<at>Resync</at>"
    return message(
        service_url,
        f"{mention} {text}",
        conversation={
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": TENANT,
            "id": CHANNEL_THREAD,
        },
        entities=[{"type": "mention", "mentioned": {"id": BOT_ID, "name": "Resync"}, "text": mention}],
        **overrides,
    )


def execute(service_url: str, verb: str, data: Mapping[str, Any], **overrides: Any) -> Activity:
    """A press on an `Action.Execute`."""
    value = {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}
    fields = {"name": "adaptiveCard/action", "value": value, "replyToId": "card-1"} | overrides
    return activity(service_url, "invoke", **fields)


def submit(service_url: str, value: Any, **overrides: Any) -> Activity:
    """A press on an `Action.Submit`, the fallback of old clients."""
    return activity(service_url, "message", value=value, **{"replyToId": "card-1"} | overrides)


def bot_added(service_url: str, **overrides: Any) -> Activity:
    """The conversation update of an installation."""
    return activity(service_url, "conversationUpdate", membersAdded=[{"id": BOT_ID}], **overrides)
