"""The way back to Slack: one message that first shows progress and then becomes the answer.

Methods: https://docs.slack.dev/reference/methods/chat.postMessage and chat.update; how Slack reports errors:
https://docs.slack.dev/apis/web-api#responses
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from sqlalchemy.exc import SQLAlchemyError

from brain.message import InboundMessage
from brain.reply import Reply
from brain.turns.outbox import Outbox, OutboxError

from .inbound import HOME, PRIVATE, is_direct
from .render import SlackMessage, to_slack, to_status
from .settings import SlackSettings
from .workspaces import Installed

_log = structlog.get_logger(__name__)

_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""The message can no longer be changed: the reply is posted anew."""
_UNREACHABLE = frozenset({"channel_not_found", "not_in_channel", "restricted_action"})
"""The bot may not write into the channel, but the response_url of a command or a button may."""
_PERSON = frozenset({"U", "W"})
"""How ids of people begin; channels have others."""
_BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"}
)
_TRANSIENT = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable"}
)
_PROGRESS_SECONDS = 1.0
"""Slack takes about one message a second in a channel; lines in between are dropped."""


class _RefusedError(OutboxError):
    """Slack answered, but not with success; `code` is its word for it, empty where it gave none."""

    def __init__(self, method: str, error: SlackApiError) -> None:
        # The SDK hands over its own response, or aiohttp's where the body was no JSON.
        response: Any = error.response
        status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
        data = getattr(response, "data", None)
        self.code = str(data.get("error", "")) if isinstance(data, dict) else ""
        super().__init__(
            f"Slack refused {method}: {self.code or f'HTTP {status}'}",
            retryable=self.code in _TRANSIENT or _is_transient(status),
        )


@dataclass(frozen=True, slots=True)
class SlackCaller:
    """Calls Slack with the token of a team."""

    client: AsyncWebClient
    team: str
    installed: Installed

    async def call(self, method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
        """The method's answer. Raises `OutboxError`: a `_RefusedError`, or because Slack did not answer."""
        try:
            token = await self.installed.token(self.team)
        except (SQLAlchemyError, OSError) as error:
            raise OutboxError(f"no token for {method}: {type(error).__name__}", retryable=True) from error
        if token is None:
            raise OutboxError(f"Resync is not installed in {self.team}", retryable=False)
        try:
            response = await self.client.api_call(method, json={**arguments, "token": token})
        except SlackApiError as error:
            raise _RefusedError(method, error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise OutboxError(
                f"Slack did not answer {method}: {type(error).__name__}", retryable=True
            ) from error
        # Only a method that exports a file answers in bytes.
        assert isinstance(response.data, dict)
        return response.data


class SlackOutbox:
    """Writes into one channel or thread, which a message's route names; message ids are Slack's `ts`."""

    def __init__(
        self,
        patient: AsyncWebClient,
        hasty: AsyncWebClient,
        route: Mapping[str, str],
        *,
        team: str,
        installed: Installed,
    ) -> None:
        self._patient = patient
        self._hasty = hasty
        self._team = team
        self._installed = installed
        self._channel = route["channel"]
        self._user = route.get("user")
        self._thread_ts = route.get("thread_ts")
        self._response_url = route.get("response_url")
        self._is_private = PRIVATE in route
        self._status_ts: str | None = None
        self._next_progress = -math.inf

    async def progress(self, line: str) -> None:
        """Shows the line in the message that will become the answer; at most one a second."""
        if self._is_private or time.monotonic() < self._next_progress:
            return
        self._next_progress = math.inf  # until this line is shown, and for good if it cannot be
        try:
            if self._status_ts is None:
                self._status_ts = await self._post(to_status(line), self._hasty)
            else:
                await self._update(self._status_ts, to_status(line), self._hasty)
        except OutboxError as error:
            _log.info("slack_progress_lost", reason=str(error))
            return
        self._next_progress = time.monotonic() + _PROGRESS_SECONDS

    async def delta(self, piece: str) -> None:
        """Does nothing: an answer in pieces would exceed the rate of updates that Slack allows."""

    async def send(self, reply: Reply) -> str | None:
        """Puts the answer in the place of the progress line, or posts it.

        Where the bot may not write, the answer goes to the response_url and has no id.
        """
        message = to_slack(reply)
        await self._open_chat()
        if (reply.is_private or self._is_private) and self._user and not is_direct(self._channel):
            await self._whisper(self._user, message)
            return None
        try:
            if self._status_ts is not None and await self._update(self._status_ts, message, self._patient):
                sent, self._status_ts = self._status_ts, None
                return sent
            return await self._post(message, self._patient)
        except _RefusedError as error:
            await self._respond(error, message, replaces=False)
            return None

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Changes the message, and removes the progress line; posts the reply if the message is gone."""
        message = to_slack(reply)
        await self._open_chat()
        try:
            is_there = await self._update(message_id, message, self._patient)
        except _RefusedError as error:
            await self._respond(error, message, replaces=True)
            is_there = True
        if not is_there:
            await self.send(reply)
        else:
            await self._drop_progress()

    async def _open_chat(self) -> None:
        """Of a person the chat with them: only that one's messages can be changed."""
        if self._channel[:1] in _PERSON:
            opened = await self._call(self._patient, "conversations.open", {"users": self._channel})
            self._channel = str(opened["channel"]["id"])

    async def _whisper(self, user: str, message: SlackMessage) -> None:
        """Shows the message to one person only; such a message has no id."""
        await self._drop_progress()
        place = {"user": user} | ({"thread_ts": self._thread_ts} if self._thread_ts else {})
        try:
            await self._write(self._patient, "chat.postEphemeral", message, place)
        except _RefusedError as error:
            await self._respond(error, message, replaces=False, is_private=True)

    async def _drop_progress(self) -> None:
        if self._status_ts is not None:
            await self._remove(self._status_ts)
            self._status_ts = None

    async def _post(self, message: SlackMessage, client: AsyncWebClient) -> str:
        thread = {"thread_ts": self._thread_ts} if self._thread_ts else {}
        response = await self._write(client, "chat.postMessage", message, thread)
        return str(response["ts"])

    async def _update(self, ts: str, message: SlackMessage, client: AsyncWebClient) -> bool:
        """Whether the message was there to be changed."""
        try:
            await self._write(client, "chat.update", message, {"ts": ts})
        except _RefusedError as error:
            if error.code in _GONE:
                return False
            raise
        return True

    async def _remove(self, ts: str) -> None:
        try:
            await self._call(self._patient, "chat.delete", {"channel": self._channel, "ts": ts})
        except OutboxError as error:
            _log.warning("slack_progress_left_behind", reason=str(error))

    async def _write(
        self, client: AsyncWebClient, method: str, message: SlackMessage, place: dict[str, str]
    ) -> Mapping[str, Any]:
        arguments = {"channel": self._channel, **place, **_payload(message)}
        try:
            return await self._call(client, method, arguments)
        except _RefusedError as error:
            if error.code not in _BLOCKS_REFUSED:
                raise
            # Better the bare words than no answer; an empty list also takes the old blocks away.
            _log.error("slack_blocks_refused", method=method, code=error.code)
            return await self._call(client, method, {**arguments, "blocks": []})

    async def _call(
        self, client: AsyncWebClient, method: str, arguments: dict[str, Any]
    ) -> Mapping[str, Any]:
        return await SlackCaller(client, self._team, self._installed).call(method, arguments)

    async def _respond(
        self, refusal: _RefusedError, message: SlackMessage, *, replaces: bool, is_private: bool = False
    ) -> None:
        """Answers through the response_url where that gets past the refusal, which is raised otherwise."""
        if refusal.code not in _UNREACHABLE or self._response_url is None:
            raise refusal
        client = AsyncWebhookClient(self._response_url, session=self._patient.session)
        kind = "ephemeral" if is_private else "in_channel"
        body = {"response_type": kind, "replace_original": replaces, **_payload(message)}
        try:
            response = await client.send_dict(body)
        except (aiohttp.ClientError, OSError) as error:
            raise OutboxError(f"response_url: {type(error).__name__}", retryable=True) from error
        if response.status_code != 200:  # noqa: PLR2004 HTTP status code
            status = response.status_code
            raise OutboxError(f"response_url answered {status}", retryable=_is_transient(status))


@dataclass(frozen=True, slots=True)
class SlackHome:
    """A person's page of the app, published anew whenever they open it; an `Outbox`. It has no message and no id.

    https://docs.slack.dev/reference/methods/views.publish
    """

    caller: SlackCaller
    user: str

    async def progress(self, line: str) -> None:
        """Nothing: the page that is there stays until the new one is."""

    async def delta(self, piece: str) -> None:
        """Nothing, likewise."""

    async def send(self, reply: Reply) -> str | None:
        """Publishes it. Raises `OutboxError`."""
        view = {"type": "home", "blocks": to_slack(reply).blocks}
        await self.caller.call("views.publish", {"user_id": self.user, "view": view})
        return None

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Publishes it. Raises `OutboxError`."""
        del message_id
        await self.send(reply)


class SlackOutboxes:
    """Makes the ways back; an `OutboxFactory` for messages that came from Slack.

    The session's timeout bounds each call; Slack's own advice to wait (429) is followed twice.
    """

    def __init__(self, settings: SlackSettings, session: aiohttp.ClientSession, installed: Installed) -> None:
        self._installed = installed
        self._patient = AsyncWebClient(
            base_url=settings.api_url,
            session=session,
            retry_handlers=[
                AsyncConnectionErrorRetryHandler(),
                AsyncRateLimitErrorRetryHandler(max_retry_count=2),
            ],
        )
        # Progress is worth nothing late, so its calls are not repeated.
        self._hasty = AsyncWebClient(base_url=settings.api_url, session=session, retry_handlers=[])

    def __call__(self, _turn_id: str, message: InboundMessage) -> Outbox:
        """The way back to where the message came from."""
        team, route = message.conversation.tenant, message.route
        if HOME in route:
            return SlackHome(SlackCaller(self._patient, team, self._installed), route[HOME])
        return self._to(team, route)

    def to_channel(self, team: str, channel_id: str, thread_ts: str | None = None) -> Outbox:
        """A way into a channel, or a thread of it, without a message from there."""
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        return self._to(team, {"channel": channel_id} | thread)

    def _to(self, team: str, route: Mapping[str, str]) -> Outbox:
        return SlackOutbox(self._patient, self._hasty, route, team=team, installed=self._installed)


def _is_transient(status: int) -> bool:
    """Whether the HTTP status asks to come back later."""
    return status == 429 or status >= 500  # noqa: PLR2004 the two kinds HTTP knows


def _payload(message: SlackMessage) -> dict[str, Any]:
    # chat.update reads @names and links out of the text unless told not to.
    return {
        "text": message.text,
        "blocks": message.blocks,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }
