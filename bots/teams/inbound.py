"""Activity to `InboundMessage`, pure.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference#activity-object
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from botbuilder.schema import Activity, ActivityTypes
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Locale, Sender, Verb

from .errors import MalformedActivityError
from .reference import to_route

__all__ = ["HELP", "read_activity", "tenants_of", "to_help_request", "to_locale", "to_message"]

HELP: Final = "help"
"""What a bare mention or an installation asks for."""

_MAX_ID_CHARS: Final = 1000
_THREAD: Final = ";messageid="
_MENTION_TAG: Final = re.compile(r"</?at\b[^>]*>", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANKS: Final = re.compile(r"[ \t\xa0]+")


def _clean(text: str) -> str:
    """Storable text: no control characters, no lone surrogates, no runs of blanks."""
    sound = _CONTROL.sub("", text).encode("utf-8", "replace").decode()
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in sound.splitlines()).strip()


class _Press(BaseModel):
    """The data of a button: all of it comes from the client."""

    verb: Verb
    value: Annotated[str, AfterValidator(_clean), Field(min_length=1, max_length=4000)]


class _Action(BaseModel):
    verb: str
    data: dict[str, Any]


class _CardInvoke(BaseModel):
    """The value of an `adaptiveCard/action` invoke."""

    action: _Action


class _Mention(NamedTuple):
    account_id: str
    name: str
    text: str


def read_activity(payload: object) -> Activity:
    """The activity that a request's JSON describes. Raises `MalformedActivityError`."""
    if not isinstance(payload, dict):
        raise MalformedActivityError("An activity is a JSON object.")
    try:
        activity = Activity.deserialize(payload)
    except (ValueError, RecursionError) as error:  # the SDK's DeserializationError is a ValueError
        raise MalformedActivityError("The activity cannot be read.") from error
    _required(activity.type, "type")
    return activity


def tenants_of(activity: Activity) -> frozenset[str]:
    """Every tenant the activity names; one for a sound activity of Teams."""
    conversation = activity.conversation
    extra = (conversation.additional_properties or {}) if conversation else {}
    # The SDK's model calls it `tenantID`; Teams sends `tenantId`, which lands among the unknown fields.
    found = (_tenant_of_channel_data(activity.channel_data), extra.get("tenantId"))
    return frozenset(tenant for tenant in found if isinstance(tenant, str) and tenant)


def to_message(activity: Activity, *, received_at: datetime) -> InboundMessage:
    """A message, a button press that came as a message, or an `adaptiveCard/action` invoke.

    Raises `MalformedActivityError` when an id is missing or a button's data is not one of ours.
    """
    button = _button(activity)
    if button is None:
        return _message(activity, _text(activity) or HELP, None, received_at)
    return _message(activity, button.value if button.verb is Verb.SAY else "", button, received_at)


def to_help_request(activity: Activity, *, received_at: datetime) -> InboundMessage:
    """What an installation asks: what can you do? Raises `MalformedActivityError`."""
    return _message(activity, HELP, None, received_at)


def to_locale(activity: Activity) -> Locale | None:
    """The language of the person's client, None where it is neither English nor Portuguese."""
    language = str(activity.locale or "").lower().replace("_", "-").partition("-")[0]
    return Locale(language) if language in set(Locale) else None


def _message(
    activity: Activity, text: str, button: ButtonPress | None, received_at: datetime
) -> InboundMessage:
    sender, conversation, bot = activity.from_property, activity.conversation, activity.recipient
    sender_id = _required(sender and sender.id, "from.id")
    conversation_id = _required(conversation and conversation.id, "conversation.id")
    _required(bot and bot.id, "recipient.id")
    _required(activity.service_url, "serviceUrl")
    _required(activity.channel_id, "channelId")
    tenants = tenants_of(activity)
    tenant = _required(min(tenants) if len(tenants) == 1 else None, "channelData.tenant.id")
    base_id, _, thread_id = conversation_id.partition(_THREAD)
    return InboundMessage(
        delivery_id=f"{conversation_id}|{_required(activity.id, 'id')}",
        conversation=Conversation(
            channel=Channel.TEAMS, tenant=tenant, conversation_id=base_id, thread_id=thread_id or None
        ),
        sender=Sender(
            channel=Channel.TEAMS,
            tenant=tenant,
            user_id=_required(sender.aad_object_id or sender_id, "from.aadObjectId"),
            display_name=_clean(sender.name or ""),
        ),
        text=text,
        received_at=received_at,
        button=button,
        locale=to_locale(activity),
        route=to_route(activity, tenant=tenant),
    )


def _button(activity: Activity) -> ButtonPress | None:
    try:
        if activity.type == ActivityTypes.invoke:
            action = _CardInvoke.model_validate(activity.value).action
            press = _Press.model_validate({**action.data, "verb": action.verb})
        elif activity.value is not None and not activity.text:
            press = _Press.model_validate(activity.value)
        else:
            return None
    except ValidationError as error:
        raise MalformedActivityError("The button is not one of Resync's.") from error
    message_id = _required(activity.reply_to_id, "replyToId") if activity.reply_to_id else None
    return ButtonPress(verb=press.verb, value=press.value, message_id=message_id)


def _text(activity: Activity) -> str:
    """What the person typed: without the bot's own mention, others by name, as plain text."""
    text: str = activity.text or ""
    bot_id = activity.recipient.id if activity.recipient else None
    for mention in _mentions(activity):
        text = text.replace(mention.text, " " if mention.account_id == bot_id else mention.name)
    return _clean(html.unescape(_MENTION_TAG.sub("", text)))


def _mentions(activity: Activity) -> Iterator[_Mention]:
    for entity in filter(None, activity.entities or ()):  # the SDK lets null through
        extra: Mapping[str, Any] = entity.additional_properties or {}
        mentioned, text = extra.get("mentioned"), extra.get("text")
        if isinstance(mentioned, dict) and isinstance(text, str) and text:
            yield _Mention(str(mentioned.get("id", "")), str(mentioned.get("name", "")), text)


def _required(value: object, name: str) -> str:
    """An id as the channel sent it: present, printable, short enough to be one."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _MAX_ID_CHARS:
        raise MalformedActivityError(f"The activity has no usable {name}.")
    return value


def _tenant_of_channel_data(channel_data: object) -> object:
    tenant = channel_data.get("tenant") if isinstance(channel_data, dict) else None
    return tenant.get("id") if isinstance(tenant, dict) else None
