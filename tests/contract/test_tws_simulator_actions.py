"""What the simulator does when it is told to, to whom it listens, and what outlives a restart."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.support.simulator import PASSWORD, SteppingClock, running_simulator
from tests.support.tws_operator import JOB, RUN, Operator

pytestmark = pytest.mark.usefixtures("shared_folder")


async def test_a_rerun_is_answered_first_and_shown_later(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    run_id = job["jobruns"][0]["id"]
    answer = await tws.rerun(job)
    assert answer.status == 200
    assert answer.body["id"] == run_id
    assert answer.body["url"].endswith(f"/plan/job/run/{run_id}")
    assert await tws.read(JOB, job_id=job["id"]) == job
    clock.step(seconds=3)
    again = await tws.read(JOB, job_id=job["id"])
    assert [run["lastInRerunChain"] for run in again["jobruns"]] == [False, True]
    assert [run["runAttempt"] for run in again["jobruns"]] == [1, 2]
    assert [run["rerunType"] for run in again["jobruns"]] == ["REGULAR", "RERUN"]
    assert again["jobruns"][0]["compositeStatus"]["status"] == "ABEND"
    clock.step(minutes=1)
    assert (await tws.read(JOB, job_id=job["id"]))["lastRunCommonStatus"] == "SUCCESSFUL"


async def test_a_rerun_may_fail_again(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("APURACAO", "CONTABIL")
    await tws.rerun(job)
    clock.step(minutes=2)
    again = await tws.read(JOB, job_id=job["id"])
    assert [run["returnCode"] for run in again["jobruns"]] == [12, 12]


async def test_hold_release_and_cancel_change_the_plan(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("FECHAMENTO", "CONTABIL")
    for verb, expected in (("hold", (0, "HELD")), ("release", (60, "WAITING")), ("cancel", (60, "CANCELED"))):
        answer = await tws.act(verb, job)
        assert (answer.status, answer.body["id"]) == (200, job["id"])
        clock.step(seconds=3)
        now = await tws.read(JOB, job_id=job["id"])
        assert (now["priority"], now["lastRunCommonStatus"]) == expected
    assert (await tws.job("BALANCETE", "CONTABIL"))["lastRunCompositeStatus"]["status"] == "INTRO"


async def test_kill_and_confirm_change_the_plan(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("BACKUP_DB", "BKPDWH")
    assert job["lastRunCommonStatus"] == "RUNNING"
    await tws.act("kill", job)
    clock.step(seconds=3)
    killed = await tws.read(JOB, job_id=job["id"])
    assert (killed["lastRunCompositeStatus"]["status"], killed["jobruns"][0]["returnCode"]) == ("ABEND", 9)
    await tws.act("confirm-succ", job)
    clock.step(seconds=3)
    confirmed = await tws.read(JOB, job_id=job["id"])
    assert confirmed["lastRunCommonStatus"] == "SUCCESSFUL"
    assert confirmed["jobruns"][0]["confirmed"] is True


@pytest.mark.parametrize(
    ("verb", "name", "stream"),
    [
        ("kill", "PAYROLL", "PAYDAILY"),
        ("hold", "PAYROLL", "PAYDAILY"),
        ("release", "PAYROLL", "PAYDAILY"),
        ("release", "EXTRAI_VSAM", "LEGADO"),
        ("confirm-succ", "BKP_CATALOG", "BACKUP"),
        ("confirm-succ", "BACKUP_DB", "BKPERP"),
    ],
)
async def test_illegal_actions_get_500_with_both_messages(
    tws: Operator, verb: str, name: str, stream: str
) -> None:
    answer = await tws.act(verb, await tws.job(name, stream))
    assert answer.status == 500
    assert [text.split()[0] for text in answer.body["messages"]] == ["AWSJSY404E", "AWSBIN076E"]


async def test_a_running_job_cannot_be_rerun(tws: Operator) -> None:
    answer = await tws.rerun(await tws.job("BACKUP_DB", "BKPDWH"))
    assert answer.status == 500
    assert "AWSBIN076E" in answer.body["messages"][1]


async def test_a_viewer_reads_and_changes_nothing(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    seen = await tws.call("GET", JOB, user="viewer", job_id=job["id"])
    assert [one["key"] for one in seen.body["actions"]] == ["GET_JOB_LOG"]
    assert {one["key"] for one in job["actions"]} == {
        "GET_JOB_LOG",
        "RERUN_JOB",
        "CANCEL_JOB",
        "CONFIRM_SUCC_JOB",
    }
    for answer in (await tws.rerun(job, user="viewer"), await tws.act("cancel", job, user="viewer")):
        assert answer.status == 403
        assert answer.body["messages"][0].startswith("AWSJDB817E")
    clock.step(minutes=1)
    assert await tws.read(JOB, job_id=job["id"]) == job


UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "template",
    [JOB, f"{JOB}/predecessors", f"{JOB}/successors", f"{RUN}/joblog"],
)
async def test_unknown_ids_are_not_found(tws: Operator, template: str) -> None:
    answer = await tws.call("GET", template, job_id=UNKNOWN, run_id=UNKNOWN)
    assert answer.status == 404
    assert "AWSJDB101E" in answer.body["messages"][0]


async def test_unknown_targets_of_other_calls_are_not_found(tws: Operator) -> None:
    for method, template, body in (
        ("GET", "/plan/jobstream/{jobstream_id}", None),
        ("GET", "/plan/workstation/{workstation_id}", None),
        ("PUT", f"{JOB}/action/hold", None),
        ("PUT", f"{RUN}/action/rerun", {}),
    ):
        ids = {"job_id": UNKNOWN, "run_id": UNKNOWN, "jobstream_id": UNKNOWN, "workstation_id": UNKNOWN}
        assert (await tws.call(method, template, body=body, **ids)).status == 404


async def test_the_composite_key_is_no_id(tws: Operator) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    answer = await tws.act("cancel", job | {"id": job["key"]})
    assert answer.status == 500
    assert "AWSBIO006E" in answer.body["messages"][1]


async def send(
    session: aiohttp.ClientSession, method: str, url: str, **more: Any
) -> tuple[int, str, aiohttp.ClientResponse]:
    headers = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)} | more.pop("headers", {})
    async with session.request(method, url, headers=headers, **more) as response:
        return response.status, await response.text(), response


async def test_a_wrong_method_gets_405(tws: Operator, session: aiohttp.ClientSession) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    url = f"{tws.url}/plan/job/{job['id']}/action/hold"
    assert (await send(session, "POST", url))[0] == 405


@pytest.mark.parametrize(
    ("data", "content_type", "expected"),
    [
        ("", "", 415),
        ("{}", "text/plain", 415),
        ("", "application/json", 400),
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('{"priority":102}', "application/json", 400),
        ('{"startTime":"2025-11-22T20:00:00Z"}', "application/json", 400),
        ('{"userLogin":"root"}', "application/json", 400),
        ('{"successorsInfo":{"successorsIds":["nobody"]}}', "application/json", 404),
        ('{"stepName":""}', "application/json", 200),
        ('{"variables":{"DAY":"1"}}', "application/json", 200),
        ("{}", "application/json", 200),
    ],
)
async def test_a_rerun_needs_a_json_object(
    tws: Operator, session: aiohttp.ClientSession, data: str, content_type: str, expected: int
) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    url = f"{tws.url}/plan/job/run/{job['jobruns'][0]['id']}/action/rerun"
    headers = {"Content-Type": content_type} if content_type else {}
    status, _, _ = await send(session, "PUT", url, data=data.encode(), headers=headers)
    assert status == expected


@pytest.mark.parametrize("path", ["/twsd/api/v2/plan/job", "/twsd/api/v2/login", "/sim/actions"])
@pytest.mark.parametrize("authorization", ["", aiohttp.encode_basic_auth("operator", "wrong"), "Bearer x"])
async def test_without_valid_credentials_there_is_401(
    tws: Operator, session: aiohttp.ClientSession, path: str, authorization: str
) -> None:
    async with session.get(
        URL(tws.url).with_path(path), headers={"Authorization": authorization}
    ) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic")
        assert response.content_type == "text/html"


async def test_an_api_key_is_as_good_as_a_password(tws: Operator, session: aiohttp.ClientSession) -> None:
    status, _, _ = await send(
        session, "GET", f"{tws.url}/engine/info", headers={"Authorization": "Bearer key-of-resync"}
    )
    assert status == 200


async def test_the_landing_page_sets_its_cookie(tws: Operator, session: aiohttp.ClientSession) -> None:
    async with session.get(URL(tws.url).with_path("/twsd/")) as response:
        assert response.status == 200
        assert "XSRF-TOKEN" in response.cookies


async def test_accepted_actions_are_listed_with_their_reason(
    tws: Operator, session: aiohttp.ClientSession
) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    reason = {
        "Justification-Description": "tablespace extended",
        "Justification-Category": "resync",
        "Justification-Ticket-Num": "INC0042",
    }
    await tws.rerun(job, user="supervisor", headers=reason)
    await tws.act("cancel", await tws.job("APURACAO", "CONTABIL"))
    await tws.act("kill", job)
    status, text, _ = await send(session, "GET", str(URL(tws.url).with_path("/sim/actions")))
    assert status == 200
    rerun, cancel = json.loads(text)
    assert rerun == {
        "at": "2025-11-22T09:00:30.000Z",
        "user": "supervisor",
        "action": "rerun",
        "job": "AGT_HR01#PAYDAILY.PAYROLL",
        "kind": "job",
        "object_id": job["id"],
        "arguments": {},
        "run_id": job["jobruns"][0]["id"],
        "justification": {"description": "tablespace extended", "category": "resync", "ticket": "INC0042"},
    }
    assert (cancel["action"], cancel["run_id"], cancel["justification"]) == ("cancel", None, {})


async def test_a_restart_over_the_same_folder_changes_nothing(
    session: aiohttp.ClientSession, clock: SteppingClock, tmp_path: Path
) -> None:
    async with running_simulator(tmp_path, clock=clock, apply_delay=(1.0, 3.0)) as url:
        tws = Operator(session, url)
        await tws.rerun(await tws.job("PAYROLL", "PAYDAILY"))
        clock.step(seconds=5)
        before = (await tws.read("/plan/job"))["results"]
        # Answered, but not yet shown when the simulator goes down.
        await tws.act("hold", await tws.job("FECHAMENTO", "CONTABIL"))
    async with running_simulator(tmp_path, clock=clock) as url:
        tws = Operator(session, url)
        assert (await tws.read("/plan/job"))["results"] == before
        clock.step(seconds=3)
        assert (await tws.job("FECHAMENTO", "CONTABIL"))["priority"] == 0


async def test_the_next_day_has_another_plan(tws: Operator, clock: SteppingClock) -> None:
    ended = await tws.job("EXTRAI_CLIENTES", "CADCLI")
    failed = await tws.job("PAYROLL", "PAYDAILY")
    clock.step(hours=19)
    assert (await tws.call("GET", JOB, job_id=ended["id"])).status == 404
    past = await tws.read(JOB, {"plan_id": ended["planId"]}, job_id=ended["id"])
    assert past["name"] == "EXTRAI_CLIENTES"
    assert (await tws.call("GET", "/plan/job", query={"plan_id": "nonsense"})).status == 400
    carried = await tws.read(JOB, job_id=failed["id"])
    stream = await tws.read("/plan/jobstream/{jobstream_id}", jobstream_id=carried["jobStreamId"])
    assert stream["jsDefinitionFlags"]["carriedForward"] is True
    run_numbers = {one["runNumber"] for one in (await tws.read("/plan/workstation"))["results"]}
    assert run_numbers == {1202}


async def test_in_real_time_actions_show_within_their_delay(session: aiohttp.ClientSession) -> None:
    async with running_simulator(apply_delay=(0.05, 0.1)) as url:
        tws = Operator(session, url)
        job = await tws.job("SPB_GRADE", "SPB")
        await tws.act("hold", job)
        deadline = time.monotonic() + 5
        while (await tws.read(JOB, job_id=job["id"]))["priority"] != 0:
            assert time.monotonic() < deadline
