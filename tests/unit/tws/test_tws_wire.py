from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws import oql, wire, wire_model, wire_plan
from tws.errors import TwsProtocolError, TwsRejectedError
from tws.fields import Fields
from tws.model import EngineInfo
from tws.objects import CommonStatus, Job, JobFilter, JobStream, JobStreamFilter, Recovery
from tws.shapes import shaped

JOB_ID = "ca15f24a-0e6b-3f1b-9251-854d8d0d3639"

JOB: dict[str, Any] = {
    "flowNodeType": "JOB",
    "id": JOB_ID,
    "name": "PAYROLL",
    "folder": "/",
    "workstation": "/AGENT07",
    "jobStreamName": "PAYDAILY",
    "jobStreamId": "bb15f24a-0e6b-3f1b-9251-854d8d0d3639",
    "jobStreamWorkstation": "/MDM",
    "key": "/AGENT07#PAYDAILY.PAYROLL",
    "priority": 10,
    "schedTime": "2026-11-22T22:00:00.000Z",
    "lastRunCompositeStatus": {"status": "ABEND", "canceled": False, "error": True},
    "lastRunCommonStatus": "ERROR",
    "jobStatusFlags": {"jobLate": True},
    "jobOptions": {"critical": True},
    "jobDefinitionFlags": {"monitored": True},
    "timeRestrictions": {
        "startTime": "2026-11-22T22:10:00.000Z",
        "latestStartTime": "2026-11-23T01:00:00-03:00",
        "deadlineTime": "2026-11-23T05:00:00.000Z",
    },
    "jobDefinition": {
        "description": "Net pay",
        "estimatedDuration": "PT12M30S",
        "recoveryOption": "STOP",
        "userLogins": ["payuser"],
        "task": {"UNIX": {"taskString": "/opt/pay/payroll.sh", "isCommand": False}},
    },
    "jobruns": [
        {
            "id": "run-1",
            "actualWorkstation": "/AGENT08",
            "jobNumber": 4711,
            "compositeStatus": {"status": "ABEND"},
            "commonStatus": "ERROR",
            "returnCode": 8,
            "rerunType": "REGULAR",
            "runAttempt": 1,
            "lastInRerunChain": True,
            "timeInfo": {
                "actualStartTime": "2026-11-22T22:10:03.000Z",
                "actualEndTime": "2026-11-22T22:23:03.000Z",
                "elapsedTime": "PT13M",
            },
            "actions": [{"key": "RERUN_JOB", "id": "run-1"}],
        }
    ],
    "actions": [{"key": "HOLD_JOB", "id": JOB_ID}],
}

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


def test_a_job_is_read_with_its_rules() -> None:
    job = wire_plan.read_job(
        Fields(
            JOB
            | {
                "origPriority": 20,
                "position": 3,
                "timeZone": "America/Sao_Paulo",
                "lastRunCompositeStatus": {"status": "HOLD", "cancelPending": True},
                "jobStatusFlags": {"jobStreamCancelled": True, "untilGone": True},
                "jobOptions": {"requiresConfirmation": True, "noOperation": True, "every": True},
                "repeatInterval": "PT15M",
                "criticalStart": "2026-11-22T23:00:00Z",
                "jobDefinitionRefId": "def-1",
                "timeRestrictions": {
                    "startTimeSatisfied": True,
                    "lateStartAction": "doNotRun",
                    "lateAction": "kill",
                    "maxDuration": "PT2H",
                    "maxDurationAction": "kill",
                    "minDuration": "PT1M",
                },
                "jobDefinition": {
                    "recoveryOption": "RERUN_PROMPT",
                    "recoveryJobName": "FIX",
                    "recoveryJobWorkstation": "/AGENT07",
                    "abendPromptText": "Again?",
                    "recoveryRepeatInterval": "PT5M",
                    "recoveryRepeatOccurrences": 3,
                },
                "jobruns": [
                    {
                        "id": "r",
                        "outputConditions": [
                            {"mappingExpression": "RC<4", "isSuccCondition": True},
                            {"mappingExpression": "RC=99", "isSuccCondition": False},
                            {"mappingExpression": "RC=16", "succCondition": True},
                        ],
                    }
                ],
            }
        )
    )
    assert (job.original_priority, job.position, job.time_zone) == (20, 3, "America/Sao_Paulo")
    assert (job.is_cancel_pending, job.is_stream_canceled, job.has_until_passed) == (True, True, True)
    assert (job.requires_confirmation, job.is_no_operation, job.is_critical) == (True, True, False)
    assert job.repeat_interval == timedelta(minutes=15)
    assert job.critical_start == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert (job.is_start_satisfied, job.on_late_start, job.on_deadline) == (True, "doNotRun", "kill")
    assert (job.max_duration, job.on_max_duration) == (timedelta(hours=2), "kill")
    assert (job.min_duration, job.definition_id) == (timedelta(minutes=1), "def-1")
    assert job.recovery_details == Recovery(
        option="RERUN_PROMPT",
        job="AGENT07#FIX",
        prompt="Again?",
        repeat_every=timedelta(minutes=5),
        repeat_times=3,
    )
    assert job.success_condition == "RC<4 OR RC=16"


def test_dependencies_are_read_with_what_they_count() -> None:
    resource, prompt, join, orphan = wire_plan.read_job(
        Fields(
            JOB
            | {
                "dependencies": [
                    {"dependencyType": "RESOURCE", "quantity": 2, "quantityHeld": 1, "available": -1},
                    {"dependencyType": "PROMPT", "id": "p", "promptStatus": "ASKED", "number": 7},
                    {
                        "dependencyType": "JOIN",
                        "criteria": "AT_LEAST",
                        "joinQuantity": 1,
                        "members": [{"dependencyType": "INTERNAL", "id": "m", "statusConditions": ["ABEND"]}],
                    },
                    {"dependencyType": "EXTERNAL_JOB", "pending": True, "zombie": True},
                ]
            }
        )
    ).dependencies
    assert (resource.quantity, resource.held, resource.available) == (2, 1, -1)
    assert (prompt.id, prompt.prompt_status, prompt.prompt_number) == ("p", "ASKED", 7)
    assert (join.members_needed, [one.conditions for one in join.members]) == (1, [("ABEND",)])
    assert (orphan.is_pending, orphan.is_orphan, orphan.members_needed) == (True, True, None)


def test_a_join_of_all_needs_no_number() -> None:
    all_of = {"dependencyType": "JOIN", "criteria": "ALL", "joinQuantity": 2}
    assert wire_plan.read_dependency(Fields(all_of)).members_needed is None


def test_a_job_stream_is_read_with_its_rules() -> None:
    stream = wire_plan.read_job_stream(
        Fields(
            {
                "limit": -1,
                "jsDefinitionFlags": {"carriedForward": True},
                "jsOptions": {"carryForward": True, "monitored": True},
                "jsStatusFlags": {"pendingPredecessor": True},
                "timeRestrictions": {"latestStartSatisfied": False, "startTimeSatisfied": True},
                "timeInfo": {"estimatedDuration": "PT1H", "actualStartTime": "2026-11-22T22:00:00Z"},
                "jobStreamModelId": "model-1",
                "dependencies": [{"dependencyType": "FILE"}],
            }
        )
    )
    assert stream.limit is None
    assert (stream.is_carried_forward, stream.carries_forward, stream.is_monitored) == (True, True, True)
    assert (stream.has_pending_predecessor, stream.has_until_passed) == (True, True)
    assert (stream.is_start_satisfied, stream.definition_id) == (True, "model-1")
    assert (stream.estimated_duration, len(stream.dependencies)) == (timedelta(hours=1), 1)
    assert stream.started_at == datetime(2026, 11, 22, 22, tzinfo=UTC)
    assert not wire_plan.read_job_stream(Fields({})).has_until_passed


def test_a_resource_names_its_holders() -> None:
    holders = [{"jobKey": "/A#S.J"}, {"jobStream": "S"}]
    resource = wire_plan.read_resource(Fields({"quantityAvailable": -1, "quantity": 2, "holders": holders}))
    assert (resource.available, resource.quantity, resource.holders) == (-1, 2, ("/A#S.J", "S"))


def test_a_prompt_without_a_name_belongs_to_what_waits_for_it() -> None:
    local = {"id": "p", "text": "Go?", "promptStatus": "ASKED", "promptType": "Ad Hoc Prompt"}
    of_job = wire_plan.read_prompt_of(Fields({"id": "j", "jobStreamId": "s"}), Fields(local))
    assert (of_job.job_id, of_job.job_stream_id, of_job.status) == ("j", "s", "ASKED")
    of_stream = wire_plan.read_prompt_of(Fields({"id": "s"}), Fields(local))
    assert (of_stream.job_id, of_stream.job_stream_id) == (None, "s")
    shared = wire_plan.read_prompt_of(Fields({"id": "s"}), Fields(local | {"promptName": "GO"}))
    assert (shared.name, shared.job_stream_id) == ("GO", None)


def test_both_changes_of_daylight_saving_time_keep_spans_right() -> None:
    """In New York the hour from 1:00 comes twice on 1 November 2026, and that from 2:00 not at all on 8 March."""
    for start, end, hours in (
        ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", 1),
        ("2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00", 1),
    ):
        run = JOB["jobruns"][0] | {"timeInfo": {"actualStartTime": start, "actualEndTime": end}}
        read = wire_plan.read_job(Fields(JOB | {"jobruns": [run]})).last_run
        assert read is not None
        assert read.started_at is not None
        assert read.ended_at is not None
        assert read.ended_at - read.started_at == timedelta(hours=hours)


def test_a_time_without_an_offset_is_an_error() -> None:
    with pytest.raises(TwsProtocolError, match="schedTime without an offset"):
        wire_plan.read_job(Fields(JOB | {"schedTime": "2026-11-01T01:30:00"}))


def test_a_negative_span_of_a_clock_that_was_set_back_is_none() -> None:
    run = JOB["jobruns"][0] | {"timeInfo": {"elapsedTime": "-PT5M"}}
    read = wire_plan.read_job(Fields(JOB | {"jobruns": [run]})).last_run
    assert read is not None
    assert read.elapsed is None


@pytest.mark.parametrize(
    ("answer", "echo"),
    [({"id": "x"}, "x"), ({"results": [{"id": "y"}]}, "y"), ({}, ""), ({"id": "z", "isError": False}, "z")],
)
def test_a_change_echoes_an_id(answer: dict[str, Any], echo: str) -> None:
    assert wire.read_change(answer) == echo


@pytest.mark.parametrize("flag", ["isError", "error"])
def test_an_error_inside_an_answer_that_looks_like_success_is_a_refusal(flag: str) -> None:
    with pytest.raises(TwsRejectedError) as refused:
        wire.read_change({"id": "x", flag: True, "message": "AWSBIN076E wrong state"})
    assert refused.value.message_ids == ("AWSBIN076E",)
