"""The REST API, its description and the web page, put together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Proposals
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from knowledge.ingest import Ingest
from knowledge.search import Search
from knowledge.store import Store
from observability.health import HealthChecks
from security.actors import ActorDirectory
from security.limits import RateLimiter
from security.tokens import Tokens

from .admin import AdminRoutes
from .agents import AgentRoutes
from .auth import AuthRoutes
from .authn import Guard, Limits
from .chat import ChatRoutes
from .endpoint import Endpoint
from .idempotency import IdempotencyKeys
from .openapi import build_document
from .pages import Pages
from .proposals import ProposalRoutes
from .rag import RagRoutes
from .settings import RestSettings
from .turns import TurnRoutes

__all__ = ["RestRoutes"]


class RestRoutes:
    """Everything the web page and REST clients call; errors become problems in `problem_middleware`."""

    def __init__(
        self,
        *,
        settings: RestSettings,
        version: str,
        engine: AsyncEngine,
        inbox: Inbox,
        events: TurnEvents,
        proposals: Proposals,
        agents: Collection[str],
        directory: ActorDirectory,
        tokens: Tokens,
        limiter: RateLimiter,
        login_rate: str,
        person_rate: str,
        search: Search,
        store: Store,
        ingest: Ingest,
        health: HealthChecks,
        stats: Callable[[], Awaitable[Mapping[str, object]]],
    ) -> None:
        limits = Limits(limiter)
        keys = IdempotencyKeys(
            engine, keep_for=settings.idempotency_for, in_flight_for=settings.in_flight_for
        )
        turns = TurnRoutes(inbox, events, limits, settings, person_rate=person_rate)
        self._guard = Guard(tokens, directory, limits, rate=settings.rate)
        self.endpoints: tuple[Endpoint, ...] = (
            *AuthRoutes(directory, tokens, limits, settings, login_rate=login_rate).endpoints(),
            *ChatRoutes(turns, keys, settings).endpoints(),
            *turns.endpoints(),
            *ProposalRoutes(proposals, turns, keys, settings).endpoints(),
            *AgentRoutes(agents, turns, keys, settings).endpoints(),
            *RagRoutes(search, store, ingest, keys, settings).endpoints(),
            *AdminRoutes(health, stats).endpoints(),
        )
        server = str(settings.public_url) if settings.public_url else None
        self._document = json.dumps(build_document(self.endpoints, version=version, server=server))

    def register(self, app: web.Application) -> None:
        """Adds all routes: `/api/v1/…`, `/openapi.json`, `/docs`, `/` and `/assets/…`."""
        for endpoint in self.endpoints:
            app.router.add_route(endpoint.method, endpoint.route, self._guard.protect(endpoint))
        app.router.add_get("/openapi.json", self._openapi)
        Pages().register(app)

    async def _openapi(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._document, content_type="application/json")
