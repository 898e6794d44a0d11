"""Changes that the client asks of a server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest
from aiohttp import web
from pydantic import SecretStr

from observability.metrics import Metrics
from tests.support.scripted_client import ACCEPTED, ILLEGAL, INFO, WHY, connected, page, scripted
from tests.support.scripted_tws import Answer, ScriptedTws, breaks_off, hangs_up, running_script, says
from tws.actions import Action, Change, ObjectKind
from tws.client import TwsClient
from tws.credentials import Credentials
from tws.errors import (
    TwsDeniedError,
    TwsHeldBackError,
    TwsNotFoundError,
    TwsProtocolError,
    TwsRejectedError,
    TwsUnreachableError,
    TwsUnsupportedError,
)
from tws.objects import JobFilter
from tws.operations import CHANGES
from tws.settings import TwsSettings
from tws.transport import open_session

ARGUMENTS = {
    Action.SET_PRIORITY: {"priority": 50},
    Action.SET_LIMIT: {"limit": 0},
    Action.SET_FENCE: {"fence": 10},
    Action.SET_QUANTITY: {"quantity": 3},
}
AD_HOC = {"name": "CLEANUP", "command": "true"}
EVERY_CHANGE = [
    pytest.param(
        Change(
            action=action,
            kind=kind,
            object_id="id-1",
            selection="A#S.J",
            arguments=AD_HOC
            if kind is ObjectKind.WORKSTATION and action is Action.SUBMIT
            else ARGUMENTS.get(action, {}),
        ),
        id=f"{kind}-{action}",
    )
    for kind, action in CHANGES
]
HOLD = Change(action=Action.HOLD, kind=ObjectKind.JOB, object_id="job-1", selection="A#S.J")
RERUN = Change(action=Action.RERUN, kind=ObjectKind.JOB, object_id="job-1", selection="A#S.J")
RUN = {"id": "run-1", "lastInRerunChain": True}


def to_changes(*answers: Answer) -> Answer:
    """Answers changes in turn; who looks before a rerun sees a job with one run."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response({"id": "job-1", "jobruns": [RUN]})
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def changes_of(script: ScriptedTws) -> list[web.Request]:
    return [request for request in script.requests if request.method != "GET"]


@pytest.mark.parametrize("change", EVERY_CHANGE)
async def test_a_change_is_one_request_with_its_justification(change: Change) -> None:
    async with scripted(to_changes(ACCEPTED)) as (client, script):
        assert await client.carry_out(change, WHY) == "x"
        (request,) = changes_of(script)
        assert request.method == CHANGES[change.kind, change.action].method
        assert request.headers["Justification-Description"] == "payroll is late"
        assert request.headers["Justification-Category"] == "incident"
        assert request.headers["Justification-Ticket-Num"] == "INC-7"


async def test_a_rerun_is_asked_for_by_its_run_with_a_json_object_and_others_have_none() -> None:
    async with scripted(to_changes(ACCEPTED)) as (client, script):
        await client.carry_out(RERUN, WHY)
        await client.carry_out(HOLD, WHY)
        rerun, hold = changes_of(script)
        assert rerun.path.endswith("/plan/job/run/run-1/action/rerun")
        assert rerun.headers["Content-Type"] == "application/json"
        assert hold.path.endswith("/plan/job/job-1/action/hold")
        assert "Content-Type" not in hold.headers
        assert [body for body in script.bodies if body] == ["{}"]


async def test_a_job_that_has_not_run_is_not_run_again() -> None:
    async with scripted(says('{"id": "job-1"}')) as (client, script):
        with pytest.raises(TwsRejectedError, match="has not run"):
            await client.carry_out(RERUN, WHY)
        assert changes_of(script) == []


async def test_a_rerun_whose_job_cannot_be_read_was_not_sent() -> None:
    async with scripted(hangs_up, read_retries=0) as (client, script):
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.carry_out(RERUN, WHY)
        assert not unreachable.value.was_sent
        assert changes_of(script) == []


async def test_a_change_with_bad_arguments_is_not_sent() -> None:
    bad = replace(HOLD, action=Action.SET_PRIORITY, arguments={"priority": "high"})
    async with scripted(ACCEPTED) as (client, script):
        for change in (bad, replace(HOLD, action=Action.LINK), replace(HOLD, arguments={"wings": 2})):
            with pytest.raises(TwsRejectedError) as refused:
                await client.carry_out(change, WHY)
            assert refused.value.message_ids == ()
        assert script.requests == []


@pytest.mark.parametrize("change", EVERY_CHANGE)
async def test_an_illegal_change_is_a_refusal(change: Change) -> None:
    async with scripted(to_changes(ILLEGAL)) as (client, script):
        with pytest.raises(TwsRejectedError) as refused:
            await client.carry_out(change, WHY)
        assert refused.value.message_ids[-1] == "AWSBIN076E"
        assert len(changes_of(script)) == 1


@pytest.mark.parametrize(
    "answer",
    [says("", status=503), says("", status=502), says("", status=500), hangs_up, breaks_off],
    ids=["503", "502", "500", "hangs up", "breaks off"],
)
@pytest.mark.parametrize("change", EVERY_CHANGE)
async def test_a_change_without_an_answer_is_never_sent_again(change: Change, answer: Answer) -> None:
    async with scripted(to_changes(answer), read_retries=3) as (client, script):
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.carry_out(change, WHY)
        assert unreachable.value.was_sent
        assert len(changes_of(script)) == 1


async def test_a_change_is_not_sent_again_on_a_connection_that_was_kept() -> None:
    async with scripted(INFO, hangs_up) as (client, script):
        await client.engine_info()
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.carry_out(HOLD, WHY)
        assert unreachable.value.was_sent
        assert [request.method for request in script.requests] == ["GET", "PUT"]


async def test_without_the_switch_no_change_leaves_the_house() -> None:
    async with scripted(ACCEPTED, write=False) as (client, script):
        for change in (HOLD, RERUN):
            with pytest.raises(TwsDeniedError, match="RESYNC_TWS__WRITE"):
                await client.carry_out(change, WHY)
        assert script.requests == []


async def test_another_plan_than_the_current_one_is_read_and_never_changed() -> None:
    async with scripted(page("A", count=1)) as (client, script):
        old = client.in_plan("2026-11-21")
        await old.query_jobs(JobFilter())
        assert script.requests[0].query["plan_id"] == "2026-11-21"
        with pytest.raises(TwsRejectedError, match="current plan"):
            await old.carry_out(HOLD, WHY)
        with pytest.raises(TwsUnsupportedError):
            await old.workstations()
        await client.query_jobs(JobFilter())
        assert "plan_id" not in script.requests[1].query
        assert len(script.requests) == 2


async def test_another_account_acts_at_the_same_engine() -> None:
    async with scripted(to_changes(ACCEPTED)) as (client, script):
        person = client.acting_as(Credentials(username="ana", password=SecretStr("s3cret")))
        await person.carry_out(HOLD, WHY)
        await client.carry_out(HOLD, WHY)
        accounts = [base64.b64decode(one.headers["Authorization"][6:]) for one in script.requests]
        assert accounts == [b"ana:s3cret", b"resync:hunter2"]


@pytest.mark.parametrize("answer", [says("<html>log in</html>", content_type="text/html"), says("")])
async def test_a_change_that_something_else_accepted_is_not_believed(answer: Answer) -> None:
    async with scripted(answer) as (client, _):
        with pytest.raises(TwsProtocolError):
            await client.carry_out(HOLD, WHY)


async def test_requests_are_timed_by_how_they_ended() -> None:
    metrics = Metrics()
    async with running_script(says("", status=503), INFO, ILLEGAL) as script:
        settings = TwsSettings.model_validate({"url": script.origin, "username": "resync", "write": True})
        async with open_session(settings) as session:
            client = TwsClient(settings, session, metrics)
            await client.engine_info()
            with pytest.raises(TwsRejectedError):
                await client.carry_out(HOLD, WHY)
    counted = metrics.render().decode()
    for method, outcome in (("GET", "tws_unreachable"), ("GET", "ok"), ("PUT", "tws_rejected")):
        name = f'resync_tws_request_seconds_count{{method="{method}",outcome="{outcome}"}}'
        assert f"{name} 1.0" in counted


async def test_a_missing_right_is_denied_with_its_id() -> None:
    async with scripted(says('{"messages": ["AWSJDB817E no RERUN access"]}', status=403)) as (client, _):
        with pytest.raises(TwsDeniedError) as denied:
            await client.carry_out(HOLD, WHY)
        assert str(denied.value).startswith("AWSJDB817E")


async def test_of_a_long_error_page_the_beginning_is_enough() -> None:
    page_of_errors = says("AWSBIN076E wrong state " + "x" * 1_000_000, status=500)
    async with scripted(page_of_errors) as (client, _):
        with pytest.raises(TwsRejectedError) as refused:
            await client.carry_out(HOLD, WHY)
        assert len(str(refused.value)) <= 300


async def test_a_slow_engine_is_unreachable_in_time() -> None:
    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with scripted(slow, read_timeout="0.2", read_retries=0) as (client, _):
        async with asyncio.timeout(5):
            with pytest.raises(TwsUnreachableError) as unreachable:
                await client.carry_out(HOLD, WHY)
        assert unreachable.value.was_sent


async def test_nothing_was_sent_where_nobody_listens() -> None:
    async with running_script(INFO) as gone:
        origin = gone.origin
    async with connected(origin, read_retries=0) as client:
        with pytest.raises(TwsUnreachableError) as unreachable:
            await client.carry_out(HOLD, WHY)
        assert not unreachable.value.was_sent


@pytest.mark.parametrize("identifier", ["", ".", ".."])
async def test_an_id_that_would_name_another_path_is_not_found(identifier: str) -> None:
    async with scripted(ACCEPTED) as (client, script):
        with pytest.raises(TwsNotFoundError):
            await client.carry_out(replace(HOLD, object_id=identifier), WHY)
        assert script.requests == []


async def test_an_engine_that_is_away_is_let_alone_for_a_while() -> None:
    options = {"read_retries": 0, "breaker_failures": 2, "breaker_pause": "0.2"}
    metrics = Metrics()
    async with scripted(hangs_up, hangs_up, INFO, metrics=metrics, **options) as (client, script):
        for _ in range(2):
            with pytest.raises(TwsUnreachableError):
                await client.engine_info()
        for ask in (client.engine_info(), client.carry_out(HOLD, WHY)):
            with pytest.raises(TwsHeldBackError) as held_back:
                await ask
            assert not held_back.value.was_sent
        assert len(script.requests) == 2
        assert 'resync_tws_breaker{engine="TWS",state="open"} 1.0' in metrics.render().decode()
        await asyncio.sleep(0.25)
        await client.engine_info()
        assert 'resync_tws_breaker{engine="TWS",state="closed"} 1.0' in metrics.render().decode()
