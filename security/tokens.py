"""Access and refresh tokens: JWT (RFC 7519) signed with HS256, refresh tokens rotated (RFC 9700, 4.14.2)."""

import uuid
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

import jwt
import structlog
from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .tables import refresh_tokens, users

_ALGORITHM = "HS256"
_ISSUER = "resync"
_AUDIENCE = "resync-api"
_CLAIMS = ["iss", "aud", "sub", "typ", "jti", "iat", "exp"]
_LEEWAY = timedelta(seconds=5)
"""Clocks of two hosts behind one address differ by less."""

_Kind: TypeAlias = Literal["access", "refresh"]
_Fault: TypeAlias = Literal["token_invalid", "token_expired", "token_revoked"]

log = structlog.get_logger(__name__)


class TokenError(Exception):
    """The token proves nothing. Messages never contain it."""

    def __init__(self, code: _Fault, message: str) -> None:
        super().__init__(message)
        self.code = code
        """Not ours or of the other kind; over; or used before, of a revoked login or of a disabled person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What a login or a refresh gives."""

    access_token: str
    refresh_token: str
    expires_in: timedelta
    """Lifetime of the access token from now."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issues and reads tokens; only refresh tokens are stored, by id.

    A refresh token works once. Using it again means that two parties hold it, so the whole login it comes from is
    revoked. A successor expires with the first one: a login lasts `refresh_lifetime`, no longer. Access tokens
    carry no role: whoever reads one looks the person up.
    """

    engine: AsyncEngine
    _: KW_ONLY
    secret: str = field(repr=False)
    access_lifetime: timedelta
    refresh_lifetime: timedelta

    async def issue(self, actor_id: str) -> TokenPair:
        """The first pair of a new login. The person must be in the directory."""
        expires_at = datetime.now(UTC) + self.refresh_lifetime
        async with self.engine.begin() as connection:
            return await self._issue(connection, actor_id, family=None, expires_at=expires_at)

    def read_access(self, token: str) -> str:
        """The actor id an access token was issued for. Raises `TokenError`."""
        return self._read(token, "access")["sub"]

    async def refresh(self, token: str) -> TokenPair:
        """A new pair for a refresh token, which is used up by it. Raises `TokenError`."""
        claims = self._read(token, "refresh")
        actor_id, jti = claims["sub"], claims["jti"]
        async with self.engine.begin() as connection:
            # The row lock of the update makes a second use at the same moment wait, then find it replaced.
            used = await connection.execute(
                update(refresh_tokens)
                .where(
                    refresh_tokens.c.jti == jti, refresh_tokens.c.replaced_at.is_(None), _is_enabled(actor_id)
                )
                .values(replaced_at=datetime.now(UTC))
                .returning(refresh_tokens.c.family, refresh_tokens.c.expires_at)
            )
            if row := used.one_or_none():
                return await self._issue(connection, actor_id, family=row.family, expires_at=row.expires_at)
            await _revoke_family_of(connection, jti)
        log.warning("refresh_token_refused", actor_id=actor_id)
        raise TokenError("token_revoked", "this login is over")

    async def _issue(
        self, connection: AsyncConnection, actor_id: str, *, family: str | None, expires_at: datetime
    ) -> TokenPair:
        now = datetime.now(UTC)
        jti = uuid.uuid4().hex
        await connection.execute(
            delete(refresh_tokens).where(
                refresh_tokens.c.username == actor_id, refresh_tokens.c.expires_at < now - _LEEWAY
            )
        )
        await connection.execute(
            insert(refresh_tokens).values(
                jti=jti, family=family or jti, username=actor_id, expires_at=expires_at
            )
        )
        return TokenPair(
            access_token=self._sign("access", actor_id, uuid.uuid4().hex, now, now + self.access_lifetime),
            refresh_token=self._sign("refresh", actor_id, jti, now, expires_at),
            expires_in=self.access_lifetime,
        )

    def _sign(self, kind: _Kind, actor_id: str, jti: str, issued_at: datetime, expires_at: datetime) -> str:
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": actor_id,
            "typ": kind,
            "jti": jti,
            "iat": issued_at,
            "exp": expires_at,
        }
        return jwt.encode(claims, self.secret, algorithm=_ALGORITHM)

    def _read(self, token: str, kind: _Kind) -> dict[str, str]:
        try:
            claims: dict[str, str] = jwt.decode(
                token,
                self.secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                leeway=_LEEWAY,
                options={"require": _CLAIMS},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenError("token_expired", "the token has expired") from error
        except jwt.InvalidTokenError as error:
            raise TokenError("token_invalid", "not a token of this service") from error
        if claims["typ"] != kind:
            raise TokenError("token_invalid", f"not a token for {kind}")
        return claims


def _is_enabled(actor_id: str) -> ColumnElement[bool]:
    return exists().where(users.c.username == actor_id, users.c.disabled.is_(False))


async def _revoke_family_of(connection: AsyncConnection, jti: str) -> None:
    family = select(refresh_tokens.c.family).where(refresh_tokens.c.jti == jti).scalar_subquery()
    await connection.execute(delete(refresh_tokens).where(refresh_tokens.c.family == family))
