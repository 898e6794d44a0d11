"""Checks that a request comes from the Bot Framework channel, for this bot, from a known tenant.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication

Done here and not by the SDK: botframework-connector 4.17.1 answers 500 to most bad tokens, accepts tokens
without `exp`, and accepts tokens of the emulator's issuers, among them those the bot itself sends out.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import jwt
import structlog
from aiohttp import hdrs
from botbuilder.schema import Activity

from bots.problems import ProblemError

from .inbound import tenants_of
from .settings import TeamsSettings

_log = structlog.get_logger(__name__)

_CHANNEL_ID: Final = "msteams"
"""The only channel served: others do not vouch for an Entra user."""
_REQUIRED: Final = ["exp", "nbf", "iss", "aud", "serviceurl"]
_LEEWAY: Final = 300
"""Seconds that the clocks of Microsoft and this machine may differ; what Microsoft's own SDK allows."""
_REFRESH_AFTER: Final = 24 * 3600.0
"""Seconds after which the keys are read anew: as often as Microsoft asks for."""
_UNKNOWN_KEY_REFRESH: Final = 300.0
"""Seconds in which tokens with an unknown key, which anybody can make up, cause one reading at most."""
_TIMEOUT: Final = 10.0
"""Seconds for reading them."""
_RETRY_WITHOUT_KEYS: Final = 5.0
"""Seconds between attempts while there is no key at all: short, since nobody can be let in meanwhile."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and the channels it may speak for."""

    key: jwt.PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The channel's keys by id, read asynchronously; the SDK reads them on the event loop's thread.

    They are kept when a refresh fails: an old key is better than a deaf bot.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        metadata_url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._metadata_url = metadata_url
        self._clock = clock
        self._keys: Mapping[str, SigningKey] = {}
        self._read_at = 0.0
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> SigningKey | None:
        """The key, None where no such key is published. Raises `ProblemError` 503 while there are none at all."""
        if self._is_due(key_id):
            async with self._lock:
                # Whoever waited for the lock finds the keys that its holder has just read.
                if self._is_due(key_id):
                    await self._refresh()
        if not self._keys:
            detail = "The channel's signing keys cannot be read now."
            raise ProblemError(503, "signing_keys_unavailable", detail, headers={hdrs.RETRY_AFTER: "30"})
        return self._keys.get(key_id)

    def _is_due(self, key_id: str) -> bool:
        if self._tried_at is None:
            return True
        now = self._clock()
        if not self._keys:
            return now - self._tried_at >= _RETRY_WITHOUT_KEYS
        is_wanted = key_id not in self._keys or now - self._read_at >= _REFRESH_AFTER
        return is_wanted and now - self._tried_at >= _UNKNOWN_KEY_REFRESH

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
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


@dataclass(frozen=True, slots=True)
class ChannelToken:
    """What a genuine token says about the request it came with."""

    service_url: str
    endorsements: frozenset[str]
    """Channels that the signing key may speak for."""


class TokenVerifier:
    """Fails closed; there is no switch to turn it off."""

    def __init__(self, settings: TeamsSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._keys = SigningKeys(session, settings.open_id_metadata_url)

    async def verify(self, authorization: str | None) -> ChannelToken:
        """Reads the `Authorization` header, before anything of the body is believed.

        Raises `ProblemError`: 401, or 503 when there is nothing to check against.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("no_token", "A bearer token is required.")
        key = await self._keys.find(_key_id(token))
        if key is None:
            raise _unauthorized("unknown_key", "The token's key is not one of the channel's.")
        claims = self._claims(token, key)
        if not isinstance(claims["serviceurl"], str):
            raise _unauthorized("invalid_token", "The token's service URL is not text.")
        return ChannelToken(claims["serviceurl"], key.endorsements)

    def admit(self, token: ChannelToken, activity: Activity) -> None:
        """Checks that the body belongs to the token, and that each tenant it names is welcome.

        Raises `ProblemError` 403.
        """
        service_url, tenants = activity.service_url, tenants_of(activity)
        if not service_url or service_url != token.service_url:
            raise ProblemError(403, "service_url_mismatch", "The activity's service URL is not the token's.")
        if not self._settings.permits(service_url):
            raise ProblemError(403, "service_url_not_allowed", "The service URL is not a host of Teams.")
        if activity.channel_id != _CHANNEL_ID or activity.channel_id not in token.endorsements:
            raise ProblemError(403, "channel_not_endorsed", "The key may not speak for this channel.")
        if not tenants or not tenants <= self._settings.allowed_tenants:
            raise ProblemError(403, "foreign_tenant", "This tenant may not use the bot.")

    def _claims(self, token: str, key: SigningKey) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self._settings.app_id,
                issuer=self._settings.issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise _unauthorized("invalid_token", "The token is not valid.") from error


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError) as error:  # PyJWT lets deeply nested JSON through to the parser
        raise _unauthorized("invalid_token", "The token cannot be read.") from error
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str):
        raise _unauthorized("invalid_token", "The token is not signed with RS256 and a named key.")
    return key_id


def _unauthorized(code: str, detail: str) -> ProblemError:
    return ProblemError(401, code, detail, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})


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
