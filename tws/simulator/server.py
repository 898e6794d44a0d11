"""Serves the simulator: the application, the listening socket.

Facts: the vendor's OpenAPI document, and answers observed on a 10.2.8 master where that document is silent
(405 for a wrong verb, 415 for a rerun without JSON, 500 for an action that is illegal in the object's state).
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from . import refusals
from .acts import Acts
from .call import Call
from .certificates import server_context
from .control import Control
from .desk import Desk
from .faults import FAULT, Faults, suffer
from .master import Master, OutageError
from .metrics import metrics_route
from .reads import Reads, answered
from .rights import CALLER, Users
from .routes import BASE, OPERATIONS, Operation, document
from .settings import SimulatorSettings
from .v1 import Classic

_LANDING = "<!DOCTYPE html><title>Workload Automation</title><h1>Workload Automation REST API</h1>"
_REFUSED = "<html><body>Error 401: SRVE0295E</body></html>"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Engine server"'}


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def serve(
    settings: SimulatorSettings,
    users: Mapping[str, tuple[str, str]],
    *,
    api_keys: Mapping[str, tuple[str, str]] | None = None,
    clock: Callable[[], datetime] = _now,
) -> AsyncIterator[str]:
    """Listens while the context is open; gives the URL of the REST API, e.g. `http://127.0.0.1:31116/twsd/api/v2`.

    `users` maps a name to password and role, `api_keys` a token to a name and its role. Roles are viewer (reads
    only), operator, supervisor, admin and service. `clock` gives aware UTC times. Raises CatalogueError where the
    scenario is broken.
    """
    app = _application(Master(settings, clock), Users(users, api_keys, settings.rights), settings)
    tls = server_context(settings.host, settings.ca_file) if settings.tls and settings.ca_file else None
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://{settings.host}:{port}{BASE}"
    finally:
        await runner.cleanup()


def _application(master: Master, users: Users, settings: SimulatorSettings) -> web.Application:
    faults, desk = Faults(), Desk(master)
    app = web.Application(middlewares=[_guard(users, faults), _explainer])
    app.add_routes(
        [web.get("/twsd/", _landing), web.get("/twsd/WA_API3_v2.json", _document), metrics_route(master)]
    )
    reads = Reads()
    acts = Acts(desk, reads, settings.overflow)
    for one in OPERATIONS:
        handler = getattr(reads, one.does, None) or getattr(acts, one.does)
        app.router.add_route(one.method, BASE + one.path, partial(_operate, one, handler, master))
    for part in (Classic(desk), Control(master, faults)):
        app.add_routes(list(part.routes()))
    return app


async def _operate(
    operation: Operation,
    handler: Callable[[Call], Awaitable[web.StreamResponse]],
    master: Master,
    request: web.Request,
) -> web.StreamResponse:
    try:
        return await handler(Call(request, operation, master))
    except OutageError:
        raise refusals.unavailable() from None


async def _document(_: web.Request) -> web.Response:
    return answered(document())


async def _landing(_: web.Request) -> web.Response:
    answer = web.Response(text=_LANDING, content_type="text/html")
    answer.set_cookie("XSRF-TOKEN", str(uuid.uuid4()), path="/twsd", samesite="Strict")
    return answer


def _guard(users: Users, faults: Faults) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses callers without valid credentials, as the application server does before any route."""
        caller = users.authenticate(request.headers.get("Authorization", ""))
        if caller is not None:
            request[CALLER] = caller
        elif request.path not in ("/twsd/", "/metrics"):
            return web.Response(status=401, text=_REFUSED, content_type="text/html", headers=_CHALLENGE)
        fault = None if request.path.startswith("/sim/") else faults.take(request.method, request.path)
        if fault is None:
            return await handler(request)
        request[FAULT] = fault
        return await suffer(fault, request, partial(handler, request))

    return guard


@web.middleware
async def _explainer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives unknown paths of the API a body that its clients can read."""
    try:
        return await handler(request)
    except web.HTTPNotFound as missing:
        if request.path.startswith("/twsd/") and missing.content_type != "application/json":
            raise refusals.not_found(request.path) from None
        raise
