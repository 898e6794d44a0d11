"""How the server is doing: `/api/v1/health` and `/api/v1/admin`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from observability.health import HealthChecks, HealthStatus

from .endpoint import ACTOR, json_response
from .models import Health, Stats


@dataclass(frozen=True, slots=True)
class AdminRoutes:
    """Health for everybody, numbers for administrators."""

    checks: HealthChecks
    count: Callable[[], Awaitable[Mapping[str, object]]]

    async def health(self, request: web.Request) -> web.Response:
        """Whether the server can do its work; its parts, if you are signed in."""
        report = await self.checks.report()
        parts = dict(report.parts) if ACTOR in request else None
        status = 503 if report.status is HealthStatus.DOWN else 200
        return json_response(Health(status=report.status, parts=parts), status=status)

    async def stats(self, _request: web.Request) -> web.Response:
        """What the server has done and holds."""
        return json_response(Stats.model_validate(await self.count()))
