"""What is connected with what: `/api/v1/knowledge`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

from bots.problems import ProblemError
from brain.coverage import Coverage, coverage
from knowledge.documents import Reader
from knowledge.relations import Impact, Known, Relations, View
from tws.mirror.plans import Plans

from .body import read_query
from .endpoint import ACTOR, json_response
from .models import Name, Request
from .rag import problems


class PlanQuery(Request):
    """Which plan."""

    engine: Annotated[str, Field(description="Name of the engine; the default one where none is named.")] = ""


class GraphQuery(PlanQuery):
    """What is asked about, and as of when."""

    name: Annotated[Name, Field(description="`PAYROLL`, `AGT1#PAYDAILY.PAYROLL`, a message id, `RC 8`.")]
    at: Annotated[
        AwareDatetime | SkipJsonSchema[None], Field(description="With its zone; now where there is none.")
    ] = None


class GraphAnswer(BaseModel):
    """What is connected with a name."""

    facts: tuple[Known, ...]
    impact: Impact
    """What depends on it in the plan."""


class CoverageAnswer(RootModel[Coverage]):
    """How well the runbooks fit the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRoutes:
    """Questions to the knowledge graph, answered for the caller's eyes."""

    relations: Relations
    plans: Plans
    engines: Sequence[str]
    """Names of the engines, the default one first."""

    async def graph(self, request: web.Request) -> web.Response:
        """What the plan and the documents say of a name, and what depends on it, now or at a moment."""
        query = read_query(request, GraphQuery)
        view = self._view(request, query)
        with problems():
            facts = await self.relations.facts([query.name], view)
            impact = await self.relations.impact(query.name, view)
        return json_response(GraphAnswer(facts=facts, impact=impact))

    async def coverage(self, request: web.Request) -> web.Response:
        """Failures of the last 30 days that no runbook covers, and names in runbooks that no recent plan has."""
        view = self._view(request, read_query(request, PlanQuery))
        with problems():
            found = await coverage(self.relations, self.plans, view)
        return json_response(CoverageAnswer(found))

    def _view(self, request: web.Request, query: PlanQuery) -> View:
        engine = query.engine or self.engines[0]
        if engine not in self.engines:
            raise ProblemError(422, "engine_unknown", f"The engines are {', '.join(self.engines)}.")
        at = getattr(query, "at", None) or datetime.now(UTC)
        return View(reader=Reader(request[ACTOR].readers), engine=engine, at=at)
