"""The simulator over HTTP, held against the vendor's OpenAPI document and the observed answers of a real master."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from yarl import URL

from tests.support.openapi import validate_request, validate_response
from tests.support.simulator import PASSWORD, SteppingClock, running_simulator

pytestmark = pytest.mark.usefixtures("shared_folder")

JOB, RUN = "/plan/job/{job_id}", "/plan/job/run/{run_id}"


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Any


class Operator:
    """A caller of the simulator; every answer is held against the document."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def call(
        self,
        method: str,
        template: str,
        *,
        user: str = "operator",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **parts: str,
    ) -> Answer:
        validate_request(method, template, query=query, headers=headers, body=body)
        credentials = {"Authorization": aiohttp.encode_basic_auth(user, PASSWORD)}
        async with self._session.request(
            method,
            self.url + template.format(**parts),
            params=query,
            headers=credentials | (headers or {}),
            json=body,
        ) as response:
            is_json = response.content_type == "application/json"
            found = await response.json() if is_json else await response.text()
            validate_response(method, template, response.status, found)
            return Answer(response.status, found, response.headers)

    async def read(self, template: str, query: dict[str, str] | None = None, **parts: str) -> Any:
        answer = await self.call("GET", template, query=query, **parts)
        assert answer.status == 200
        return answer.body

    async def job(self, name: str, stream: str) -> Any:
        query = {"oql": f"name = '{name}' AND jobStreamName = '{stream}'"}
        found = await self.read("/plan/job", query)
        assert found["count"] == 1
        return await self.read(JOB, job_id=found["results"][0]["id"])

    async def rerun(self, job: Any, **more: Any) -> Answer:
        run_id = job["jobruns"][-1]["id"]
        return await self.call("PUT", f"{RUN}/action/rerun", run_id=run_id, **({"body": {}} | more))

    async def act(self, verb: str, job: Any, **more: Any) -> Answer:
        return await self.call("PUT", f"{JOB}/action/{verb}", job_id=job["id"], **more)


@pytest.fixture
async def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def tws(session: aiohttp.ClientSession, clock: SteppingClock) -> AsyncIterator[Operator]:
    async with running_simulator(clock=clock, apply_delay=(1.0, 3.0)) as url:
        yield Operator(session, url)


async def test_engine_info(tws: Operator) -> None:
    info = await tws.read("/engine/info")
    assert (info["licenseType"], info["timezone"]) == ("PERSERVER", "America/Sao_Paulo")


async def test_the_whole_plan_is_valid_and_quick(tws: Operator) -> None:
    plan = await tws.read("/plan/job")
    assert plan["count"] == len(plan["results"]) >= 300
    assert "next" not in plan
    credentials = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}
    spans = []
    for _ in range(5):
        began = time.perf_counter()
        async with aiohttp.request("GET", f"{tws.url}/plan/job", headers=credentials) as response:
            await response.read()
        spans.append(time.perf_counter() - began)
    assert min(spans) < 0.05


async def test_every_job_in_full_is_valid(tws: Operator) -> None:
    kinds = set()
    for row in (await tws.read("/plan/job", {"limit": "250"}))["results"]:
        assert "dependencies" not in row
        job = await tws.read(JOB, job_id=row["id"])
        kinds |= {one["dependencyType"] for one in job["dependencies"]}
    assert kinds == {"INTERNAL", "EXTERNAL_JOB", "FILE", "RESOURCE", "PROMPT"}


async def test_every_stream_is_valid_and_carries_its_jobs(tws: Operator) -> None:
    streams = await tws.read("/plan/jobstream")
    assert streams["count"] >= 40
    kinds = set()
    for row in streams["results"][:80]:
        stream = await tws.read("/plan/jobstream/{jobstream_id}", jobstream_id=row["id"])
        assert len(stream["jobs"]) == stream["jobStreamStats"]["numberOfJob"]
        kinds |= {one["dependencyType"] for one in stream["dependencies"]}
    assert kinds == {"EXTERNAL_JOB", "EXTERNAL_JOBSTREAM", "FILE"}


async def test_streams_by_query(tws: Operator) -> None:
    stuck = await tws.read("/plan/jobstream", {"oql": "compositeStatus.status = 'STUCK' ORDER BY name ASC"})
    names = [one["name"] for one in stuck["results"]]
    assert names == [
        "BACKUP",
        "BKPCRM",
        "CARDS",
        "CONTABIL",
        "DWHNIGHT",
        "PAYDAILY",
        "POSCLOSE",
        "REGULAT",
        "SECOPS",
    ]
    waiting = await tws.read("/plan/jobstream", {"oql": "dependencies.dependencyType = 'FILE'"})
    assert [one["name"] for one in waiting["results"]] == ["RETBANCO"]
    late = await tws.read("/plan/jobstream", {"plan_filter": "/@/AGT_POS01#/@/POSC@"})
    assert [one["jsStatusFlags"]["lateJobStream"] for one in late["results"]] == [True]


async def test_workstations(tws: Operator) -> None:
    found = (await tws.read("/plan/workstation"))["results"]
    for row in found:
        assert await tws.read("/plan/workstation/{workstation_id}", workstation_id=row["id"]) == row
    unlinked = [one["name"] for one in found if "LINKED" not in one["activeStates"]]
    stopped = [one["name"] for one in found if one["limit"] == 0]
    assert (len(found), unlinked, stopped) == (14, ["AGT_POS02"], ["AGT_LEG01"])


async def test_jobs_by_query_and_selection(tws: Operator) -> None:
    failed = await tws.read("/plan/job", {"oql": "jobruns.commonStatus = 'ERROR'"})
    same = await tws.read("/plan/job", {"plan_filter": "/@/@#/@/@.@+state=abend,fail"})
    assert failed["count"] == 9
    assert failed == same
    both = {"plan_filter": "@#@.BACKUP_DB", "oql": "jobruns.compositeStatus.status = 'ABEND'"}
    assert [one["jobStreamName"] for one in (await tws.read("/plan/job", both))["results"]] == ["BKPCRM"]
    stream_id = failed["results"][0]["jobStreamId"]
    assert (await tws.read("/plan/job", {"oql": f"jobStreamId = '{stream_id}'"}))["count"] > 1
    follows = {"oql": "dependencies.jobName = 'APURACAO'"}
    assert [one["name"] for one in (await tws.read("/plan/job", follows))["results"]] == ["FECHAMENTO"]


async def test_pages_link_to_each_other(tws: Operator, session: aiohttp.ClientSession) -> None:
    query = {"oql": "name LIKE 'PIX_@' ORDER BY name DESC", "limit": "100"}
    everything = (await tws.read("/plan/job", query | {"limit": "10000"}))["results"]
    page = await tws.read("/plan/job", query)
    assert "previous" not in page
    rows, pages = page["results"], 1
    credentials = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}
    while following := page.get("next"):
        assert URL(following).origin() == URL(tws.url).origin()
        async with session.get(URL(following), headers=credentials) as response:
            page = await response.json()
        rows, pages = rows + page["results"], pages + 1
    assert (rows, pages, page["count"]) == (everything, 3, len(everything))
    assert URL(page["previous"]).query["offset"] == "100"


async def test_the_count_can_be_left_out(tws: Operator) -> None:
    answer = await tws.call("GET", "/plan/job", query={"limit": "1"}, headers={"Include-Count": "false"})
    assert "count" not in answer.body


async def test_jobs_are_counted_by_group(tws: Operator) -> None:
    everything = {"plan_filter": "/@/@#/@/@.@"}
    total = await tws.read("/plan/job/count", everything)
    groups = await tws.read("/plan/job/count", everything | {"grouping_filters": "status,workstation"})
    assert total == {"count": sum(groups["groupedCount"].values())}
    assert groups["groupedCount"]["ERROR,/AGT_HR01"] == 1


@pytest.mark.parametrize(
    ("template", "query", "message_id"),
    [
        ("/plan/job", {"oql": "key.name = 'PAYROLL'"}, "OQL_FILTER_SYNTAX_ERROR"),
        ("/plan/job", {"oql": "nonsense"}, "OQL_FILTER_SYNTAX_ERROR"),
        ("/plan/jobstream", {"oql": "name ="}, "OQL_FILTER_SYNTAX_ERROR"),
        ("/plan/workstation", {"oql": "name ="}, "OQL_FILTER_SYNTAX_ERROR"),
        ("/plan/job", {"plan_filter": "a#b#c.d"}, "AWSJCS029E"),
        ("/plan/job/count", {"plan_filter": "@#@.@", "grouping_filters": "colour"}, "AWSJCS029E"),
    ],
)
async def test_bad_queries_are_refused(
    tws: Operator, template: str, query: dict[str, str], message_id: str
) -> None:
    answer = await tws.call("GET", template, query=query)
    assert answer.status == 400
    assert answer.body["messages"][0].startswith(message_id)


@pytest.mark.parametrize("limit", ["-1", "ten", "1" * 20, ""])
async def test_bad_numbers_are_refused(tws: Operator, session: aiohttp.ClientSession, limit: str) -> None:
    credentials = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}
    async with session.get(f"{tws.url}/plan/job", params={"limit": limit}, headers=credentials) as response:
        assert response.status == 400


async def test_neighbours_near_and_far(tws: Operator) -> None:
    job = await tws.job("APURACAO", "CONTABIL")
    before = await tws.read(f"{JOB}/predecessors", job_id=job["id"])
    assert [one["name"] for one in before["results"]] == ["RATEIO_CUSTOS"]
    further = await tws.read(f"{JOB}/predecessors", {"depth": "2"}, job_id=job["id"])
    assert {one["name"] for one in further["results"]} == {
        "RATEIO_CUSTOS",
        "VALIDA_PLANO_CTAS",
        "REL_TARIFAS",
    }
    after = await tws.read(f"{JOB}/successors", {"depth": "9"}, job_id=job["id"])
    assert [one["name"] for one in after["results"]] == ["FECHAMENTO", "BALANCETE", "DIARIO_GERAL"]


async def test_streams_are_neighbours_too(tws: Operator) -> None:
    job = await tws.job("VAR_CONSOLIDATE", "RISCO")
    after = (await tws.read(f"{JOB}/successors", job_id=job["id"]))["results"]
    assert {one["name"]: one["flowNodeType"] for one in after} == {
        "VAR_REPORT": "JOB",
        "BIRISCO": "JOBSTREAM",
    }


async def test_job_logs_come_whole_or_in_lines(tws: Operator) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    run_id = job["jobruns"][0]["id"]
    answer = await tws.call("GET", f"{RUN}/joblog", run_id=run_id)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.body.splitlines()
    assert "ORA-01653: unable to extend table HR.PAY_TRANS by 8192 in tablespace PAY_DATA" in answer.body
    window = await tws.read(f"{RUN}/joblog", {"from_line": "3", "to_line": "5"}, run_id=run_id)
    assert window.splitlines() == lines[2:5]
    content = await tws.read(f"{RUN}/joblog", {"contentOnly": "true"}, run_id=run_id)
    assert "= JOB" not in content
    assert "= Exit Status" not in content
    assert "ORA-01653" in content


async def test_a_job_that_was_not_launched_has_no_log(tws: Operator) -> None:
    job = await tws.job("FECHAMENTO", "CONTABIL")
    answer = await tws.call("GET", f"{RUN}/joblog", run_id=job["jobruns"][0]["id"])
    assert answer.status == 404


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
        ("{}", "application/json; charset=klingon", 400),
        ('{"stepName":"S2"}', "application/json", 400),
        ('{"stepName":""}', "application/json", 200),
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
    job = await tws.job("PAYROLL", "PAYDAILY")
    clock.step(hours=19)
    assert (await tws.job("PAYROLL", "PAYDAILY"))["id"] != job["id"]
    assert (await tws.call("GET", JOB, job_id=job["id"])).status == 404
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
