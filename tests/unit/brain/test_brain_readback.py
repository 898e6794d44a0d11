"""What the plan must show before anybody reads "confirmed"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from brain.actions.policy import Action
from brain.actions.proposal import Target
from brain.actions.readback import observe
from brain.message import Locale
from tests.support.plan import make_dependency, make_job, make_run

_TARGET = Target(
    job_id="job-1",
    selection="AGT_HR01#PAYDAILY.PAYROLL",
    name="PAYROLL",
    run_id="run-1",
    attempt=1,
    was_held=False,
    had_dependencies=True,
)
_SECOND = make_run(id="run-2", attempt=2, status="EXEC")
_FIRST = make_run(is_last=False)
_WAITS = (make_dependency(),)

_CASES: list[tuple[Action, str, dict[str, Any]]] = [
    (Action.RERUN, "pending", {}),
    (Action.RERUN, "confirmed", {"status": "EXEC", "runs": (_FIRST, _SECOND)}),
    (
        Action.RERUN,
        "confirmed",
        {"status": "HOLD", "runs": (_FIRST, make_run(id="run-2", attempt=2, status="HOLD"))},
    ),
    (Action.RERUN, "confirmed", {"status": "ABEND", "runs": (_FIRST, make_run(id="run-2", attempt=2))}),
    # The engine may number a new run without renaming it, or rename without numbering: neither is a rerun.
    (Action.RERUN, "pending", {"runs": (make_run(attempt=2),)}),
    (Action.RERUN, "pending", {"runs": (make_run(id="run-9", attempt=1),)}),
    (Action.RERUN, "pending", {"runs": ()}),
    (Action.RERUN, "different", {"canceled": True}),
    (Action.HOLD, "pending", {"status": "HOLD", "priority": 50}),
    (Action.HOLD, "confirmed", {"status": "HOLD", "priority": 0}),
    (Action.HOLD, "confirmed", {"status": "READY", "priority": 0}),
    (Action.HOLD, "different", {"status": "INTRO", "priority": 50}),
    (Action.HOLD, "different", {"status": "EXEC", "priority": 50}),
    (Action.HOLD, "different", {"status": "SUCC", "priority": 50}),
    (Action.RELEASE, "pending", {"status": "HOLD", "priority": 0}),
    (Action.RELEASE, "pending", {"status": "HOLD", "priority": 50, "dependencies": _WAITS}),
    (Action.RELEASE, "pending", {"status": "SCHED", "priority": 50, "dependencies": _WAITS}),
    (Action.RELEASE, "confirmed", {"status": "READY", "priority": 50}),
    (Action.RELEASE, "confirmed", {"status": "EXEC", "priority": 50, "dependencies": _WAITS}),
    (
        Action.RELEASE,
        "confirmed",
        {"status": "HOLD", "priority": 50, "dependencies": (make_dependency(satisfied=True),)},
    ),
    (Action.RELEASE, "different", {"status": "HOLD", "priority": 50, "canceled": True}),
    (Action.CANCEL, "pending", {"status": "HOLD"}),
    (Action.CANCEL, "pending", {"status": "EXEC"}),
    (Action.CANCEL, "confirmed", {"status": "HOLD", "canceled": True}),
    (Action.CANCEL, "confirmed", {"status": "EXEC", "canceled": True}),
]


@pytest.mark.parametrize(("action", "state", "changes"), _CASES)
def test_the_plan_decides_the_outcome(action: Action, state: str, changes: dict[str, Any]) -> None:
    assert observe(action, _TARGET, make_job(**changes), Locale.EN).state == state


def test_every_action_has_every_outcome_it_can_have() -> None:
    outcomes = {(action, state) for action, state, _ in _CASES}
    impossible = {(Action.CANCEL, "different")}
    assert (
        outcomes
        == {(action, state) for action in Action for state in ("confirmed", "different", "pending")}
        - impossible
    )


@pytest.mark.parametrize(("action", "state", "changes"), _CASES)
@pytest.mark.parametrize("locale", Locale)
def test_the_words_name_the_job_and_what_the_plan_shows(
    action: Action, state: str, changes: dict[str, Any], locale: Locale
) -> None:
    job = make_job(**changes)
    detail = observe(action, _TARGET, job, locale).detail
    assert job.selection in detail
    assert job.status in detail
    if job.canceled and state == "different":
        assert "CANCELED" in detail


def test_a_held_job_is_released_once_it_has_a_priority_whatever_else_it_waits_for() -> None:
    held = replace(_TARGET, was_held=True)
    waiting = make_job(status="HOLD", priority=50, dependencies=_WAITS)
    assert observe(Action.RELEASE, held, waiting, Locale.EN).state == "confirmed"
    assert observe(Action.RELEASE, held, replace(waiting, priority=0), Locale.EN).state == "pending"


@pytest.mark.parametrize("status", ["ADD", "HOLD", "SCHED", "WAIT"])
def test_a_job_that_waited_for_its_time_is_released_only_when_it_leaves_the_wait(status: str) -> None:
    target = replace(_TARGET, had_dependencies=False)
    assert observe(Action.RELEASE, target, make_job(status=status), Locale.EN).state == "pending"
    assert observe(Action.RELEASE, target, make_job(status="READY"), Locale.EN).state == "confirmed"


def test_a_confirmed_rerun_names_its_run() -> None:
    job = make_job(status="EXEC", runs=(_FIRST, _SECOND))
    assert observe(Action.RERUN, _TARGET, job, Locale.EN).detail == (
        "The plan shows run 2 of AGT_HR01#PAYDAILY.PAYROLL, in EXEC."
    )


def test_the_languages_say_different_sentences() -> None:
    said = {observe(Action.CANCEL, _TARGET, make_job(canceled=True), locale).detail for locale in Locale}
    assert len(said) == len(Locale)
