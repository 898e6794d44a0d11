from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.tws_answers import JOB
from tws import wire, wire_plan
from tws.errors import TwsProtocolError, TwsRejectedError
from tws.fields import Fields
from tws.objects import Recovery


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
