"""How the server is doing: `/api/v1/health` and `/api/v1/admin/stats`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from observability.health import HealthChecks, HealthStatus
from security.roles import Permission

from .endpoint import ACTOR, Endpoint
from .models import Health, Stats
from .turns import json_response

__all__ = ["AdminRoutes"]


class AdminRoutes:
    """Health for everybody, numbers for administrators."""

    def __init__(self, health: HealthChecks, stats: Callable[[], Awaitable[Mapping[str, object]]]) -> None:
        self._health = health
        self._stats = stats

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="GET",
                path="/api/v1/health",
                handle=self.health,
                summary="Whether the server can do its work; its parts, if you are signed in",
                tag="admin",
                permission=None,
                responses={200: Health, 503: Health},
                problems=(401,),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/admin/stats",
                handle=self.stats,
                summary="What the server has done and holds",
                tag="admin",
                permission=Permission.ADMINISTER,
                responses={200: Stats},
            ),
        )

    async def health(self, request: web.Request) -> web.Response:
        """503 when a part is down that nothing works without."""
        report = await self._health.report()
        parts = dict(report.parts) if ACTOR in request else None
        status = 503 if report.status is HealthStatus.DOWN else 200
        return json_response(Health(status=report.status, parts=parts), status=status)

    async def stats(self, _request: web.Request) -> web.Response:
        """Counts of turns, proposals and documents, and the age of the queue."""
        return json_response(Stats.model_validate(await self._stats()))
