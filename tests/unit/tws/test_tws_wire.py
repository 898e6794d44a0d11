from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tws_answers import JOB, JOB_ID
from tws import oql, wire, wire_model, wire_plan
from tws.errors import TwsProtocolError
from tws.fields import Fields
from tws.model import EngineInfo
from tws.objects import CommonStatus, Job, JobFilter, JobStream, JobStreamFilter
from tws.shapes import shaped

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def test_a_job_is_read_with_its_run_and_times() -> None:
    job = wire_plan.read_job(Fields(JOB))
    assert job.selection == "MDM#PAYDAILY.PAYROLL"
    assert (job.workstation, job.status, job.common_status) == ("AGENT07", "ABEND", CommonStatus.ERROR)
    assert job.scheduled_at == datetime(2026, 11, 22, 22, tzinfo=UTC)
    assert job.latest_start == datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert job.estimated_duration == timedelta(minutes=12, seconds=30)
    assert (job.login, job.task, job.recovery) == ("payuser", "/opt/pay/payroll.sh", "STOP")
    assert job.is_late
    assert job.is_critical
    assert job.is_monitored
    assert job.has_failed
    assert job.actions == {"RERUN_JOB", "HOLD_JOB"}
    run = job.last_run
    assert run is not None
    assert (run.id, run.return_code, run.workstation, run.attempt) == ("run-1", 8, "AGENT08", 1)
    assert run.elapsed == timedelta(minutes=13)


def test_a_workstation_in_a_folder_keeps_its_path() -> None:
    assert wire_plan.read_job(Fields(JOB | {"workstation": "/PAY/AGENT07"})).workstation == "/PAY/AGENT07"


def test_a_status_of_a_newer_release_keeps_its_own_text() -> None:
    job = wire_plan.read_job(
        Fields(JOB | {"lastRunCommonStatus": "PONDERING", "lastRunCompositeStatus": {"status": "PNDR"}})
    )
    assert (job.status, job.common_status) == ("PNDR", CommonStatus.UNDECIDED)


def test_without_a_summary_the_last_run_gives_the_status() -> None:
    payload = {k: v for k, v in JOB.items() if k not in {"lastRunCompositeStatus", "lastRunCommonStatus"}}
    job = wire_plan.read_job(Fields(payload))
    assert (job.status, job.common_status) == ("ABEND", CommonStatus.ERROR)


@pytest.mark.parametrize("duration", ["", "12", "PT", "P99999999999999D", "12 minutes"])
def test_a_strange_duration_is_no_duration(duration: str) -> None:
    job = wire_plan.read_job(Fields(JOB | {"jobDefinition": {"estimatedDuration": duration}}))
    assert job.estimated_duration is None


@pytest.mark.parametrize("task", [{}, {"UNIX": {}}, {"xajob": {"arguments": "x"}}, "text"])
def test_a_task_of_another_kind_is_left_empty(task: object) -> None:
    assert wire_plan.read_job(Fields(JOB | {"jobDefinition": {"task": task}})).task == ""


def test_the_script_is_found_inside_jsdl() -> None:
    jsdl = "<jsdl:jobDefinition><jsdle:script>dir c:\\temp</jsdle:script></jsdl:jobDefinition>"
    job = wire_plan.read_job(Fields(JOB | {"jobDefinition": {"task": {"other": jsdl}}}))
    assert job.task == "dir c:\\temp"


@pytest.mark.parametrize(
    ("dependency", "target"),
    [
        (
            {"dependencyType": "INTERNAL", "jobId": JOB_ID, "jobName": "A", "jobStreamName": "S"}
            | {"jobStreamWorkstation": "/W"},
            "W#S.A",
        ),
        (
            {"dependencyType": "EXTERNAL_JOBSTREAM", "jobStreamName": "S", "jobStreamWorkstation": "/F/W"},
            "/F/W#S",
        ),
        ({"dependencyType": "FILE", "file": {"name": "/data/in.dat", "workstation": "/W"}}, "W#/data/in.dat"),
        ({"dependencyType": "RESOURCE", "name": "TAPE", "workstation": "/W"}, "W#TAPE"),
        ({"dependencyType": "PROMPT", "promptName": "GOON"}, "GOON"),
        ({"dependencyType": "PROMPT", "text": "Go on?"}, "Go on?"),
        ({"dependencyType": "INTERNETWORK", "networkAgent": "NET", "dependency": "X#Y.Z"}, "NET::X#Y.Z"),
        (
            {
                "dependencyType": "JOIN",
                "joinName": "J",
                "members": [{"dependencyType": "INTERNAL", "jobName": "A"}],
            },
            "J (A)",
        ),
        ({"dependencyType": "TELEPATHY", "id": "7"}, "7"),
        ({"dependencyType": "FILE", "id": "8"}, "8"),
    ],
)
def test_a_dependency_names_what_is_waited_for(dependency: dict[str, Any], target: str) -> None:
    (read,) = wire_plan.read_job(Fields(JOB | {"dependencies": [dependency]})).dependencies
    assert (read.type, read.target, read.satisfied) == (dependency["dependencyType"], target, False)


def test_a_dependency_tells_its_state_and_its_predecessors() -> None:
    dependency = {
        "dependencyType": "EXTERNAL_JOB",
        "jobId": JOB_ID,
        "dependencyStatus": "SATISFIED",
        "predecessorStatus": {"status": "HOLD", "canceled": True},
    }
    (read,) = wire_plan.read_job(Fields(JOB | {"dependencies": [dependency]})).dependencies
    assert (read.satisfied, read.target_id, read.predecessor_status) == (True, JOB_ID, "CANCL")


def test_a_job_stream_is_read_with_its_counts() -> None:
    (stream,) = wire.read_results(
        {
            "results": [
                {
                    "id": "s",
                    "name": "PAYDAILY",
                    "originalJobStreamName": "PAYDAILY",
                    "workstation": "/MDM",
                    "compositeStatus": {"status": "STUCK"},
                    "commonStatus": "BLOCKED",
                    "priority": 10,
                    "limit": 3,
                    "jobStreamStats": {
                        "numberOfJob": 9,
                        "numberOfSuccessfullJob": 7,
                        "numberOfAbendedJob": 1,
                    },
                }
            ]
        },
        wire_plan.read_job_stream,
    )
    assert (stream.selection, stream.status, stream.common_status) == (
        "MDM#PAYDAILY",
        "STUCK",
        CommonStatus.BLOCKED,
    )
    assert (stream.jobs_total, stream.jobs_successful, stream.jobs_abended, stream.limit) == (9, 7, 1, 3)


def test_flow_nodes_are_jobs_or_streams() -> None:
    stream = {"id": "s", "originalJobStreamName": "S"}
    job, named, unnamed = wire.read_results(
        {"results": [JOB, stream | {"flowNodeType": "JOBSTREAM"}, stream]}, wire_plan.read_flow_node
    )
    assert isinstance(job, Job)
    assert isinstance(named, JobStream)
    assert isinstance(unnamed, JobStream)


def test_a_workstation_tells_link_and_agent() -> None:
    up, down = wire.read_results(
        {
            "results": [
                {
                    "name": "A",
                    "activeStates": ["LINKED", "JOBMAN_UP"],
                    "limit": 10,
                    "fence": 0,
                    "runNumber": 14,
                },
                {"name": "B", "activeStates": []},
            ]
        },
        wire_plan.read_workstation,
    )
    assert (up.is_linked, up.is_running, up.limit, up.run_number) == (True, True, 10, 14)
    assert (down.is_linked, down.is_running, down.limit, down.run_number) == (False, False, 0, None)


@pytest.mark.parametrize(
    "payload", [{"displayVersion": "10.2.8", "fullVersion": "10.2.8.00"}, {"fullVersion": "10.2.8"}]
)
def test_the_engine_tells_its_version(payload: dict[str, str]) -> None:
    assert shaped(EngineInfo, Fields(payload)) == EngineInfo(version="10.2.8", time_zone="")


@given(json_values, st.sampled_from([*JOB, "results", "dependencies", "compositeStatus", "activeStates"]))
def test_no_answer_makes_reading_fail(value: object, name: str) -> None:
    for payload in (
        value,
        {"results": value},
        {"results": [JOB | {name: value}], "count": value, "next": value},
    ):
        for read in (
            wire_plan.read_job,
            wire_plan.read_job_stream,
            wire_plan.read_flow_node,
            wire_plan.read_workstation,
            wire_plan.read_resource,
            wire_plan.read_prompt,
            wire_model.read_job_definition,
            wire_model.read_job_stream_definition,
        ):
            with suppress(TwsProtocolError):  # a text that is a time without an offset
                wire.read_results(payload, read)
        wire.read_count(payload)
        wire.read_change({"results": value, "id": value})
        wire_model.read_permissions(payload)
        wire_model.read_actions(payload)
        wire.has_next(payload)


def test_a_filter_becomes_a_query() -> None:
    query = wire.build_job_query(
        JobFilter(
            name="PAY@",
            job_stream="PAYDAILY",
            workstation="AGENT07",
            statuses=("ABEND", "FAIL"),
            common_statuses=(CommonStatus.SUCCESSFUL,),
        )
    )
    assert query == {
        "oql": "name LIKE 'PAY@' AND jobStreamName = 'PAYDAILY'"
        " AND (workstation = 'AGENT07' OR workstation = '/AGENT07')"
        " AND jobruns.compositeStatus.status IN ['ABEND', 'FAIL']"
        " AND jobruns.commonStatus = 'SUCCEED' ORDER BY name ASC"
    }


def test_an_empty_filter_asks_for_everything() -> None:
    assert wire.build_job_query(JobFilter()) == {"oql": "ORDER BY name ASC"}


def test_a_stream_filter_becomes_a_query() -> None:
    query = wire.build_job_stream_query(JobStreamFilter(name="PAY@", workstation="/F/MDM"))
    assert query == {"oql": "name LIKE 'PAY@' AND workstation = '/F/MDM' ORDER BY name ASC"}


EVIL = "x' OR name LIKE '@"


@pytest.mark.parametrize(
    "job_filter", [JobFilter(name=EVIL), JobFilter(job_stream=EVIL), JobFilter(workstation=EVIL)]
)
def test_an_impossible_name_is_not_asked_for(job_filter: JobFilter) -> None:
    with pytest.raises(oql.ImpossibleValueError):
        wire.build_job_query(job_filter)


def test_a_job_that_failed_in_an_earlier_run_only_does_not_match() -> None:
    job = wire_plan.read_job(Fields(JOB | {"lastRunCompositeStatus": {"status": "SUCC"}}))
    assert not wire.is_match(job, JobFilter(statuses=("ABEND",)))
    assert wire.is_match(job, JobFilter(statuses=("SUCC", "ABEND")))
    assert not wire.is_match(job, JobFilter(common_statuses=(CommonStatus.RUNNING,)))


def test_a_folder_is_asked_for_as_conman_writes_it() -> None:
    query = wire.build_job_query(JobFilter(name="LOAD", job_stream="/FIN/PAYDAILY"))
    assert query == {"oql": "name = 'LOAD' ORDER BY name ASC", "plan_filter": "/@/@#/FIN/PAYDAILY.@"}
    query = wire.build_job_stream_query(JobStreamFilter(name="/FIN/@/PAY@"))
    assert query == {"oql": "ORDER BY name ASC", "plan_filter": "/@/@#/FIN/@/PAY@"}
