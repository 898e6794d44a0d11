"""What the plan must show before anybody reads "confirmed": every action on every kind of object."""

from __future__ import annotations

from typing import Any

import pytest

from brain.actions.readback import facts, observe
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
from tws.actions import ACTIONS_OF, VALUES, Action, Change, ObjectKind, PlanObject

_WAITS, _FREED = (make_dependency(),), (make_dependency(satisfied=True),)
_FIRST = make_run(is_last=False)
_RAN = make_run(id="run-2", attempt=2, status="EXEC", rerun_type="RERUN")
_RUNNING = (make_run(status="EXEC"),)

_MAKE: dict[ObjectKind, Any] = {
    ObjectKind.JOB: make_job,
    ObjectKind.JOB_STREAM: make_stream,
    ObjectKind.WORKSTATION: make_workstation,
    ObjectKind.PROMPT: make_prompt,
    ObjectKind.RESOURCE: make_resource,
    ObjectKind.JOB_DEFINITION: make_job,
    ObjectKind.JOB_STREAM_DEFINITION: make_stream,
}
_J, _S, _W = ObjectKind.JOB, ObjectKind.JOB_STREAM, ObjectKind.WORKSTATION
_P, _R = ObjectKind.PROMPT, ObjectKind.RESOURCE

_Case = tuple[ObjectKind, Action, dict[str, Any], dict[str, Any], str]
_CASES: list[_Case] = [
    # kind, action, the object before, what is different now, what that means
    (_J, Action.RERUN, {}, {}, "pending"),
    (_J, Action.RERUN, {}, {"runs": (_FIRST, _RAN)}, "confirmed"),
    (_J, Action.RERUN, {}, {"runs": (_FIRST, make_run(id="run-2", attempt=2, status="HOLD"))}, "confirmed"),
    (_J, Action.RERUN, {"runs": ()}, {"runs": (make_run(),)}, "confirmed"),
    # The engine may number a new run without renaming it, or rename without numbering: neither is a rerun.
    (_J, Action.RERUN, {}, {"runs": (make_run(attempt=2),)}, "pending"),
    (_J, Action.RERUN, {}, {"runs": (make_run(id="run-9", attempt=1),)}, "pending"),
    (_J, Action.RERUN, {}, {"runs": ()}, "pending"),
    # A run that the engine began by itself is nobody's rerun.
    (_J, Action.RERUN, {}, {"runs": (_FIRST, make_run(id="run-2", attempt=2, rerun_type="RECOVERY_RERUN"))}, "pending"),
    (_J, Action.RERUN, {}, {"runs": (_FIRST, make_run(id="run-2", attempt=2, rerun_type="RERUN_EVERY"))}, "pending"),
    (_J, Action.RERUN, {}, {"canceled": True}, "different"),
    (_J, Action.RERUN, {"canceled": True}, {}, "pending"),
    (_J, Action.HOLD, {"status": "HOLD"}, {}, "pending"),
    (_J, Action.HOLD, {"status": "HOLD"}, {"priority": 0}, "confirmed"),
    (_J, Action.HOLD, {"status": "READY"}, {"priority": 0}, "confirmed"),
    (_J, Action.HOLD, {"status": "HOLD"}, {"status": "INTRO"}, "different"),
    (_J, Action.HOLD, {"status": "HOLD"}, {"status": "SUCC"}, "different"),
    (_J, Action.HOLD, {"status": "HOLD"}, {"canceled": True}, "different"),
    (_J, Action.RELEASE, {"status": "HOLD", "priority": 0}, {}, "pending"),
    # A held job is released once it has a priority, whatever else it waits for.
    (_J, Action.RELEASE, {"status": "HOLD", "priority": 0, "dependencies": _WAITS}, {"priority": 50}, "confirmed"),
    (_J, Action.RELEASE, {"status": "HOLD", "dependencies": _WAITS}, {}, "pending"),
    (_J, Action.RELEASE, {"status": "HOLD", "dependencies": _WAITS}, {"status": "SCHED"}, "pending"),
    (_J, Action.RELEASE, {"status": "HOLD", "dependencies": _WAITS}, {"status": "READY"}, "confirmed"),
    (_J, Action.RELEASE, {"status": "HOLD", "dependencies": _WAITS}, {"dependencies": _FREED}, "confirmed"),
    (_J, Action.RELEASE, {"status": "HOLD", "dependencies": _WAITS}, {"canceled": True}, "different"),
    # Who waited for a time is released once that is lifted; who waits with the stream only, when the wait ends.
    (_J, Action.RELEASE, {"status": "HOLD", "starts_after": AT}, {}, "pending"),
    (_J, Action.RELEASE, {"status": "HOLD", "starts_after": AT}, {"is_start_satisfied": True}, "confirmed"),
    (_J, Action.RELEASE, {"status": "HOLD"}, {}, "pending"),
    (_J, Action.RELEASE, {"status": "HOLD"}, {"status": "EXEC"}, "confirmed"),
    (_J, Action.RELEASE_DEPENDENCIES, {"status": "HOLD", "dependencies": _WAITS}, {}, "pending"),
    (_J, Action.RELEASE_DEPENDENCIES, {"status": "HOLD", "dependencies": _WAITS}, {"dependencies": ()}, "confirmed"),
    (_J, Action.RELEASE_DEPENDENCIES, {"status": "HOLD", "dependencies": _WAITS}, {"canceled": True}, "different"),
    (_J, Action.CANCEL, {"status": "HOLD"}, {}, "pending"),
    (_J, Action.CANCEL, {"status": "EXEC"}, {"status": "SUCC"}, "pending"),
    (_J, Action.CANCEL, {"status": "EXEC"}, {"canceled": True}, "confirmed"),
    (_J, Action.CANCEL_PENDING, {"status": "HOLD"}, {}, "pending"),
    (_J, Action.CANCEL_PENDING, {"status": "HOLD"}, {"is_cancel_pending": True}, "confirmed"),
    (_J, Action.CANCEL_PENDING, {"status": "HOLD"}, {"canceled": True}, "confirmed"),
    (_J, Action.CANCEL_PENDING, {"status": "HOLD"}, {"status": "EXEC"}, "different"),
    (_J, Action.KILL, {"status": "EXEC", "runs": _RUNNING}, {}, "pending"),
    (_J, Action.KILL, {"status": "EXEC", "runs": _RUNNING}, {"runs": (make_run(status="ABEND"),)}, "confirmed"),
    (_J, Action.KILL, {"status": "EXEC", "runs": _RUNNING}, {"runs": (make_run(status="ABENP"),)}, "pending"),
    (_J, Action.KILL, {"status": "EXEC", "runs": _RUNNING}, {"runs": (_FIRST, _RAN)}, "confirmed"),
    (_J, Action.KILL, {"status": "EXEC", "runs": _RUNNING}, {"runs": (make_run(status="SUCC"),)}, "different"),
    (_J, Action.KILL, {"status": "EXEC", "runs": _RUNNING}, {"runs": ()}, "pending"),
    (_J, Action.CONFIRM_SUCC, {"status": "ABEND"}, {}, "pending"),
    (_J, Action.CONFIRM_SUCC, {"status": "ABEND"}, {"status": "SUCC"}, "confirmed"),
    (_J, Action.CONFIRM_SUCC, {"status": "EXEC"}, {"status": "SUCCP"}, "confirmed"),
    (_J, Action.CONFIRM_SUCC, {"status": "EXEC"}, {"status": "ABEND"}, "different"),
    (_J, Action.CONFIRM_ABEND, {"status": "PEND"}, {}, "pending"),
    (_J, Action.CONFIRM_ABEND, {"status": "PEND"}, {"status": "ABEND"}, "confirmed"),
    (_J, Action.CONFIRM_ABEND, {"status": "EXEC"}, {"status": "ABENP"}, "confirmed"),
    (_J, Action.CONFIRM_ABEND, {"status": "EXEC"}, {"status": "SUCC"}, "different"),
    (_J, Action.SET_PRIORITY, {"status": "HOLD"}, {}, "pending"),
    (_J, Action.SET_PRIORITY, {"status": "HOLD"}, {"priority": 7}, "confirmed"),
    (_J, Action.SET_PRIORITY, {"status": "HOLD"}, {"priority": 8}, "different"),
    (_J, Action.SET_PRIORITY, {"status": "HOLD"}, {"status": "EXEC"}, "different"),
    (_S, Action.HOLD, {"status": "EXEC"}, {}, "pending"),
    (_S, Action.HOLD, {"status": "EXEC"}, {"priority": 0}, "confirmed"),
    (_S, Action.HOLD, {"status": "EXEC"}, {"status": "SUCC"}, "different"),
    (_S, Action.RELEASE, {"status": "EXEC", "priority": 0}, {}, "pending"),
    (_S, Action.RELEASE, {"status": "EXEC", "priority": 0}, {"priority": 10}, "confirmed"),
    (_S, Action.RELEASE, {"status": "HOLD", "dependencies": _WAITS}, {"dependencies": _FREED}, "confirmed"),
    (_S, Action.RELEASE, {"status": "HOLD", "starts_after": AT}, {"status": "EXEC"}, "confirmed"),
    (_S, Action.RELEASE, {"status": "HOLD"}, {"canceled": True}, "different"),
    # Nothing kept it back, so nothing can show that it was released.
    (_S, Action.RELEASE, {"status": "READY"}, {}, "pending"),
    (_S, Action.RELEASE_DEPENDENCIES, {"status": "HOLD", "dependencies": _WAITS}, {}, "pending"),
    (_S, Action.RELEASE_DEPENDENCIES, {"status": "HOLD", "dependencies": _WAITS}, {"dependencies": _FREED}, "confirmed"),
    (_S, Action.RELEASE_DEPENDENCIES, {"status": "HOLD", "dependencies": _WAITS}, {"canceled": True}, "different"),
    (_S, Action.CANCEL, {}, {}, "pending"),
    (_S, Action.CANCEL, {}, {"canceled": True}, "confirmed"),
    (_S, Action.CANCEL_PENDING, {"status": "HOLD"}, {}, "pending"),
    (_S, Action.CANCEL_PENDING, {"status": "HOLD"}, {"is_cancel_pending": True}, "confirmed"),
    (_S, Action.CANCEL_PENDING, {"status": "HOLD"}, {"status": "EXEC"}, "different"),
    (_S, Action.SET_PRIORITY, {}, {}, "pending"),
    (_S, Action.SET_PRIORITY, {}, {"priority": 7}, "confirmed"),
    (_S, Action.SET_PRIORITY, {}, {"priority": 8}, "different"),
    (_S, Action.SET_LIMIT, {}, {}, "pending"),
    (_S, Action.SET_LIMIT, {}, {"limit": 7}, "confirmed"),
    (_S, Action.SET_LIMIT, {}, {"limit": 8}, "different"),
    (_W, Action.LINK, {"is_linked": False}, {}, "pending"),
    (_W, Action.LINK, {"is_linked": False}, {"is_linked": True}, "confirmed"),
    (_W, Action.UNLINK, {}, {}, "pending"),
    (_W, Action.UNLINK, {}, {"is_linked": False}, "confirmed"),
    (_W, Action.START, {"is_running": False}, {}, "pending"),
    (_W, Action.START, {"is_running": False}, {"is_running": True}, "confirmed"),
    (_W, Action.STOP, {}, {}, "pending"),
    (_W, Action.STOP, {}, {"is_running": False}, "confirmed"),
    (_W, Action.SET_LIMIT, {}, {}, "pending"),
    (_W, Action.SET_LIMIT, {}, {"limit": 7}, "confirmed"),
    (_W, Action.SET_LIMIT, {}, {"limit": 8}, "different"),
    (_W, Action.SET_FENCE, {}, {}, "pending"),
    (_W, Action.SET_FENCE, {}, {"fence": 7}, "confirmed"),
    (_W, Action.SET_FENCE, {}, {"fence": 8}, "different"),
    (_P, Action.REPLY_YES, {}, {}, "pending"),
    (_P, Action.REPLY_YES, {}, {"status": "ANSWERED_YES"}, "confirmed"),
    (_P, Action.REPLY_YES, {}, {"status": "ANSWERED_NO"}, "different"),
    (_P, Action.REPLY_NO, {}, {}, "pending"),
    (_P, Action.REPLY_NO, {}, {"status": "ANSWERED_NO"}, "confirmed"),
    (_P, Action.REPLY_NO, {}, {"status": "ANSWERED_YES"}, "different"),
    (_R, Action.SET_QUANTITY, {}, {}, "pending"),
    (_R, Action.SET_QUANTITY, {}, {"quantity": 7}, "confirmed"),
    (_R, Action.SET_QUANTITY, {}, {"quantity": 8}, "different"),
    (ObjectKind.JOB_DEFINITION, Action.SUBMIT, {}, {"definition_id": "object-1"}, "confirmed"),
    (ObjectKind.JOB_DEFINITION, Action.SUBMIT, {}, {"name": "NIGHTLY"}, "confirmed"),
    (ObjectKind.JOB_DEFINITION, Action.SUBMIT, {}, {"name": "OTHER"}, "different"),
    (ObjectKind.JOB_STREAM_DEFINITION, Action.SUBMIT, {}, {"name": "NIGHTLY"}, "confirmed"),
    (ObjectKind.JOB_STREAM_DEFINITION, Action.SUBMIT, {}, {"definition_id": "object-2"}, "different"),
]  # fmt: skip


def _change(kind: ObjectKind, action: Action) -> Change:
    arguments = {VALUES[action]: 7} if action in VALUES else {}
    return Change(
        action=action, kind=kind, object_id="object-1", selection="/F/AGT1#/F/NIGHTLY", arguments=arguments
    )


def _objects(case: _Case) -> tuple[PlanObject | None, PlanObject]:
    kind, action, before, now, _ = case
    make = _MAKE[kind]
    return (None if action is Action.SUBMIT else make(**before)), make(**{**before, **now})


@pytest.mark.parametrize("case", _CASES)
def test_the_plan_decides_the_outcome(case: _Case) -> None:
    kind, action, _, _, state = case
    assert observe(_change(kind, action), *_objects(case)).state == state


def test_every_action_on_every_kind_has_every_outcome_it_can_have() -> None:
    switches = {Action.LINK, Action.UNLINK, Action.START, Action.STOP, Action.CANCEL}
    for kind, actions in ACTIONS_OF.items():
        for action in actions:
            found = {case[4] for case in _CASES if case[:2] == (kind, action)}
            possible = {"confirmed", "different", "pending"}
            if action in switches:
                possible -= {"different"}
            elif action is Action.SUBMIT:
                possible -= {"pending"}
            assert found == possible, (kind, action)


def test_an_object_that_did_not_change_never_confirms_what_would_change_it() -> None:
    """Whatever an engine answers: the plan as it was before is no proof."""
    for case in _CASES:
        kind, action, *_ = case
        before, _ = _objects(case)
        if before is not None:
            assert observe(_change(kind, action), before, before).state == "pending", case


@pytest.mark.parametrize("locale", Locale)
def test_the_sentence_names_the_object_what_was_expected_and_what_is_seen(locale: Locale) -> None:
    for case in _CASES:
        kind, action, *_, state = case
        before, now = _objects(case)
        seen = observe(_change(kind, action), before, now)
        sentence = seen.describe("AGT1#A.B", locale)
        assert "AGT1#A.B" in sentence
        assert seen.seen == facts(now)
        assert seen.seen in sentence
        assert (seen.expected in sentence) is (state != "confirmed" or seen.expected in seen.seen), case


def test_the_languages_say_different_sentences() -> None:
    seen = observe(_change(_J, Action.CANCEL), make_job(), make_job(canceled=True))
    assert seen.describe("A#B.C", Locale.EN) == "The plan shows it: A#B.C has state=CANCL pri=50 run=1."
    assert seen.describe("A#B.C", Locale.PT) == "O plano mostra: A#B.C tem state=CANCL pri=50 run=1."
