"""Activity to `InboundMessage`, pure.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference#activity-object
"""

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, ClassVar, Final, TypeAlias

from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)
from pydantic import AfterValidator, AliasPath, BaseModel, Field, ValidationError

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

_HELP: Final = "help"
"""What a bare mention or an installation asks for."""

_MAX_ID_CHARS: Final = 1000
_THREAD: Final = ";messageid="
_MENTION_TAG: Final = re.compile(r"</?at\b[^>]*>", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANKS: Final = re.compile(r"[ \t\xa0]+")


class MalformedActivityError(Exception):
    """The body is not an activity that can be answered; the message says why and may be shown."""

    code: ClassVar[str] = "malformed_activity"


def _clean(text: str) -> str:
    """Storable text without control characters and runs of blanks."""
    sound = _CONTROL.sub("", storable(text))
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in sound.splitlines()).strip()


_Value: TypeAlias = Annotated[str, AfterValidator(_clean), Field(min_length=1, max_length=4000)]


_Reason: TypeAlias = Annotated[str, AfterValidator(_clean), Field(max_length=500)]


class _Press(BaseModel):
    """The data of a button: all of it comes from the client."""

    verb: Verb
    value: _Value
    reason: _Reason = ""


class _CardInvoke(BaseModel):
    """The value of an `adaptiveCard/action` invoke."""

    verb: Verb = Field(validation_alias=AliasPath("action", "verb"))
    value: _Value = Field(validation_alias=AliasPath("action", "data", "value"))
    reason: _Reason = Field(default="", validation_alias=AliasPath("action", "data", "reason"))


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
        return _message(activity, _text(activity) or _HELP, None, received_at)
    return _message(activity, button.value if button.verb is Verb.SAY else "", button, received_at)


def to_edit(activity: Activity, *, received_at: datetime) -> InboundMessage | None:
    """A message whose words were changed, as it is now; None for other changes, such as one that was restored.

    Raises `MalformedActivityError`.
    """
    data = activity.channel_data
    is_edit = isinstance(data, dict) and data.get("eventType") == "editMessage"
    words = _text(activity)
    if not is_edit or not words:
        return None
    message = _message(activity, words, None, received_at)
    changed = delivery_digest("edit", message.delivery_id, words)
    return replace(message, delivery_id=changed)


def delivery_of(activity: Activity) -> str:
    """The delivery id of the message that the activity is, or changes. Raises `MalformedActivityError`."""
    conversation = _required(activity.conversation and activity.conversation.id, "conversation.id")
    return f"{conversation}|{_required(activity.id, 'id')}"


def base_of(conversation_id: str) -> str:
    """The chat or channel, without the thread."""
    return conversation_id.partition(_THREAD)[0]


def to_help_request(activity: Activity, *, received_at: datetime) -> InboundMessage:
    """What an installation asks: what can you do? Raises `MalformedActivityError`."""
    return _message(activity, _HELP, None, received_at)


def to_locale(activity: Activity) -> Locale | None:
    """The language of the person's client, None where it is neither English nor Portuguese."""
    language = str(activity.locale or "").lower().replace("_", "-").partition("-")[0]
    return Locale(language) if language in set(Locale) else None


def to_reference(route: Mapping[str, str]) -> ConversationReference:
    """The way back that a message's `route` describes. Raises KeyError for a route of another channel."""
    return ConversationReference(
        service_url=route["service_url"],
        channel_id=route["channel_id"],
        conversation=ConversationAccount(id=route["conversation_id"]),
        bot=ChannelAccount(id=route["bot_id"]),
        user=ChannelAccount(id=route["user_id"]),
        activity_id=route.get("reply_to_id"),
    )


def _route(activity: Activity) -> dict[str, str]:
    """A conversation reference as plain strings, of a verified activity only: its `service_url` gets a token.

    In a channel the conversation id carries the thread (`;messageid=…`), so an answer stays in it.
    """
    route = {
        "service_url": activity.service_url,
        "channel_id": activity.channel_id,
        "conversation_id": activity.conversation.id,
        "bot_id": activity.recipient.id,
        "user_id": activity.from_property.id,
        # Whose chat it is, and of what kind: how a person is found who is to be told something.
        "person": activity.from_property.aad_object_id or "",
        "scope": activity.conversation.conversation_type or "",
    }
    # Only a message can be replied to: an invoke has an id, but no place in the conversation.
    return route | ({"reply_to_id": activity.id} if activity.type == ActivityTypes.message else {})


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
        delivery_id=delivery_of(activity),
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
        route=_route(activity),
    )


def _button(activity: Activity) -> ButtonPress | None:
    is_invoke = activity.type == ActivityTypes.invoke
    if not is_invoke and (activity.value is None or activity.text):
        return None
    try:
        press = (_CardInvoke if is_invoke else _Press).model_validate(activity.value)
    except ValidationError as error:
        raise MalformedActivityError("The button is not one of Resync's.") from error
    message_id = _required(activity.reply_to_id, "replyToId") if activity.reply_to_id else None
    return ButtonPress(verb=press.verb, value=press.value, reason=press.reason, message_id=message_id)


def _text(activity: Activity) -> str:
    """What the person typed: without the bot's own mention, others by name, as plain text."""
    words: str = activity.text or ""
    bot_id = activity.recipient.id if activity.recipient else None
    for entity in filter(None, activity.entities or ()):  # the SDK lets null through
        extra = entity.additional_properties or {}
        mentioned, marked = extra.get("mentioned"), extra.get("text")
        if isinstance(mentioned, dict) and isinstance(marked, str) and marked:
            is_bot = mentioned.get("id") == bot_id
            words = words.replace(marked, " " if is_bot else str(mentioned.get("name", "")))
    return _clean(html.unescape(_MENTION_TAG.sub("", words)))


def _required(value: object, name: str) -> str:
    """An id as the channel sent it: present, printable, short enough to be one."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _MAX_ID_CHARS:
        raise MalformedActivityError(f"The activity has no usable {name}.")
    return value


def _tenant_of_channel_data(channel_data: object) -> object:
    tenant = channel_data.get("tenant") if isinstance(channel_data, dict) else None
    return tenant.get("id") if isinstance(tenant, dict) else None
