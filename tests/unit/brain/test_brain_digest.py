"""An approval is for the state that was shown: what that state consists of, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from brain.actions.policy import Action
from brain.actions.proposal import state_digest
from tests.support.plan import AT, make_dependency, make_job, make_run
from tws.objects import CommonStatus, Job, JobRun

_BOUND: dict[str, Any] = {"id": "job-2", "status": "SUCC", "canceled": True, "priority": 0}
_BOUND_OF_RUN: dict[str, Any] = {"id": "run-2", "attempt": 2}
_FREE: dict[str, Any] = {
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
}
_FREE_OF_RUN: dict[str, Any] = {
    "status": "SUCC",
    "common_status": CommonStatus.SUCCESSFUL,
    "return_code": 0,
    "rerun_type": "RERUN",
    "job_number": 1,
    "workstation": "AGT_HR02",
    "started_at": None,
    "ended_at": None,
    "elapsed": None,
}


@pytest.mark.parametrize("field", _BOUND)
def test_another_state_of_the_job_is_another_digest(field: str) -> None:
    changed = make_job(**{field: _BOUND[field]})
    assert state_digest(Action.RERUN, changed) != state_digest(Action.RERUN, make_job())


@pytest.mark.parametrize("field", _BOUND_OF_RUN)
def test_another_last_run_is_another_digest(field: str) -> None:
    changed = make_job(runs=(make_run(**{field: _BOUND_OF_RUN[field]}),))
    assert state_digest(Action.RERUN, changed) != state_digest(Action.RERUN, make_job())


@pytest.mark.parametrize("field", _FREE)
def test_the_rest_of_the_job_does_not_matter(field: str) -> None:
    changed = make_job(**{field: _FREE[field]})
    assert changed != make_job()
    assert state_digest(Action.RERUN, changed) == state_digest(Action.RERUN, make_job())


@pytest.mark.parametrize("field", _FREE_OF_RUN)
def test_the_rest_of_the_run_does_not_matter(field: str) -> None:
    changed = make_job(runs=(make_run(**{field: _FREE_OF_RUN[field]}),))
    assert changed != make_job()
    assert state_digest(Action.RERUN, changed) == state_digest(Action.RERUN, make_job())


def test_only_the_last_run_counts() -> None:
    last = make_run(id="run-2", attempt=2)
    earlier = [make_run(is_last=False), make_run(id="run-0", is_last=False)]
    digests = {state_digest(Action.RERUN, make_job(runs=(run, last))) for run in earlier}
    assert len(digests) == 1


def test_each_action_has_a_digest_of_its_own() -> None:
    assert len({state_digest(action, make_job()) for action in Action}) == len(Action)


def test_a_job_that_never_ran_has_one_too() -> None:
    assert state_digest(Action.HOLD, make_job(runs=())) != state_digest(Action.HOLD, make_job())


def test_every_field_is_either_bound_or_free() -> None:
    assert {field.name for field in fields(Job)} == {*_BOUND, *_FREE, "runs"}
    assert {field.name for field in fields(JobRun)} == {*_BOUND_OF_RUN, *_FREE_OF_RUN, "is_last"}
