"""Actions on everything but jobs, on many objects at once, and submissions."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.support.simulator import SteppingClock, running_simulator
from tests.support.tws_operator import JOB, RUN, Operator

pytestmark = pytest.mark.usefixtures("shared_folder")

STREAM, PLACE = "/plan/jobstream/{jobstream_id}", "/plan/workstation/{workstation_id}"
RESOURCE = "/plan/resource/{resource_id}"


async def only(tws: Operator, path: str, name: str) -> Any:
    found = await tws.send("GET", f"/twsd/api/v2{path}?oql=name = '{name}'")
    assert found.body["count"] == 1
    return found.body["results"][0]


async def test_a_stream_is_held_released_and_cancelled(tws: Operator, clock: SteppingClock) -> None:
    stream = await only(tws, "/plan/jobstream", "CONTABIL")
    ids = {"jobstream_id": stream["id"]}
    for verb, expected in (("hold", 0), ("release", 10)):
        answer = await tws.call("PUT", f"{STREAM}/action/{verb}", **ids)
        assert answer.body["id"] == stream["id"]
        clock.step(seconds=3)
        assert (await tws.read(STREAM, **ids))["priority"] == expected
    await tws.call("PUT", f"{STREAM}/action/cancel", **ids)
    clock.step(seconds=3)
    assert (await tws.read(STREAM, **ids))["commonStatus"] == "CANCELED"


async def test_a_patch_changes_priority_and_limit_of_a_stream(tws: Operator, clock: SteppingClock) -> None:
    stream = await only(tws, "/plan/jobstream", "CONTABIL")
    ids = {"jobstream_id": stream["id"]}
    answer = await tws.call("PATCH", STREAM, body={"priority": 77, "limit": 3}, **ids)
    assert answer.body["id"] == stream["id"]
    clock.step(seconds=3)
    changed = await tws.read(STREAM, **ids)
    assert (changed["priority"], changed["limit"]) == (77, 3)
    for body in ({}, {"priority": 102}, {"fence": 3}, {"name": "X"}, {"priority": "high"}):
        assert (
            await tws.send("PATCH", f"/twsd/api/v2/plan/jobstream/{stream['id']}", body=body)
        ).status == 400


@pytest.mark.parametrize(
    ("verb", "query", "shown"),
    [
        ("link", None, lambda one: "LINKED" in one["activeStates"]),
        ("stop", None, lambda one: "JOBMAN_UP" not in one["activeStates"]),
        ("update-limit", {"limit": "3"}, lambda one: one["limit"] == 3),
        ("update-fence", {"priority": "60"}, lambda one: one["fence"] == 60),
    ],
)
async def test_a_workstation_changes(
    tws: Operator, clock: SteppingClock, verb: str, query: dict[str, str] | None, shown: Any
) -> None:
    place = await only(tws, "/plan/workstation", "AGT_POS02")
    ids = {"workstation_id": place["id"]}
    assert (await tws.call("PUT", f"{PLACE}/action/{verb}", query=query, **ids)).body["id"] == place["id"]
    clock.step(seconds=3)
    assert shown(await tws.read(PLACE, **ids))


@pytest.mark.parametrize("query", ["", "?limit=1025", "?limit=-1", "?limit=many"])
async def test_a_limit_that_cannot_be_is_refused(tws: Operator, query: str) -> None:
    place = await only(tws, "/plan/workstation", "AGT_POS02")
    path = f"/twsd/api/v2/plan/workstation/{place['id']}/action/update-limit{query}"
    assert (await tws.send("PUT", path)).status == 400


async def test_a_resource_gets_another_quantity(tws: Operator, clock: SteppingClock) -> None:
    resource = await only(tws, "/plan/resource", "FITALTO")
    ids = {"resource_id": resource["id"]}
    await tws.call("PUT", f"{RESOURCE}/action/update-quantity", query={"quantity": "2"}, **ids)
    clock.step(seconds=3)
    changed = await tws.read(RESOURCE, **ids)
    assert (changed["quantity"], changed["quantityAvailable"]) == (2, 0)
    assert changed["quantityInUse"] == 2


async def test_a_prompt_is_answered_once(tws: Operator, clock: SteppingClock) -> None:
    prompt = await only(tws, "/plan/prompt", "PAGTO")
    template, ids = "/plan/prompt/{prompt_id}/action/reply", {"prompt_id": prompt["id"]}
    assert (await tws.call("PUT", template, body={"answer": True}, **ids)).body["id"] == prompt["id"]
    clock.step(seconds=3)
    assert (await only(tws, "/plan/prompt", "PAGTO"))["status"] == "ANSWERED_YES"
    assert (await tws.call("PUT", template, body={"answer": False}, **ids)).status == 500
    path = f"/twsd/api/v2/plan/prompt/{prompt['id']}/action/reply"
    for body in ({}, {"answer": "yes"}, {"answer": None}, [True]):
        assert (await tws.send("PUT", path, body=body)).status == 400


async def test_priorities_dependencies_and_pending_cancellations(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("FECHAMENTO", "CONTABIL")
    await tws.act("update-priority", job, query={"priority": "55"})
    await tws.act("cancel-pending", job)
    clock.step(seconds=3)
    changed = await tws.read(JOB, job_id=job["id"])
    assert (changed["priority"], changed["lastRunCompositeStatus"]["cancelPending"]) == (55, True)
    await tws.act("release-all-dependencies", job)
    clock.step(seconds=3)
    assert (await tws.read(JOB, job_id=job["id"]))["lastRunCommonStatus"] == "CANCELED"


async def test_only_the_listed_dependencies_are_released(tws: Operator, clock: SteppingClock) -> None:
    waiting = next(
        row
        for row in (await tws.read("/plan/job", {"plan_filter": "@#@.@+state=hold"}))["results"]
        if row["dependenciesStats"]["numberOfUnresolvedDependencies"] > 1
    )
    ids = {"job_id": waiting["id"]}
    before = [one for one in (await tws.read(JOB, **ids))["dependencies"] if not one["satisfied"]]
    first = {key: before[0][key] for key in ("dependencyType", "id", "jobId") if key in before[0]}
    await tws.call("PUT", f"{JOB}/action/release-dependencies", body={"dependencies": [first]}, **ids)
    clock.step(seconds=3)
    after = [one["id"] for one in (await tws.read(JOB, **ids))["dependencies"] if not one["satisfied"]]
    assert after == [one["id"] for one in before[1:]]


async def test_a_rerun_takes_its_successors_along(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("QUIESCE_ERP", "BKPERP")
    await tws.rerun(job, body={"successorsInfo": {"depth": 1}, "priority": 60})
    clock.step(seconds=3)
    assert [
        len((await tws.job(name, "BKPERP"))["jobruns"]) for name in ("QUIESCE_ERP", "BACKUP_DB", "VERIFY_ERP")
    ] == [
        2,
        2,
        1,
    ]
    assert (await tws.read(JOB, job_id=job["id"]))["priority"] == 60


async def test_an_action_on_many_tells_what_became_of_each(tws: Operator, clock: SteppingClock) -> None:
    everything = {"plan_filter": "@#CONTABIL.@", "max_object_affected": "100"}
    answer = await tws.call("PUT", "/plan/job/action/rerun", query=everything, body={})
    done, failed = answer.body["successfulResourceResponses"], answer.body["failedResourceResponses"]
    total = (await tws.read("/plan/job", {"plan_filter": "@#CONTABIL.@"}))["count"]
    assert len(done) + len(failed) == total
    assert all("AWSBIN076E" in one["message"] and one["isError"] for one in failed)
    assert (len(done), {one["error"] for one in done}) == (4, {False})
    clock.step(seconds=3)
    assert len((await tws.job("APURACAO", "CONTABIL"))["jobruns"]) == 2


@pytest.mark.parametrize(("overflow", "status", "changed"), [("reject", 400, 0), ("first", 200, 1)])
async def test_more_objects_than_allowed_are_refused_or_left_alone(
    session: aiohttp.ClientSession, clock: SteppingClock, overflow: str, status: int, changed: int
) -> None:
    async with running_simulator(clock=clock, overflow=overflow) as url:
        tws = Operator(session, url)
        answer = await tws.call("PUT", "/plan/job/action/cancel", query={"plan_filter": "@#CONTABIL.@"})
        assert answer.status == status
        clock.step(seconds=3)
        canceled = await tws.read("/plan/job", {"oql": "lastRunCommonStatus = 'CANCELED'"})
        assert canceled["count"] == changed


async def test_workstations_resources_and_streams_change_by_filter(
    tws: Operator, clock: SteppingClock
) -> None:
    limit = {"plan_filter": "AGT_POS@", "limit": "2", "max_object_affected": "9"}
    quantity = {"oql": "name LIKE 'DB@'", "quantity": "9"}
    await tws.call("PUT", "/plan/workstation/action/update-limit", query=limit)
    await tws.call("PUT", "/plan/resource/action/update-quantity", query=quantity)
    patch = {"plan_filter": "@#CONTABIL"}
    await tws.call("PATCH", "/plan/jobstream", query=patch, body={"limit": 1})
    clock.step(seconds=3)
    places = await tws.read("/plan/workstation", {"plan_filter": "AGT_POS@"})
    assert {one["limit"] for one in places["results"]} == {2}
    assert (await only(tws, "/plan/resource", "DBLOCK"))["quantity"] == 9
    assert (await only(tws, "/plan/jobstream", "CONTABIL"))["limit"] == 1


async def test_a_stream_is_submitted_under_another_name(tws: Operator, clock: SteppingClock) -> None:
    definition = await only(tws, "/model/jobstream", "PAYDAILY")
    answer = await tws.call(
        "POST",
        "/plan/jobstream/{model_jobstream_id}/submit",
        body={"alias": "PAYEXTRA"},
        model_jobstream_id=definition["def"]["id"],
    )
    (made,) = answer.body["results"]
    clock.step(seconds=3)
    stream = await tws.read(STREAM, jobstream_id=made["id"])
    assert (stream["name"], len(stream["jobs"])) == ("PAYEXTRA", len(definition["def"]["jobs"]))


async def test_a_job_is_submitted_into_the_stream_of_its_workstation(
    tws: Operator, clock: SteppingClock
) -> None:
    definition = await only(tws, "/model/jobdefinition", "PAYROLL")
    template, ids = "/plan/job/{model_job_id}/submit", {"model_job_id": definition["def"]["id"]}
    assert (await tws.call("POST", template, **ids)).body["id"] == "AGT_HR01;JOBS;PAYROLL"
    clock.step(seconds=3)
    assert (await tws.job("PAYROLL", "JOBS"))["workstation"] == "/AGT_HR01"
    assert (await tws.call("POST", template, **ids)).status == 409
    assert (await tws.call("POST", template, body={"alias": "PAYROLL2"}, **ids)).status == 200
    assert (await tws.call("POST", template, body={"jobStreamId": "nix"}, **ids)).status in (400, 404)
    assert (await tws.call("POST", template, model_job_id="nix")).status in (400, 404)


async def test_definitions_are_submitted_by_filter(tws: Operator, clock: SteppingClock) -> None:
    query = {"model_filter": "/@/AGT_HR01#/@/PAYDAILY"}
    answer = await tws.call("POST", "/plan/jobstream/submit", query=query)
    assert len(answer.body["successfulResourceResponses"]) == 1
    clock.step(seconds=3)
    assert (await tws.read("/plan/jobstream", {"oql": "name = 'PAYDAILY'"}))["count"] == 2


TASK = {"UNIX": {"taskString": "sleep 120", "isCommand": "true", "userName": "wauser"}}


async def test_an_ad_hoc_job_is_named_by_its_composite_key(tws: Operator, clock: SteppingClock) -> None:
    body = {"workstationKey": "/AGT_DWH01", "alias": "SLEEP", "task": TASK}
    template = "/plan/job/submit-ad-hoc-job"
    assert (await tws.call("POST", template, body=body)).body["id"] == "AGT_DWH01;JOBS;SLEEP"
    clock.step(seconds=3)
    job = await tws.job("SLEEP", "JOBS")
    assert job["jobDefinition"]["task"]["UNIX"]["taskString"] == "sleep 120"
    assert (await tws.call("POST", template, body=body)).status == 409
    named = {"workstationKey": "AGT_DWH01", "jobName": "OTHER", "task": {"other": "<jsdl/>"}}
    path = "/twsd/api/v2/plan/job/submit-ad-hoc-job"
    assert (await tws.send("POST", path, body=named)).status == 200
    wrong = (
        {},
        {"task": TASK},
        named | {"workstationKey": "NIX"},
        named | {"jobName": "1 2"},
        {"task": TASK, "workstationKey": "AGT_DWH01"},
    )
    assert {(await tws.send("POST", path, body=one)).status for one in wrong} <= {400, 404}


async def test_a_viewer_changes_nothing_anywhere(tws: Operator) -> None:
    place = await only(tws, "/plan/workstation", "AGT_POS02")
    for method, path, body in (
        ("PUT", f"/plan/workstation/{place['id']}/action/link", None),
        ("PUT", "/plan/workstation/action/link?plan_filter=AGT_POS02", None),
        ("PATCH", "/plan/jobstream?plan_filter=@%23CONTABIL", {"limit": 1}),
        ("POST", "/plan/jobstream/submit?model_filter=@%23PAYDAILY", {}),
        (
            "POST",
            "/plan/job/submit-ad-hoc-job",
            {"workstationKey": "AGT_DWH01", "jobName": "A", "task": TASK},
        ),
    ):
        answer = await tws.send(method, f"/twsd/api/v2{path}", user="viewer", body=body)
        assert (answer.status, answer.body["messages"][0].split()[0]) == (403, "AWSJDB817E")


async def test_a_run_that_is_not_the_last_is_not_rerun(tws: Operator, clock: SteppingClock) -> None:
    job = await tws.job("PAYROLL", "PAYDAILY")
    await tws.rerun(job)
    clock.step(minutes=2)
    first = job["jobruns"][0]["id"]
    answer = await tws.call("PUT", f"{RUN}/action/rerun", run_id=first, body={})
    assert answer.status == 500
