"""The bot's own token for the Bot Connector: one, shared, renewed before it expires.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import aiohttp
import structlog
from pydantic import BaseModel, Field, SecretStr, ValidationError

from .errors import ConnectorUnavailableError, CredentialsRejectedError, DeliveryError

__all__ = ["BotToken"]

_log = structlog.get_logger(__name__)

_RENEWAL_MARGIN = 300.0
"""Seconds before its end at which a token is renewed, so that none expires on the way."""


class _TokenAnswer(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float


class _TokenRefusal(BaseModel):
    error: str = ""


class BotToken:
    """The client-credentials token."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        token_url: str,
        app_id: str,
        app_password: SecretStr,
        scope: str,
        timeout: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._token_url = token_url
        self._app_id = app_id
        self._app_password = app_password
        self._scope = scope
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """A token that is valid now; concurrent callers cause one request.

        Raises `CredentialsRejectedError`, or `ConnectorUnavailableError` when the token service is away and
        the old token has expired.
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
        except DeliveryError as error:
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
            "client_id": self._app_id,
            "client_secret": self._app_password.get_secret_value(),
            "scope": self._scope,
        }
        try:
            # A redirect would carry the secret to an address nobody configured.
            async with self._session.post(
                self._token_url, data=form, allow_redirects=False, timeout=self._timeout
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectorUnavailableError(f"the token service does not answer: {error!r}") from error
        return _read_answer(status, body)


def _read_answer(status: int, body: bytes) -> _TokenAnswer:
    try:
        if status == 200:  # noqa: PLR2004 OK
            return _TokenAnswer.model_validate_json(body)
        if status in {400, 401, 403}:
            refusal = _TokenRefusal.model_validate_json(body)
            raise CredentialsRejectedError(f"the token service answered {status} {refusal.error}".rstrip())
    except ValidationError as error:
        raise ConnectorUnavailableError(f"the token service answered {status} with no token") from error
    raise ConnectorUnavailableError(f"the token service answered {status}")
