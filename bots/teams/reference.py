"""The way back to a conversation: a conversation reference as plain strings, and back again.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

from __future__ import annotations

from collections.abc import Mapping

from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)

__all__ = ["to_reference", "to_route"]


def to_route(activity: Activity, *, tenant: str) -> Mapping[str, str]:
    """What `InboundMessage.route` carries.

    Make it of a verified activity only: whoever answers sends the bot's token to its `service_url`. In a
    channel the conversation id carries the thread (`;messageid=…`), so an answer stays in it.
    """
    route = {
        "service_url": activity.service_url,
        "channel_id": activity.channel_id,
        "tenant": tenant,
        "conversation_id": activity.conversation.id,
        "bot_id": activity.recipient.id,
        "user_id": activity.from_property.id,
    }
    # Only a message can be replied to: an invoke has an id, but no place in the conversation.
    return route | ({"reply_to_id": activity.id} if activity.type == ActivityTypes.message else {})


def to_reference(route: Mapping[str, str]) -> ConversationReference:
    """The reference that `to_route` wrote down. Raises KeyError for a route of another channel."""
    return ConversationReference(
        service_url=route["service_url"],
        channel_id=route["channel_id"],
        conversation=ConversationAccount(id=route["conversation_id"]),
        bot=ChannelAccount(id=route["bot_id"]),
        user=ChannelAccount(id=route["user_id"]),
        activity_id=route.get("reply_to_id"),
    )
