"""Plays Slack's side towards the app: builds payloads, signs them and sends them."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientResponse, ClientSession
from slack_sdk.signature import SignatureVerifier

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, BOT, PERSON = "T1", "UBOT", "U1"

_numbers = itertools.count(1)


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """An event of the Events API; fields given as None are left out."""
    number = next(_numbers)
    inner = {"type": kind, "user": PERSON, "team": TEAM, "ts": f"1767225600.{number:06}"} | fields
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A1",
        "event_id": f"Ev{number}",
        "event_time": 1767225600,
        "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        "event": {name: value for name, value in inner.items() if value is not None},
    }


def mention(text: str, *, channel: str = "C1", **fields: Any) -> dict[str, Any]:
    return event("app_mention", channel=channel, text=f"<@{BOT}> {text}", **fields)


def message(text: str, *, channel: str = "D1", **fields: Any) -> dict[str, Any]:
    kind = "im" if channel.startswith("D") else "channel"
    return event("message", channel=channel, channel_type=kind, text=text, **fields)


def command(text: str, *, channel: str = "C1", **fields: str) -> dict[str, str]:
    return {
        "command": "/tws",
        "text": text,
        "team_id": TEAM,
        "channel_id": channel,
        "user_id": PERSON,
        "user_name": "maria",
        "trigger_id": f"13345224609.738474920.{next(_numbers)}",
        "response_url": "https://hooks.slack.com/commands/1",
        "api_app_id": "A1",
    } | fields


def press(action_id: str, value: str, *, channel: str = "C1", **fields: Any) -> dict[str, Any]:
    """A press on a button of a message that the bot posted in a thread."""
    return {
        "type": "block_actions",
        "team": {"id": TEAM, "domain": "acme"},
        "user": {"id": PERSON, "username": "maria", "name": "maria", "team_id": TEAM},
        "api_app_id": "A1",
        "channel": {"id": channel, "name": "night-batch"},
        "message": {
            "type": "message",
            "user": BOT,
            "ts": "1767225600.000900",
            "thread_ts": "1767225600.000100",
        },
        "trigger_id": f"13345224609.738474920.{next(_numbers)}",
        "response_url": "https://hooks.slack.com/actions/1",
        "actions": [
            {
                "type": "button",
                "action_id": action_id,
                "block_id": "b1",
                "value": value,
                "action_ts": f"1767225601.{next(_numbers):06}",
            }
        ],
    } | fields


def submission(view_id: str, view: dict[str, Any], values: dict[str, str | None]) -> dict[str, Any]:
    """A modal is sent with these values by block; what is left out stays empty."""
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        name, element = block["block_id"], block["element"]
        state[name] = {element["action_id"]: {"type": element["type"], "value": values.get(name)}}
    return {
        "type": "view_submission",
        "team": {"id": TEAM, "domain": "acme"},
        "user": {"id": PERSON, "username": "maria", "name": "maria", "team_id": TEAM},
        "api_app_id": "A1",
        "trigger_id": f"13345224609.738474920.{next(_numbers)}",
        "view": {**view, "id": view_id, "hash": "1.x", "state": {"values": state}},
        "response_urls": [],
    }


def shortcut(callback_id: str, **fields: Any) -> dict[str, Any]:
    """A shortcut from anywhere, or (with channel and message) one on a message."""
    return {
        "type": "message_action" if "message" in fields else "shortcut",
        "callback_id": callback_id,
        "team": {"id": TEAM, "domain": "acme"},
        "user": {"id": PERSON, "username": "maria", "name": "maria", "team_id": TEAM},
        "action_ts": f"1767225601.{next(_numbers):06}",
        "trigger_id": f"13345224609.738474920.{next(_numbers)}",
    } | fields


class SlackDriver:
    """Sends to one app; every method returns the app's HTTP answer."""

    def __init__(self, session: ClientSession, url: str, secret: str = SECRET) -> None:
        self._session = session
        self._url = url
        self._verifier = SignatureVerifier(secret)

    async def send_event(self, payload: dict[str, Any], *, retry: int = 0) -> ClientResponse:
        """An event; `retry` is the number of a redelivery."""
        headers = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else {}
        return await self.send(json.dumps(payload), "application/json", headers=headers)

    async def send_command(self, fields: dict[str, str]) -> ClientResponse:
        return await self.send(urlencode(fields), "application/x-www-form-urlencoded")

    async def send_action(self, payload: dict[str, Any]) -> ClientResponse:
        form = urlencode({"payload": json.dumps(payload)})
        return await self.send(form, "application/x-www-form-urlencoded")

    async def send(
        self,
        body: str,
        content_type: str,
        *,
        age_seconds: int = 0,
        headers: dict[str, str] | None = None,
    ) -> ClientResponse:
        """Any body, signed as if it had been sent `age_seconds` ago; `headers` win over the signature's."""
        timestamp = str(int(time.time()) - age_seconds)
        signature = self._verifier.generate_signature(timestamp=timestamp, body=body)
        signed = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
        }
        async with self._session.post(
            self._url, data=body.encode(), headers=signed | (headers or {})
        ) as answer:
            await answer.read()
            return answer
