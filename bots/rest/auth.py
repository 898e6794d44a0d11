"""Signing in: `/api/v1/auth`.

The answers here are credentials, so `Idempotency-Key` stores nothing: a login has no effect to repeat, and
a refresh token works once by design.
"""

from __future__ import annotations

import structlog
from aiohttp import web

from bots.problems import ProblemError
from security.actors import ActorDirectory
from security.roles import ROLE_PERMISSIONS, Permission
from security.tokens import TokenError, TokenPair, Tokens

from .authn import Limits
from .body import read_json
from .endpoint import ACTOR, Endpoint
from .models import LoginRequest, Me, RefreshRequest, TokenAnswer
from .settings import RestSettings
from .turns import json_response

__all__ = ["AuthRoutes"]

_log = structlog.get_logger(__name__)


class AuthRoutes:
    """Login, refresh and who am I."""

    def __init__(
        self,
        directory: ActorDirectory,
        tokens: Tokens,
        limits: Limits,
        settings: RestSettings,
        *,
        login_rate: str,
    ) -> None:
        self._directory = directory
        self._tokens = tokens
        self._limits = limits
        self._settings = settings
        self._login_rate = login_rate

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="POST",
                path="/api/v1/auth/login",
                handle=self.login,
                summary="Sign in with user name and password",
                tag="auth",
                permission=None,
                request=LoginRequest,
                responses={200: TokenAnswer},
                problems=(401, 429),
            ),
            Endpoint(
                method="POST",
                path="/api/v1/auth/refresh",
                handle=self.refresh,
                summary="Exchange a refresh token, which is used up, for a new pair",
                tag="auth",
                permission=None,
                request=RefreshRequest,
                responses={200: TokenAnswer},
                problems=(401, 429),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/auth/me",
                handle=self.me,
                summary="Who you are and what you may do",
                tag="auth",
                permission=Permission.ASK,
                responses={200: Me},
            ),
        )

    async def login(self, request: web.Request) -> web.Response:
        """A new pair of tokens; 401 says neither whether the name nor whether the password was wrong."""
        await self._limits.check(self._login_rate, f"login:{request.remote}")
        body = await read_json(request, LoginRequest, max_bytes=self._settings.max_body)
        actor = await self._directory.authenticate(body.username, body.password)
        if actor is None:
            _log.warning("login_failed", remote=request.remote)
            raise ProblemError(401, "wrong_credentials", "User name or password is wrong.")
        return json_response(_answer(await self._tokens.issue(actor.actor_id)))

    async def refresh(self, request: web.Request) -> web.Response:
        """A new pair for a refresh token."""
        await self._limits.check(self._settings.rate, f"refresh:{request.remote}")
        body = await read_json(request, RefreshRequest, max_bytes=self._settings.max_body)
        try:
            pair = await self._tokens.refresh(body.refresh_token)
        except TokenError as error:
            raise ProblemError(401, error.code, "The login is over; sign in again.") from error
        return json_response(_answer(pair))

    async def me(self, request: web.Request) -> web.Response:
        """The person behind the token."""
        actor = request[ACTOR]
        return json_response(
            Me(
                username=actor.actor_id,
                display_name=actor.display_name,
                role=actor.role,
                permissions=sorted(ROLE_PERMISSIONS[actor.role]),
            )
        )


def _answer(pair: TokenPair) -> TokenAnswer:
    return TokenAnswer(
        access_token=pair.access_token,
        expires_in=int(pair.expires_in.total_seconds()),
        refresh_token=pair.refresh_token,
    )
