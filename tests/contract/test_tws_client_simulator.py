"""The client against the simulator; every request and answer on the way is held against the vendor's document."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from observability.metrics import Metrics
from tests.support.openapi import template_of, validate_request, validate_response
from tests.support.scripted_tws import running_script
from tests.support.simulator import PASSWORD, SteppingClock, running_simulator
from tests.support.waiting import until
from tws import oql
from tws.actions import Action, Change, ObjectKind, PlanObject, kind_of
from tws.client import Justification, TwsClient
from tws.errors import TwsDeniedError, TwsNotFoundError, TwsRejectedError
from tws.joblog import read_log
from tws.objects import CommonStatus, Job, JobFilter, JobStream, JobStreamFilter
from tws.settings import TwsSettings
from tws.transport import open_session

pytestmark = pytest.mark.usefixtures("shared_folder")

WHY = Justification(reason="aprovação do turno", ticket="CHG-1")
EVERYTHING = JobFilter(limit=5000)
_T = TypeVar("_T")


@asynccontextmanager
async def checked(user: str = "operator", clock: SteppingClock | None = None) -> AsyncIterator[TwsClient]:
    """A client whose exchanges pass through a proxy that checks them."""
    problems: list[str] = []
    async with (
        running_simulator(clock=clock) as url,
        aiohttp.ClientSession() as upstream,
    ):

        async def forward(request: web.Request) -> web.Response:
            sent = await request.text()
            target = URL(url).origin().join(request.rel_url)
            async with upstream.request(
                request.method, target, headers=request.headers, data=sent or None
            ) as response:
                body = await response.read()
                try:
                    _check(request, sent, response, body)
                except AssertionError as problem:
                    problems.append(str(problem))
                return web.Response(status=response.status, body=body, content_type=response.content_type)

        settings = TwsSettings.model_validate(
            {"url": "http://127.0.0.1", "username": user, "password": PASSWORD, "write": True}
        )
        async with running_script(forward) as proxy, open_session(settings) as session:
            yield TwsClient(
                settings.model_copy(update={"url": f"{proxy.origin}{URL(url).path}"}), session, Metrics()
            )
            assert proxy.requests
    assert problems == []


def _check(request: web.Request, sent: str, response: aiohttp.ClientResponse, body: bytes) -> None:
    """V1 and what came after 10.1 are not in the document; nor does it declare justifications everywhere."""
    if "/api/v2" not in request.path or "/plan/prompt" in request.path or "/plan/file" in request.path:
        return
    template = template_of(request.method, request.path)
    validate_request(
        request.method,
        template,
        query=dict(request.query),
        headers={name: value for name, value in request.headers.items() if name == "scope"},
        body=json.loads(sent) if sent else None,
    )
    answer: Any = json.loads(body) if response.content_type == "application/json" else body.decode()
    validate_response(request.method, template, response.status, answer)


async def first(client: TwsClient, *statuses: str) -> Job:
    page = await client.query_jobs(JobFilter(statuses=statuses, limit=5000))
    return next(job for job in page.jobs if not job.canceled)


def change(action: Action, target: PlanObject, **arguments: str | int | bool) -> Change:
    return Change(action=action, kind=kind_of(target), object_id=target.id, selection="", arguments=arguments)


async def test_the_engine_introduces_itself_and_its_plan() -> None:
    async with checked() as client:
        info = await client.engine_info()
        assert info.version
        assert info.time_zone == "America/Sao_Paulo"
        plan = await client.plan_info()
        assert plan.run_number is not None
        assert plan.starts_at is not None
        assert plan.ends_at is not None
        assert plan.starts_at < plan.ends_at


async def test_the_engine_tells_actions_and_rights() -> None:
    async with checked() as client:
        actions = await client.objects_info()
        rerun = next(one for one in actions["JOB_IN_PLAN"] if one.key == "RERUN_JOB")
        assert rerun.method == "PUT"
        assert rerun.path.endswith("/plan/job/run/{id}/action/rerun")
        assert "RERUN" in (await client.permissions())["JOB"]
    async with checked("viewer") as client:
        assert (await client.permissions())["JOB"] == {"DISPLAY", "LIST"}


async def test_all_jobs_are_listed_once_with_their_places() -> None:
    async with checked() as client:
        page = await client.query_jobs(EVERYTHING)
        assert page.total == len(page.jobs) >= 300
        assert len({job.id for job in page.jobs}) == page.total
        for job in page.jobs:
            assert job.name
            assert job.selection.count("#") == 1
            assert job.status
            assert not job.workstation.startswith("/")
            assert job.scheduled_at is not None


async def test_a_small_limit_gives_the_first_jobs_and_the_whole_count() -> None:
    async with checked() as client:
        everything = await client.query_jobs(EVERYTHING)
        page = await client.query_jobs(JobFilter(limit=7))
        assert page.total == everything.total
        assert [job.name for job in page.jobs] == [job.name for job in everything.jobs[:7]]


async def test_jobs_are_found_by_name_stream_workstation_and_status() -> None:
    async with checked(clock=SteppingClock()) as client:
        everything = (await client.query_jobs(EVERYTHING)).jobs
        sample = await client.job((await first(client, "ABEND")).id)
        for job_filter, is_match in (
            (JobFilter(name=sample.name), lambda job: job.name == sample.name),
            (JobFilter(name=f"{sample.name[:3]}@"), lambda job: job.name.startswith(sample.name[:3])),
            (JobFilter(job_stream=sample.job_stream), lambda job: job.job_stream == sample.job_stream),
            (JobFilter(workstation=sample.workstation), lambda job: job.workstation == sample.workstation),
            (JobFilter(statuses=("ABEND", "FAIL")), lambda job: job.status in {"ABEND", "FAIL"}),
            (
                JobFilter(common_statuses=(CommonStatus.SUCCESSFUL,)),
                lambda job: job.common_status is CommonStatus.SUCCESSFUL,
            ),
        ):
            found = await client.query_jobs(replace(job_filter, limit=5000))
            assert {job.id for job in found.jobs} == {job.id for job in everything if is_match(job)}
            assert found.jobs


async def test_the_log_of_every_failed_job_tells_why() -> None:
    async with checked() as client:
        failed = (await client.query_jobs(JobFilter(statuses=("ABEND", "FAIL")))).jobs
        assert len(failed) >= 5
        for listed in failed:
            job = await client.job(listed.id)
            assert job.last_run is not None
            log = await client.job_log(job.last_run.id)
            findings = read_log(log.text, job.last_run.return_code)
            assert findings.decisive, job.selection
            if findings.exit_status is not None:
                assert findings.exit_status == job.last_run.return_code


async def test_predecessors_and_successors_mirror_each_other() -> None:
    async with checked() as client:
        waiting = (await client.query_jobs(JobFilter(statuses=("HOLD",), limit=20))).jobs
        pairs = [
            (job.id, node.id)
            for job in waiting
            for node in await client.predecessors(job.id, depth=1)
            if isinstance(node, Job)
        ]
        assert pairs
        for job_id, node_id in pairs:
            assert job_id in {follower.id for follower in await client.successors(node_id, depth=1)}


async def test_job_streams_are_listed_and_read() -> None:
    async with checked() as client:
        streams = await client.query_job_streams(JobStreamFilter(limit=1000))
        assert len(streams) >= 40
        assert all(stream.jobs_total > 0 for stream in streams)
        named = await client.query_job_streams(JobStreamFilter(name=streams[0].name))
        assert streams[0].selection in {stream.selection for stream in named}
        assert {stream.name for stream in named} == {streams[0].name}


async def test_workstations_are_listed() -> None:
    async with checked() as client:
        workstations = await client.workstations()
        assert any(workstation.is_linked and workstation.is_running for workstation in workstations)
        assert all(workstation.name for workstation in workstations)


async def test_the_whole_plan_is_read_page_by_page_with_dependencies() -> None:
    async with checked(clock=SteppingClock()) as client:
        listed = await client.query_jobs(EVERYTHING)
        jobs = [job async for page in client.all_jobs() for job in page]
        assert {job.id for job in jobs} == {job.id for job in listed.jobs}
        assert any(job.dependencies for job in jobs)
        assert not any(job.dependencies for job in listed.jobs)
        some = oql.one_of(oql.Field.JOB_STREAM_ID, [jobs[0].job_stream_id])
        of_one = [job async for page in client.all_jobs(some) for job in page]
        assert {job.job_stream_id for job in of_one} == {jobs[0].job_stream_id}
        streams = [stream async for page in client.all_job_streams() for stream in page]
        assert {stream.id for stream in streams} == {job.job_stream_id for job in jobs}
        bare = [one async for page in client.all_job_streams(with_dependencies=False) for one in page]
        assert [replace(stream, dependencies=()) for stream in streams] == bare


async def test_every_kind_of_object_is_listed_and_read_alone() -> None:
    async with checked(clock=SteppingClock()) as client:
        streams = await client.query_job_streams(JobStreamFilter(limit=5))
        jobs = (await client.query_jobs(JobFilter(limit=5))).jobs
        objects: list[PlanObject] = [*streams, *jobs]
        for some in (await client.workstations(), await client.resources(), await client.prompts()):
            assert some
            objects += some[:5]
        for one in objects:
            alone = await client.read_object(kind_of(one), one.id)
            assert type(alone) is type(one)
            if isinstance(alone, Job | JobStream):
                alone = replace(alone, dependencies=())
            assert alone == one
        files = await client.files()
        assert files
        assert all(file.name and file.status for file in files)


async def test_what_the_plan_says_of_jobs_is_filled_in() -> None:
    async with checked(clock=SteppingClock()) as client:
        jobs = [job async for page in client.all_jobs() for job in page]
        every = {kind for job in jobs for kind in {one.type for one in job.dependencies}}
        assert {"INTERNAL", "RESOURCE", "FILE"} <= every
        assert all(job.position > 0 and job.time_zone and job.definition_id for job in jobs)
        assert all(job.original_priority is not None and job.recovery_details for job in jobs)
        needs = [one for job in jobs for one in job.dependencies if one.type == "RESOURCE"]
        assert all(one.quantity and one.available is not None for one in needs)


async def test_definitions_are_found_and_submitted() -> None:
    async with checked() as client:
        job = (await client.query_jobs(JobFilter(limit=1))).jobs[0]
        (stream_definition,) = await client.job_stream_definitions(job.job_stream)
        assert stream_definition.selection == f"{job.job_stream_workstation}#{job.job_stream}"
        assert job.name in stream_definition.jobs
        (definition, *_) = await client.job_definitions(job.name)
        assert definition.task
        for kind, one in (
            (ObjectKind.JOB_STREAM_DEFINITION, stream_definition),
            (ObjectKind.JOB_DEFINITION, definition),
        ):
            submit = Change(
                action=Action.SUBMIT,
                kind=kind,
                object_id=one.id,
                selection=one.selection,
                arguments={"alias": "AGAIN"},
            )
            echo = await client.carry_out(submit, WHY)
            read = client.job if kind is ObjectKind.JOB_DEFINITION else client.job_stream
            found = await _sooner_or_later(lambda read=read, echo=echo: read(echo))  # type: ignore[misc]
            assert found.name == "AGAIN"


async def test_an_ad_hoc_job_is_submitted_and_found_by_the_key_that_is_echoed() -> None:
    async with checked() as client:
        place = next(one for one in await client.workstations() if one.is_linked and one.type == "AGENT")
        echo = await client.carry_out(change(Action.SUBMIT, place, name="CLEANUP", command="true"), WHY)
        job = await _sooner_or_later(lambda: client.job(echo))
        assert (job.name, job.job_stream, job.task) == ("CLEANUP", "JOBS", "true")


async def _sooner_or_later(read: Callable[[], Awaitable[_T]]) -> _T:
    async with asyncio.timeout(20):
        while True:
            with suppress(TwsNotFoundError):
                return await read()
            await asyncio.sleep(0.05)


async def test_a_rerun_adds_a_run_and_keeps_the_old_one() -> None:
    async with checked() as client:
        before = await client.job((await first(client, "ABEND")).id)
        assert before.last_run is not None
        await client.carry_out(change(Action.RERUN, before), WHY)
        after = await until(lambda: client.job(before.id), lambda job: len(job.runs) > len(before.runs))
        assert after.last_run is not None
        assert after.last_run.attempt == before.last_run.attempt + 1
        assert after.runs[0].id == before.runs[0].id
        assert not after.runs[0].is_last


async def test_a_job_is_held_and_released() -> None:
    async with checked() as client:
        job = await first(client, "HOLD")
        await client.carry_out(change(Action.HOLD, job), WHY)
        held = await until(lambda: client.job(job.id), lambda now: now.priority == 0)
        assert held.common_status is CommonStatus.HELD
        await client.carry_out(change(Action.RELEASE, job), WHY)
        await until(lambda: client.job(job.id), lambda now: now.priority > 0)


async def test_a_job_is_cancelled() -> None:
    async with checked() as client:
        job = await first(client, "HOLD")
        await client.carry_out(change(Action.CANCEL, job), WHY)
        cancelled = await until(lambda: client.job(job.id), lambda now: now.canceled)
        assert cancelled.common_status is CommonStatus.CANCELED


async def test_an_illegal_action_is_refused_with_its_cause() -> None:
    async with checked() as client:
        job = await first(client, "SUCC")
        with pytest.raises(TwsRejectedError) as refused:
            await client.carry_out(change(Action.HOLD, job), WHY)
        assert refused.value.message_ids[-1] == "AWSBIN076E"


async def test_a_viewer_may_look_but_not_touch() -> None:
    async with checked("viewer") as client:
        job = await client.job((await first(client, "ABEND")).id)
        assert job.last_run is not None
        with pytest.raises(TwsDeniedError) as denied:
            await client.carry_out(change(Action.RERUN, job), WHY)
        assert denied.value.status == 403
        assert str(denied.value).startswith("AWSJDB817E")


async def test_an_unknown_account_is_denied() -> None:
    async with checked("stranger") as client:
        with pytest.raises(TwsDeniedError) as denied:
            await client.engine_info()
        assert denied.value.status == 401


async def test_what_is_not_in_the_plan_is_not_found() -> None:
    async with checked() as client:
        with pytest.raises(TwsNotFoundError):
            await client.job("00000000-0000-0000-0000-000000000000")
        gone = replace((await client.query_jobs(JobFilter(limit=1))).jobs[0], id="00000000-0000-0000")
        for action in (Action.RERUN, Action.HOLD):
            with pytest.raises(TwsNotFoundError):
                await client.carry_out(change(action, gone), WHY)


async def test_each_kind_of_object_is_changed() -> None:
    async with checked() as client:
        workstation = next(one for one in await client.workstations() if one.is_linked)
        for action, arguments in (
            (Action.SET_LIMIT, {"limit": 7}),
            (Action.SET_FENCE, {"fence": 3}),
            (Action.STOP, {}),
            (Action.UNLINK, {}),
        ):
            assert await client.carry_out(change(action, workstation, **arguments), WHY) == workstation.id
        await until(
            lambda: client.read_object(ObjectKind.WORKSTATION, workstation.id),
            lambda now: not now.is_linked and not now.is_running and (now.limit, now.fence) == (7, 3),
        )
        resource = (await client.resources())[0]
        await client.carry_out(change(Action.SET_QUANTITY, resource, quantity=9), WHY)
        await until(
            lambda: client.read_object(ObjectKind.RESOURCE, resource.id), lambda now: now.quantity == 9
        )
        prompt = next(one for one in await client.prompts() if one.status in {"ASKED", "NOT_ASKED"})
        await client.carry_out(change(Action.REPLY_YES, prompt), WHY)
        await until(
            lambda: client.read_object(ObjectKind.PROMPT, prompt.id), lambda now: now.status == "ANSWERED_YES"
        )


async def test_job_streams_are_held_limited_and_changed_in_priority() -> None:
    async with checked() as client:
        streams = [one async for page in client.all_job_streams() for one in page]
        stream = next(one for one in streams if one.status == "HOLD" and not one.canceled)
        await client.carry_out(change(Action.SET_LIMIT, stream, limit=1), WHY)
        await client.carry_out(change(Action.SET_PRIORITY, stream, priority=42), WHY)
        await until(lambda: client.job_stream(stream.id), lambda now: (now.priority, now.limit) == (42, 1))
        await client.carry_out(change(Action.HOLD, stream), WHY)
        await until(lambda: client.job_stream(stream.id), lambda now: now.priority == 0)


async def test_a_window_of_a_log_is_part_of_the_log() -> None:
    async with checked(clock=SteppingClock()) as client:
        job = await client.job((await first(client, "ABEND")).id)
        assert job.last_run is not None
        whole = (await client.job_log(job.last_run.id)).text.splitlines()
        window = (await client.job_log_window(job.last_run.id, 2, 4)).text.splitlines()
        assert window == whole[1:4]
