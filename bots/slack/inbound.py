"""Slack's payloads as `InboundMessage`; pure.

Formats: https://docs.slack.dev/reference/events/message,
https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bots.intake import storable
from brain.message import (
    ButtonPress,
    Channel,
    Conversation,
    InboundMessage,
    Locale,
    Sender,
    Verb,
    delivery_digest,
)

REASON = "reason"
"""In the `action_id` of a button that asks for one."""
HOME = "home"
"""In a route: whose page it is."""
PRIVATE = "private"
"""In a route: only whoever asked is answered."""

_SPOKEN_SUBTYPES = frozenset({None, "file_share", "me_message", "thread_broadcast"})
"""Message subtypes in which a person says something; the others are edits, deletions, joins, bots."""

_MARKUP = re.compile(r"<([^<>]*)>")
"""Slack escapes `<` and `>` in what people type, so an angle bracket is always its own mark-up."""

_OPENING_MENTION = re.compile(r"\s*<@(?P<user>\w+)(?:\|[^<>]*)?>")

Payload = Mapping[str, Any]
_Id = Annotated[str, AfterValidator(storable), Field(max_length=2_000)]


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


def from_edit(body: Payload, *, received_at: datetime) -> InboundMessage:
    """A `message_changed` event, as the message that it is now. Raises `MalformedEventError`."""
    event = body["event"]
    now = {**_part(event, "message"), "channel": event.get("channel")}
    edited = _get(now, "edited.ts")
    message = from_event({**body, "event": now}, received_at=received_at)
    return replace(
        message, delivery_id=delivery_digest("edit", _get(now, "channel"), _get(now, "ts"), edited)
    )


def is_edit(event: Payload) -> bool:
    """Whether a person changed the words of a message."""
    now, before = _part(event, "message"), _part(event, "previous_message")
    is_theirs = is_from_person(now) and "edited" in now
    return event.get("subtype") == "message_changed" and is_theirs and now.get("text") != before.get("text")


def removed_delivery(event: Payload) -> str | None:
    """The delivery id of the message that was deleted or is replaced by an edit; None for another event."""
    gone = _part(event, "previous_message").get("ts")
    is_gone = event.get("subtype") in {"message_deleted", "message_changed"}
    return delivery_digest("message", _get(event, "channel"), str(gone)) if is_gone and gone else None


def from_home(body: Payload, *, received_at: datetime) -> InboundMessage:
    """Somebody opens the app's page. Raises `MalformedEventError`."""
    team, user = _get(body, "team_id"), _get(body, "event.user")
    return InboundMessage(
        delivery_id=delivery_digest("home", user, _get(body, "event_id")),
        conversation=_conversation(team, f"{HOME}:{user}", None),
        sender=Sender(channel=Channel.SLACK, tenant=team, user_id=user),
        text="",
        received_at=received_at,
        agent="home",
        route={HOME: user},
    )


def from_joining(body: Payload, *, received_at: datetime) -> InboundMessage | None:
    """The bot comes into a channel, and whoever invited it asks what it can do; None for anybody else who comes."""
    inviter = _find(body, "event.inviter")
    if inviter is None or _get(body, "event.user") != _bot_user_id(body):
        return None
    team, channel = _get(body, "team_id"), _get(body, "event.channel")
    return InboundMessage(
        delivery_id=delivery_digest("joined", channel, _get(body, "event_id")),
        conversation=_conversation(team, channel, None),
        sender=Sender(channel=Channel.SLACK, tenant=team, user_id=inviter),
        text="help",
        received_at=received_at,
        route=_route(channel, inviter, None, None),
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


class Press(BaseModel):
    """A button and where it stands, as the client says: ids, to be looked up. Who pressed it is not in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: Verb
    value: _Id
    channel: _Id
    thread: _Id | None = None
    message: _Id | None = None
    response_url: _Id | None = None
    asks_reason: bool = False
    locale: Locale | None = None
    """Of the form, not of the answer."""


def read_press(body: Payload) -> Press:
    """A press on a button that `render` made. Raises `MalformedEventError`, also for foreign buttons."""
    action = _action(body)
    action_id, value = _get(action, "action_id"), _get(action, "value")
    is_at_home = _find(body, "view.type") == HOME
    verb, channel = _verb(action_id), "" if is_at_home else _get(body, "channel.id")
    # An ephemeral message is no message to Slack: it has no thread and cannot be updated.
    message = body.get("message")
    ts = _find(message, "ts") if isinstance(message, Mapping) else None
    return _checked(
        {
            "verb": verb,
            "value": value,
            "asks_reason": REASON in action_id.split(":"),
            "channel": channel,
            "thread": _find(body, "message.thread_ts") or (None if is_direct(channel) or is_at_home else ts),
            "message": ts,
            "response_url": _find(body, "response_url"),
        }
    )


def from_action(body: Payload, *, received_at: datetime) -> InboundMessage:
    """The press as a message. Raises `MalformedEventError`."""
    action, press = _action(body), read_press(body)
    user, action_id, value = _get(body, "user.id"), _get(action, "action_id"), _get(action, "value")
    delivery_id = delivery_digest("action", user, _get(action, "action_ts"), action_id, value)
    return _pressed(body, press, delivery_id, received_at)


def press_of_form(body: Payload) -> Press:
    """The press that opened the modal which is sent now. Raises `MalformedEventError`."""
    return _checked(_get(body, "view.private_metadata"))


def from_form(body: Payload, press: Press, *, received_at: datetime) -> InboundMessage:
    """A modal that is sent, as the press that opened it. Raises `MalformedEventError`."""
    return _pressed(body, press, delivery_digest("form", _get(body, "view.id")), received_at)


def reasoned(message: InboundMessage, reason: str) -> InboundMessage:
    """The press with its reason."""
    assert message.button is not None
    return replace(message, button=replace(message.button, reason=reason))


def from_question(body: Payload, question: str, *, received_at: datetime) -> InboundMessage:
    """What was asked in the modal of a shortcut; it stands in no conversation yet."""
    return InboundMessage(
        delivery_id=delivery_digest("form", _get(body, "view.id")),
        conversation=_conversation(_team(body), "", None),
        sender=_sender(body),
        text=question,
        received_at=received_at,
        route=_route("", _get(body, "user.id"), None, None),
    )


def moved(message: InboundMessage, channel: str) -> InboundMessage:
    """The message as if said in this conversation."""
    conversation = replace(message.conversation, conversation_id=channel)
    return replace(message, conversation=conversation, route={**message.route, "channel": channel})


def from_message_shortcut(body: Payload, *, received_at: datetime) -> InboundMessage:
    """A message that somebody wants explained, in its thread. Raises `MalformedEventError`."""
    user, channel, ts = _get(body, "user.id"), _get(body, "channel.id"), _get(body, "message.ts")
    thread = _find(body, "message.thread_ts") or ts
    return InboundMessage(
        delivery_id=delivery_digest("shortcut", user, ts, _get(body, "action_ts")),
        conversation=_conversation(_team(body), channel, thread),
        sender=_sender(body),
        text=to_plain(_find(body, "message.text") or _attached(body)),
        received_at=received_at,
        route=_route(channel, user, thread, _find(body, "response_url")),
    )


def _attached(body: Payload) -> str:
    """What a tool wrote that sends no text but attachments."""
    message = body["message"]
    found = message.get("attachments") if isinstance(message, Mapping) else None
    texts = [_find(one, "text") or _find(one, "fallback") for one in found] if isinstance(found, list) else []
    return "\n".join(filter(None, texts))


def _part(event: Payload, name: str) -> Mapping[str, Any]:
    found = event.get(name)
    return found if isinstance(found, Mapping) else {}


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


def _action(body: Payload) -> Payload:
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, Mapping) else {}


def _checked(press: Mapping[str, Any] | str) -> Press:
    try:
        return Press.model_validate_json(press) if isinstance(press, str) else Press(**press)
    except ValidationError as error:
        raise MalformedEventError("view.private_metadata") from error


def _pressed(body: Payload, press: Press, delivery_id: str, received_at: datetime) -> InboundMessage:
    return InboundMessage(
        delivery_id=delivery_id,
        conversation=_conversation(_team(body), press.channel, press.thread),
        sender=_sender(body),
        text=press.value if press.verb is Verb.SAY else "",
        received_at=received_at,
        button=ButtonPress(verb=press.verb, value=press.value, message_id=press.message),
        route=_route(press.channel, _get(body, "user.id"), press.thread, press.response_url),
    )


def _sender(body: Payload) -> Sender:
    return Sender(
        channel=Channel.SLACK,
        tenant=_find(body, "user.team_id") or _team(body),
        user_id=_get(body, "user.id"),
        display_name=_find(body, "user.name") or _find(body, "user.username") or "",
    )


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
