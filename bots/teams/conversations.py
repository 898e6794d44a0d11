"""The part of the Bot Connector's REST API that answering needs, over aiohttp.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference

Stands in for the SDK's `ConnectorClient.conversations`, which runs `requests` in the default thread pool
with a time limit of 100 s, and neither waits nor tries again on 429.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from botbuilder.schema import Activity, ActivityTypes, ResourceResponse
from yarl import URL

from .credentials import BotToken
from .errors import ActivityGoneError, ConnectorRefusedError, ConnectorUnavailableError

__all__ = ["Conversations", "Patience"]

# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
_REFUSED_FOR_NOW: Final = frozenset({412, 429, 502, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to keep trying to deliver a message."""

    attempts: int
    timeout: timedelta
    """Of one attempt."""
    backoff: timedelta = timedelta(milliseconds=500)
    """Longest wait before the second attempt when the connector names none; doubles with each further one."""
    longest_wait: timedelta = timedelta(seconds=30)
    """A longer Retry-After is not waited for: the turn is better tried again later as a whole."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any
    retry_after: float | None

    @property
    def code(self) -> str:
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""


class Conversations:
    """Calls to one service URL."""

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
            raise ActivityGoneError(f"the Bot Connector answered {answer.status} {answer.code}".rstrip())
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
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        timeout = aiohttp.ClientTimeout(total=self._patience.timeout.total_seconds())
        try:
            # The path is quoted already, and a redirect would carry the token to another host.
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                return _Answer(
                    response.status, _read_json(await response.read()), _retry_after(response.headers)
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectorUnavailableError(f"the Bot Connector does not answer: {error!r}") from error

    def _wait(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait; never less than asked for, with jitter so that a burst does not come back as one."""
        backoff: float = self._patience.backoff.total_seconds() * 2 ** (attempt - 1)
        wait = (retry_after or 0.0) + random.uniform(0, backoff)  # noqa: S311 spreads load, guards nothing
        if wait > self._patience.longest_wait.total_seconds():
            raise ConnectorUnavailableError(f"the Bot Connector asks to wait {wait:.0f} s")
        return wait


def _delivered(answer: _Answer) -> ResourceResponse:
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return ResourceResponse(id=answer.body.get("id") if isinstance(answer.body, dict) else None)
    if answer.status in _REFUSED_FOR_NOW or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ConnectorUnavailableError(f"the Bot Connector answered {answer.status} {answer.code}".rstrip())
    raise ConnectorRefusedError(answer.status, answer.code)


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # proxies answer in HTML, updates with nothing
        return None


def _retry_after(headers: Any) -> float | None:
    """Seconds; Teams sends a number, and a date is as good as no hint."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
