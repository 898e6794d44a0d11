from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.plan import (
    AT,
    make_dependency,
    make_job,
    make_plan,
    make_prompt,
    make_resource,
    make_run,
    make_stream,
    make_waiting,
    make_workstation,
)
from tws.actions import Action, Change, PlanObject, kind_of
from tws.contents import RunStatistics
from tws.impact import Danger, Impact, RecoveryEffect, consequences
from tws.objects import Dependency, Job, Recovery
from tws.plan import Plan
from tws.why import Cause

ELSEWHERE = {"job_stream_id": "stream-2", "job_stream": "OTHER"}


def impact(plan: Plan, action: Action, target: PlanObject, **arguments: int) -> Impact:
    change = Change(
        action=action, kind=kind_of(target), object_id=target.id, selection="", arguments=arguments
    )
    return consequences(plan, change, AT)


def on(target: PlanObject, **changes: Any) -> Dependency:
    return make_dependency(**{"id": f"on-{target.id}", "target_id": target.id} | changes)


def follower(*targets: PlanObject, **changes: Any) -> Job:
    return make_waiting(**{"id": "next", "name": "NEXT", "dependencies": tuple(map(on, targets))} | changes)


def running(**changes: Any) -> Job:
    return make_job(status="EXEC", runs=(make_run(status="EXEC", ended_at=None),), **changes)


def test_what_is_illegal_is_refused_with_what_is_legal() -> None:
    job = running()
    found = impact(make_plan(job), Action.RELEASE, job)
    assert found.refusal is not None
    assert found.refusal.status == "EXEC"
    assert Action.KILL in found.refusal.legal
    assert not found.changes


def test_what_is_not_in_the_plan_is_refused() -> None:
    assert impact(make_plan(), Action.HOLD, make_waiting()).refusal is not None


def test_a_cancelled_job_that_runs_goes_on_and_its_successors_start_at_once() -> None:
    job = running(recovery_details=Recovery(option="RERUN"))
    successor = follower(job)
    found = impact(make_plan(job, successor), Action.CANCEL, job)
    assert found.changes[job.id].canceled
    assert found.changes[job.id].status == "EXEC"
    assert found.changes["next"].status == "INTRO"
    assert found.freed == found.early == (successor,)
    assert found.started == {"next"}
    assert found.keeps_running
    assert found.recovery is RecoveryEffect.SKIPPED
    assert found.undo is None
    assert found.dangers == (
        Danger.CANCELS_RUNNING_LEAVES_PROCESS,
        Danger.FREES_DEPENDANTS_AT_ONCE,
        Danger.RECOVERY_SKIPPED,
    )


def test_a_successor_with_other_reasons_stays_and_they_are_named() -> None:
    job = make_job()
    successor = follower(job, priority=0)
    found = impact(make_plan(job, successor), Action.CANCEL, job)
    assert found.freed == ()
    (blocked,) = found.still_blocked
    assert blocked.owner.id == "next"
    assert [reason.cause for reason in blocked.reasons] == [Cause.HELD]


def test_a_killed_job_frees_nobody_unless_its_recovery_continues() -> None:
    stops = running()
    continues = running(recovery_details=Recovery(option="CONTINUE"))
    assert impact(make_plan(stops, follower(stops)), Action.KILL, stops).freed == ()
    found = impact(make_plan(continues, follower(continues)), Action.KILL, continues)
    assert [job.id for job in found.early] == ["next"]
    assert found.recovery is RecoveryEffect.APPLIES
    assert Danger.KILL_NO_UNDO in found.dangers


@pytest.mark.parametrize(
    ("recovery", "status"),
    [
        (Recovery(option="RERUN"), "INTRO"),
        (Recovery(option="RERUN", repeat_every=timedelta(minutes=5)), "ABEND"),
        (Recovery(option="RERUN_PROMPT", prompt="Again?"), "ABEND"),
        (Recovery(option="RERUN", job="AGT_HR01#CLEAN"), "ABEND"),
        (Recovery(option="STOP"), "ABEND"),
    ],
)
def test_the_recovery_of_a_killed_job_comes_at_once_only_if_nothing_is_to_be_waited_for(
    recovery: Recovery, status: str
) -> None:
    job = running(recovery_details=recovery)
    found = impact(make_plan(job), Action.KILL, job)
    assert found.changes[job.id].status == status


def test_a_place_that_a_kill_frees_goes_to_the_first_in_the_order_of_launching() -> None:
    job = running()
    low = make_waiting(id="low", status="READY", priority=20, substatus="READY_WAITING_FOR_LIMIT")
    high = replace(low, id="high", priority=30)
    plan = make_plan(job, low, high, make_workstation(limit=1))
    found = impact(plan, Action.KILL, job)
    assert found.freed == (high,)
    assert found.early == ()
    assert "low" not in found.changes


def test_freed_jobs_that_find_no_room_become_ready_and_say_for_what_they_wait() -> None:
    job = make_job()
    first, second = follower(job, id="b", priority=20), follower(job, id="a", priority=10)
    found = impact(make_plan(job, first, second, make_workstation(limit=1)), Action.CONFIRM_SUCC, job)
    assert found.freed == (first, second)
    assert found.started == {"b"}
    assert (found.changes["a"].status, found.changes["a"].substatus) == ("READY", "READY_WAITING_FOR_LIMIT")


def test_confirming_a_failed_job_frees_its_successors_without_its_output() -> None:
    job = make_job()
    found = impact(make_plan(job, follower(job)), Action.CONFIRM_SUCC, job)
    assert Danger.CONFIRMS_WITHOUT_OUTPUT in found.dangers
    assert Danger.FREES_DEPENDANTS_AT_ONCE in found.dangers


def test_confirming_a_job_that_waits_for_it_is_no_danger() -> None:
    job = make_job(status="PEND")
    found = impact(make_plan(job, follower(job)), Action.CONFIRM_SUCC, job)
    assert [one.id for one in found.freed] == ["next"]
    assert found.early == ()
    assert found.dangers == ()


def test_confirming_a_job_that_runs_waits_for_its_end() -> None:
    job = running()
    found = impact(make_plan(job, follower(job)), Action.CONFIRM_SUCC, job)
    assert found.changes.keys() == {job.id}
    assert found.changes[job.id].status == "SUCCP"


def test_a_release_frees_all_dependencies_and_hands_out_units_that_are_not_there() -> None:
    needs = make_dependency(type="RESOURCE", target="AGT_HR01#TAPES", target_id=None, quantity=2)
    job = make_waiting(dependencies=(needs, make_dependency(type="FILE", target_id=None)))
    found = impact(make_plan(job, make_resource(quantity=2, available=0)), Action.RELEASE, job)
    assert found.changes[job.id].status == "INTRO"
    assert found.dangers == (Danger.RELEASE_FREES_ALL_DEPENDENCIES, Danger.RESOURCE_OVERSUBSCRIBED)


def test_a_release_of_a_held_job_brings_its_priority_back_and_keeps_its_dependencies() -> None:
    other = make_job(id="job-0", status="EXEC", **ELSEWHERE)
    job = make_waiting(priority=0, original_priority=70, dependencies=(on(other),))
    found = impact(make_plan(job, other), Action.RELEASE, job)
    assert isinstance(found.after, Job)
    assert (found.after.priority, found.after.status) == (70, "HOLD")
    assert found.dangers == ()
    assert found.undo is not None
    assert found.undo.action is Action.HOLD


def test_released_dependencies_leave_the_time() -> None:
    file = make_dependency(type="FILE", target_id=None)
    job = make_waiting(starts_after=AT + timedelta(hours=1), dependencies=(file,))
    found = impact(make_plan(job), Action.RELEASE_DEPENDENCIES, job)
    assert (found.changes[job.id].status, found.changes[job.id].substatus) == (
        "HOLD",
        "HOLD_WAITING_FOR_TIME",
    )


def test_a_rerun_with_successors_that_have_run_is_a_danger() -> None:
    job = make_job(status="SUCC")
    done = make_job(id="next", status="SUCC", dependencies=(on(job, satisfied=True),))
    found = impact(make_plan(job, done), Action.RERUN, job)
    assert found.changes.keys() == {job.id}
    assert found.dangers == (Danger.RERUN_WITH_SUCCESSORS_STARTED,)


def test_a_rerun_lifts_the_cancellation() -> None:
    job = make_job(canceled=True)
    after = impact(make_plan(job), Action.RERUN, job).changes[job.id]
    assert (after.status, after.canceled, len(after.runs)) == ("INTRO", False, 2)


def test_a_cancelled_stream_takes_its_jobs_along_and_frees_those_who_follow_it() -> None:
    done, failed, waits = make_job(id="a", status="SUCC"), make_job(id="b"), make_waiting(id="c")
    stream = make_stream()
    outside = follower(stream, **ELSEWHERE)
    found = impact(make_plan(done, failed, waits, stream, outside), Action.CANCEL, stream)
    assert {one for one, state in found.changes.items() if state.canceled} == {"c"}
    assert found.changes["next"].status == "INTRO"
    assert found.after is not None
    assert getattr(found.after, "status", "") == "CANCL"


def test_cancel_pending_waits_for_the_gates_but_not_for_the_priority() -> None:
    other = make_job(id="job-0", **ELSEWHERE)
    waits, free = make_waiting(id="a", dependencies=(on(other),)), make_waiting(id="b", priority=0)
    plan = make_plan(other, waits, free)
    later = impact(plan, Action.CANCEL_PENDING, waits)
    assert later.changes == {}
    assert getattr(later.after, "is_cancel_pending", False)
    assert impact(plan, Action.CANCEL_PENDING, free).changes["b"].canceled


def test_a_job_that_does_nothing_is_cancelled_instead_of_launched_and_the_next_goes_on() -> None:
    job = make_job()
    nothing = follower(job, id="nop", is_no_operation=True)
    last = follower(nothing, id="last")
    found = impact(make_plan(job, nothing, last), Action.CONFIRM_SUCC, job)
    assert found.changes["nop"].canceled
    assert found.changes["last"].status == "INTRO"


def test_a_condition_that_cannot_be_met_any_more_suppresses_the_job_and_so_the_next() -> None:
    job = make_job(status="PEND")
    on_abend = follower(job, id="a", dependencies=(on(job, conditions=("ABEND",)),))
    then = follower(on_abend, id="b", dependencies=(on(on_abend, conditions=("SUCC", "FAIL")),))
    found = impact(make_plan(job, on_abend, then), Action.CONFIRM_SUCC, job)
    assert {found.changes[one].status for one in "ab"} == {"SUPPR"}
    assert impact(make_plan(job, on_abend, then), Action.CONFIRM_ABEND, job).changes["a"].status == "INTRO"


def test_a_join_opens_with_as_many_members_as_it_needs() -> None:
    first, second = make_job(id="a"), make_job(id="b", name="B")
    join = make_dependency(type="JOIN", target_id=None, members=(on(first), on(second)), members_needed=1)
    job = make_waiting(dependencies=(join,))
    assert impact(make_plan(first, second, job), Action.CANCEL, first).changes[job.id].status == "INTRO"
    both = replace(
        job, substatus="HOLD_WAITING_FOR_PREDECESSOR", dependencies=(replace(join, members_needed=2),)
    )
    assert job.id not in impact(make_plan(first, second, both), Action.CANCEL, first).changes


@pytest.mark.parametrize(
    ("action", "arguments", "inverse"),
    [
        (Action.UNLINK, {}, Action.LINK),
        (Action.STOP, {}, Action.START),
        (Action.SET_LIMIT, {"limit": 0}, Action.SET_LIMIT),
        (Action.SET_FENCE, {"fence": 101}, Action.SET_FENCE),
    ],
)
def test_what_stops_a_workstation_says_so_and_can_be_taken_back(
    action: Action, arguments: dict[str, int], inverse: Action
) -> None:
    place, job = make_workstation(), make_waiting(status="READY", substatus="READY_WAITING_FOR_RESOURCES")
    found = impact(make_plan(place, job), action, place, **arguments)
    assert Danger.NOTHING_STARTS_THERE in found.dangers
    assert found.undo is not None
    assert found.undo.action is inverse


def test_a_higher_limit_starts_who_waits_for_it_and_cannot_be_taken_back() -> None:
    place, busy = make_workstation(limit=1), running(id="busy", **ELSEWHERE)
    waiting = [make_waiting(id=one, status="READY", substatus="READY_WAITING_FOR_LIMIT") for one in "abc"]
    found = impact(make_plan(place, busy, *waiting), Action.SET_LIMIT, place, limit=3)
    assert [job.id for job in found.freed] == ["a", "b"]
    assert found.undo is None
    assert found.dangers == ()


def test_a_reply_opens_the_prompt_for_all_who_wait_for_it_or_closes_it_for_good() -> None:
    prompt = make_prompt()
    asks = make_dependency(type="PROMPT", id=prompt.id, target_id=None)
    jobs = [make_waiting(id=one, dependencies=(asks,)) for one in "ab"]
    yes = impact(make_plan(prompt, *jobs), Action.REPLY_YES, prompt)
    no = impact(make_plan(prompt, *jobs), Action.REPLY_NO, prompt)
    assert yes.started == {"a", "b"}
    assert no.changes == {}
    assert no.dangers == (Danger.REFUSED_FOR_GOOD,)


def test_a_yes_to_a_recovery_prompt_lets_the_recovery_go_on() -> None:
    recovery = Recovery(option="CONTINUE_PROMPT", prompt="Go on?")
    job = make_job(recovery_details=recovery)
    prompt = make_prompt(type="Restart Prompt", job_id=job.id)
    plan = make_plan(job, prompt, follower(job))
    found = impact(plan, Action.REPLY_YES, prompt)
    assert found.started == {"next"}
    assert found.recovery is RecoveryEffect.APPLIES
    assert impact(plan, Action.REPLY_NO, prompt).recovery is RecoveryEffect.SKIPPED


def test_more_units_start_who_waits_for_them_and_fewer_than_are_in_use_are_a_danger() -> None:
    needs = make_dependency(type="RESOURCE", target="AGT_HR01#TAPES", target_id=None, quantity=1)
    job = make_waiting(status="READY", substatus="READY_WAITING_FOR_RESOURCES", dependencies=(needs,))
    resource = make_resource(quantity=2, available=0)
    plan = make_plan(job, resource)
    assert impact(plan, Action.SET_QUANTITY, resource, quantity=3).started == {job.id}
    assert impact(plan, Action.SET_QUANTITY, resource, quantity=1).dangers == (
        Danger.RESOURCE_OVERSUBSCRIBED,
    )


def test_another_instance_of_what_is_still_in_the_plan_is_a_danger() -> None:
    stream = make_stream(definition_id="model-1")
    change = Change(
        action=Action.SUBMIT, kind=kind_of(stream), object_id="model-1", selection="AGT_HR01#PAYDAILY"
    )
    assert consequences(make_plan(stream, make_job()), change, AT).dangers == (Danger.ANOTHER_INSTANCE,)
    done = make_plan(stream, make_job(status="SUCC"))
    assert consequences(done, change, AT).dangers == ()


def test_deadlines_that_move_are_shown_before_and_after() -> None:
    job = running()
    critical = follower(job, is_critical=True, deadline=AT + timedelta(hours=2))
    plan = make_plan(job, critical)
    plan.statistics = {
        critical.selection: RunStatistics(runs=5, median=timedelta(hours=1), p95=timedelta(hours=2))
    }
    (held,) = impact(plan, Action.HOLD, critical).deadlines
    assert held.before == AT + timedelta(minutes=25, hours=1)
    assert held.after is None
    (freed,) = impact(plan, Action.CANCEL, job).deadlines
    assert freed.after == AT + timedelta(hours=1)
    assert Danger.CRITICAL_AFFECTED in impact(plan, Action.CANCEL, job).dangers


def test_a_long_chain_of_suppressed_jobs_is_no_trouble() -> None:
    jobs = [make_job(id="0", status="PEND")]
    for number in range(1, 2000):
        waits = on(jobs[-1], conditions=("ABEND", "FAIL"))
        jobs.append(make_waiting(id=str(number), position=number, dependencies=(waits,)))
    found = impact(make_plan(*jobs), Action.CONFIRM_SUCC, jobs[0])
    assert sum(state.status == "SUPPR" for state in found.changes.values()) == 1999


def test_jobs_that_follow_each_other_in_a_circle_are_no_trouble() -> None:
    a = follower(make_job(id="b"), id="a")
    b = follower(a, id="b")
    found = impact(make_plan(a, b), Action.CANCEL, a)
    assert found.changes["a"].canceled
    assert found.changes["b"].status == "INTRO"
