"""How the server is doing, and what it asked of models: `/api/v1/health` and `/api/v1/admin`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from brain.llm.calls import DayUsage, ModelCall, ModelCalls
from observability.health import HealthChecks, HealthStatus

from .body import read_query
from .endpoint import ACTOR, json_response
from .models import Health, Request, Stats

_Person = Annotated[str, StringConstraints(max_length=128, pattern=r"^[^\x00]*$")]


class ModelCallsQuery(Request):
    """Which calls of models."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    actor: Annotated[_Person, Field(description="User name; everybody where none is named.")] = ""


class ModelCallsAnswer(BaseModel):
    """The newest first."""

    calls: Sequence[ModelCall]


class ModelUsageQuery(Request):
    """How far back."""

    days: Annotated[int, Field(ge=1, le=400, description="Days on which a model was asked.")] = 31


class ModelUsageAnswer(BaseModel):
    """The newest first."""

    days: Sequence[DayUsage]


@dataclass(frozen=True, slots=True)
class AdminRoutes:
    """Health for everybody, numbers and what was sent to models for administrators."""

    checks: HealthChecks
    count: Callable[[], Awaitable[Mapping[str, object]]]
    calls: ModelCalls

    async def health(self, request: web.Request) -> web.Response:
        """Whether the server can do its work; its parts, if you are signed in."""
        report = await self.checks.report()
        parts = dict(report.parts) if ACTOR in request else None
        status = 503 if report.status is HealthStatus.DOWN else 200
        return json_response(Health(status=report.status, parts=parts), status=status)

    async def stats(self, _request: web.Request) -> web.Response:
        """What the server has done and holds."""
        return json_response(Stats.model_validate(await self.count()))

    async def model_calls(self, request: web.Request) -> web.Response:
        """The last calls of language models: their figures and what was sent."""
        query = read_query(request, ModelCallsQuery)
        found = await self.calls.recent(limit=query.limit, actor_id=query.actor)
        return json_response(ModelCallsAnswer(calls=found))

    async def model_usage(self, request: web.Request) -> web.Response:
        """Calls, tokens and cost of language models by day."""
        query = read_query(request, ModelUsageQuery)
        return json_response(ModelUsageAnswer(days=await self.calls.usage(days=query.days)))
