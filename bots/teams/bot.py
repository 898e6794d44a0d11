"""What the bot does with an activity: takes it durably and returns at once.

https://learn.microsoft.com/microsoftteams/platform/bots/bot-basics
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import structlog
from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.schema import ChannelAccount

from brain.message import InboundMessage, Locale
from brain.turns.inbox import AcceptsMessages

from .errors import MalformedActivityError
from .inbound import to_help_request, to_locale, to_message

__all__ = ["TeamsBot"]

_log = structlog.get_logger(__name__)

CARD_ACTION: Final = "adaptiveCard/action"

_WORKING: Final = {Locale.EN: "Working on it…", Locale.PT: "Um momento…"}


def _now() -> datetime:
    return datetime.now(UTC)


class TeamsBot(ActivityHandler):  # type: ignore[misc]  # the SDK ships no types
    """Messages, button presses and its own arrival; all else is acknowledged and forgotten.

    Not a `TeamsActivityHandler`: that one asks the roster of Teams about every new member and reads the
    payloads of two dozen invokes before it finds that nobody serves them.
    """

    def __init__(self, inbox: AcceptsMessages, *, now: Callable[[], datetime] = _now) -> None:
        super().__init__()
        self._inbox = inbox
        self._now = now

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """A message, or a button of a client that knows no `Action.Execute`."""
        await self._accept(to_message(turn_context.activity, received_at=self._now()))

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greets when it is added itself, by answering as if it had been asked for help."""
        activity = turn_context.activity
        ids = {member.id for member in members_added if member}  # the SDK lets null through
        if activity.recipient and activity.recipient.id in ids:
            await self._accept(to_help_request(activity, received_at=self._now()))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """A button press; its answer is due within seconds, so it only says that the press arrived."""
        activity = turn_context.activity
        if activity.name != CARD_ACTION:
            return InvokeResponse(status=HTTPStatus.NOT_IMPLEMENTED)
        try:
            message = to_message(activity, received_at=self._now())
        except MalformedActivityError as error:
            return _card_answer(error.status, "error", {"code": error.code, "message": str(error)})
        await self._accept(message)
        return _card_answer(HTTPStatus.OK, "activity.message", _WORKING[to_locale(activity) or Locale.EN])

    async def _accept(self, message: InboundMessage) -> None:
        accepted = await self._inbox.accept(message)
        _log.info(
            "message_accepted",
            channel=message.conversation.channel,
            conversation_key=message.conversation.key,
            turn_id=accepted.turn_id,
            duplicate=accepted.duplicate,
        )


def _card_answer(status: int, kind: str, value: object) -> InvokeResponse:
    """The HTTP status is always 200; the card's own status is inside."""
    # https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format
    body = {"statusCode": int(status), "type": f"application/vnd.microsoft.{kind}", "value": value}
    return InvokeResponse(status=int(HTTPStatus.OK), body=body)
