"""Who calls: a bearer access token (https://www.rfc-editor.org/rfc/rfc6750) to an actor, for every endpoint."""

from __future__ import annotations

import math
from datetime import timedelta

import structlog
from aiohttp import hdrs, web

from bots.problems import ProblemError
from security.actors import ActorDirectory
from security.limits import LimitDecision, RateLimiter
from security.roles import Actor
from security.tokens import TokenError, Tokens

from .endpoint import ACTOR, Endpoint, Handler

__all__ = ["Guard", "Limits"]

_SCHEME = "bearer"

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
    raise ProblemError(
        429,
        "rate_limited",
        f"Too many requests; try again in {seconds} s.",
        headers={hdrs.RETRY_AFTER: str(seconds)},
    )


class Guard:
    """Stands in front of each endpoint: who it is, whether they come too often, what they may."""

    def __init__(self, tokens: Tokens, directory: ActorDirectory, limits: Limits, *, rate: str) -> None:
        self._tokens = tokens
        self._directory = directory
        self._limits = limits
        self._rate = rate

    def protect(self, endpoint: Endpoint) -> Handler:
        """The handler behind the guard; an endpoint for everybody still learns who a valid token is for."""
        permission = endpoint.permission

        async def guarded(request: web.Request) -> web.StreamResponse:
            if permission is None:
                if hdrs.AUTHORIZATION in request.headers:
                    request[ACTOR] = await self._actor(request)
                return await endpoint.handle(request)
            actor = await self._actor(request)
            await self._limits.check(self._rate, f"api:{actor.actor_id}")
            if not actor.may(permission):
                _log.info("request_not_permitted", actor_id=actor.actor_id, permission=permission)
                raise ProblemError(403, "not_permitted", f"The role {actor.role} may not do this.")
            request[ACTOR] = actor
            return await endpoint.handle(request)

        return guarded

    async def _actor(self, request: web.Request) -> Actor:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != _SCHEME or not token:
            raise _unauthenticated("not_authenticated", "Send an access token as `Authorization: Bearer …`.")
        try:
            actor_id = self._tokens.read_access(token.strip())
        except TokenError as error:
            raise _unauthenticated(error.code, "The access token is not valid; sign in again.") from error
        actor = await self._directory.get(actor_id)
        if actor is None:
            raise _unauthenticated("token_revoked", "This account is closed.")
        return actor


def _unauthenticated(code: str, detail: str) -> ProblemError:
    return ProblemError(401, code, detail, headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="resync"'})
