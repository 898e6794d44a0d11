"""Buttons, commands and shortcuts: what opens a form, what is written into it, and what is asked at once.

A modal must be opened within 3 s of the press (https://docs.slack.dev/interactivity/handling-user-interaction). What is
sent is stored before it is acknowledged.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.addresses import parse_url
from bots.intake import storing
from brain.agents.grammar import read_request
from brain.agents.language import detect_locale
from brain.forms import form_of, question_form
from brain.message import InboundMessage, Locale
from brain.phrases import say
from brain.turns.inbox import AcceptsMessages

from . import inbound
from .commands import read_command
from .inbound import MalformedEventError, Payload
from .listeners import CLAIM_SECONDS
from .modals import FORM, QUESTION, ask_again, read_text, to_modal, to_notice
from .settings import SlackSettings

_OPEN_SECONDS: Final = 2.0
"""Longest time to show a form."""
_WHISPER_SECONDS: Final = 0.8
_CODES: Final = 3
"""So many codes of one message are explained."""
_MOST_ASKED: Final = 1_000
"""Characters of a message without codes that are looked up."""

_Json: TypeAlias = dict[str, Any]
_Handler: TypeAlias = Callable[[Payload, AsyncWebClient], Awaitable[_Json]]
"""Does what was asked and says what Slack is told with the acknowledgement. Raises `_RefusedError`."""

_log = structlog.get_logger(__name__)


class _RefusedError(Exception):
    """Not taken; `key` is the phrase for whoever sent it."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """What people do with Resync's buttons, commands and shortcuts."""

    inbox: AcceptsMessages
    settings: SlackSettings
    locale: Locale
    """Of those whose language nothing tells."""

    def register(self, bolt: AsyncApp) -> None:
        """Adds all listeners."""
        bolt.command("/tws")(self._listener(self.command))
        bolt.action({"type": "block_actions", "action_id": re.compile(".*")})(self._listener(self.press))
        bolt.global_shortcut(QUESTION)(self._listener(self.ask))
        bolt.message_shortcut("explain_this")(self._listener(self.explain))
        bolt.view_submission(FORM)(self._listener(self.submit))
        bolt.view_submission(QUESTION)(self._listener(self.question))
        bolt.view_closed(re.compile(".*"))(self._listener(_nothing))

    async def command(self, body: Payload, client: AsyncWebClient) -> _Json:
        """`/tws …`; in_channel makes Slack show the command above its answer."""
        message = self._message(body, inbound.from_command)
        row = read_command(message.text, self.locale)
        if row is not None:
            private = {inbound.PRIVATE: "yes"} if row.is_private else {}
            message = replace(message, text=row.says, locale=row.locale, route={**message.route, **private})
        await self._take(message, client)
        return {} if inbound.PRIVATE in message.route else {"response_type": "in_channel"}

    async def press(self, body: Payload, client: AsyncWebClient) -> _Json:
        """A button; one that asks for a reason does nothing before that is sent."""
        message, press = self._message(body, inbound.from_action), inbound.read_press(body)
        if not press.asks_reason:
            await self._take(message, client)
            return {}
        locale = self._locale_of(body)
        metadata = press.model_copy(update={"locale": locale}).model_dump_json(exclude_none=True)
        await self._open(
            client, body, to_modal(form_of(press.verb, locale), callback_id=FORM, metadata=metadata)
        )
        return {}

    async def submit(self, body: Payload, client: AsyncWebClient) -> _Json:
        """A reason is sent: the press on the button that asked for it."""
        try:
            press = inbound.press_of_form(body)
        except MalformedEventError as error:
            raise _RefusedError("press_unknown") from error
        if not self._is_slack(press.response_url or ""):
            press = press.model_copy(update={"response_url": None})
        message = self._message(body, partial(inbound.from_form, press=press))
        locale = press.locale or self.locale
        reason = read_text(body, form := form_of(press.verb, locale))
        if not reason:
            return ask_again(form, locale)
        await self._take(inbound.reasoned(message, reason), client)
        return {}

    async def ask(self, body: Payload, client: AsyncWebClient) -> _Json:
        """The shortcut to a question from anywhere."""
        await self._open(client, body, to_modal(question_form(self.locale), callback_id=QUESTION))
        return {}

    async def question(self, body: Payload, client: AsyncWebClient) -> _Json:
        """A question from anywhere is asked, and answered, between the person and the bot."""
        question = read_text(body, form := question_form(self.locale))
        if not question:
            return ask_again(form, self.locale)
        message = self._message(body, partial(inbound.from_question, question=question))
        await self._take(message, client)
        return {}

    async def explain(self, body: Payload, client: AsyncWebClient) -> _Json:
        """A message is to be explained: its codes, or else its words, are looked up and can ask for nothing."""
        message = self._message(body, inbound.from_message_shortcut)
        if not message.text:
            raise _RefusedError("nothing_to_explain")
        codes = ", ".join(read_request(message.text).identifiers[:_CODES])
        asked = say(self.locale, "explain_codes", codes=codes) if codes else message.text[:_MOST_ASKED]
        await self._take(replace(message, text=asked, agent="knowledge", locale=self.locale), client)
        return {}

    def _listener(self, handle: _Handler) -> Callable[..., Awaitable[None]]:
        async def listen(body: Payload, ack: AsyncAck, client: AsyncWebClient) -> None:
            answer: _Json = {}
            try:
                answer = await handle(body, client)
            except _RefusedError as refused:
                if body.get("type") == "view_submission":
                    answer = {"response_action": "update", "view": to_notice(refused.key, self.locale)}
                else:
                    await self._whisper(body, refused.key)
            await ack(**answer)

        return listen

    def _message(self, body: Payload, read: Callable[..., InboundMessage]) -> InboundMessage:
        """Raises `_RefusedError` where the payload is none of ours, or from people who may not ask."""
        try:
            message = read(body, received_at=datetime.now(UTC))
        except MalformedEventError as error:
            _log.warning("slack_payload_malformed", field=error.field, type=body.get("type"))
            raise _RefusedError("press_unknown") from error
        if not self.settings.allows(message.conversation.tenant, message.sender.tenant):
            _log.warning("slack_team_refused", team=message.sender.tenant)
            raise _RefusedError("team_refused")
        return message

    async def _take(self, message: InboundMessage, client: AsyncWebClient) -> None:
        """Stores it; what stands in no conversation as if said between the person and the bot."""
        async with storing(max_seconds=CLAIM_SECONDS):
            if not message.conversation.conversation_id:
                who = {"users": message.sender.user_id}
                opened = await client.api_call("conversations.open", json=who)
                message = inbound.moved(message, opened["channel"]["id"])
            accepted = await self.inbox.accept(message)
        _log.info("slack_message_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)

    async def _open(self, client: AsyncWebClient, body: Payload, view: _Json) -> None:
        """Shows the modal within the life of the press. Raises `_RefusedError` where that was not possible."""
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                await client.views_open(trigger_id=body.get("trigger_id", ""), view=view)
        except (SlackApiError, aiohttp.ClientError, OSError) as error:
            _log.warning("form_not_shown", error=type(error).__name__)
            raise _RefusedError("form_late") from error

    async def _whisper(self, body: Payload, key: str) -> None:
        """Says the phrase to whoever pressed, where there is a way to."""
        url = str(body.get("response_url"))
        if not self._is_slack(url):
            return
        try:
            async with asyncio.timeout(_WHISPER_SECONDS):
                await AsyncWebhookClient(url).send(
                    text=say(self._locale_of(body), key), response_type="ephemeral", replace_original=False
                )
        except (aiohttp.ClientError, OSError) as error:
            _log.warning("slack_whisper_lost", error=type(error).__name__)

    def _is_slack(self, url: str) -> bool:
        """Whether the address belongs to whom the API belongs to."""
        api, found = parse_url(self.settings.api_url), parse_url(url)
        if api is None or found is None:
            return False
        return found.scheme == api.scheme and f".{found.host}".endswith(f".{api.host}")

    def _locale_of(self, body: Payload) -> Locale:
        """The language of the message that carries the button, or of the site."""
        message = body.get("message")
        words = message.get("text") if isinstance(message, dict) else None
        return (detect_locale(words, None) if isinstance(words, str) else None) or self.locale


async def _nothing(_body: Payload, _client: AsyncWebClient) -> _Json:
    """A form that is closed changes nothing."""
    return {}
