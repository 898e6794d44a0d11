"""What is wrong now and how well it is looked after: `/api/v1/board` and `/api/v1/figures`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from brain.incidents.board import Board, BoardState
from brain.incidents.figures import Figures, read_figures
from security.roles import Permission

from . import stream
from .body import read_query
from .endpoint import Endpoint, json_response
from .incidents import IncidentView, stored, view_of
from .models import Request
from .settings import RestSettings


class PlanView(BaseModel):
    """How the plan of an engine stands."""

    engine: str
    run_number: int | None
    read_at: datetime
    jobs: Mapping[str, int]
    """How many jobs are in which internal status."""
    failed: int
    late: int
    lost: Sequence[str]
    """Workstations on which nothing can start."""


class BoardView(BaseModel):
    """Incidents that are not over, or only since an hour, and the plans; as a stream an event `board` for each change."""

    incidents: Sequence[IncidentView]
    plans: Sequence[PlanView]


class FiguresQuery(Request):
    """Of the incidents that began within so many days."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class FiguresView(BaseModel):
    """First of all together, then of the twenty job streams with the most. Times are in seconds."""

    days: int
    figures: Sequence[Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRoutes:
    """Everybody who may ask may look."""

    board: Board
    settings: RestSettings

    def endpoints(self) -> tuple[Endpoint, ...]:
        """All addresses."""
        ask = Permission.ASK
        return (
            Endpoint("GET", "/api/v1/board", self.show, ask, None, {200: BoardView}, is_live=True),
            Endpoint(
                "GET", "/api/v1/figures", self.figures, ask, None, {200: FiguresView}, query=FiguresQuery
            ),
        )

    async def show(self, request: web.Request) -> web.StreamResponse:
        """See what is wrong and how the plans stand; as a stream also whatever changes."""
        if stream.is_wanted(request):
            return await stream.respond(request, self._frames())
        return json_response(_view(await stored(self.board.read())))

    async def figures(self, request: web.Request) -> web.Response:
        """See how soon incidents are looked after, and how much of it needs nobody."""
        days = read_query(request, FiguresQuery).days
        found = await stored(read_figures(self.board.engine, timedelta(days=days)))
        return json_response(FiguresView(days=days, figures=found))

    async def _frames(self) -> AsyncGenerator[str]:
        # Rights may be taken away meanwhile: each stream ends, and who still may comes again.
        end = time.monotonic() + self.settings.stream_wait.total_seconds()
        async with aclosing(stream.beating(self.board.follow(), self.settings.heartbeat)) as states:
            async for state in states:
                yield stream.BEAT if state is None else stream.frame("board", _view(state))
                if time.monotonic() >= end:
                    return


def _view(state: BoardState) -> BoardView:
    return BoardView(
        incidents=[view_of(one, alerts) for one, alerts in state.incidents],
        plans=[
            PlanView(
                engine=one.engine,
                run_number=one.run_number,
                read_at=one.read_at,
                jobs=one.jobs,
                failed=one.failed,
                late=one.late,
                lost=one.lost,
            )
            for one in state.plans
        ],
    )
