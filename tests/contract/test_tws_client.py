"""The client against a server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web

from observability.metrics import Metrics
from tests.support.scripted_tws import Answer, ScriptedTws, breaks_off, hangs_up, running_script, says
from tws.client import TwsClient
from tws.errors import (
    TwsDeniedError,
    TwsNotFoundError,
    TwsProtocolError,
    TwsRejectedError,
    TwsUnreachableError,
)
from tws.objects import JobFilter, JobStreamFilter
from tws.settings import TwsSettings
from tws.transport import open_session

WHY = "payroll is late"
INFO = says('{"displayVersion": "10.2.8", "timezone": "UTC"}')
ACCEPTED = says('{"id": "x"}')
ILLEGAL = says('{"messages": ["AWSJSY404E wraps", "AWSBIN076E is in an incorrect state"]}', status=500)

CHANGES: dict[str, Callable[[TwsClient], Awaitable[None]]] = {
    "rerun": lambda client: client.rerun("run-1", WHY),
    "hold": lambda client: client.hold("job-1", WHY),
    "release": lambda client: client.release("job-1", WHY),
    "cancel": lambda client: client.cancel("job-1", WHY),
}


@asynccontextmanager
async def connected(url: str, **values: Any) -> AsyncIterator[TwsClient]:
    settings = TwsSettings.model_validate(
        {"url": url, "username": "resync", "password": "hunter2", "write": True, **values}
    )
    async with open_session(settings) as session:
        yield TwsClient(settings, session, Metrics())


@asynccontextmanager
async def scripted(*answers: Answer, **values: Any) -> AsyncIterator[tuple[TwsClient, ScriptedTws]]:
    async with running_script(*answers) as script, connected(script.origin, **values) as client:
        yield client, script


def page(*names: str, count: int, following: str | None = None) -> Answer:
    jobs = [{"id": f"id-{name}", "name": name} for name in names]
    return says(json.dumps({"count": count, "results": jobs, "next": following}))


async def test_the_account_is_sent_as_basic_and_a_key_wins() -> None:
    async with scripted(INFO) as (client, script):
        await client.engine_version()
        _, _, encoded = script.requests[0].headers["Authorization"].partition("Basic ")
        assert base64.b64decode(encoded) == b"resync:hunter2"
    async with scripted(INFO, api_key="eyJ.k") as (client, script):
        await client.engine_version()
        assert script.requests[0].headers["Authorization"] == "Bearer eyJ.k"


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_one_put_with_its_justification(change: str) -> None:
    async with scripted(ACCEPTED) as (client, script):
        await CHANGES[change](client)
        (request,) = script.requests
        assert request.method == "PUT"
        assert request.path.endswith(f"/action/{change}")
        assert request.headers["Justification-Description"] == "payroll is late"
        assert request.headers["Justification-Category"] == "resync"


async def test_a_rerun_has_a_json_object_for_a_body_and_the_others_have_none() -> None:
    async with scripted(ACCEPTED) as (client, script):
        await client.rerun("run-1", WHY)
        await client.hold("job-1", WHY)
        rerun, hold = script.requests
        assert rerun.headers["Content-Type"] == "application/json"
        assert "Content-Type" not in hold.headers
        assert script.bodies == ["{}", ""]


@pytest.mark.parametrize("change", CHANGES)
async def test_an_illegal_change_is_a_refusal(change: str) -> None:
    async with scripted(ILLEGAL) as (client, script):
        with pytest.raises(TwsRejectedError) as refused:
            await CHANGES[change](client)
        assert refused.value.message_ids[-1] == "AWSBIN076E"
        assert len(script.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [says("", status=503), says("", status=502), says("", status=500), hangs_up, breaks_off],
    ids=["503", "502", "500", "hangs up", "breaks off"],
)
@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_without_an_answer_is_never_sent_again(change: str, answer: Answer) -> None:
    async with scripted(answer, read_retries=3) as (client, script):
        with pytest.raises(TwsUnreachableError) as unreachable:
            await CHANGES[change](client)
        assert unreachable.value.was_sent
        assert len(script.requests) == 1


async def test_a_change_is_not_sent_again_on_a_connection_that_was_kept() -> None:
    async with scripted(INFO, hangs_up) as (client, script):
        await client.engine_version()
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.rerun("run-1", WHY)
        assert unreachable.value.was_sent
        assert [request.method for request in script.requests] == ["GET", "PUT"]


async def test_without_the_switch_no_change_leaves_the_house() -> None:
    async with scripted(ACCEPTED, write=False) as (client, script):
        for change in CHANGES.values():
            with pytest.raises(TwsDeniedError, match="RESYNC_TWS__WRITE"):
                await change(client)
        assert script.requests == []


@pytest.mark.parametrize("answer", [says("<html>log in</html>", content_type="text/html"), says("")])
async def test_a_change_that_something_else_accepted_is_not_believed(answer: Answer) -> None:
    async with scripted(answer) as (client, _):
        with pytest.raises(TwsProtocolError):
            await client.hold("job-1", WHY)


@pytest.mark.parametrize(
    "trouble",
    [says("", status=503), says("", status=502), says("", status=504), hangs_up, breaks_off],
    ids=["503", "502", "504", "hangs up", "breaks off"],
)
async def test_a_read_is_tried_again(trouble: Answer) -> None:
    async with scripted(trouble, trouble, INFO, read_retries=2) as (client, script):
        assert await client.engine_version() == "10.2.8"
        assert len(script.requests) == 3


async def test_requests_are_timed_by_how_they_ended() -> None:
    metrics = Metrics()
    async with running_script(says("", status=503), INFO, ILLEGAL) as script:
        settings = TwsSettings.model_validate({"url": script.origin, "username": "resync", "write": True})
        async with open_session(settings) as session:
            client = TwsClient(settings, session, metrics)
            await client.engine_version()
            with pytest.raises(TwsRejectedError):
                await client.hold("job-1", WHY)
    counted = metrics.render().decode()
    for method, outcome in (("GET", "tws_unreachable"), ("GET", "ok"), ("PUT", "tws_rejected")):
        name = f'resync_tws_request_seconds_count{{method="{method}",outcome="{outcome}"}}'
        assert f"{name} 1.0" in counted


async def test_a_read_is_given_up_after_the_retries() -> None:
    async with scripted(says("", status=503), read_retries=1) as (client, script):
        with pytest.raises(TwsUnreachableError, match="503"):
            await client.engine_version()
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
                await client.engine_version()
    assert denied.value.status == 401
    assert "hunter2" not in f"{denied.value}{logs}"
    assert "eyJ.k" not in f"{denied.value}{logs}"


async def test_a_missing_right_is_denied_with_its_id() -> None:
    async with scripted(says('{"messages": ["AWSJDB817E no RERUN access"]}', status=403)) as (client, _):
        with pytest.raises(TwsDeniedError) as denied:
            await client.rerun("run-1", WHY)
        assert str(denied.value).startswith("AWSJDB817E")


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
                await client.engine_version()


async def test_of_a_long_error_page_the_beginning_is_enough() -> None:
    page_of_errors = says("AWSBIN076E wrong state " + "x" * 1_000_000, status=500)
    async with scripted(page_of_errors) as (client, _):
        with pytest.raises(TwsRejectedError) as refused:
            await client.hold("job-1", WHY)
        assert len(str(refused.value)) <= 300


async def test_a_redirect_is_not_followed() -> None:
    async with running_script(INFO) as elsewhere:

        async def redirect(_: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{elsewhere.origin}/login"})

        async with scripted(redirect) as (client, _):
            with pytest.raises(TwsProtocolError, match="302"):
                await client.engine_version()
        assert elsewhere.requests == []


async def test_a_slow_engine_is_unreachable_in_time() -> None:
    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with scripted(slow, read_timeout="0.2", read_retries=0) as (client, _):
        async with asyncio.timeout(5):
            with pytest.raises(TwsUnreachableError) as unreachable:
                await client.rerun("run-1", WHY)
        assert unreachable.value.was_sent


async def test_nothing_was_sent_where_nobody_listens() -> None:
    async with running_script(INFO) as gone:
        origin = gone.origin
    async with connected(origin, read_retries=0) as client:
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.rerun("run-1", WHY)
        assert not unreachable.value.was_sent


async def test_pages_are_read_until_the_limit() -> None:
    answers = [page("A", "B", count=5, following="x"), page("C", "D", count=5, following="x")]
    async with scripted(*answers) as (client, script):
        found = await client.query_jobs(JobFilter(limit=3))
        assert [job.name for job in found.jobs] == ["A", "B", "C"]
        assert found.total == 5
        assert [(r.query["limit"], r.query["offset"]) for r in script.requests] == [("3", "0"), ("3", "3")]


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


@pytest.mark.parametrize("identifier", ["a/../b", "W;JS;JOB#1", "100%25", "ação?x=1", "a b"])
async def test_an_id_stays_one_segment_of_the_path(identifier: str) -> None:
    async with scripted(says('{"id": "x"}')) as (client, script):
        await client.job(identifier)
        assert script.requests[0].path == f"/twsd/api/v2/plan/job/{identifier}"
        assert script.requests[0].rel_url.raw_path.count("/") == 6
        assert script.requests[0].query_string == ""


@pytest.mark.parametrize("identifier", ["", ".", ".."])
async def test_an_id_that_would_name_another_path_is_not_found(identifier: str) -> None:
    async with scripted(ACCEPTED) as (client, script):
        with pytest.raises(TwsNotFoundError):
            await client.hold(identifier, WHY)
        assert script.requests == []


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
