"""Which changes are legal in which state.

The tables are those of the domain notes (legal actions per job and per stream status, from the User's Guide), cell by
cell.
"""

from __future__ import annotations

import pytest

from tests.support.plan import (
    make_dependency,
    make_job,
    make_prompt,
    make_resource,
    make_run,
    make_stream,
    make_workstation,
)
from tws.actions import ACTIONS_OF, Action, ObjectKind, PlanObject, is_legal, legal_actions

_WAITS = (make_dependency(),)

_JOBS = """
status  rerun kill hold release release_dependencies cancel cancel_pending confirm_succ confirm_abend set_priority
ADD     -     -    Y    Y       Y                    Y      Y              -            -             Y
HOLD    -     -    Y    Y       Y                    Y      Y              -            -             Y
SCHED   -     -    Y    Y       Y                    Y      Y              -            -             Y
WAIT    -     -    Y    Y       Y                    Y      Y              -            -             Y
WAITD   -     -    Y    Y       Y                    Y      Y              -            -             Y
READY   -     -    Y    -       -                    Y      -              -            -             Y
FENCE   -     -    Y    -       -                    Y      -              -            -             Y
INTRO   -     -    -    -       -                    Y      -              -            -             -
EXEC    -     Y    -    -       -                    Y      -              Y            Y             -
PEND    -     -    -    -       -                    Y      -              Y            Y             -
SUCCP   -     Y    -    -       -                    Y      -              -            -             -
ABENP   -     Y    -    -       -                    Y      -              Y            -             -
SUCC    Y     -    -    -       -                    Y      -              -            -             -
ABEND   Y     -    -    -       -                    Y      -              Y            -             -
FAIL    Y     -    -    -       -                    Y      -              -            -             -
DONE    Y     -    -    -       -                    Y      -              Y            Y             -
SUPPR   Y     -    -    -       -                    Y      -              Y            -             -
CANCL   Y     -    -    -       -                    -      -              -            -             -
CANCLP  Y     -    -    n       -                    Y      -              -            -             Y
EXTRN   -     -    -    -       -                    Y      -              Y            Y             -
ERROR   Y     -    -    -       -                    Y      -              Y            Y             -
"""
"""`n` is what TWS accepts and Resync does not offer: releasing a pending cancel cancels at once."""

_STREAMS = """
status  hold release release_dependencies cancel cancel_pending set_priority set_limit
ADD     Y    Y       Y                    Y      Y              Y            Y
HOLD    Y    Y       Y                    Y      Y              Y            Y
READY   Y    Y       -                    Y      -              Y            Y
EXEC    Y    -       -                    Y      -              Y            Y
STUCK   Y    -       -                    Y      -              Y            Y
ABEND   -    -       -                    Y      -              -            -
SUCC    -    -       -                    Y      -              -            -
CANCL   -    -       -                    -      -              -            -
SUPPR   -    -       -                    -      -              -            -
"""


def _cells(table: str) -> list[tuple[str, Action, str]]:
    header, *rows = (line.split() for line in table.strip().split("\n"))
    return [
        (row[0], Action(name), mark) for row in rows for name, mark in zip(header[1:], row[1:], strict=True)
    ]


_STATUSES = sorted({status for status, _, _ in _cells(_JOBS)})


@pytest.mark.parametrize(("status", "action", "mark"), _cells(_JOBS))
def test_actions_on_jobs_are_legal_as_in_the_table(status: str, action: Action, mark: str) -> None:
    assert is_legal(action, make_job(status=status, dependencies=_WAITS)) is (mark == "Y")


@pytest.mark.parametrize(("status", "action", "mark"), _cells(_STREAMS))
def test_actions_on_job_streams_are_legal_as_in_the_table(status: str, action: Action, mark: str) -> None:
    assert is_legal(action, make_stream(status=status, dependencies=_WAITS)) is (mark == "Y")


def test_the_tables_are_whole() -> None:
    for table, kind in ((_JOBS, ObjectKind.JOB), (_STREAMS, ObjectKind.JOB_STREAM)):
        assert {action for _, action, _ in _cells(table)} == set(ACTIONS_OF[kind])


@pytest.mark.parametrize("status", ["SUSP", "BOUND", "STUCK", "END", "", "no such status"])
def test_nothing_is_legal_in_a_status_the_table_does_not_have(status: str) -> None:
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
    unstarted = {"ADD", "HOLD", "SCHED", "WAIT", "WAITD", "READY", "FENCE"}
    assert is_legal(Action.RELEASE, held) is (status in unstarted)


@pytest.mark.parametrize(
    ("target", "legal"),
    [
        (make_job(), (Action.RERUN, Action.CANCEL, Action.CONFIRM_SUCC)),
        (make_job(runs=(make_run(),), status="HOLD", is_cancel_pending=True, dependencies=_WAITS),
         (Action.HOLD, Action.RELEASE, Action.RELEASE_DEPENDENCIES, Action.CANCEL, Action.SET_PRIORITY)),
        (make_stream(status="EXEC", priority=0),
         (Action.RELEASE, Action.CANCEL, Action.SET_PRIORITY, Action.SET_LIMIT)),
        (make_stream(status="HOLD", is_cancel_pending=True),
         (Action.HOLD, Action.RELEASE, Action.CANCEL, Action.SET_PRIORITY, Action.SET_LIMIT)),
        (make_stream(canceled=True), ()),
        (make_workstation(), (Action.UNLINK, Action.STOP, Action.SET_LIMIT, Action.SET_FENCE)),
        (make_workstation(is_linked=False, is_running=False),
         (Action.LINK, Action.START, Action.SET_LIMIT, Action.SET_FENCE)),
        (make_prompt(status="NOT_ASKED"), (Action.REPLY_YES, Action.REPLY_NO)),
        (make_prompt(status="ANSWERED_YES"), ()),
        (make_prompt(status="ANSWERED_NO"), ()),
        (make_resource(), (Action.SET_QUANTITY,)),
    ],
)  # fmt: skip
def test_legal_actions_come_in_one_order(target: PlanObject, legal: tuple[Action, ...]) -> None:
    assert legal_actions(target) == legal


@pytest.mark.parametrize(
    "target", [make_job(), make_stream(), make_workstation(), make_prompt(), make_resource()]
)
def test_no_object_takes_an_action_of_another_kind(target: PlanObject) -> None:
    taken = {action for action in Action if is_legal(action, target)}
    assert taken == set(legal_actions(target))
    assert Action.SUBMIT not in taken
