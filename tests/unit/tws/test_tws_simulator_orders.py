"""What orders do, and in which state each is accepted."""

from __future__ import annotations

import pytest

from tests.support.night import (
    carry_out,
    causes,
    find,
    night,
    order,
    pass_time,
    place,
    small,
    states,
    stream,
)
from tws.simulator.orders import LEGAL, Kind, Order, Verb, access
from tws.simulator.wire import job_json

CHAIN = "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 30%s}, B: {minutes: 10}}}}"

ON_JOBS = {
    # status: rerun, kill, hold, release, cancel, confirm SUCC, confirm ABEND, priority: as the User's Guide has it
    "ADD": "--YYY--Y",
    "HOLD": "--YYY--Y",
    "SCHED": "--YYY--Y",
    "WAIT": "--YYY--Y",
    "READY": "--Y-Y--Y",
    "FENCE": "--Y-Y--Y",
    "INTRO": "----Y---",
    "EXEC": "-Y--YYY-",
    "PEND": "----YYY-",
    "SUCCP": "-Y--Y---",
    "ABENP": "-Y--YY--",
    "SUCC": "Y---Y---",
    "ABEND": "Y---YY--",
    "FAIL": "Y---Y---",
    "DONE": "Y---YYY-",
    "SUPPR": "Y---YY--",
    "CANCL": "Y-------",
    "CANCLP": "Y--YY--Y",
    "EXTRN": "----YYY-",
    "ERROR": "Y---YYY-",
}
COLUMNS = (
    Verb.RERUN,
    Verb.KILL,
    Verb.HOLD,
    Verb.RELEASE,
    Verb.CANCEL,
    Verb.CONFIRM_SUCC,
    Verb.CONFIRM_ABEND,
    Verb.SET_PRIORITY,
)


@pytest.mark.parametrize("status", ON_JOBS)
def test_orders_to_jobs_are_legal_as_the_vendor_tabulates_them(status: str) -> None:
    legal = LEGAL[Kind.JOB]
    assert "".join("Y" if status in legal[verb] else "-" for verb in COLUMNS) == ON_JOBS[status]


@pytest.mark.parametrize(
    ("status", "verbs"),
    [
        ("HOLD", set(LEGAL[Kind.JOB_STREAM])),
        ("EXEC", {Verb.HOLD, Verb.RELEASE, Verb.CANCEL, Verb.SET_PRIORITY, Verb.SET_LIMIT}),
        ("STUCK", {Verb.HOLD, Verb.RELEASE, Verb.CANCEL, Verb.SET_PRIORITY, Verb.SET_LIMIT}),
        ("ABEND", {Verb.CANCEL}),
        ("SUCC", {Verb.CANCEL}),
        ("CANCL", set()),
        ("SUPPR", set()),
    ],
)
def test_orders_to_streams_are_legal_as_the_vendor_tabulates_them(status: str, verbs: set[Verb]) -> None:
    assert {verb for verb, statuses in LEGAL[Kind.JOB_STREAM].items() if status in statuses} == verbs


def test_each_order_needs_an_access_of_the_security_file() -> None:
    assert access(Kind.JOB, Verb.HOLD) == ("JOB", "ALTPRI")
    assert access(Kind.JOB_STREAM, Verb.SET_LIMIT) == ("SCHEDULE", "LIMIT")
    assert access(Kind.WORKSTATION, Verb.UNLINK) == ("CPU", "UNLINK")
    assert access(Kind.JOB_DEFINITION, Verb.SUBMIT) == ("JOB", "SUBMITDB")
    assert access(Kind.TASK, Verb.SUBMIT) == ("JOB", "SUBMIT")
    assert access(Kind.RESOURCE, Verb.SET_QUANTITY) == ("RESOURCE", "RESOURCE")


def test_an_order_that_is_refused_says_why() -> None:
    engine = small(CHAIN % "", minutes=5)
    job, agent = find(engine, "S.A"), place(engine, "AGT1")
    unknown = Order(
        at=engine.now, applies_at=engine.now, user="", verb=Verb.HOLD, kind=Kind.JOB, object_id="nothing"
    )
    assert engine.why_illegal(unknown) == "there is no such object"
    assert engine.why_illegal(order(engine, Verb.RERUN, job)) == "the status is EXEC"
    assert (
        engine.why_illegal(order(engine, Verb.SET_LIMIT, job, limit=1))
        == "the object does not know that action"
    )
    assert (
        engine.why_illegal(order(engine, Verb.SET_LIMIT, agent, limit=1025)) == "limit must be from 0 to 1024"
    )
    assert engine.why_illegal(order(engine, Verb.SET_FENCE, agent)) == "fence must be from 0 to 101"


def test_a_rerun_appends_a_run_and_keeps_the_old_one() -> None:
    engine = night()
    job = find(engine, "PAYDAILY.PAYROLL")
    carry_out(engine, Verb.RERUN, job)
    first, second = job.runs
    assert (first.status, first.return_code, first.rerun_type) == ("ABEND", 8, "REGULAR")
    assert (second.attempt, second.rerun_type, second.status) == (2, "RERUN", "INTRO")
    pass_time(engine, minutes=1)
    assert (job.status, job.last.return_code) == ("SUCC", 0)
    assert find(engine, "PAYDAILY.GERA_HOLERITE").is_running


def test_an_old_run_cannot_be_rerun() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    old = order(engine, Verb.RERUN, job)
    carry_out(engine, Verb.RERUN, job)
    pass_time(engine, minutes=1)
    assert job.status == "ABEND"
    assert engine.why_illegal(old) == "it is not the last run"


def test_two_reruns_given_at_once_make_one_run() -> None:
    engine = night()
    job = find(engine, "PAYDAILY.PAYROLL")
    for _ in range(2):
        engine.submit(order(engine, Verb.RERUN, job))
    pass_time(engine, minutes=2)
    assert len(job.runs) == 2


def test_a_rerun_goes_to_the_launch_gates_without_dependencies_or_times() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 30, steps: [A, B], jobs: {B: {until: 50, asks: {text: Go}}}}}",
        minutes=1,
    )
    job = find(engine, "S.B")
    carry_out(engine, Verb.CANCEL, job)
    carry_out(engine, Verb.UNLINK, place(engine, "AGT1"))
    carry_out(engine, Verb.RERUN, job)
    assert (engine.reasons(job), job.is_canceled) == ([("workstation_unlinked", "job")], False)
    carry_out(engine, Verb.LINK, place(engine, "AGT1"))
    assert job.status == "INTRO"


def test_hold_is_priority_zero_and_release_gives_it_back() -> None:
    engine = night()
    job = find(engine, "CONTABIL.FECHAMENTO")
    carry_out(engine, Verb.HOLD, job)
    assert (job.priority, job.last.substatus) == (0, "HOLD_PRIORITY_ZERO")
    assert job_json(engine, job, may=lambda _, __: True)["lastRunCommonStatus"] == "HELD"
    carry_out(engine, Verb.RELEASE, job)
    assert (job.priority, job.last.substatus) == (60, "HOLD_WAITING_FOR_PREDECESSOR")


def test_release_satisfies_everything_and_hands_out_units_that_are_not_there() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {minutes: 60, needs: {TAPE: 2}}}}
  T: {workstation: AGT1, starts: 0, steps: [B], jobs: {B: {starts: 30, opens: {/x: null}, asks: {text: Go}, needs: [TAPE]}}}
""",
        minutes=5,
    )
    job = find(engine, "T.B")
    carry_out(engine, Verb.RELEASE, job)
    assert (job.status, engine.resources.popitem()[1].free) == ("INTRO", -1)


def test_releasing_the_dependencies_leaves_the_time() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {starts: 30, opens: {/x: null}}}}}",
        minutes=5,
    )
    carry_out(engine, Verb.RELEASE_DEPENDENCIES, find(engine, "S.A"))
    assert causes(engine, "S.A") == [("time", "job")]


def test_a_held_stream_holds_its_jobs_and_its_release_frees_them() -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 5, steps: [A, B]}}", minutes=1)
    carry_out(engine, Verb.HOLD, stream(engine, "S"))
    pass_time(engine, minutes=10)
    assert causes(engine, "S.A") == [("stream_held", "stream")]
    carry_out(engine, Verb.RELEASE, stream(engine, "S"))
    assert find(engine, "S.A").status == "INTRO"


def test_the_release_of_a_stream_satisfies_its_dependencies_and_its_time() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 60, opens: {/x: null}, steps: [A]}}",
        minutes=1,
    )
    carry_out(engine, Verb.RELEASE, stream(engine, "S"))
    assert find(engine, "S.A").status == "INTRO"


def test_cancel_frees_the_successors_at_once() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    carry_out(engine, Verb.CANCEL, job)
    assert job.is_canceled
    assert find(engine, "CONTABIL.FECHAMENTO").is_running


def test_a_canceled_job_that_runs_goes_on_and_nothing_recovers_it() -> None:
    engine = small(CHAIN % ", recovery: {option: RERUN}", minutes=5)
    job = find(engine, "S.A")
    carry_out(engine, Verb.CANCEL, job)
    assert (job.status, find(engine, "S.B").status) == ("EXEC", "INTRO")
    carry_out(engine, Verb.KILL, job)
    pass_time(engine, minutes=10)
    assert (job.status, len(job.runs)) == ("ABEND", 1)


def test_cancel_of_a_stream_cancels_what_has_not_ended_and_frees_its_successors() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A, B, C], jobs: {A: {minutes: 2}, B: {minutes: 30}}}
  T: {workstation: AGT1, starts: 0, steps: [D], follows: [S]}
""",
        minutes=10,
    )
    carry_out(engine, Verb.CANCEL, stream(engine, "S"))
    flags = {job.plan.name: (job.status, job.is_canceled) for job in stream(engine, "S").jobs}
    assert flags == {"A": ("SUCC", False), "B": ("EXEC", True), "C": ("HOLD", True)}
    assert (stream(engine, "S").status, find(engine, "T.D").status) == ("CANCL", "INTRO")


def test_cancel_pending_waits_for_the_holding_gates_but_not_for_the_priority() -> None:
    engine = small(CHAIN % "", minutes=5)
    job = find(engine, "S.B")
    carry_out(engine, Verb.HOLD, job)
    carry_out(engine, Verb.CANCEL_PENDING, job)
    assert causes(engine, "S.B") == [("cancel_pending", "job"), ("held", "job"), ("predecessor", "job")]
    carry_out(engine, Verb.CANCEL, find(engine, "S.A"))
    assert job.is_canceled


def test_a_stream_that_is_cancel_pending_is_cancelled_when_its_own_gates_open() -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 30, steps: [A]}}", minutes=5)
    carry_out(engine, Verb.CANCEL_PENDING, stream(engine, "S"))
    assert not stream(engine, "S").is_canceled
    assert causes(engine, "S.A") == [("cancel_pending", "stream"), ("stream_time", "stream")]
    pass_time(engine, minutes=30)
    assert (stream(engine, "S").is_canceled, states(engine)) == (True, {"A": "CANCL"})


def test_single_dependencies_can_be_released() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {B: {opens: {/x: null}, asks: {text: Go}}}}}",
        minutes=1,
    )
    job = find(engine, "S.B")
    before, asked, file = job.waits
    carry_out(engine, Verb.RELEASE_DEPENDENCIES, job, dependencies=f"{before.id},{asked.id}")
    assert engine.reasons(job) == [("file", "job")]
    assert (asked.id, file.id) == (asked.prompt and asked.prompt.id, f"{job.plan.id}-2")


def test_a_rerun_takes_a_priority_and_a_step() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    carry_out(engine, Verb.RERUN, job, priority=77, from_step="LOAD")
    assert (job.priority, job.last.rerun_type, job.last.step) == (77, "RERUN_STEP", "LOAD")


def test_kill_ends_in_abend_and_releases_nobody() -> None:
    engine = night()
    job = find(engine, "BKPDWH.BACKUP_DB")
    carry_out(engine, Verb.KILL, job)
    assert (job.status, job.last.return_code, job.last.ended_at) == ("ABEND", 9, engine.now)
    assert find(engine, "BKPDWH.VERIFY_DWH").last.substatus == "HOLD_WAITING_FOR_PREDECESSOR"
    pass_time(engine, hours=8)
    assert job.status == "ABEND"


def test_the_end_of_a_holder_gives_the_units_to_the_next() -> None:
    engine = night()
    waiting = find(engine, "BKPMAIL.BACKUP_MAILBOX")
    tape = next(one for one in engine.resources.values() if one.name == "FITALTO")
    carry_out(engine, Verb.KILL, find(engine, "BKPDWH.BACKUP_DB"))
    assert (waiting.is_running, tape.in_use) == (True, 1)


@pytest.mark.parametrize(
    ("special", "verb", "at_once", "at_last", "successor"),
    [
        ("", Verb.CONFIRM_SUCC, "SUCCP", "SUCC", "EXEC"),
        ("", Verb.CONFIRM_ABEND, "ABENP", "ABEND", "HOLD"),
        (", requires_confirmation: true", Verb.CONFIRM_SUCC, "SUCCP", "SUCC", "EXEC"),
    ],
)
def test_what_is_confirmed_while_it_runs_ends_so(
    special: str, verb: Verb, at_once: str, at_last: str, successor: str
) -> None:
    engine = small(CHAIN % special, minutes=5)
    carry_out(engine, verb, find(engine, "S.A"))
    assert states(engine)["A"] == at_once
    pass_time(engine, minutes=34)
    assert states(engine) == {"A": at_last, "B": successor}


@pytest.mark.parametrize(
    ("verb", "status", "successor"),
    [(Verb.CONFIRM_SUCC, "SUCC", "INTRO"), (Verb.CONFIRM_ABEND, "ABEND", "HOLD")],
)
def test_a_job_that_requires_confirmation_waits_for_it(verb: Verb, status: str, successor: str) -> None:
    engine = small(CHAIN % ", requires_confirmation: true", minutes=40)
    assert states(engine) == {"A": "PEND", "B": "HOLD"}
    carry_out(engine, verb, find(engine, "S.A"))
    assert states(engine) == {"A": status, "B": successor}


def test_confirming_success_of_a_failed_job_frees_its_successors() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    carry_out(engine, Verb.CONFIRM_SUCC, job)
    assert (job.status, job.last.is_confirmed) == ("SUCC", True)
    assert find(engine, "CONTABIL.FECHAMENTO").is_running
