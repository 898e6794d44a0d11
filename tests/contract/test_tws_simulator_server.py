"""What the simulated master serves beside its plan: faults on demand, the clock, V1, metrics, TLS, its own document."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.openapi import document
from tests.support.simulator import PASSWORD, SteppingClock, running_simulator
from tests.support.tws_operator import JOB, Operator
from tws.simulator.routes import BASE

pytestmark = pytest.mark.usefixtures("shared_folder")

KILL = "*/action/kill"


async def fault(tws: Operator, effect: str, path: str = KILL, **more: Any) -> None:
    assert (
        await tws.send("POST", "/sim/faults", body={"effect": effect, "path": path, **more})
    ).status == 200


async def running_job(tws: Operator) -> Any:
    return await tws.job("BACKUP_DB", "BKPDWH")


async def status_of(tws: Operator, job: Any) -> str:
    return str((await tws.read(JOB, job_id=job["id"]))["lastRunCompositeStatus"]["status"])


async def test_an_action_may_be_answered_and_do_nothing(tws: Operator, clock: SteppingClock) -> None:
    job = await running_job(tws)
    await fault(tws, "nothing")
    assert (await tws.act("kill", job)).body["id"] == job["id"]
    clock.step(seconds=30)
    assert await status_of(tws, job) == "EXEC"
    assert (await tws.act("kill", job)).status == 200
    clock.step(seconds=3)
    assert await status_of(tws, job) == "ABEND"


async def test_an_action_may_come_late(tws: Operator, clock: SteppingClock) -> None:
    job = await running_job(tws)
    await fault(tws, "late", seconds=60)
    await tws.act("kill", job)
    clock.step(seconds=59)
    assert await status_of(tws, job) == "EXEC"
    clock.step(seconds=5)
    assert await status_of(tws, job) == "ABEND"


async def test_an_action_may_hit_another_job(tws: Operator, clock: SteppingClock) -> None:
    job = await running_job(tws)
    running = (await tws.read("/plan/job", {"plan_filter": "@#@.@+state=exec"}))["results"]
    assert len(running) > 1
    await fault(tws, "other")
    assert (await tws.act("kill", job)).body["id"] == job["id"]
    clock.step(seconds=3)
    assert await status_of(tws, job) == "EXEC"
    others = [one for one in running if one["id"] != job["id"]]
    assert sum([await status_of(tws, one) == "ABEND" for one in others]) == 1


async def test_the_connection_may_break_after_the_change(tws: Operator, clock: SteppingClock) -> None:
    job = await running_job(tws)
    await fault(tws, "drop", method="PUT", times=2)  # aiohttp tries a broken PUT again by itself
    with pytest.raises(aiohttp.ClientConnectionError):
        await tws.act("kill", job)
    clock.step(seconds=3)
    assert await status_of(tws, job) == "ABEND"


@pytest.mark.parametrize(("effect", "status"), [("error", 500), ("denied", 401)])
async def test_answers_may_be_refusals_so_many_times(
    tws: Operator, clock: SteppingClock, effect: str, status: int
) -> None:
    job = await running_job(tws)
    await fault(tws, effect, "*", times=2)
    path = f"{BASE}/plan/job/{job['id']}"
    assert [(await tws.send("GET", path)).status for _ in range(3)] == [status, status, 200]
    await fault(tws, effect)
    assert (await tws.send("PUT", f"{path}/action/kill")).status == status
    clock.step(seconds=3)
    assert await status_of(tws, job) == "EXEC"


async def test_answers_may_be_slow_or_cut_in_the_middle(tws: Operator) -> None:
    await fault(tws, "slow", "*/plan/job", seconds=0.2)
    began = time.monotonic()
    whole = await tws.send("GET", f"{BASE}/plan/job?limit=1")
    assert time.monotonic() - began >= 0.2
    assert whole.body["results"]
    await fault(tws, "truncate", "*/plan/job")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        await tws.send("GET", f"{BASE}/plan/job?limit=1")


async def test_faults_are_listed_and_cleared(tws: Operator) -> None:
    await fault(tws, "error", "*", times=3)
    await tws.send("GET", f"{BASE}/engine/info")
    listed = await tws.send("GET", "/sim/faults")
    assert [(one["effect"], one["times"]) for one in listed.body] == [("error", 2)]
    assert (await tws.send("DELETE", "/sim/faults")).body == []
    assert (await tws.send("GET", f"{BASE}/engine/info")).status == 200
    for body in ({}, {"effect": "magic"}, {"effect": "error", "times": 0}, {"effect": "slow", "seconds": -1}):
        assert (await tws.send("POST", "/sim/faults", body=body)).status == 400


async def test_simulated_time_passes_on_request(tws: Operator) -> None:
    before = (await tws.send("GET", "/sim/clock")).body["now"]
    assert before == "2025-11-22T09:00:30.000Z"
    assert (await tws.send("POST", "/sim/clock", body={"seconds": 90.5})).body[
        "now"
    ] == "2025-11-22T09:02:00.500Z"
    for body in ({}, {"seconds": -1}, {"seconds": "soon"}, {"seconds": 1e12}):
        assert (await tws.send("POST", "/sim/clock", body=body)).status == 400


async def test_the_engine_tells_its_own_reasons(tws: Operator) -> None:
    job = await tws.job("FECHAMENTO", "CONTABIL")
    found = await tws.send("GET", f"/sim/reasons/{job['id']}")
    assert {"cause": "predecessor_failed", "owner": "job"} in found.body
    assert (await tws.send("GET", "/sim/reasons/nix")).status == 404


async def test_while_the_plan_is_extended_there_is_no_service(
    session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    async with running_simulator(clock=clock, outage=120.0) as url:
        tws = Operator(session, url)
        clock.step(hours=18)
        assert (await tws.call("GET", "/plan/job")).status == 503
        clock.step(minutes=2)
        assert (await tws.call("GET", "/plan/job")).status == 200


async def test_a_user_may_have_less_than_the_role(
    session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    async with running_simulator(clock=clock, rights={"operator": ["JOB.KILL"]}) as url:
        tws = Operator(session, url)
        job = await running_job(tws)
        assert [one["key"] for one in job["actions"]] == ["GET_JOB_LOG", "KILL_JOB"]
        refused = await tws.act("cancel", job)
        assert refused.status == 403
        assert "CANCEL access" in refused.body["messages"][0]
        assert (await tws.act("kill", job)).status == 200


async def test_the_master_describes_what_it_serves(tws: Operator) -> None:
    served = (await tws.send("GET", "/twsd/WA_API3_v2.json")).body
    known = document()["paths"]
    later = {f"{BASE}/plan/{kind}" for kind in ("prompt", "file")}
    for path, methods in served["paths"].items():
        if any(path.startswith(one) for one in later) and path not in known:
            continue
        for method, described in methods.items():
            official = known[path][method]
            names = {(one["in"], one["name"]) for one in official.get("parameters", ())}
            assert {(one["in"], one["name"]) for one in described["parameters"]} <= names
            assert described["responses"]["200"].get("content") in (
                None,
                {"application/json": official["responses"]["200"].get("content", {}).get("application/json")},
            )


async def test_with_tls_only_those_who_trust_the_certificate_connect(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    credentials = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}
    async with running_simulator(tls=True, ca_file=bundle) as url:
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(bundle))
        async with session.get(f"{url}/engine/info", ssl=context, headers=credentials) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{url}/engine/info", headers=credentials)


async def test_metrics_are_open_to_all(tws: Operator, session: aiohttp.ClientSession) -> None:
    async with session.get(tws.url.replace(BASE, "/metrics")) as response:
        lines = (await response.text()).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    total = (await tws.read("/plan/job"))["count"]
    counts = [
        int(value) for name, value in values.items() if name.startswith("application_wa_JobsInPlanCount_jobs")
    ]
    assert sum(counts) == total
    assert values['application_wa_workstation_linked_boolean{workstation="AGT_POS02"}'] == "0"


V1 = "/twsd/plan/current"


async def test_v1_lists_jobs_by_filter(tws: Operator) -> None:
    body = {"filters": {"jobInPlanFilter": {"jobName": "PAY@", "jobStreamName": "PAYDAILY"}}}
    found = (await tws.send("POST", f"{V1}/job/query", body=body, How_Many="1")).body
    assert found[0]["name"].startswith("PAY")
    (job,) = [
        one for one in (await tws.send("POST", f"{V1}/job/query", body=body)).body if one["name"] == "PAYROLL"
    ]
    assert job["status"] == {"internalStatus": "ABEND", "commonStatus": "ERROR"}
    assert job["key"]["workstationKey"] == {"name": "AGT_HR01"}
    workstations = {"filters": {"workstationInPlanFilter": {"workstationName": "AGT_POS*"}}}
    places = await tws.send("POST", f"{V1}/workstation/query", body=workstations)
    assert [one["workstationInPlanKey"]["name"] for one in places.body] == ["AGT_POS01", "AGT_POS02"]
    streams = {"filters": {"jobStreamInPlanFilter": {"jobStreamName": "CONTABIL"}}}
    (stream,) = (await tws.send("POST", f"{V1}/jobstream/query", body=streams)).body
    assert stream["status"]["internalStatus"] == "STUCK"
    for body in ([], {"filters": []}, {"filters": {"x": 1}}):
        assert (await tws.send("POST", f"{V1}/job/query", body=body)).status == 400


async def test_v1_reruns_by_composite_key(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    path = f"{V1}/job/{job['key'].replace(';', '%3B')}/action/rerun"
    assert (await tws.send("PUT", path, user="viewer", body={})).status == 403
    assert (await tws.send("PUT", path, body={})).body == {"id": job["key"]}
    clock.step(seconds=3)
    assert len((await tws.job("PAYROLL", "PAYDAILY"))["jobruns"]) == 2
    assert (await tws.send("PUT", path, body={})).status == 500
    assert (await tws.send("PUT", path.replace("PAYROLL", "NIX"), body={})).status == 404


async def test_v1_submits_streams(tws: Operator, clock: SteppingClock) -> None:
    query = {"filters": {"jobstreamFilter": {"jobStreamName": "PAYDAILY"}}}
    (header,) = (await tws.send("POST", "/twsd/model/jobstream/header/query", body=query)).body
    at = {"inputArrivalTime": "2025-11-22T20:00:00.000Z"}
    path = f"{V1}/jobstream/{header['id']}/action"
    made = (await tws.send("POST", f"{path}/make_jobstream", body=at)).body
    assert made["timeRestriction"] == {"timeDependent": True, "startTime": at["inputArrivalTime"]}
    (stream_id,) = (await tws.send("POST", f"{path}/submit_jobstream", body=at | {"alias": "PAYNIGHT"})).body
    clock.step(seconds=3)
    stream = await tws.read("/plan/jobstream/{jobstream_id}", jobstream_id=stream_id)
    assert (stream["name"], stream["schedTime"]) == ("PAYNIGHT", at["inputArrivalTime"])
    assert (await tws.send("POST", f"{V1}/jobstream/nix/action/submit_jobstream", body={})).status == 404


async def test_v1_tells_the_limits_of_the_plan_and_what_rules_logged(tws: Operator) -> None:
    info = (await tws.send("GET", "/twsd/engine/info")).body
    assert (info["synphonyPlanStart"], info["synphonyPlanEnd"]) == (
        "2025-11-22T03:00:00.000Z",
        "2025-11-23T03:00:00.000Z",
    )
    path = "/twsd/eventrule/engine/message_log_record/header/query"
    assert (await tws.send("POST", path, body={})).status == 400
    rows = (await tws.send("POST", path, body={}, How_Many="500")).body
    assert len(rows) == 9
    assert "AGT_HR01#PAYDAILY.PAYROLL ABEND RC=8" in {one["message"] for one in rows}


async def test_unknown_paths_are_told_in_json(tws: Operator) -> None:
    answer = await tws.send("GET", f"{BASE}/plan/nix")
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (404, "application/json")


CHATTER = """
seen_at: 60
workstations:
  MDM: {type: MANAGER, os: LINUX, limit: 10, description: Master}
streams:
  BIG: {workstation: MDM, starts: 0, steps: [TALK]}
faults:
  BIG.TALK: {return_code: 8, minutes: 5, script: "1000000* {t} line {i}"}
"""


async def test_the_end_of_a_very_long_log_comes_at_once(
    session: aiohttp.ClientSession, clock: SteppingClock, tmp_path: Path
) -> None:
    file = tmp_path / "chatter.yaml"
    file.write_text(CHATTER)
    async with running_simulator(clock=clock, scenario=str(file)) as url:
        tws = Operator(session, url)
        run = (await tws.job("TALK", "BIG"))["jobruns"][0]
        began = time.monotonic()
        window = {"from_line": "999999", "contentOnly": "true"}
        text = await tws.read("/plan/job/run/{run_id}/joblog", window, run_id=run["id"])
        assert time.monotonic() - began < 1
        assert [line.split()[1:] for line in text.splitlines()] == [["line", "999999"], ["line", "1000000"]]
