"""Checks that a request comes from the Bot Framework channel, for this bot, from a known tenant.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication

Done here and not by the SDK: botframework-connector 4.17.1 answers 500 to most bad tokens, accepts tokens
without `exp`, and accepts tokens of the emulator's issuers, among them those the bot itself sends out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import jwt

from .errors import TokenRejectedError
from .service_urls import ServiceUrls
from .signing_keys import SigningKey, SigningKeys

__all__ = ["ChannelToken", "TokenVerifier"]

CHANNEL_ID: Final = "msteams"
"""The only channel served: others do not vouch for an Entra user."""

_REQUIRED: Final = ["exp", "nbf", "iss", "aud", "serviceurl"]


@dataclass(frozen=True, slots=True)
class ChannelToken:
    """What a genuine token says about the request it came with."""

    service_url: str
    endorsements: frozenset[str]
    """Channels that the signing key may speak for."""


class TokenVerifier:
    """Fails closed; there is no switch to turn it off."""

    def __init__(
        self,
        keys: SigningKeys,
        *,
        app_id: str,
        issuer: str,
        tenants: frozenset[str],
        service_urls: ServiceUrls,
        leeway: timedelta,
    ) -> None:
        self._keys = keys
        self._app_id = app_id
        self._issuer = issuer
        self._tenants = tenants
        self._service_urls = service_urls
        self._leeway = leeway

    async def verify(self, authorization: str | None) -> ChannelToken:
        """Reads the `Authorization` header, before anything of the body is believed.

        Raises `TokenRejectedError` (401), `KeysUnavailableError` when there is nothing to check against.
        """
        token = _bearer(authorization)
        key = await self._keys.find(_key_id(token))
        if key is None:
            raise _unauthorized("unknown_key", "The token's key is not one of the channel's.")
        claims = self._claims(token, key)
        if not isinstance(claims["serviceurl"], str):
            raise _unauthorized("invalid_token", "The token's service URL is not text.")
        return ChannelToken(claims["serviceurl"], key.endorsements)

    def admit(
        self, token: ChannelToken, *, service_url: str | None, channel_id: str | None, tenants: frozenset[str]
    ) -> None:
        """Checks that the body belongs to the token and that its tenant is welcome.

        `tenants` are all tenants the body names; each must be allowed and there must be one.
        Raises `TokenRejectedError` (403).
        """
        if not service_url or service_url != token.service_url:
            raise _forbidden("service_url_mismatch", "The activity's service URL is not the token's.")
        if not self._service_urls.permits(service_url):
            raise _forbidden("service_url_not_allowed", "The service URL is not a host of Teams.")
        if channel_id != CHANNEL_ID or channel_id not in token.endorsements:
            raise _forbidden("channel_not_endorsed", "The key may not speak for this channel.")
        if not tenants or not tenants <= self._tenants:
            raise _forbidden("foreign_tenant", "This tenant may not use the bot.")

    def _claims(self, token: str, key: SigningKey) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self._app_id,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise _unauthorized("invalid_token", "The token is not valid.") from error


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("no_token", "A bearer token is required.")
    return token


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError) as error:  # PyJWT lets deeply nested JSON through to the parser
        raise _unauthorized("invalid_token", "The token cannot be read.") from error
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str):
        raise _unauthorized("invalid_token", "The token is not signed with RS256 and a named key.")
    return key_id


def _unauthorized(code: str, detail: str) -> TokenRejectedError:
    return TokenRejectedError(401, code, detail)


def _forbidden(code: str, detail: str) -> TokenRejectedError:
    return TokenRejectedError(403, code, detail)
