"""The web application: one aiohttp host for all channels, and the process that runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from bots.problems import problem_middleware
from bots.rest.routes import RestRoutes
from bots.webhook.routes import WebhookRoutes
from brain.agents.router import AGENTS
from observability.health import HealthStatus
from process import until_stopped
from security.headers import API_HEADERS
from services import Services, open_services
from settings import Settings

SERVICES = web.AppKey("services", Services)
"""For the probes; handlers get what they need in their constructors."""
_FORCED = frozenset({"decision", "feedback", "home"})
"""Agents that a caller cannot name: they belong to buttons and pages."""
_log = structlog.get_logger(__name__)


def build_app(services: Services) -> web.Application:
    """Registers routes and middleware; opens nothing."""
    settings = services.settings
    app = web.Application(
        middlewares=[_harden, problem_middleware], client_max_size=int(settings.rest.upload_max)
    )
    app[SERVICES] = services
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    database = services.database
    RestRoutes(
        settings=settings.rest,
        version=version("resync"),
        engine=database.engine,
        inbox=services.inbox,
        events=services.events,
        proposals=services.proposals,
        identities=services.identities,
        agents=[name for name in AGENTS if name not in _FORCED],
        engines=[engine.name for engine in settings.engines],
        directory=database.actors,
        tokens=services.tokens,
        limiter=services.limiter,
        login_rate=settings.security.login_rate,
        person_rate=settings.security.person_rate,
        search=database.library.search,
        store=database.library.store,
        feedback=database.library.feedback,
        model_calls=services.model_calls,
        health=services.health,
        stats=services.stats,
        desk=services.desk,
        alerts=services.alerts,
        shifts=services.shifts,
        router=services.router,
        board=services.board,
        links=services.links,
        zone=ZoneInfo(settings.turns.timezone),
    ).register(app)
    WebhookRoutes(settings.webhook, services.alerts, services.metrics).register(app)
    if services.slack is not None:
        from bots.slack.routes import SlackRoutes  # noqa: PLC0415  # the SDK is loaded where it is used

        SlackRoutes(
            settings.slack,
            services.inbox,
            services.slack,
            locale=settings.turns.locale,
        ).register(app)
    if services.teams is not None:
        services.teams.routes.register(app)
    return app


@web.middleware
async def _harden(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Security headers on every answer that has none of its own."""
    response = await handler(request)
    if not response.prepared:
        for name, value in API_HEADERS.items():
            response.headers.setdefault(name, value)
    return response


async def _healthz(_request: web.Request) -> web.Response:
    """The process is alive; says nothing about what it needs."""
    return web.json_response({"status": "ok"})


async def _readyz(request: web.Request) -> web.Response:
    """Whether messages can be taken: 503 while something required is away."""
    report = await request.app[SERVICES].health.report()
    parts = {name: part.status for name, part in report.parts.items()}
    status = 503 if report.status is HealthStatus.DOWN else 200
    return web.json_response({"status": report.status, "parts": parts}, status=status)


async def _metrics(request: web.Request) -> web.Response:
    """Prometheus text."""
    services = request.app[SERVICES]
    age = await services.ledger.oldest_age()
    services.metrics.queue_oldest(age.total_seconds())
    return web.Response(
        body=services.metrics.render(), headers={"Content-Type": services.metrics.content_type}
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Services, str]]:
    """Serves while the context is open; yields the services and the address. Leaving it drains turns."""
    async with open_services(settings) as services:
        runner = web.AppRunner(build_app(services), access_log=None, handler_cancellation=False)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            await site.start()
            if settings.run_worker:
                services.start()
            port = runner.addresses[0][1]
            yield services, f"http://{settings.host}:{port}"
            await site.stop()
        finally:
            await services.stop()
            await runner.cleanup()


async def serve(settings: Settings) -> None:
    """Serves until it is told to stop."""
    async with serving(settings) as (_, address):
        print(f"ready {address}", flush=True)  # noqa: T201  # the line that whoever started us waits for
        await until_stopped()
