"""The channel's public keys, read asynchronously and kept.

The SDK fetches them on the event loop's thread and looks for a rotated key only after a day.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import jwt
import structlog

from .errors import KeysUnavailableError

__all__ = ["SigningKey", "SigningKeys"]

_log = structlog.get_logger(__name__)

_RETRY_WITHOUT_KEYS = 5.0
"""Seconds between attempts while there is no key at all: short, since nobody can be let in meanwhile."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and the channels it may speak for."""

    key: jwt.PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The keys by id. They are kept when a refresh fails: an old key is better than a deaf bot."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        metadata_url: str,
        *,
        refresh_after: timedelta,
        unknown_key_refresh: timedelta,
        timeout: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._metadata_url = metadata_url
        self._refresh_after = refresh_after.total_seconds()
        self._unknown_key_refresh = unknown_key_refresh.total_seconds()
        self._timeout = timeout.total_seconds()
        self._clock = clock
        self._keys: Mapping[str, SigningKey] = {}
        self._read_at = 0.0
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> SigningKey | None:
        """The key, None where no such key is published.

        Raises `KeysUnavailableError` when no keys could be read so far.
        """
        if self._is_due(key_id):
            async with self._lock:
                # Whoever waited for the lock finds the keys that its holder has just read.
                if self._is_due(key_id):
                    await self._refresh()
        if not self._keys:
            raise KeysUnavailableError
        return self._keys.get(key_id)

    def _is_due(self, key_id: str) -> bool:
        if self._tried_at is None:
            return True
        now = self._clock()
        if not self._keys:
            return now - self._tried_at >= _RETRY_WITHOUT_KEYS
        is_wanted = key_id not in self._keys or now - self._read_at >= self._refresh_after
        return is_wanted and now - self._tried_at >= self._unknown_key_refresh

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                metadata = await self._get(self._metadata_url)
                keys = _read_keys((await self._get(metadata["jwks_uri"]))["keys"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            _log.warning("signing_keys_not_read", url=self._metadata_url, error=repr(error))
        else:
            self._keys = keys
            self._read_at = self._clock()
        self._tried_at = self._clock()

    async def _get(self, url: str) -> Any:
        async with self._session.get(url, raise_for_status=True) as response:
            return await response.json(content_type=None)


def _read_keys(published: Iterable[Mapping[str, Any]]) -> Mapping[str, SigningKey]:
    """The RSA keys that can be read. Raises ValueError when there is none: such an answer is no key list."""
    keys: dict[str, SigningKey] = {}
    for jwk in published:
        try:
            key = jwt.PyJWK(dict(jwk), algorithm="RS256")
        except jwt.PyJWTError as error:
            _log.warning("signing_key_not_read", error=repr(error))
            continue
        if key.key_id:
            keys[key.key_id] = SigningKey(key, frozenset(jwk.get("endorsements") or ()))
    if not keys:
        raise ValueError("no usable key")
    return keys
