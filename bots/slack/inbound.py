"""Slack's payloads as `InboundMessage`; pure.

Formats: https://docs.slack.dev/reference/events/message,
https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bots.intake import storable
from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Sender, Verb, delivery_digest

_SPOKEN_SUBTYPES = frozenset({None, "file_share", "me_message", "thread_broadcast"})
"""Message subtypes in which a person says something; the others are edits, deletions, joins, bots."""

_MARKUP = re.compile(r"<([^<>]*)>")
"""Slack escapes `<` and `>` in what people type, so an angle bracket is always its own mark-up."""

_OPENING_MENTION = re.compile(r"\s*<@(?P<user>\w+)(?:\|[^<>]*)?>")

Payload = Mapping[str, Any]


class MalformedEventError(Exception):
    """A payload without a field that Slack always sends; `field` is its dotted path."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the payload has no usable {field}")
        self.field = field


def is_from_person(event: Payload) -> bool:
    """Whether a person wrote this now: not a bot, an edit, a deletion or a notice."""
    return event.get("subtype") in _SPOKEN_SUBTYPES and not event.get("bot_id") and not event.get("hidden")


def is_direct(channel_id: str) -> bool:
    """Whether it is a one-to-one conversation with the bot: Slack's ids of those begin with D."""
    return channel_id.startswith("D")


def is_in_thread_of_bot(body: Payload) -> bool:
    """Whether the message answers in a thread that the bot itself began."""
    parent = _find(body, "event.parent_user_id")
    return parent is not None and parent == _bot_user_id(body)


def is_addressed_to_another(body: Payload) -> bool:
    """Whether the text opens by mentioning somebody who is not the bot."""
    opening = _OPENING_MENTION.match(_find(body, "event.text") or "")
    return opening is not None and opening["user"] != _bot_user_id(body)


def from_event(body: Payload, *, received_at: datetime) -> InboundMessage:
    """A `message` or `app_mention` event as a message.

    Slack delivers both events for one mention in a channel that the app reads. They share channel and
    `ts`, so the delivery id is made of those and not of the `event_id`. Raises `MalformedEventError`.
    """
    team, channel = _get(body, "team_id"), _get(body, "event.channel")
    ts, user = _get(body, "event.ts"), _get(body, "event.user")
    thread = _find(body, "event.thread_ts") or (None if is_direct(channel) else ts)
    # In a channel shared between organisations the author may be of another team than the app's.
    author_team = _find(body, "event.user_team") or _find(body, "event.team") or team
    return InboundMessage(
        delivery_id=delivery_digest("message", channel, ts),
        conversation=_conversation(team, channel, thread),
        sender=Sender(channel=Channel.SLACK, tenant=author_team, user_id=user),
        text=to_plain(_find(body, "event.text") or ""),
        received_at=received_at,
        route=_route(channel, user, thread, None),
    )


def from_command(body: Payload, *, received_at: datetime) -> InboundMessage:
    """A slash command as a message. It stands in no thread. Raises `MalformedEventError`."""
    team, channel, user = _get(body, "team_id"), _get(body, "channel_id"), _get(body, "user_id")
    return InboundMessage(
        delivery_id=delivery_digest("command", _get(body, "trigger_id")),
        conversation=_conversation(team, channel, None),
        sender=Sender(
            channel=Channel.SLACK,
            tenant=team,
            user_id=user,
            display_name=_find(body, "user_name") or "",
        ),
        text=to_plain(_find(body, "text") or ""),
        received_at=received_at,
        route=_route(channel, user, None, _find(body, "response_url")),
    )


def from_action(body: Payload, *, received_at: datetime) -> InboundMessage:
    """A press on a button that `render` made. Raises `MalformedEventError`, also for foreign buttons."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else {}
    action_id, value = _get(action, "action_id"), _get(action, "value")
    verb = _verb(action_id)
    user, channel = _get(body, "user.id"), _get(body, "channel.id")
    # An ephemeral message is no message to Slack: it has no thread and cannot be updated.
    message = body.get("message")
    ts = _find(message, "ts") if isinstance(message, Mapping) else None
    thread = _find(body, "message.thread_ts") or (None if is_direct(channel) else ts)
    return InboundMessage(
        delivery_id=delivery_digest("action", user, _get(action, "action_ts"), action_id, value),
        conversation=_conversation(_team(body), channel, thread),
        sender=Sender(
            channel=Channel.SLACK,
            tenant=_find(body, "user.team_id") or _team(body),
            user_id=user,
            display_name=_find(body, "user.name") or _find(body, "user.username") or "",
        ),
        text=value if verb is Verb.SAY else "",
        received_at=received_at,
        button=ButtonPress(verb=verb, value=value, message_id=ts),
        route=_route(channel, user, thread, _find(body, "response_url")),
    )


def to_plain(text: str) -> str:
    """Slack's mark-up as the words a person reads; mentions of people are left out.

    Source: https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages
    """
    # Unescaping comes last, so that an escaped `&lt;@U1&gt;` stays the characters somebody typed.
    words = _MARKUP.sub(lambda match: _plain_markup(match[1]), text)
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        words = words.replace(escaped, character)
    return words.replace("\xa0", " ").strip()


def _plain_markup(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return ""
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return label or target.removeprefix("mailto:")


def _conversation(team: str, channel: str, thread: str | None) -> Conversation:
    return Conversation(channel=Channel.SLACK, tenant=team, conversation_id=channel, thread_id=thread)


def _route(channel: str, user: str, thread: str | None, response_url: str | None) -> dict[str, str]:
    parts = {"channel": channel, "user": user, "thread_ts": thread, "response_url": response_url}
    return {name: value for name, value in parts.items() if value}


def _verb(action_id: str) -> Verb:
    try:
        return Verb(action_id.partition(":")[0])
    except ValueError as error:
        raise MalformedEventError("actions.0.action_id") from error


def _team(body: Payload) -> str:
    # `team` is null for organisation-wide installations.
    return _find(body, "team.id") or _get(body, "user.team_id")


def _bot_user_id(body: Payload) -> str | None:
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    return _find(first, "user_id")


def _get(payload: object, path: str) -> str:
    value = _find(payload, path)
    if not value:
        raise MalformedEventError(path)
    return value


def _find(payload: object, path: str) -> str | None:
    """The text at a dotted path; None where there is none or it is something else."""
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return storable(payload) if isinstance(payload, str) else None
