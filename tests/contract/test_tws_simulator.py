"""What the simulator answers over HTTP, held against the vendor's document and a real master's answers."""

from __future__ import annotations

import time

import aiohttp
import pytest
from yarl import URL

from tests.support.simulator import PASSWORD
from tests.support.tws_operator import JOB, RUN, Operator

pytestmark = pytest.mark.usefixtures("shared_folder")


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
