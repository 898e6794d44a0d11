"""An engine before 10.1, which knows REST API V1 only: the simulator with V2 taken away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from observability.metrics import Metrics
from tests.support.scripted_tws import ScriptedTws, hangs_up, running_script, says
from tests.support.simulator import PASSWORD, running_simulator
from tws.actions import Action, Change, ObjectKind
from tws.cache import CachedReads
from tws.client import Justification, TwsClient
from tws.errors import TwsNotFoundError, TwsProtocolError, TwsRejectedError, TwsUnsupportedError
from tws.objects import CommonStatus, JobFilter, JobStreamFilter
from tws.settings import TwsSettings
from tws.transport import open_session
from tws.v1 import ClassicClient, connect

WHY = Justification(reason="late")


def settings(url: str) -> TwsSettings:
    return TwsSettings.model_validate(
        {"url": url, "username": "operator", "password": PASSWORD, "write": True, "read_retries": 0}
    )


@asynccontextmanager
async def old_engine() -> AsyncIterator[tuple[ClassicClient, ScriptedTws]]:
    async with running_simulator() as url, aiohttp.ClientSession() as upstream:

        async def forward(request: web.Request) -> web.StreamResponse:
            if "/api/v2" in request.path:
                return web.Response(status=404)
            target = URL(url).origin().join(request.rel_url)
            sent = await request.read()
            async with upstream.request(
                request.method, target, headers=request.headers, data=sent or None
            ) as response:
                body = await response.read()
                return web.Response(status=response.status, body=body, content_type=response.content_type)

        async with running_script(forward) as script:
            chosen = settings(script.origin)
            async with open_session(chosen) as session:
                client = await connect(chosen, session, Metrics())
                assert isinstance(client, ClassicClient)
                yield client, script


def change(action: Action, kind: ObjectKind, object_id: str, **arguments: str) -> Change:
    return Change(action=action, kind=kind, object_id=object_id, selection="x", arguments=arguments)


async def test_the_engine_and_its_plan_are_told() -> None:
    async with old_engine() as (client, _):
        assert (await client.engine_info()).version == "10.2.5"
        plan = await client.plan_info()
        assert plan.run_number is None
        assert plan.starts_at is not None
        assert plan.ends_at is not None
        assert plan.starts_at < plan.ends_at


async def test_jobs_are_queried_by_name_and_status() -> None:
    async with old_engine() as (client, script):
        failed = await client.query_jobs(JobFilter(common_statuses=(CommonStatus.ERROR,)))
        assert failed.jobs
        assert all(job.status in {"ABEND", "FAIL"} and job.scheduled_at for job in failed.jobs)
        sample = failed.jobs[0]
        named = await client.query_jobs(JobFilter(name=sample.name, job_stream=sample.job_stream))
        assert sample.id in {job.id for job in named.jobs}
        assert {(job.name, job.job_stream) for job in named.jobs} == {(sample.name, sample.job_stream)}
        assert await client.job(sample.id) in named.jobs
        assert script.requests[-1].headers["How-Many"] == "500"
        cached = await CachedReads(client).ask(TwsClient.query_jobs, JobFilter(name=sample.name))
        assert sample.id in {job.id for job in cached.value.jobs}
        with pytest.raises(TwsNotFoundError):
            await client.job("MDM;NONE;NONE")


async def test_a_job_is_run_again() -> None:
    async with old_engine() as (client, script):
        failed = await client.query_jobs(JobFilter(common_statuses=(CommonStatus.ERROR,), limit=1))
        rerun = change(Action.RERUN, ObjectKind.JOB, failed.jobs[0].id)
        assert await client.carry_out(rerun, WHY) == failed.jobs[0].id
        assert script.requests[-1].headers["Justification-Description"] == "late"


async def test_a_job_stream_is_submitted() -> None:
    async with old_engine() as (client, script):
        (definition, *_) = await client.job_stream_definitions("@")
        assert definition.selection.count("#") == 1
        submit = change(Action.SUBMIT, ObjectKind.JOB_STREAM_DEFINITION, definition.id, alias="AGAIN")
        await client.carry_out(submit, WHY)
        assert '"inputArrivalTime"' in script.bodies[-1]
        assert '"alias": "AGAIN"' in script.bodies[-1]
        naive = change(
            Action.SUBMIT, ObjectKind.JOB_STREAM_DEFINITION, definition.id, at="2026-11-22T01:00:00"
        )
        with pytest.raises(TwsRejectedError, match="offset"):
            await client.carry_out(naive, WHY)


async def test_all_else_is_refused_before_it_is_asked() -> None:
    async with old_engine() as (client, script):
        asked = len(script.requests)
        hold = change(Action.HOLD, ObjectKind.JOB, "A;B;C")
        for ask in (
            client.workstations(),
            client.query_job_streams(JobStreamFilter()),
            client.job_log("run-1"),
            client.carry_out(hold, WHY),
        ):
            with pytest.raises(TwsUnsupportedError, match="V1"):
                await ask
        assert len(script.requests) == asked


async def test_an_answer_that_is_no_list_is_a_protocol_error() -> None:
    async with (
        running_script(says('{"id": "x"}')) as script,
        open_session(settings(script.origin)) as session,
    ):
        client = ClassicClient(settings(script.origin), session, Metrics())
        with pytest.raises(TwsProtocolError, match="list"):
            await client.query_jobs(JobFilter())


async def test_an_engine_that_knows_v2_or_is_away_is_spoken_to_in_v2() -> None:
    for answer in (says('{"displayVersion": "10.2.8"}'), hangs_up, says("", status=401)):
        async with running_script(answer) as script, open_session(settings(script.origin)) as session:
            assert type(await connect(settings(script.origin), session, Metrics())) is TwsClient
