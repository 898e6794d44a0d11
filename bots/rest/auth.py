"""Who calls: signing in, and the bearer access token (https://www.rfc-editor.org/rfc/rfc6750) of each request.

The answers of `/api/v1/auth` are credentials, so `Idempotency-Key` stores nothing: a login has no effect to
repeat, and a refresh token works once by design.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiohttp import hdrs, web

from bots.problems import ProblemError
from security.actors import ActorDirectory
from security.limits import LimitDecision, RateLimiter
from security.roles import ROLE_PERMISSIONS, Actor, Permission
from security.tokens import TokenError, TokenPair, Tokens

from .body import read_json
from .endpoint import ACTOR, Endpoint, Handler, json_response
from .models import LoginRequest, Me, RefreshRequest, TokenAnswer

_log = structlog.get_logger(__name__)


class Limits:
    """Refuses with 429 what comes too often; fails open as the limiter does."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    async def check(self, limit: str, key: str) -> None:
        """Counts one hit; raises `ProblemError` 429 with `Retry-After` in whole seconds."""
        _enforce(await self._limiter.hit(limit, key), key)

    async def check_turn(self, limit: str, actor_id: str) -> None:
        """Refuses a message that the turn runner would refuse; the runner does the counting."""
        key = f"turn:{actor_id}"
        _enforce(await self._limiter.peek(limit, key), key)


def _enforce(decision: LimitDecision, key: str) -> None:
    if decision.allowed:
        return
    _log.info("rate_limited", key=key)
    seconds = max(1, math.ceil((decision.retry_after or timedelta()).total_seconds()))
    detail = f"Too many requests; try again in {seconds} s."
    raise ProblemError(429, "rate_limited", detail, headers={hdrs.RETRY_AFTER: str(seconds)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Stands in front of each endpoint: who it is, whether they come too often, what they may."""

    directory: ActorDirectory
    tokens: Tokens
    limits: Limits
    rate: str
    """Of one person over all endpoints."""

    def protect(self, endpoint: Endpoint) -> Handler:
        """The handler behind the guard; an endpoint for everybody still learns who a valid token is for."""
        permission = endpoint.permission

        async def guarded(request: web.Request) -> web.StreamResponse:
            if permission or hdrs.AUTHORIZATION in request.headers:
                request[ACTOR] = await self._actor(request)
            if permission:
                await self._admit(request[ACTOR], permission)
            return await endpoint.handle(request)

        return guarded

    async def _admit(self, actor: Actor, permission: Permission) -> None:
        await self.limits.check(self.rate, f"api:{actor.actor_id}")
        if not actor.may(permission):
            _log.info("request_not_permitted", actor_id=actor.actor_id, permission=permission)
            raise ProblemError(403, "not_permitted", f"The role {actor.role} may not do this.")

    async def _actor(self, request: web.Request) -> Actor:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("not_authenticated", "Send an access token as `Authorization: Bearer …`.")
        try:
            actor_id = self.tokens.read_access(token.strip())
        except TokenError as error:
            raise _unauthenticated(error.code, "The access token is not valid; sign in again.") from error
        actor = await self.directory.get(actor_id)
        if actor is None:
            raise _unauthenticated("token_revoked", "This account is closed.")
        return actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRoutes:
    """Login, refresh and who am I; `login_rate` and `refresh_rate` hold for one address."""

    directory: ActorDirectory
    tokens: Tokens
    limits: Limits
    login_rate: str
    refresh_rate: str

    async def login(self, request: web.Request) -> web.Response:
        """Sign in with user name and password; 401 does not say which of the two was wrong."""
        await self.limits.check(self.login_rate, f"login:{request.remote}")
        body = await read_json(request, LoginRequest)
        actor = await self.directory.authenticate(body.username, body.password)
        if actor is None:
            _log.warning("login_failed", remote=request.remote)
            raise ProblemError(401, "wrong_credentials", "User name or password is wrong.")
        return _answer(await self.tokens.issue(actor.actor_id))

    async def refresh(self, request: web.Request) -> web.Response:
        """Exchange a refresh token, which is used up, for a new pair."""
        await self.limits.check(self.refresh_rate, f"refresh:{request.remote}")
        body = await read_json(request, RefreshRequest)
        try:
            return _answer(await self.tokens.refresh(body.refresh_token))
        except TokenError as error:
            raise ProblemError(401, error.code, "The login is over; sign in again.") from error

    async def me(self, request: web.Request) -> web.Response:
        """Who you are and what you may do."""
        actor = request[ACTOR]
        permissions = sorted(ROLE_PERMISSIONS[actor.role])
        return json_response(
            Me(
                username=actor.actor_id,
                display_name=actor.display_name,
                role=actor.role,
                permissions=permissions,
            )
        )


def _answer(pair: TokenPair) -> web.Response:
    return json_response(
        TokenAnswer(
            access_token=pair.access_token,
            expires_in=int(pair.expires_in.total_seconds()),
            refresh_token=pair.refresh_token,
        )
    )


def _unauthenticated(code: str, detail: str) -> ProblemError:
    return ProblemError(401, code, detail, headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="resync"'})
