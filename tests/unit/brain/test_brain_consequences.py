"""What an approver reads before pressing, in both languages: from a plan made by hand to sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from brain.actions.consequences import sentences
from brain.message import Locale
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
from tws.actions import ACTIONS_OF, Action, Change, ObjectKind, PlanObject, is_legal, kind_of
from tws.contents import PlanContents
from tws.impact import Deadline, Impact, RecoveryEffect, consequences
from tws.objects import CommonStatus, Job
from tws.plan import Plan

_WAITING = {"status": "HOLD", "common_status": CommonStatus.WAITING, "runs": ()}


def _successor(number: int) -> Job:
    follows = make_dependency(
        target_id="job-1", target="AGT_HR01#PAYDAILY.PAYROLL", predecessor_status="ABEND"
    )
    return make_job(id=f"next-{number}", name=f"NEXT_{number}", dependencies=(follows,), **_WAITING)


def _plan(job: Job, *others: Any) -> Plan:
    contents = PlanContents(
        engine="test",
        read_at=AT,
        run_number=7,
        starts_at=AT,
        ends_at=None,
        jobs=(job, *(one for one in others if isinstance(one, Job))),
        job_streams=(make_stream(),),
        workstations=(make_workstation(),),
        resources=(make_resource(),),
        prompts=(make_prompt(),),
    )
    return Plan(contents)


def _change(action: Action, target: PlanObject, **arguments: int) -> Change:
    return Change(
        action=action, kind=kind_of(target), object_id=target.id, selection="THE_TARGET", arguments=arguments
    )


def _said(
    action: Action, job: Job, *others: Any, locale: Locale = Locale.EN, **arguments: int
) -> tuple[str, ...]:
    return sentences(consequences(_plan(job, *others), _change(action, job, **arguments), AT), locale)


def test_a_running_job_keeps_running_when_it_is_cancelled_and_that_comes_first() -> None:
    running = make_job(status="EXEC", runs=(make_run(status="EXEC", return_code=None, ended_at=None),))
    assert "its process keeps running" in _said(Action.CANCEL, running)[0]
    assert "o processo continua rodando" in _said(Action.CANCEL, running, locale=Locale.PT)[0]


def test_a_cancel_says_who_is_freed_and_last_that_it_cannot_be_undone() -> None:
    said = _said(Action.CANCEL, make_job(), _successor(1), _successor(2))
    assert "Starts at once: 2 (AGT_HR01#PAYDAILY.NEXT_1, AGT_HR01#PAYDAILY.NEXT_2)." in said
    assert said[-1] == "This cannot be undone."
    assert any("freed at once" in line for line in said[:2])


@pytest.mark.parametrize(("locale", "rest"), [(Locale.EN, " and 3 more)"), (Locale.PT, " e mais 3)")])
def test_of_many_successors_five_are_named_and_the_rest_is_counted(locale: Locale, rest: str) -> None:
    said = " ".join(_said(Action.CANCEL, make_job(), *map(_successor, range(8)), locale=locale))
    assert ": 8 (" in said
    assert rest in said
    assert [f"NEXT_{number}" in said for number in range(8)] == [True] * 5 + [False] * 3


def test_a_hold_can_be_taken_back() -> None:
    said = _said(Action.HOLD, make_job(**_WAITING))
    assert said[-1] == "This can be taken back with: Release."
    assert "THE_TARGET gets priority 0 and will not start until it is released." in said
    assert "No other job is affected at once." in said


@pytest.mark.parametrize(
    ("locale", "words"),
    [(Locale.EN, "1 (AGT_HR01#PAYDAILY.NEXT_1: it waits for "), (Locale.PT, "1 (AGT_HR01#PAYDAILY.NEXT_1: ")],
)
def test_who_still_does_not_start_is_told_with_the_reason(locale: Locale, words: str) -> None:
    said = _said(Action.SET_PRIORITY, make_job(**_WAITING), _successor(1), locale=locale, priority=55)
    (line,) = (line for line in said if "NEXT_1" in line)
    assert words in line
    assert "AGT_HR01#PAYDAILY.PAYROLL" in line


def test_a_value_is_named() -> None:
    assert "THE_TARGET gets priority 55." in _said(Action.SET_PRIORITY, make_job(**_WAITING), priority=55)


def test_what_the_engine_would_refuse_is_said_with_what_is_legal() -> None:
    (said,) = _said(Action.KILL, make_job())
    assert said == "Kill is not possible: THE_TARGET is in ABEND. Possible now: Rerun, Cancel, Confirm SUCC."


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (AT, AT.replace(hour=5), "JOB is expected to end at 05:00 UTC instead of 03:00 UTC."),
        (AT, AT.replace(day=3), "JOB is expected to end at 2026-03-03 03:00 UTC instead of 03:00 UTC."),
        (AT, None, "Nobody can say any more when JOB will end; it was expected at 03:00 UTC."),
        (None, AT, "JOB is then expected to end at 03:00 UTC; as it is, nobody can say when."),
    ],
)
def test_a_deadline_that_moves_is_told(before: Any, after: Any, words: str) -> None:
    moved = Deadline(job=make_job(), before=before, after=after)
    impact = Impact(change=_change(Action.HOLD, make_job()), deadlines=(moved,))
    assert words.replace("JOB", "AGT_HR01#PAYDAILY.PAYROLL") in sentences(impact, Locale.EN)


@pytest.mark.parametrize("effect", [RecoveryEffect.APPLIES, RecoveryEffect.SKIPPED])
def test_what_becomes_of_the_recovery_is_told(effect: RecoveryEffect) -> None:
    impact = Impact(change=_change(Action.KILL, make_job()), recovery=effect)
    with_it, without = (
        sentences(impact, Locale.EN),
        sentences(replace(impact, recovery=RecoveryEffect.NONE), Locale.EN),
    )
    assert len(with_it) == len(without) + 1


_STATES: tuple[PlanObject, ...] = (
    make_job(),
    make_job(priority=0, **_WAITING),
    make_job(dependencies=(make_dependency(),), **_WAITING),
    make_job(status="EXEC"),
    make_job(status="PEND"),
    make_stream(),
    make_stream(status="HOLD", priority=0, dependencies=(make_dependency(),)),
    make_stream(status="HOLD", dependencies=(make_dependency(),)),
    make_workstation(),
    make_workstation(is_linked=False, is_running=False),
    make_prompt(),
    make_resource(),
)
_CASES = [
    (action, target)
    for target in _STATES
    for action in ACTIONS_OF[kind_of(target)]
    if is_legal(action, target)
]


def test_the_cases_are_all_actions_but_submissions() -> None:
    covered = {(kind_of(target), action) for action, target in _CASES}
    kinds = [kind for kind in ObjectKind if not kind.endswith("definition")]
    assert covered == {(kind, action) for kind in kinds for action in ACTIONS_OF[kind]}


@pytest.mark.parametrize(("action", "target"), _CASES)
def test_every_action_is_told_in_both_languages(action: Action, target: PlanObject) -> None:
    job = target if isinstance(target, Job) else make_job()
    arguments = {"priority": 20, "limit": 2, "fence": 5, "quantity": 4}
    wanted = {name: value for name, value in arguments.items() if action == f"set_{name}"}
    impact = consequences(_plan(job, _successor(1)).replaced(target), _change(action, target, **wanted), AT)
    english, portuguese = (sentences(impact, locale) for locale in Locale)
    assert len(english) == len(portuguese) > 1
    assert not set(english) & set(portuguese)
    assert not any("{" in line for line in (*english, *portuguese))
