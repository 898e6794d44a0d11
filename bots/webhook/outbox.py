"""Tells other programs of incidents: each state of a card is posted as JSON, signed as alerts are."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import aiohttp

from brain.reply import Reply
from brain.turns.outbox import OutboxError

from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

_TIMEOUT = aiohttp.ClientTimeout(total=5)
_SUCCESS, _CLIENT_ERRORS = range(200, 300), range(400, 500)
_LATER = frozenset({408, 425, 429})
"""Answers of HTTP that ask to come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookOutbox:
    """Posts to one address; an `Outbox`. Message ids are empty: receivers go by the incident's `id`."""

    session: aiohttp.ClientSession
    url: str
    secret: str

    async def progress(self, line: str) -> None:
        """Nothing: only whole cards are posted."""

    async def delta(self, piece: str) -> None:
        """Nothing, likewise."""

    async def send(self, reply: Reply) -> str:
        """Posts `{"incident": …, "text": …}`. Raises `OutboxError`."""
        body = json.dumps({"incident": reply.about, "text": reply.plain_text}, ensure_ascii=False).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(self.secret, timestamp, body),
        }
        try:
            # A redirect would lead the signed body to where nobody has allowed it.
            call = self.session.post(
                self.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
            async with call as response:
                status = response.status
        except (aiohttp.ClientError, OSError) as error:
            raise OutboxError(
                f"the webhook did not answer: {type(error).__name__}", retryable=True
            ) from error
        if status not in _SUCCESS:
            is_final = status in _CLIENT_ERRORS and status not in _LATER
            raise OutboxError(f"the webhook answered {status}", retryable=not is_final)
        return ""

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Posts the new state. Raises `OutboxError`."""
        del message_id
        await self.send(reply)
