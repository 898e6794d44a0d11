"""The mirrored plan for those who ask: in memory, kept fresh from the tables."""

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Row, Select, Text, cast, func, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tws.actions import ObjectKind, PlanObject
from tws.contents import PlanContents, RunStatistics
from tws.objects import FAILED_STATUSES, Job, JobStream, Prompt, Resource, Workstation
from tws.plan import Plan
from tws.tables import CHANGES, LEASES, OBJECTS, PLANS, RUNS, STATISTICS

from .codec import decode
from .past import Effort, Failures, Outage, PastPlan, PastRun, State

_FRESH = timedelta(seconds=1)
"""For so long a copy is used without looking whether there is something newer."""
_PAGE_ROWS = 2000
_SHARED = ("engine", "kind", "selection", "status", "substatus", "priority", "canceled")
_PRESENT = select(
    *(OBJECTS.c[name] for name in _SHARED),
    OBJECTS.c.id.label("object_id"),
    OBJECTS.c.since.label("valid_from"),
    cast(null(), DateTime(timezone=True)).label("valid_to"),
)
_ENDED = select(
    *(CHANGES.c[name] for name in _SHARED), CHANGES.c.object_id, CHANGES.c.valid_from, CHANGES.c.valid_to
)
_STATES = union_all(_PRESENT, _ENDED).subquery()
"""Rows with the fields of `State`, and the engine."""


@dataclass(slots=True, kw_only=True)
class _Copy:
    """What this process has of one engine's plan."""

    plan: Plan | None = None
    revision: int = -1
    checked_at: float = float("-inf")
    """By the monotonic clock."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Plans:
    """Copies of the mirrored plans, one for each engine; nothing is lost with them."""

    def __init__(self, engine: AsyncEngine, *, fresh_for: timedelta = _FRESH) -> None:
        self._engine = engine
        self._fresh_seconds = fresh_for.total_seconds()
        self._copies: defaultdict[str, _Copy] = defaultdict(_Copy)

    async def current(self, engine_name: str) -> Plan | None:
        """The plan as the mirror has it, None before the first poll; `read_at` tells how old it is.

        Later calls read what changed since. Callers at the same time wait for one read. Raises `DBAPIError` and
        `OSError` when the database is away.
        """
        mine = self._copies[engine_name]
        async with mine.lock:
            # That there is no plan yet is never kept: it may have been read the moment after.
            if mine.plan is None or time.monotonic() - mine.checked_at >= self._fresh_seconds:
                await self._refresh(engine_name, mine)
                mine.checked_at = time.monotonic()
        return mine.plan

    async def at(self, engine_name: str, moment: datetime) -> PastPlan | None:
        """The plan as it was at the moment; None where the mirror did not know it or no longer does."""
        plan = (
            select(PLANS)
            .where(PLANS.c.engine == engine_name, PLANS.c.began_at <= moment)
            .order_by(PLANS.c.began_at.desc())
            .limit(1)
        )
        then = (
            (_STATES.c.engine == engine_name)
            & (_STATES.c.kind == ObjectKind.JOB)
            & (_STATES.c.valid_from <= moment)
        )
        lasted = _STATES.c.valid_to.is_(None) | (_STATES.c.valid_to > moment)
        async with self._engine.connect() as connection:
            row = (await connection.execute(plan)).one_or_none()
            if row is None:
                return None
            jobs = await _states(
                connection, select(_STATES).where(then & lasted).order_by(_STATES.c.selection)
            )
        return PastPlan(run_number=row.run_number, read_at=row.read_at, jobs=jobs)

    async def history(self, engine_name: str, selection: str) -> tuple[State, ...]:
        """All states of the objects with that selection, oldest first; several instances of a job may have the same."""
        query = select(_STATES).where(_STATES.c.engine == engine_name, _STATES.c.selection == selection)
        async with self._engine.connect() as connection:
            return await _states(connection, query.order_by(_STATES.c.valid_from, _STATES.c.object_id))

    async def past_runs(self, engine_name: str, selection: str, limit: int = 20) -> tuple[PastRun, ...]:
        """The last ended runs of the job, newest first, over all plans."""
        columns = [RUNS.c[each.name] for each in fields(PastRun)]
        mine = select(*columns).where(RUNS.c.engine == engine_name, RUNS.c.selection == selection)
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                mine.order_by(RUNS.c.ended_at.desc(), RUNS.c.started_at.desc()).limit(limit)
            )
            return tuple(PastRun(**row) for row in rows.mappings())

    async def failures(self, engine_name: str, since: datetime, limit: int = 100) -> tuple[Failures, ...]:
        """The runs that failed since then by job and return code, the most frequent first, over all plans."""
        times, last_at = func.count().label("times"), func.max(RUNS.c.ended_at).label("last_at")
        query = (
            select(RUNS.c.selection, RUNS.c.return_code, times, last_at)
            .where(RUNS.c.engine == engine_name, RUNS.c.status.in_(FAILED_STATUSES), RUNS.c.ended_at >= since)
            .group_by(RUNS.c.selection, RUNS.c.return_code)
            .order_by(times.desc(), RUNS.c.selection, RUNS.c.return_code)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            return tuple(Failures(**row) for row in (await connection.execute(query)).mappings())

    async def efforts(self, engine_name: str, since: datetime, until: datetime) -> tuple[Effort, ...]:
        """What each job ran between two moments, by selection."""
        query = (
            select(
                RUNS.c.selection,
                func.count().label("runs"),
                func.count().filter(RUNS.c.status.in_(FAILED_STATUSES)).label("failed"),
                func.sum(RUNS.c.ended_at - RUNS.c.started_at).label("busy"),
                func.min(RUNS.c.started_at).label("started_at"),
                func.max(RUNS.c.ended_at).label("ended_at"),
            )
            .where(RUNS.c.engine == engine_name, RUNS.c.ended_at >= since, RUNS.c.ended_at < until)
            .group_by(RUNS.c.selection)
            .order_by(RUNS.c.selection)
        )
        async with self._engine.connect() as connection:
            return tuple(Effort(**row) for row in (await connection.execute(query)).mappings())

    async def statistics(self, engine_name: str) -> dict[str, RunStatistics]:
        """How long each job usually runs, by selection."""
        async with self._engine.connect() as connection:
            return await _statistics(connection, engine_name, after=-1)

    async def outage(self, engine_name: str) -> Outage | None:
        """Why the plan cannot be read at present; None while it can."""
        query = select(LEASES.c.failing_since, LEASES.c.failure).where(
            LEASES.c.engine == engine_name, LEASES.c.failing_since.is_not(None)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Outage(since=row.failing_since, failure=row.failure)

    async def _refresh(self, engine_name: str, mine: _Copy) -> None:
        newest = select(PLANS).where(PLANS.c.engine == engine_name).order_by(PLANS.c.began_at.desc()).limit(1)
        async with self._engine.connect() as connection:
            # All statements see the same moment, so that no revision is missed between them.
            await connection.execution_options(isolation_level="REPEATABLE READ")
            row = (await connection.execute(newest)).one_or_none()
            if row is None:
                mine.plan = None
            elif mine.plan is not None and row.base_revision <= mine.revision <= row.revision:
                mine.plan = await self._bring_up(connection, row, mine.plan, mine.revision)
            else:
                mine.plan = await self._load(connection, row)
        mine.revision = -1 if row is None else row.revision

    async def _load(self, connection: AsyncConnection, row: Row[Any]) -> Plan:
        with _uncollected():
            objects = await _objects(connection, row.engine, after=-1)
            statistics = await _statistics(connection, row.engine, after=-1)
            return await asyncio.to_thread(_make, row, objects, statistics)

    async def _bring_up(self, connection: AsyncConnection, row: Row[Any], plan: Plan, revision: int) -> Plan:
        objects = await _objects(connection, row.engine, after=revision) if row.revision > revision else []
        if objects:
            newer = await _statistics(connection, row.engine, after=revision)
            plan = await asyncio.to_thread(plan.replaced, *objects)
            plan.statistics = {**plan.statistics, **newer}
        elif row.read_at > plan.read_at:
            plan = copy(plan)  # whoever holds the old one goes on with it
        plan.read_at, plan.ends_at = row.read_at, row.ends_at
        return plan


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keeps the cycle collector away from what is made meanwhile, now and later.

    A large plan is a million objects in no cycle: each look at them all would stop the whole process for a third of
    a second. What is replaced one day is still freed by its reference count.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


async def _objects(connection: AsyncConnection, engine_name: str, after: int) -> list[PlanObject]:
    query = select(OBJECTS.c.kind, cast(OBJECTS.c.content, Text).label("content"))
    rows = await connection.stream(query.where(OBJECTS.c.engine == engine_name, OBJECTS.c.revision > after))
    objects: list[PlanObject] = []
    async for page in rows.partitions(_PAGE_ROWS):
        objects += await asyncio.to_thread(_decode, page)
    return objects


async def _statistics(connection: AsyncConnection, engine_name: str, after: int) -> dict[str, RunStatistics]:
    rows = await connection.stream(
        select(STATISTICS).where(STATISTICS.c.engine == engine_name, STATISTICS.c.revision > after)
    )
    return {
        row.selection: RunStatistics(
            runs=row.runs, median=row.median, p95=row.p95, last_success_at=row.last_success_at
        )
        async for page in rows.partitions(_PAGE_ROWS)
        for row in page
    }


async def _states(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> tuple[State, ...]:
    rows = await connection.stream(query)
    names = [each.name for each in fields(State)]
    return tuple(
        [
            State(**{name: getattr(row, name) for name in names})
            async for page in rows.partitions(_PAGE_ROWS)
            for row in page
        ]
    )


def _decode(page: Sequence[Row[Any]]) -> list[PlanObject]:
    return [decode(row.kind, row.content) for row in page]


def _make(row: Row[Any], objects: list[PlanObject], statistics: dict[str, RunStatistics]) -> Plan:
    contents = PlanContents(
        engine=row.engine,
        read_at=row.read_at,
        run_number=row.run_number,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        jobs=tuple(one for one in objects if isinstance(one, Job)),
        job_streams=tuple(one for one in objects if isinstance(one, JobStream)),
        workstations=tuple(one for one in objects if isinstance(one, Workstation)),
        resources=tuple(one for one in objects if isinstance(one, Resource)),
        prompts=tuple(one for one in objects if isinstance(one, Prompt)),
    )
    return Plan(contents, statistics)
