"""What the simulator answers over HTTP, held against the vendor's document and a real master's answers."""

from __future__ import annotations

import time

import aiohttp
import pytest
from yarl import URL

from tests.support.openapi import template_of, validate_schema
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


async def test_a_scope_puts_the_dependencies_into_lists(tws: Operator) -> None:
    for path in ("/plan/job", "/plan/jobstream"):
        answer = await tws.call("GET", path, query={"limit": "40"}, headers={"scope": "WHOLE"})
        for row in answer.body["results"]:
            single = f"{path}/{{{path.rpartition('/')[2]}_id}}"
            full = await tws.read(single, job_id=row["id"], jobstream_id=row["id"])
            assert row["dependencies"] == full["dependencies"]
    assert (await tws.send("GET", "/twsd/api/v2/plan/job", scope="SOME")).status == 400


async def test_resources(tws: Operator) -> None:
    found = (await tws.read("/plan/resource"))["results"]
    assert {one["name"]: one["quantity"] for one in found} == {"FITALTO": 1, "DBLOCK": 4}
    for row in found:
        assert await tws.read("/plan/resource/{resource_id}", resource_id=row["id"]) == row
    chosen = await tws.read("/plan/resource", {"plan_filter": "AGT_BKP01#@"})
    assert [one["name"] for one in chosen["results"]] == ["FITALTO"]
    held = await tws.read("/plan/resource", {"oql": "quantityAvailable = 0"})
    assert [one["name"] for one in held["results"]] == ["FITALTO"]


async def test_prompts_and_files_as_a_later_version_gives_them(tws: Operator) -> None:
    for kind, schema in (("prompt", "PromptInPlanV2"), ("file", "FileInPlanV2")):
        answer = await tws.send("GET", f"/twsd/api/v2/plan/{kind}")
        assert answer.body["count"] == len(answer.body["results"]) > 0
        for row in answer.body["results"]:
            validate_schema(schema, row)
            single = await tws.send("GET", f"/twsd/api/v2/plan/{kind}/{row['id']}")
            assert single.body == row
    assert (await tws.send("GET", "/twsd/api/v2/plan/prompt/nix")).status == 404


async def test_definitions(tws: Operator) -> None:
    for kind, name in (("jobdefinition", "PAYROLL"), ("jobstream", "PAYDAILY")):
        page = await tws.read(f"/model/{kind}", {"oql": f"name = '{name}'"})
        assert page["count"] == 1
        selected = await tws.read(f"/model/{kind}", {"model_filter": f"/@/AGT_HR01#/@/{name}"})
        assert selected == page
        (row,) = page["results"]
        ids = {"jobDefinition_id": row["def"]["id"], "jobStream_id": row["def"]["id"]}
        field = "jobDefinition_id" if kind == "jobdefinition" else "jobStream_id"
        assert await tws.read(f"/model/{kind}/{{{field}}}", **ids) == row
    job = await tws.job("PAYROLL", "PAYDAILY")
    stream = await tws.read("/plan/jobstream/{jobstream_id}", jobstream_id=job["jobStreamId"])
    assert stream["jobStreamModelId"] == row["def"]["id"]


async def test_streams_have_neighbours(tws: Operator) -> None:
    risk = (await tws.read("/plan/jobstream", {"oql": "name = 'BIRISCO'"}))["results"][0]
    before = await tws.read("/plan/jobstream/{jobstream_id}/predecessors", jobstream_id=risk["id"])
    assert "VAR_CONSOLIDATE" in {one["name"] for one in before["results"]}


async def test_the_catalogue_of_actions_covers_every_action_that_objects_offer(tws: Operator) -> None:
    info = await tws.read("/objects-info")
    for kind, path in {
        "JOB_IN_PLAN": "job",
        "JOBSTREAM_IN_PLAN": "jobstream",
        "WORKSTATION_IN_PLAN": "workstation",
        "RESOURCE_IN_PLAN": "resource",
        "PROMPT_IN_PLAN": "prompt",
    }.items():
        answer = await tws.send("GET", f"/twsd/api/v2/plan/{path}")
        offered = {action["key"] for row in answer.body["results"] for action in row["actions"]}
        explained = {one["key"]: one for one in info[kind]["actions"]}
        assert offered - {"GET_JOB_LOG"} <= explained.keys()
        for one in explained.values():
            concrete = one["parametricUrl"].replace("{id}", "0")
            assert template_of(one["httpMethod"], concrete)
    assert (await tws.call("GET", "/objects-info", query={"object_type": "EVENTSOURCE"})).status == 400


async def test_rights_are_told(tws: Operator) -> None:
    assert (await tws.read("/engine/read_permission"))["CPU"].split(",") == [
        "DISPLAY",
        "FENCE",
        "LIMIT",
        "LINK",
        "LIST",
        "START",
        "STOP",
        "UNLINK",
    ]
    viewer = await tws.call("GET", "/engine/read_permission", user="viewer")
    assert set(viewer.body.values()) == {"DISPLAY,LIST"}


async def test_issues_name_what_failed(tws: Operator) -> None:
    found = await tws.read("/plan/job/issues", {"plan_filter": "@#PAYDAILY.@"})
    assert [(one["issueType"], one["issueMessage"]) for one in found["issues"]] == [
        ("ERROR", "AGT_HR01#PAYDAILY.PAYROLL ended in ABEND with return code 8.")
    ]


async def test_folders_are_counted(tws: Operator) -> None:
    jobs = await tws.read("/plan/folder/objects-count", {"object_type": "JOB_IN_PLAN", "oql": "folder = '/'"})
    (root,) = jobs
    assert root["totalCount"] == sum(root["commonStatus"].values()) >= 300
    nothing = {"object_type": "JOB_IN_PLAN", "oql": "folder = '/OTHER'"}
    assert await tws.read("/plan/folder/objects-count", nothing) == []
