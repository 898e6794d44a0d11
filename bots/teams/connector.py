"""The part of the Bot Connector's REST API that answering needs, over aiohttp.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference

Stands in for the SDK's `ConnectorClient.conversations`, which runs `requests` in the default thread pool
with a time limit of 100 s, and neither waits nor tries again on 429.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import structlog
from botbuilder.schema import Activity, ActivityTypes, ResourceResponse
from pydantic import BaseModel, ValidationError
from yarl import URL

from brain.turns.outbox import OutboxError

from .settings import TeamsSettings

_log = structlog.get_logger(__name__)

# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
_REFUSED_FOR_NOW: Final = frozenset({412, 429, 502, 504})
_RENEWAL_MARGIN: Final = 300.0
"""Seconds before its end at which a token is renewed, so that none expires on the way."""
_TOKEN_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
"""Seconds; a token service that is well answers within one."""


class ActivityGoneError(OutboxError):
    """The message to replace is not there any more."""


class ConversationGoneError(OutboxError):
    """The bot may not write there: it was removed or blocked, or the conversation was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to keep trying to deliver a message."""

    attempts: int = 4
    timeout: timedelta = timedelta(seconds=10)
    """Of one attempt."""
    backoff: timedelta = timedelta(milliseconds=500)
    """Longest wait before the second attempt when the connector names none; doubles with each further one."""
    longest_wait: timedelta = timedelta(seconds=30)
    """A longer Retry-After is not waited for: the turn is better tried again later as a whole."""


class _TokenAnswer(BaseModel):
    access_token: str = ""
    expires_in: float = 0.0
    error: str = ""


class BotToken:
    """The bot's own token: one, shared, renewed before it expires.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: TeamsSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """A token that is valid now; concurrent callers cause one request.

        Raises `OutboxError` where there is none and the old one has expired: retryable when the token
        service is away, not when it refuses the app id or its secret, for then an operator has to act.
        """
        if self._clock() >= self._renew_at:
            async with self._lock:
                if self._clock() >= self._renew_at:
                    await self._renew()
        return self._token

    def discard(self, token: str) -> None:
        """Forgets the token that the connector has just refused; the next `get` asks for another."""
        if token == self._token:
            self._renew_at = self._expires_at = 0.0

    async def _renew(self) -> None:
        try:
            answer = await self._request()
        except OutboxError as error:
            if self._clock() >= self._expires_at:
                raise
            _log.warning("bot_token_not_renewed", error=str(error))
            return
        now = self._clock()
        self._token = answer.access_token
        self._expires_at = now + answer.expires_in
        self._renew_at = self._expires_at - min(_RENEWAL_MARGIN, answer.expires_in / 2)

    async def _request(self) -> _TokenAnswer:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.app_id,
            "client_secret": self._settings.app_password.get_secret_value(),
            "scope": self._settings.token_scope,
        }
        url = self._settings.outbound_token_url
        try:
            # A redirect would carry the secret to an address nobody configured.
            async with self._session.post(
                url, data=form, allow_redirects=False, timeout=_TOKEN_TIMEOUT
            ) as response:
                return _read_answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutboxError(f"the token service does not answer: {error!r}", retryable=True) from error


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any
    retry_after: float | None

    @property
    def code(self) -> str:
        """The connector's own word for what is wrong, such as `MessageSizeTooBig`; may be empty."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    def __str__(self) -> str:
        return f"the Bot Connector answered {self.status} {self.code}".rstrip()


class Conversations:
    """Calls to one service URL, by the names the SDK knows. Each raises `OutboxError`."""

    def __init__(
        self, session: aiohttp.ClientSession, token: BotToken, service_url: str, patience: Patience
    ) -> None:
        self._session = session
        self._token = token
        self._base_url = service_url.rstrip("/")
        self._patience = patience

    async def send_to_conversation(self, conversation_id: str, activity: Activity) -> ResourceResponse:
        """Posts the activity; the answer carries its id."""
        return _delivered(await self._call("POST", (conversation_id,), activity))

    async def reply_to_activity(
        self, conversation_id: str, activity_id: str, activity: Activity
    ) -> ResourceResponse:
        """Posts the activity as an answer to another one."""
        return _delivered(await self._call("POST", (conversation_id, activity_id), activity))

    async def update_activity(
        self, conversation_id: str, activity_id: str, activity: Activity
    ) -> ResourceResponse:
        """Puts the activity in the place of another one. Raises `ActivityGoneError` when that is gone."""
        answer = await self._call("PUT", (conversation_id, activity_id), activity)
        if answer.status == HTTPStatus.NOT_FOUND or answer.code == "ActivityNotFoundInConversation":
            raise ActivityGoneError(str(answer), retryable=False)
        return _delivered(answer)

    async def _call(self, method: str, path: tuple[str, ...], activity: Activity) -> _Answer:
        conversation, *activity_id = (quote(part, safe="") for part in path)
        url = "/".join((self._base_url, "v3/conversations", conversation, "activities", *activity_id))
        body = json.dumps(activity.serialize(), ensure_ascii=False, separators=(",", ":")).encode()
        # A late typing sign is worse than none.
        attempts = 1 if activity.type == ActivityTypes.typing else self._patience.attempts
        for attempt in range(1, attempts):
            answer = await self._try(method, url, body)
            if answer.status not in _REFUSED_FOR_NOW:
                return answer
            await asyncio.sleep(self._wait(attempt, answer.retry_after))
        return await self._try(method, url, body)

    async def _try(self, method: str, url: str, body: bytes) -> _Answer:
        token = await self._token.get()
        answer = await self._send(method, url, body, token)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._token.discard(token)
        return await self._send(method, url, body, await self._token.get())

    async def _send(self, method: str, url: str, body: bytes, token: str) -> _Answer:
        try:
            # The path is quoted already, and a redirect would carry the token to another host.
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json; charset=utf-8",
                },
                timeout=aiohttp.ClientTimeout(total=self._patience.timeout.total_seconds()),
                allow_redirects=False,
            ) as response:
                return _Answer(response.status, _read_json(await response.read()), _retry_after(response))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutboxError(f"the Bot Connector does not answer: {error!r}", retryable=True) from error

    def _wait(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait; never less than asked for, with jitter so that a burst does not come back as one."""
        backoff: float = self._patience.backoff.total_seconds() * 2 ** (attempt - 1)
        wait = (retry_after or 0.0) + random.uniform(0, backoff)  # noqa: S311 spreads load, guards nothing
        if wait > self._patience.longest_wait.total_seconds():
            raise OutboxError(f"the Bot Connector asks to wait {wait:.0f} s", retryable=True)
        return wait


def _delivered(answer: _Answer) -> ResourceResponse:
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return ResourceResponse(id=answer.body.get("id") if isinstance(answer.body, dict) else None)
    if answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        raise ConversationGoneError(str(answer), retryable=False)
    is_away = answer.status in _REFUSED_FOR_NOW or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise OutboxError(str(answer), retryable=is_away)


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # proxies answer in HTML, updates with nothing
        return None


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds; Teams sends a number, and a date is as good as no hint."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _read_answer(status: int, body: bytes) -> _TokenAnswer:
    try:
        answer = _TokenAnswer.model_validate_json(body)
    except ValidationError as error:
        raise OutboxError(f"the token service answered {status} with no token", retryable=True) from error
    if status == HTTPStatus.OK and answer.access_token:
        return answer
    is_away = status not in {400, 401, 403}
    raise OutboxError(f"the token service answered {status} {answer.error}".rstrip(), retryable=is_away)
