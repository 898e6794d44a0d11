"""An approval is for the state that was shown: what that state consists of, and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from brain.actions.proposal import Item, state_digest
from tests.support.plan import (
    AT,
    make_dependency,
    make_job,
    make_prompt,
    make_resource,
    make_run,
    make_stream,
    make_workstation,
)
from tws.actions import Action, Change, ObjectKind, PlanObject, kind_of
from tws.objects import CommonStatus, Job, JobRun, Recovery

_BOUND: dict[str, Any] = {
    "status": "SUCC",
    "canceled": True,
    "is_cancel_pending": True,
    "priority": 0,
    "runs": (make_run(id="run-2", attempt=2),),
}
_FREE: dict[str, Any] = {
    "id": "job-2",  # bound as the id of the change
    "name": "PAYROLL2",
    "job_stream": "PAYWEEK",
    "job_stream_id": "stream-2",
    "job_stream_workstation": "AGT_HR02",
    "workstation": "AGT_HR02",
    "key": "k",
    "folder": "/HR",
    "substatus": "ABEND_BY_USER",
    "common_status": CommonStatus.BLOCKED,
    "scheduled_at": AT + timedelta(days=1),
    "starts_after": AT,
    "latest_start": AT,
    "deadline": AT,
    "is_late": True,
    "is_critical": True,
    "is_monitored": True,
    "estimated_duration": None,
    "recovery": None,
    "login": "root",
    "task": "/bin/true",
    "description": "another",
    "dependencies": (make_dependency(),),
    "actions": frozenset({"RERUN_JOB"}),
    "original_priority": 10,
    "position": 3,
    "time_zone": "UTC",
    "is_stream_canceled": True,
    "requires_confirmation": True,
    "is_no_operation": True,
    "repeat_interval": timedelta(hours=1),
    "is_start_satisfied": True,
    "has_until_passed": True,
    "on_late_start": "cancel",
    "on_deadline": "kill",
    "max_duration": timedelta(hours=1),
    "on_max_duration": "kill",
    "min_duration": timedelta(hours=1),
    "critical_start": AT,
    "recovery_details": Recovery(option="STOP"),
    "success_condition": "RC<4",
    "definition_id": "definition-1",
}
_BOUND_OF_RUN: dict[str, Any] = {"id": "run-2", "attempt": 2}


def _digest(
    target: PlanObject | None, action: Action = Action.RERUN, run_number: int = 7, **changes: Any
) -> str:
    change = Change(
        action=action,
        kind=kind_of(target) if target else ObjectKind.JOB_DEFINITION,
        object_id="object-1",
        selection="AGT#A.B",
    )
    return state_digest([Item(change=replace(change, **changes), before=target)], run_number)


@pytest.mark.parametrize("field", _BOUND)
def test_another_state_of_the_job_is_another_digest(field: str) -> None:
    assert _digest(make_job(**{field: _BOUND[field]})) != _digest(make_job())


@pytest.mark.parametrize("field", _FREE)
def test_the_rest_of_the_job_does_not_matter(field: str) -> None:
    changed = make_job(**{field: _FREE[field]})
    assert changed != make_job()
    assert _digest(changed) == _digest(make_job())


def test_every_field_is_either_bound_or_free() -> None:
    assert {field.name for field in fields(Job)} == {*_BOUND, *_FREE}


@pytest.mark.parametrize("field", [field.name for field in fields(JobRun) if field.name != "is_last"])
def test_of_a_run_its_id_and_attempt_count(field: str) -> None:
    other = {**dict.fromkeys([each.name for each in fields(JobRun)]), **_BOUND_OF_RUN}[field]
    changed = make_job(runs=(make_run(**{field: other}),))
    assert (_digest(changed) != _digest(make_job())) is (field in _BOUND_OF_RUN)


def test_only_the_last_run_counts() -> None:
    last = make_run(id="run-2", attempt=2)
    earlier = [make_run(is_last=False), make_run(id="run-0", is_last=False)]
    assert len({_digest(make_job(runs=(run, last))) for run in earlier}) == 1


@pytest.mark.parametrize("action", [Action.RELEASE, Action.RELEASE_DEPENDENCIES])
@pytest.mark.parametrize("make", [make_job, make_stream])
def test_a_release_is_for_the_dependencies_that_were_shown(action: Action, make: Any) -> None:
    waits = make(dependencies=(make_dependency(),))
    freed = make(dependencies=(make_dependency(satisfied=True),))
    assert _digest(waits, action) != _digest(freed, action)


_CHANGED: list[tuple[PlanObject, dict[str, Any], bool]] = [
    (make_stream(), {"status": "EXEC"}, True),
    (make_stream(), {"canceled": True}, True),
    (make_stream(), {"limit": 3}, True),
    (make_stream(), {"jobs_running": 3}, False),
    (make_workstation(), {"is_linked": False}, True),
    (make_workstation(), {"is_running": False}, True),
    (make_workstation(), {"limit": 3}, True),
    (make_workstation(), {"fence": 3}, True),
    (make_workstation(), {"version": "10"}, False),
    (make_prompt(), {"status": "ANSWERED_NO"}, True),
    (make_prompt(), {"number": 4}, True),
    (make_prompt(), {"text": "?"}, False),
    (make_resource(), {"quantity": 4}, True),
    (make_resource(), {"available": 0}, False),
]


@pytest.mark.parametrize(("target", "changes", "is_bound"), _CHANGED)
def test_of_other_objects_what_a_decision_is_about(
    target: Any,
    changes: dict[str, Any],
    is_bound: bool,  # noqa: FBT001  # a column of the table
) -> None:
    assert (_digest(target) != _digest(replace(target, **changes))) is is_bound


def test_each_action_argument_object_and_plan_has_a_digest_of_its_own() -> None:
    digests = [
        *(_digest(make_job(), action) for action in Action),
        _digest(make_job(), object_id="object-2"),
        _digest(make_job(), arguments={"priority": 5}),
        _digest(make_job(), arguments={"priority": 6}),
        _digest(make_job(), run_number=8),
        _digest(make_job(runs=())),
        _digest(None, Action.SUBMIT),
        _digest(None, Action.SUBMIT, arguments={"alias": "X"}),
    ]
    assert len(set(digests)) == len(digests)


def test_the_order_of_arguments_does_not_matter() -> None:
    one, two = {"alias": "X", "at": "2026-03-02T03:00:00Z"}, {"at": "2026-03-02T03:00:00Z", "alias": "X"}
    assert _digest(None, Action.SUBMIT, arguments=one) == _digest(None, Action.SUBMIT, arguments=two)
