"""Serves the simulator: the application, the listening socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web

from .api import Api
from .master import Master, SimulatorSettings
from .rights import Users

__all__ = ["SimulatorSettings", "build_app", "serve"]


def _now() -> datetime:
    return datetime.now(UTC)


def build_app(
    settings: SimulatorSettings,
    users: Mapping[str, tuple[str, str]],
    *,
    api_keys: Mapping[str, tuple[str, str]] | None = None,
    clock: Callable[[], datetime] = _now,
) -> web.Application:
    """The application. `users` maps a name to password and role, `api_keys` a token to a name and its role.

    Roles are viewer (reads only), operator, supervisor, admin and service. `clock` gives aware UTC times.
    """
    api = Api(Master(settings, clock), Users(users, api_keys))
    app = web.Application(middlewares=[api.guard])
    app.add_routes(api.routes())
    return app


@asynccontextmanager
async def serve(
    settings: SimulatorSettings,
    users: Mapping[str, tuple[str, str]],
    *,
    api_keys: Mapping[str, tuple[str, str]] | None = None,
    clock: Callable[[], datetime] = _now,
) -> AsyncIterator[str]:
    """Listens while the context is open; gives the URL of the REST API, e.g. `http://127.0.0.1:31116/twsd/api/v2`."""
    runner = web.AppRunner(build_app(settings, users, api_keys=api_keys, clock=clock), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://{settings.host}:{port}/twsd/api/v2"
    finally:
        await runner.cleanup()
