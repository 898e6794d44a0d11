from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

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
from tws.actions import Action, ObjectKind, PlanObject
from tws.objects import Dependency, Job
from tws.plan import Plan
from tws.why import Cause, first_causes, reasons, why_absent

LATER = AT + timedelta(hours=1)
BEFORE = AT - timedelta(hours=1)


@dataclass(frozen=True)
class Situation:
    """What about an ordinary waiting job brings the cause about."""

    cause: Cause
    job: dict[str, Any] = field(default_factory=dict)
    stream: dict[str, Any] = field(default_factory=dict)
    place: dict[str, Any] = field(default_factory=dict)
    waits_for: Dependency | None = None
    stream_waits_for: Dependency | None = None
    others: tuple[PlanObject, ...] = ()
    clears: tuple[Action, ObjectKind] | None = None


def after(status: str, **changes: Any) -> dict[str, Any]:
    """A dependency on a job of another stream in that status."""
    job_id = f"job-{status}-{len(changes)}"
    job = make_job(id=job_id, job_stream_id="stream-2", job_stream="OTHER", status=status, **changes)
    return {"waits_for": make_dependency(id=job_id, type="EXTERNAL_JOB", target_id=job_id), "others": (job,)}


def asks(status: str) -> dict[str, Any]:
    prompt = make_prompt(id=f"prompt-{status}", status=status)
    return {"waits_for": make_dependency(type="PROMPT", id=prompt.id, target_id=None), "others": (prompt,)}


def running(number: int, **changes: Any) -> Job:
    other = {"job_stream_id": "stream-2", "job_stream": "OTHER"} | changes
    return make_job(id=f"busy-{number}", status="EXEC", **other)


OWN = {"type": "X", "target_id": None, "predecessor_status": None}
RERUN, RELEASE = (Action.RERUN, ObjectKind.JOB), Action.RELEASE
NEEDS = make_dependency(type="RESOURCE", target="AGT_HR01#TAPES", target_id=None, quantity=2)
EARLIER = make_stream(id="stream-0", status="EXEC")
SITUATIONS = (
    Situation(Cause.CANCELED, job={"canceled": True, "runs": (make_run(),)}, clears=RERUN),
    Situation(Cause.STREAM_CANCELED, stream={"canceled": True}),
    Situation(Cause.SUPPRESSED, job={"status": "SUPPR", "substatus": "SUPPR_UNSATISFIED_DEPENDENCY"}),
    Situation(Cause.UNTIL_PASSED, job={"latest_start": BEFORE, "on_late_start": "doNotRun"}),
    Situation(Cause.STREAM_UNTIL_PASSED, stream={"latest_start": AT, "on_late_start": "doNotRun"}),
    Situation(Cause.CANCEL_PENDING, job={"is_cancel_pending": True}, clears=(Action.CANCEL, ObjectKind.JOB)),
    Situation(Cause.HELD, job={"priority": 0}, clears=(RELEASE, ObjectKind.JOB)),
    Situation(Cause.STREAM_HELD, stream={"priority": 0}, clears=(RELEASE, ObjectKind.JOB_STREAM)),
    Situation(
        Cause.PREDECESSOR_ORPHAN,
        waits_for=make_dependency(**OWN | {"type": "EXTERNAL_JOB", "is_orphan": True, "id": "orphan"}),
        clears=(Action.RELEASE_DEPENDENCIES, ObjectKind.JOB),
    ),
    Situation(
        Cause.PREDECESSOR_PENDING,
        waits_for=make_dependency(**OWN | {"type": "EXTERNAL_JOB", "is_pending": True, "id": "pending"}),
    ),
    Situation(
        Cause.OVERLAP,
        stream_waits_for=make_dependency(type="EXTERNAL_JOBSTREAM", target_id="stream-0"),
        others=(EARLIER,),
    ),
    Situation(
        Cause.INTERNETWORK,
        waits_for=make_dependency(**OWN | {"type": "INTERNETWORK", "id": "net"}),
        clears=(Action.RELEASE_DEPENDENCIES, ObjectKind.JOB),
    ),
    Situation(Cause.JOIN, waits_for=make_dependency(**OWN | {"type": "JOIN", "id": "join"})),
    Situation(
        Cause.RECOVERY_PROMPT,
        waits_for=make_dependency(id="asking", type="EXTERNAL_JOB", target_id="asking"),
        others=(
            make_job(id="asking", job_stream_id="stream-2", job_stream="OTHER"),
            make_prompt(id="recovery", type="Restart Prompt", job_id="asking"),
        ),
        clears=(Action.REPLY_YES, ObjectKind.PROMPT),
    ),
    Situation(Cause.PREDECESSOR_FAILED, **after("ABEND"), clears=RERUN),
    Situation(Cause.PREDECESSOR_UNCONFIRMED, **after("PEND"), clears=(Action.CONFIRM_SUCC, ObjectKind.JOB)),
    Situation(Cause.PREDECESSOR_SUPPRESSED, **after("SUPPR"), clears=(Action.CONFIRM_SUCC, ObjectKind.JOB)),
    Situation(
        Cause.PREDECESSOR_CANCEL_PENDING,
        **after("HOLD", is_cancel_pending=True),
        clears=(Action.CANCEL, ObjectKind.JOB),
    ),
    Situation(Cause.PREDECESSOR, **after("EXEC")),
    Situation(Cause.TIME, job={"starts_after": LATER}),
    Situation(Cause.STREAM_TIME, stream={"starts_after": LATER}),
    Situation(
        Cause.EVERY, job={"starts_after": LATER, "runs": (make_run(rerun_type="RERUN_EVERY", attempt=2),)}
    ),
    Situation(Cause.PROMPT, **asks("ASKED"), clears=(Action.REPLY_YES, ObjectKind.PROMPT)),
    Situation(Cause.PROMPT_NOT_ASKED, **asks("NOT_ASKED")),
    Situation(
        Cause.PROMPT_REFUSED,
        **asks("ANSWERED_NO"),
        clears=(Action.RELEASE_DEPENDENCIES, ObjectKind.JOB),
    ),
    Situation(
        Cause.FILE,
        waits_for=make_dependency(**OWN | {"type": "FILE", "target": "AGT_HR01#/in/a.dat", "id": "file"}),
        clears=(Action.RELEASE_DEPENDENCIES, ObjectKind.JOB),
    ),
    Situation(Cause.FENCE, place={"fence": 10}, clears=(Action.SET_FENCE, ObjectKind.WORKSTATION)),
    Situation(Cause.WORKSTATION_IGNORED, place={"is_ignored": True}),
    Situation(
        Cause.WORKSTATION_UNLINKED, place={"is_linked": False}, clears=(Action.LINK, ObjectKind.WORKSTATION)
    ),
    Situation(
        Cause.WORKSTATION_STOPPED, place={"is_running": False}, clears=(Action.START, ObjectKind.WORKSTATION)
    ),
    Situation(Cause.POOL_EMPTY, place={"type": "POOL", "members": ("GONE",)}),
    Situation(
        Cause.WORKSTATION_LIMIT_ZERO, place={"limit": 0}, clears=(Action.SET_LIMIT, ObjectKind.WORKSTATION)
    ),
    Situation(Cause.WORKSTATION_LIMIT, place={"limit": 1}, others=(running(1),)),
    Situation(Cause.STREAM_LIMIT, stream={"limit": 0}, clears=(Action.SET_LIMIT, ObjectKind.JOB_STREAM)),
    Situation(Cause.RESOURCE, waits_for=NEEDS, others=(make_resource(available=1, quantity=2),)),
    Situation(Cause.LAUNCHING, job={"status": "INTRO"}),
)
ALONE = {Cause.CANCELED, Cause.STREAM_CANCELED, Cause.LAUNCHING}
AT_LAUNCH = {*Cause.__members__.values()} - {one.cause for one in SITUATIONS[:26]}
SAME_FACT = ((Cause.EVERY, Cause.TIME), (Cause.WORKSTATION_UNLINKED, Cause.WORKSTATION_STOPPED))
PASS_BY_THEMSELVES = {Cause.WORKSTATION_LIMIT, Cause.RESOURCE}


def brought_about(*situations: Situation) -> tuple[Plan, Job] | None:
    """The plan in which all of them are there; None if they exclude each other."""
    parts: dict[str, dict[str, Any]] = {"job": {}, "stream": {}, "place": {}}
    for name, merged in parts.items():
        for one in situations:
            more = getattr(one, name)
            if any(merged.get(key, value) != value for key, value in more.items()):
                return None
            merged.update(more)
    job_waits = tuple(one.waits_for for one in situations if one.waits_for)
    stream_waits = tuple(one.stream_waits_for for one in situations if one.stream_waits_for)
    job = make_waiting(dependencies=job_waits, **parts["job"])
    stream = make_stream(status="HOLD", dependencies=stream_waits, **parts["stream"])
    others = (other for one in situations for other in one.others)
    return make_plan(job, stream, make_workstation(**parts["place"]), *others), job


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.cause)
def test_each_cause_alone_is_the_only_reason_with_what_clears_it(situation: Situation) -> None:
    found = brought_about(situation)
    assert found is not None
    (reason,) = reasons(*found, AT)
    assert reason.cause is situation.cause
    if situation.clears:
        assert reason.clears is not None
        assert (reason.clears.action, reason.clears.kind) == situation.clears
    else:
        assert reason.clears is None


@pytest.mark.parametrize(
    "pair", list(combinations(SITUATIONS, 2)), ids=lambda pair: f"{pair[0].cause}-{pair[1].cause}"
)
def test_two_causes_are_both_reasons_unless_one_hides_the_other(pair: tuple[Situation, Situation]) -> None:
    found = brought_about(*pair)
    causes = {one.cause for one in pair}
    if found is None:
        assert causes & (ALONE | {Cause.SUPPRESSED, Cause.EVERY, Cause.TIME, Cause.WORKSTATION_LIMIT})
        return
    for alone in (Cause.LAUNCHING, Cause.CANCELED, Cause.STREAM_CANCELED):
        if alone in causes:
            causes = {alone}
    if not causes <= AT_LAUNCH:
        causes -= PASS_BY_THEMSELVES
    for more_exact, plain in SAME_FACT:
        causes -= {plain} if more_exact in causes else set()
    assert {reason.cause for reason in reasons(*found, AT)} == causes


def test_every_cause_is_known_by_a_situation_here() -> None:
    elsewhere = {Cause.CYCLE, Cause.PLAN_NOT_EXTENDED, Cause.CARRY_FORWARD, Cause.NOT_IN_PLAN}
    assert {one.cause for one in SITUATIONS} | elsewhere == set(Cause)


def test_what_a_person_must_do_comes_before_what_passes_by_itself() -> None:
    predecessor = make_job(id="job-0", status="EXEC", job_stream_id="stream-2")
    job = make_waiting(priority=0, starts_after=LATER, dependencies=(make_dependency(),))
    plan = make_plan(job, predecessor, make_workstation(is_linked=False))
    found = reasons(plan, job, AT)
    assert [reason.cause for reason in found] == [
        Cause.HELD,
        Cause.WORKSTATION_UNLINKED,
        Cause.PREDECESSOR,
        Cause.TIME,
    ]
    assert [reason.passes for reason in found] == [False, False, True, True]


def test_the_proof_of_a_limit_is_the_limit_and_who_runs() -> None:
    job = make_waiting(status="READY")
    plan = make_plan(job, running(1), running(2), make_workstation(limit=2))
    (reason,) = reasons(plan, job, AT)
    assert reason.cause is Cause.WORKSTATION_LIMIT
    assert (reason.fact["limit"], reason.fact["running"]) == (2, 2)
    assert reason.passes


def test_the_proof_of_a_failed_predecessor_is_its_code_and_the_time_of_its_end() -> None:
    failed = make_job(id="job-0", job_stream_id="stream-2")
    job = make_waiting(dependencies=(make_dependency(),))
    (reason,) = reasons(make_plan(job, failed), job, AT)
    assert reason.about == failed
    assert (reason.fact["status"], reason.fact["return_code"]) == ("ABEND", 8)
    assert reason.since == failed.runs[-1].ended_at
    assert reason.clears is not None
    assert reason.clears.object_id == "job-0"


def test_too_few_units_in_all_are_a_reason_even_while_the_job_is_held_and_a_person_can_raise_them() -> None:
    job = make_waiting(priority=0, dependencies=(replace(NEEDS, quantity=3),))
    found = {
        reason.cause: reason
        for reason in reasons(make_plan(job, make_resource(quantity=2, available=2)), job, AT)
    }
    assert set(found) == {Cause.HELD, Cause.RESOURCE}
    clears = found[Cause.RESOURCE].clears
    assert clears is not None
    assert (clears.action, clears.arguments) == (Action.SET_QUANTITY, {"quantity": 3})


def test_hi_and_go_pass_the_limit_of_a_workstation_but_not_that_of_a_stream() -> None:
    job = make_waiting(priority=100)
    plan = make_plan(job, make_stream(limit=0), make_workstation(limit=0))
    assert [reason.cause for reason in reasons(plan, job, AT)] == [Cause.STREAM_LIMIT]


def test_a_rerun_waits_for_no_dependency_and_no_time_but_for_its_priority_and_its_workstation() -> None:
    runs = (make_run(is_last=False), make_run(id="run-2", attempt=2, rerun_type="RERUN", status="HOLD"))
    file = make_dependency(type="FILE", target_id=None)
    job = make_waiting(priority=0, runs=runs, dependencies=(file,), starts_after=LATER, latest_start=BEFORE)
    plan = make_plan(job, make_stream(starts_after=LATER), make_workstation(is_linked=False))
    assert [reason.cause for reason in reasons(plan, job, AT)] == [Cause.HELD, Cause.WORKSTATION_UNLINKED]


@pytest.mark.parametrize("status", ["EXEC", "SUCC", "ABEND", "FAIL", "PEND", "SUCCP", "ABENP"])
def test_a_job_that_was_launched_has_no_reasons(status: str) -> None:
    job = make_job(status=status)
    assert reasons(make_plan(job), job, AT) == ()


def test_the_hour_that_clocks_repeat_in_autumn_is_told_apart() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    starts = datetime(2026, 10, 25, 1, 30, tzinfo=zone, fold=1)
    job = make_waiting(starts_after=starts)
    first_half_past_one = datetime(2026, 10, 25, 1, 45, tzinfo=zone, fold=0).astimezone(UTC)
    second_half_past_one = datetime(2026, 10, 25, 1, 45, tzinfo=zone, fold=1).astimezone(UTC)
    job = replace(job, starts_after=starts.astimezone(UTC))
    assert [reason.cause for reason in reasons(make_plan(job), job, first_half_past_one)] == [Cause.TIME]
    assert reasons(make_plan(job), job, second_half_past_one) == ()


def test_the_hour_that_clocks_skip_in_spring_delays_nothing() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    starts = datetime(2026, 3, 29, 1, 30, tzinfo=zone).astimezone(UTC)  # does not exist: it is half past two
    job = make_waiting(starts_after=starts)
    assert reasons(make_plan(job), job, datetime(2026, 3, 29, 2, 29, tzinfo=zone).astimezone(UTC))
    assert not reasons(make_plan(job), job, datetime(2026, 3, 29, 2, 30, tzinfo=zone).astimezone(UTC))


def follows(job_id: str, *targets: str) -> Job:
    """A waiting job of a stream of its own that follows these."""
    waits = tuple(make_dependency(id=target, type="EXTERNAL_JOB", target_id=target) for target in targets)
    names = {"name": job_id, "job_stream_id": f"stream-{job_id}", "job_stream": f"S{job_id}"}
    return make_waiting(id=job_id, dependencies=waits, **names)


def test_first_causes_are_at_the_end_of_the_chain_of_open_predecessors() -> None:
    failed = replace(make_job(id="a"), job_stream_id="stream-a", job_stream="SA")
    b, c = follows("b", "a"), follows("c", "b")
    (found,) = first_causes(make_plan(failed, b, c), c, AT)
    assert found.reason.cause is Cause.PREDECESSOR_FAILED
    assert found.reason.about == failed
    assert [owner.id for owner in found.chain] == ["c", "b"]


def test_first_causes_go_into_streams_and_out_of_them() -> None:
    held = make_waiting(id="deep", priority=0, job_stream_id="inner", job_stream="INNER")
    gate = make_dependency(type="EXTERNAL_JOBSTREAM", target_id="inner")
    outer = make_stream(id="outer", name="OUTER", status="HOLD", dependencies=(gate,))
    job = make_waiting(job_stream_id="outer", job_stream="OUTER")
    (found,) = first_causes(make_plan(held, job, outer), job, AT)
    assert found.reason.cause is Cause.HELD
    assert [owner.id for owner in found.chain] == ["job-1", "inner", "deep"]


def test_of_several_first_causes_the_one_for_a_person_comes_first() -> None:
    running_one, failed = follows("x"), replace(make_job(id="y"), job_stream_id="stream-y", job_stream="SY")
    job = follows("z", "x", "y")
    plan = make_plan(replace(running_one, status="EXEC"), failed, job)
    assert [one.reason.cause for one in first_causes(plan, job, AT)] == [
        Cause.PREDECESSOR_FAILED,
        Cause.PREDECESSOR,
    ]


def test_jobs_that_wait_in_a_circle_are_reported_and_not_walked_for_ever() -> None:
    a, b, c, d = follows("a", "c"), follows("b", "a"), follows("c", "b"), follows("d", "a")
    (found,) = first_causes(make_plan(a, b, c, d), d, AT)
    assert found.reason.cause is Cause.CYCLE
    assert found.chain[0] == d
    assert found.chain[-1].id == "a"
    for job in (a, b, c):
        assert f".{job.name}" in str(found.reason.fact["members"])


def test_a_job_that_follows_itself_is_a_circle() -> None:
    job = follows("a", "a")
    (found,) = first_causes(make_plan(job), job, AT)
    assert found.reason.cause is Cause.CYCLE


def test_a_chain_of_thousands_is_followed_to_its_beginning() -> None:
    jobs = [replace(make_job(id="0"), job_stream_id="stream-0", job_stream="S0")]
    jobs += [follows(str(n), str(n - 1)) for n in range(1, 3000)]
    (found,) = first_causes(make_plan(*jobs), jobs[-1], AT)
    assert found.reason.about == jobs[0]
    assert len(found.chain) == 2999


@pytest.mark.parametrize(
    ("was_there", "now", "cause"),
    [
        (True, AT, Cause.CARRY_FORWARD),
        (False, AT, Cause.NOT_IN_PLAN),
        (None, AT, Cause.NOT_IN_PLAN),
        (True, AT + timedelta(days=1), Cause.PLAN_NOT_EXTENDED),
    ],
)
def test_a_job_that_is_not_in_the_plan_has_a_reason_too(
    was_there: bool | None,  # noqa: FBT001 - a table of cases
    now: datetime,
    cause: Cause,
) -> None:
    plan = make_plan(make_job())
    found = why_absent(plan, "NOWHERE", now, was_in_previous_plan=was_there)
    assert found is not None
    assert found.cause is cause


@pytest.mark.parametrize("name", ["PAYROLL", "PAYDAILY", "AGT_HR01#PAYDAILY.PAYROLL", "AGT_HR01#PAYDAILY"])
def test_what_is_in_the_plan_is_not_absent(name: str) -> None:
    assert why_absent(make_plan(make_job()), name, AT + timedelta(days=2)) is None
