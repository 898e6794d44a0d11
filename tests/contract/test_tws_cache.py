"""Answers from memory: when, how old, and never for a change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from observability.metrics import Metrics
from tests.support.scripted_tws import ScriptedTws, running_script
from tests.support.simulator import SteppingClock
from tests.support.waiting import eventually
from tws.actions import Action, Change, ObjectKind
from tws.cache import CachedReads
from tws.client import Justification, TwsClient
from tws.errors import TwsDeniedError, TwsUnreachableError
from tws.objects import JobFilter
from tws.settings import TwsSettings
from tws.transport import open_session


class Plan:
    """Answers with one job, which has another name each time."""

    def __init__(self) -> None:
        self.status = 200
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked = 0

    async def answer(self, _: web.Request) -> web.StreamResponse:
        self.asked += 1
        name = f"JOB{self.asked}"
        await self.go_on.wait()
        if self.status != 200:
            return web.Response(status=self.status)
        return web.Response(
            text=json.dumps({"count": 1, "results": [{"id": "j", "name": name}]}),
            content_type="application/json",
        )


@asynccontextmanager
async def cached() -> AsyncIterator[tuple[CachedReads, Plan, SteppingClock, ScriptedTws]]:
    plan, clock = Plan(), SteppingClock()
    async with running_script(plan.answer) as script:
        settings = TwsSettings.model_validate(
            {
                "url": script.origin,
                "username": "resync",
                "read_retries": 0,
                "fresh_for": "5",
                "stale_while_revalidate": "30",
            }
        )
        async with open_session(settings) as session:
            reads = CachedReads(TwsClient(settings, session, Metrics()), clock=clock)
            yield reads, plan, clock, script
            await reads.aclose()


async def name_of(reads: CachedReads, job_filter: JobFilter | None = None) -> str:
    known = await reads.ask(TwsClient.query_jobs, job_filter or JobFilter())
    return known.value.jobs[0].name


async def test_a_fresh_answer_is_given_again_with_its_age() -> None:
    async with cached() as (reads, plan, clock, _):
        assert await name_of(reads) == "JOB1"
        began = clock.now
        clock.step(seconds=4)
        known = await reads.ask(TwsClient.query_jobs, JobFilter())
        assert (known.value.jobs[0].name, known.as_of, known.age(clock.now)) == (
            "JOB1",
            began,
            timedelta(seconds=4),
        )
        assert known.age(began - timedelta(hours=1)) == timedelta(0), "a clock that was set back"
        assert plan.asked == 1


async def test_another_question_has_another_answer() -> None:
    async with cached() as (reads, _, _clock, _script):
        assert await name_of(reads) == "JOB1"
        assert await name_of(reads, JobFilter(limit=1)) == "JOB2"
        assert await name_of(reads) == "JOB1"


async def test_an_older_answer_is_given_at_once_while_the_next_is_fetched() -> None:
    async with cached() as (reads, plan, clock, _):
        await name_of(reads)
        clock.step(seconds=20)
        plan.go_on.clear()
        assert await name_of(reads) == "JOB1"
        plan.go_on.set()

        async def is_read() -> bool:
            return not reads._reads

        await eventually(is_read)
        assert await name_of(reads) == "JOB2"
        assert plan.asked == 2


async def test_an_old_answer_is_not_given_while_the_engine_answers() -> None:
    async with cached() as (reads, _, clock, _script):
        await name_of(reads)
        clock.step(seconds=31)
        assert await name_of(reads) == "JOB2"


async def test_after_an_outage_was_noticed_nothing_old_is_given() -> None:
    async with cached() as (reads, plan, clock, _):
        await name_of(reads)
        plan.status = 503
        clock.step(seconds=20)
        assert await name_of(reads) == "JOB1"

        async def is_noticed() -> bool:
            return not reads._reads

        await eventually(is_noticed)
        with pytest.raises(TwsUnreachableError):
            await name_of(reads)


async def test_what_was_known_can_be_forgotten() -> None:
    async with cached() as (reads, _, _clock, _script):
        await name_of(reads)
        reads.forget()
        assert await name_of(reads) == "JOB2"


async def test_a_refusal_is_not_answered_from_memory() -> None:
    async with cached() as (reads, plan, clock, _):
        await name_of(reads)
        plan.status = 403
        clock.step(seconds=60)
        with pytest.raises(TwsDeniedError):
            await name_of(reads)


async def test_who_asks_the_same_at_the_same_time_shares_one_request() -> None:
    async with cached() as (reads, plan, _, _script):
        plan.go_on.clear()
        tasks = [asyncio.create_task(name_of(reads)) for _ in range(20)]

        async def is_asked() -> bool:
            return plan.asked == 1

        await eventually(is_asked)
        tasks[0].cancel()
        plan.go_on.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == ["JOB1"] * 19
        assert plan.asked == 1


async def test_memory_is_bounded() -> None:
    async with cached() as (reads, _, _clock, _script):
        for limit in range(1, 300):
            await name_of(reads, JobFilter(limit=limit))
        assert len(reads._answers) == 256


async def test_a_change_is_never_answered_from_memory() -> None:
    change: Any = Change(action=Action.HOLD, kind=ObjectKind.JOB, object_id="j", selection="A#S.J")
    async with cached() as (reads, plan, _, _script):
        with pytest.raises(ValueError, match="never"):
            await reads.ask(TwsClient.carry_out, change, Justification(reason=""))
        assert plan.asked == 0
