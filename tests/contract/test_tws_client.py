"""Reads of the client from a server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog
from aiohttp import web

from tests.support.scripted_client import ILLEGAL, INFO, page, scripted
from tests.support.scripted_tws import Answer, breaks_off, hangs_up, running_script, says
from tws.actions import ObjectKind
from tws.contents import PlanInfo
from tws.errors import (
    TwsDeniedError,
    TwsHeldBackError,
    TwsNotFoundError,
    TwsProtocolError,
    TwsRejectedError,
    TwsUnreachableError,
)
from tws.objects import JobFilter, JobStreamFilter


async def test_the_account_is_sent_as_basic_and_a_key_wins() -> None:
    async with scripted(INFO) as (client, script):
        await client.engine_info()
        _, _, encoded = script.requests[0].headers["Authorization"].partition("Basic ")
        assert base64.b64decode(encoded) == b"resync:hunter2"
    async with scripted(INFO, api_key="eyJ.k") as (client, script):
        await client.engine_info()
        assert script.requests[0].headers["Authorization"] == "Bearer eyJ.k"


@pytest.mark.parametrize(
    "trouble",
    [says("", status=503), says("", status=502), says("", status=504), hangs_up, breaks_off],
    ids=["503", "502", "504", "hangs up", "breaks off"],
)
async def test_a_read_is_tried_again(trouble: Answer) -> None:
    async with scripted(trouble, trouble, INFO, read_retries=2) as (client, script):
        assert (await client.engine_info()).version == "10.2.8"
        assert len(script.requests) == 3


async def test_a_read_is_given_up_after_the_retries() -> None:
    async with scripted(says("", status=503), read_retries=1) as (client, script):
        with pytest.raises(TwsUnreachableError, match="503"):
            await client.engine_info()
        assert len(script.requests) == 2


@pytest.mark.parametrize(
    "answer", [ILLEGAL, says("", status=401), says("", status=403), says("", status=404)]
)
async def test_a_refused_read_is_not_tried_again(answer: Answer) -> None:
    async with scripted(answer, read_retries=3) as (client, script):
        with pytest.raises((TwsRejectedError, TwsDeniedError, TwsNotFoundError)):
            await client.job("job-1")
        assert len(script.requests) == 1


async def test_wrong_credentials_are_denied_and_never_shown() -> None:
    with structlog.testing.capture_logs() as logs:
        async with scripted(says("<html>hunter2</html>", 401, "text/html"), api_key="eyJ.k") as (client, _):
            with pytest.raises(TwsDeniedError) as denied:
                await client.engine_info()
    assert denied.value.status == 401
    assert "hunter2" not in f"{denied.value}{logs}"
    assert "eyJ.k" not in f"{denied.value}{logs}"


async def test_a_missing_object_is_named() -> None:
    async with scripted(says("", status=404)) as (client, _):
        with pytest.raises(TwsNotFoundError, match="run run-1"):
            await client.job_log("run-1")
        with pytest.raises(TwsNotFoundError, match="job job-1"):
            await client.successors("job-1")


@pytest.mark.parametrize(
    "answer",
    [
        says("<html>Liberty</html>", content_type="text/html"),
        says('{"count": 1, "resul'),
        says("[1]"),
        says(""),
    ],
    ids=["page", "truncated", "list", "nothing"],
)
async def test_an_answer_that_is_no_json_object_is_a_protocol_error(answer: Answer) -> None:
    async with scripted(answer) as (client, script):
        with pytest.raises(TwsProtocolError):
            await client.query_jobs(JobFilter())
        assert len(script.requests) == 1


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 1024 * 1024)

    async with scripted(endless) as (client, _):
        async with asyncio.timeout(20):
            with pytest.raises(TwsProtocolError, match="more than"):
                await client.engine_info()


async def test_a_redirect_is_not_followed() -> None:
    async with running_script(INFO) as elsewhere:

        async def redirect(_: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{elsewhere.origin}/login"})

        async with scripted(redirect) as (client, _):
            with pytest.raises(TwsProtocolError, match="302"):
                await client.engine_info()
        assert elsewhere.requests == []


async def test_pages_are_read_until_the_limit() -> None:
    answers = [page("A", "B", count=5, following="x"), page("C", "D", count=5, following="x")]
    async with scripted(*answers) as (client, script):
        found = await client.query_jobs(JobFilter(limit=3))
        assert [job.name for job in found.jobs] == ["A", "B", "C"]
        assert found.total == 5
        assert [(r.query["limit"], r.query["offset"]) for r in script.requests] == [("3", "0"), ("3", "2")]


async def test_pages_end_where_the_engine_says_so() -> None:
    answers = [page("A", count=2, following="x"), page("A", "B", count=2)]
    async with scripted(*answers) as (client, _):
        assert [job.name for job in (await client.query_jobs(JobFilter())).jobs] == ["A", "B"]


async def test_an_engine_that_always_promises_more_does_not_hold_the_client() -> None:
    async with scripted(page(count=9, following="x")) as (client, script):
        assert (await client.query_jobs(JobFilter())).jobs == ()
        assert len(script.requests) == 1


async def test_the_next_page_is_asked_of_the_configured_engine_only() -> None:
    async with running_script(page("EVIL", count=2)) as elsewhere:
        answers = [
            page("A", count=2, following=f"{elsewhere.origin}/twsd/api/v2/plan/job?offset=1"),
            page("B", count=2),
        ]
        async with scripted(*answers) as (client, script):
            found = await client.query_jobs(JobFilter())
            assert [job.name for job in found.jobs] == ["A", "B"]
            assert len(script.requests) == 2
        assert elsewhere.requests == []


async def test_jobs_that_only_once_had_the_status_are_left_out() -> None:
    jobs = [
        {"id": "1", "name": "A", "lastRunCompositeStatus": {"status": "SUCC"}},
        {"id": "2", "name": "B", "lastRunCompositeStatus": {"status": "ABEND"}},
    ]
    async with scripted(says(json.dumps({"count": 2, "results": jobs}))) as (client, _):
        found = await client.query_jobs(JobFilter(statuses=("ABEND",)))
        assert [job.name for job in found.jobs] == ["B"]
        assert found.total == 1


async def test_a_name_that_no_object_can_have_is_not_asked_for() -> None:
    async with scripted(page("A", count=1)) as (client, script):
        assert (await client.query_jobs(JobFilter(name="x' OR name LIKE '@"))).jobs == ()
        assert await client.query_job_streams(JobStreamFilter(name="x'")) == ()
        assert script.requests == []


@pytest.mark.parametrize("identifier", ["a/../b", "W,JS,JOB#1", "100%25", "ação?x=1", "a b"])
async def test_an_id_stays_one_segment_of_the_path(identifier: str) -> None:
    async with scripted(says('{"id": "x"}')) as (client, script):
        await client.job(identifier)
        assert script.requests[0].path == f"/twsd/api/v2/plan/job/{identifier}"
        assert script.requests[0].rel_url.raw_path.count("/") == 6
        assert script.requests[0].query_string == ""


async def test_a_long_log_keeps_its_ends() -> None:
    text = "first line\n" + "filler line\n" * 50_000 + "ORA-01653: last line\n"
    async with scripted(says(text, content_type="text/plain"), max_log_bytes="4KiB") as (client, _):
        log = await client.job_log("run-1")
        assert log.is_truncated
        assert log.run_id == "run-1"
        assert log.text.startswith("first line\n")
        assert log.text.endswith("ORA-01653: last line\n")
        assert "bytes left out ...]\n" in log.text
        assert len(log.text) < 4200


async def test_a_log_that_breaks_off_is_read_again_from_the_start() -> None:
    whole = says("one\ntwo\n", content_type="text/plain")
    async with scripted(breaks_off, whole) as (client, _):
        log = await client.job_log("run-1")
        assert (log.text, log.is_truncated) == ("one\ntwo\n", False)


async def test_an_engine_that_asks_for_a_pause_gets_it() -> None:
    async def busy(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "1"})

    async with scripted(busy, INFO, read_retries=1) as (client, _):
        started = time.monotonic()
        await client.engine_info()
        assert 1 <= time.monotonic() - started < 5


async def test_an_engine_that_asks_for_too_long_a_pause_is_given_up() -> None:
    async def closed(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"})

    async with scripted(closed, INFO, read_retries=3) as (client, script):
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.engine_info()
        assert unreachable.value.retry_after is not None
        assert len(script.requests) == 1


async def test_a_slow_engine_gets_no_more_than_it_can_take() -> None:
    most = running = 0

    async def slow(_: web.Request) -> web.Response:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return web.json_response({})

    async with scripted(slow, max_concurrent=2, max_waiting=3) as (client, _):
        results = await asyncio.gather(*(client.engine_info() for _ in range(8)), return_exceptions=True)
    assert most == 2
    assert sum(isinstance(result, TwsHeldBackError) for result in results) == 3


async def test_the_key_of_an_ad_hoc_job_leads_to_the_job() -> None:
    listed = page("CLEANUP", count=1)
    async with scripted(listed, says('{"id": "id-CLEANUP", "name": "CLEANUP"}')) as (client, script):
        assert (await client.job("MDM;JOBS;CLEANUP")).name == "CLEANUP"
        assert script.requests[0].query["oql"] == (
            "name = 'CLEANUP' AND jobStreamName = 'JOBS' AND (workstation = 'MDM' OR workstation = '/MDM')"
            " ORDER BY schedTime DESC"
        )
        assert script.requests[1].path.endswith("/plan/job/id-CLEANUP")
    async with scripted(page(count=0)) as (client, _):
        for strange in ("MDM;JOBS;GONE", "x;' OR name LIKE '@"):
            with pytest.raises(TwsNotFoundError):
                await client.job(strange)


async def test_without_a_list_of_prompts_they_are_found_where_something_waits_for_them() -> None:
    prompt = {"dependencyType": "PROMPT", "id": "p-1", "text": "Go?", "promptStatus": "ASKED", "number": 7}
    file = {"dependencyType": "FILE", "file": {"id": "f-1", "name": "/in.dat", "workstation": "/A"}}

    async def old_engine(request: web.Request) -> web.StreamResponse:
        if "/plan/prompt" in request.path or "/plan/file" in request.path:
            return web.Response(status=404)
        node = {"id": "x", "jobStreamId": "s"} if request.path.endswith("/plan/job") else {"id": "s"}
        return web.json_response({"results": [node | {"dependencies": [prompt, file]}]})

    async with scripted(old_engine) as (client, script):
        (found,) = await client.prompts()
        assert (found.id, found.number, found.status, found.job_stream_id) == ("p-1", 7, "ASKED", "s")
        assert await client.read_object(ObjectKind.PROMPT, "p-1") == found
        with pytest.raises(TwsNotFoundError):
            await client.read_object(ObjectKind.PROMPT, "p-2")
        assert [one.name for one in await client.files()] == ["/in.dat"]
        asked = [request for request in script.requests if request.path.endswith("/plan/job")]
        assert asked[0].headers["scope"] == "WHOLE"
        assert asked[0].query["oql"].startswith("dependenciesStats.numberOfPromptDependencies > 0 ")


async def test_an_error_of_another_kind_does_not_look_like_an_old_engine() -> None:
    async with scripted(says("", status=403)) as (client, script):
        with pytest.raises(TwsDeniedError):
            await client.prompts()
        assert len(script.requests) == 1


async def test_the_plan_has_no_dates_where_v1_is_switched_off() -> None:
    async def without_v1(request: web.Request) -> web.StreamResponse:
        if "/api/v2" not in request.path:
            return web.Response(status=404)
        return web.json_response({"results": [{"id": "w", "runNumber": 14}]})

    async with scripted(without_v1) as (client, _):
        assert await client.plan_info() == PlanInfo(run_number=14, starts_at=None, ends_at=None)


async def test_the_clock_of_the_engine_is_compared_with_ours() -> None:
    async def fast(_: web.Request) -> web.Response:
        ahead = datetime.now(UTC) + timedelta(minutes=7)
        return web.json_response({}, headers={"Date": format_datetime(ahead, usegmt=True)})

    async with scripted(fast) as (client, _):
        assert client.clock_skew is None
        await client.engine_info()
        assert client.clock_skew is not None
        assert abs(client.clock_skew - timedelta(minutes=7)) <= timedelta(seconds=2)


async def test_definitions_are_asked_for_by_name() -> None:
    definition = {
        "def": {"id": "d", "name": "LOAD", "workstation": "/A", "task": {"UNIX": {"taskString": "x"}}}
    }
    async with scripted(says(json.dumps({"results": [definition]}))) as (client, script):
        (job,) = await client.job_definitions("LOAD")
        assert (job.id, job.selection, job.task) == ("d", "A#LOAD", "x")
        (stream,) = await client.job_stream_definitions("LO@")
        assert (stream.id, stream.selection) == ("d", "A#LOAD")
        assert await client.job_definitions("x'") == ()
        assert [one.query["oql"][:16] for one in script.requests] == ["name = 'LOAD' OR", "name LIKE 'LO@' "]
