"""Which changes are offered in which state, and who may approve them.

The table is that of the domain notes (legal actions per job status, from the User's Guide), cell by cell.
"""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from brain.actions.policy import Action, Requirement, is_legal, legal_actions, why_not
from security.roles import Actor, Role
from tests.support.plan import make_job, make_run

_TABLE = """
status   rerun  hold  release  cancel
ADD      -      Y     Y        Y
HOLD     -      Y     Y        Y
SCHED    -      Y     Y        Y
WAIT     -      Y     Y        Y
READY    -      Y     -        Y
FENCE    -      Y     -        Y
INTRO    -      -     -        Y
EXEC     -      -     -        Y
PEND     -      -     -        Y
SUCCP    -      -     -        Y
ABENP    -      -     -        Y
SUCC     Y      -     -        Y
ABEND    Y      -     -        Y
FAIL     Y      -     -        Y
DONE     Y      -     -        Y
SUPPR    Y      -     -        Y
CANCL    Y      -     -        -
CANCLP   Y      -     n        Y
EXTRN    -      -     -        Y
ERROR    Y      -     -        Y
"""
"""`n` is what TWS accepts and Resync does not offer: releasing a pending cancel cancels at once."""

_HEADER, *_ROWS = (line.split() for line in _TABLE.split("\n") if line)
_STATUSES = tuple(row[0] for row in _ROWS)
_CELLS = [
    (row[0], Action(name), mark) for row in _ROWS for name, mark in zip(_HEADER[1:], row[1:], strict=True)
]


@pytest.mark.parametrize(("status", "action", "mark"), _CELLS)
def test_actions_are_legal_as_in_the_table(status: str, action: Action, mark: str) -> None:
    assert is_legal(action, make_job(status=status)) is (mark == "Y")


def test_the_table_is_whole() -> None:
    assert len(_CELLS) == 20 * len(Action)


@pytest.mark.parametrize("status", ["SUSP", "BOUND", "STUCK", "END", "", "no such status"])
def test_nothing_is_offered_in_a_status_the_table_does_not_have(status: str) -> None:
    assert legal_actions(make_job(status=status)) == ()


@pytest.mark.parametrize("status", _STATUSES)
def test_a_cancelled_job_can_only_be_rerun_and_only_once_its_process_is_gone(status: str) -> None:
    is_launched = status in {"INTRO", "EXEC", "SUCCP", "ABENP"}
    assert legal_actions(make_job(status=status, canceled=True)) == (() if is_launched else (Action.RERUN,))


@pytest.mark.parametrize("status", _STATUSES)
def test_a_job_that_never_ran_is_not_rerun(status: str) -> None:
    assert not is_legal(Action.RERUN, make_job(status=status, runs=()))


@pytest.mark.parametrize("status", _STATUSES)
def test_a_held_job_is_released_and_not_held_again(status: str) -> None:
    held = make_job(status=status, priority=0)
    assert not is_legal(Action.HOLD, held)
    assert is_legal(Action.RELEASE, held) is (status in {"ADD", "HOLD", "SCHED", "WAIT", "READY", "FENCE"})


def test_legal_actions_come_in_one_order() -> None:
    assert legal_actions(make_job(status="HOLD")) == (Action.HOLD, Action.RELEASE, Action.CANCEL)
    assert legal_actions(make_job(runs=(make_run(),))) == (Action.RERUN, Action.CANCEL)


_MAY_APPROVE: dict[tuple[Role, Requirement, str], str | None] = {
    (Role.VIEWER, "self", "own"): "refused_not_permitted",
    (Role.VIEWER, "self", "other"): "refused_not_permitted",
    (Role.VIEWER, "second_person", "own"): "refused_not_permitted",
    (Role.VIEWER, "second_person", "other"): "refused_not_permitted",
    (Role.OPERATOR, "self", "own"): None,
    (Role.OPERATOR, "self", "other"): None,
    (Role.OPERATOR, "second_person", "own"): "refused_same_person",
    (Role.OPERATOR, "second_person", "other"): "refused_second_person",
    (Role.SUPERVISOR, "self", "own"): None,
    (Role.SUPERVISOR, "self", "other"): None,
    (Role.SUPERVISOR, "second_person", "own"): "refused_same_person",
    (Role.SUPERVISOR, "second_person", "other"): None,
    (Role.ADMIN, "self", "own"): None,
    (Role.ADMIN, "self", "other"): None,
    (Role.ADMIN, "second_person", "own"): "refused_same_person",
    (Role.ADMIN, "second_person", "other"): None,
}


@pytest.mark.parametrize(
    ("role", "requires", "whose"), list(product(Role, get_args(Requirement), ("own", "other")))
)
def test_who_may_approve(role: Role, requires: Requirement, whose: str) -> None:
    actor = Actor(actor_id="ana", display_name="Ana", role=role)
    proposed_by = "ana" if whose == "own" else "rui"
    assert why_not(actor, requires=requires, proposed_by=proposed_by) == _MAY_APPROVE[role, requires, whose]


def test_the_same_name_on_the_badge_is_not_the_same_person() -> None:
    namesake = Actor(actor_id="ana.2", display_name="Ana", role=Role.SUPERVISOR)
    assert why_not(namesake, requires="second_person", proposed_by="ana") is None
