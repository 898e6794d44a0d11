"""What keeps a job from starting, gate by gate, as `docs/engine-rules.md` tabulates it."""

from __future__ import annotations

import pytest

from tests.support.night import carry_out, causes, find, pass_time, place, small, states, stream
from tws.simulator.orders import Verb

PREDECESSOR = "HOLD_WAITING_FOR_PREDECESSOR"
TIME = "HOLD_WAITING_FOR_TIME"
PROMPT = "HOLD_WAITING_FOR_PROMPT"
AGENT = "READY_WAITING_FOR_AGENT"
LIMIT = "READY_WAITING_FOR_LIMIT"
RESOURCE = "READY_WAITING_FOR_RESOURCES"

# What is special about job B, status, substatus and reasons of B after 20 minutes, beside a job A that takes 30.
JOB_GATES = [
    ("is_held: true", "HOLD", "HOLD_PRIORITY_ZERO", [("held", "job")]),
    ("follows: [S.A]", "HOLD", PREDECESSOR, [("predecessor", "job")]),
    ("follows: [{name: Z.X, is_pending: true}]", "HOLD", PREDECESSOR, [("predecessor_pending", "job")]),
    ("follows: [{name: Z.X, is_orphan: true}]", "HOLD", PREDECESSOR, [("predecessor_orphan", "job")]),
    ("internetwork: [{agent: N, name: X#Y.Z}]", "HOLD", PREDECESSOR, [("internetwork", "job")]),
    ("joins: [{name: J, needed: 1, follows: [S.A, S.C]}]", "HOLD", PREDECESSOR, [("join", "job")]),
    ("starts: 25", "HOLD", TIME, [("time", "job")]),
    ("asks: {text: Go}", "HOLD", PROMPT, [("prompt", "job")]),
    ("opens: {/x: null}", "HOLD", "HOLD_WAITING_FOR_FILE", [("file", "job")]),
    ("until: 10, starts: 15", "SUPPR", None, [("until_passed", "job")]),
    ("workstation: FENCED", "FENCE", None, [("fence", "job")]),
    ("workstation: IGNORED", "READY", "SUPPR_WORKSTATION_IGNORED", [("workstation_ignored", "job")]),
    ("workstation: UNLINKED", "READY", AGENT, [("workstation_unlinked", "job")]),
    ("workstation: STOPPED", "READY", AGENT, [("workstation_stopped", "job")]),
    ("workstation: EMPTY", "READY", AGENT, [("pool_empty", "job")]),
    ("workstation: ZERO", "READY", LIMIT, [("workstation_limit_zero", "job")]),
    ("workstation: FULL", "READY", LIMIT, [("workstation_limit", "job")]),
    ("needs: {TAPE: 2}", "READY", RESOURCE, [("resource", "job")]),
]
PLAN = """
workstations:
  AGT1: {{type: AGENT, os: LINUX, limit: 10, description: ''}}
  FENCED: {{type: AGENT, os: LINUX, limit: 10, fence: 10, description: ''}}
  IGNORED: {{type: AGENT, os: LINUX, limit: 10, is_ignored: true, description: ''}}
  UNLINKED: {{type: AGENT, os: LINUX, limit: 10, is_linked: false, description: ''}}
  STOPPED: {{type: AGENT, os: LINUX, limit: 10, is_stopped: true, description: ''}}
  EMPTY: {{type: POOL, os: OTHER, limit: 10, description: '', members: [UNLINKED, STOPPED]}}
  ZERO: {{type: AGENT, os: LINUX, limit: 0, description: ''}}
  FULL: {{type: AGENT, os: LINUX, limit: 1, description: ''}}
streams:
  S: {{workstation: AGT1, starts: 5, steps: [[A, B]], jobs: {{A: {{minutes: 30, needs: [TAPE]}}, B: {{minutes: 1, {special}}}}}}}
  T: {{workstation: FULL, starts: 0, steps: [C], jobs: {{C: {{minutes: 60}}}}}}
"""


@pytest.mark.parametrize(("special", "status", "substatus", "reasons"), JOB_GATES)
def test_a_closed_gate_of_a_job_gives_status_substatus_and_reason(
    special: str, status: str, substatus: str | None, reasons: list[tuple[str, str]]
) -> None:
    engine = small(PLAN.format(special=special.replace("S.C", "T.C")), minutes=20)
    job = find(engine, "S.B")
    assert (job.status, job.last.substatus, engine.reasons(job)) == (status, substatus, reasons)


STREAM_GATES = [
    ("is_held: true", "HOLD_PRIORITY_ZERO", [("stream_held", "stream")]),
    ("follows: [S.A]", PREDECESSOR, [("predecessor", "stream")]),
    ("follows: [S]", PREDECESSOR, [("predecessor", "stream")]),
    ("starts: 30", TIME, [("stream_time", "stream")]),
    ("asks: {text: Go}", PROMPT, [("prompt", "stream")]),
    ("opens: {/x: null}", "HOLD_WAITING_FOR_FILE", [("file", "stream")]),
    ("limit: 0", LIMIT, [("stream_limit", "stream")]),
    ("needs: {TAPE: 2}", RESOURCE, [("resource", "stream")]),
]


@pytest.mark.parametrize(("special", "substatus", "reasons"), STREAM_GATES)
def test_a_closed_gate_of_a_stream_holds_its_jobs(
    special: str, substatus: str, reasons: list[tuple[str, str]]
) -> None:
    starts = "" if "starts" in special else "starts: 5, "
    engine = small(
        f"""
streams:
  S: {{workstation: AGT1, starts: 5, steps: [A], jobs: {{A: {{minutes: 30, needs: [TAPE]}}}}}}
  T: {{workstation: AGT1, {starts}steps: [B], {special}}}
""",
        minutes=20,
    )
    job = find(engine, "T.B")
    assert (job.last.substatus, engine.reasons(job)) == (substatus, reasons)


PREDECESSORS = [
    # what A is, the order given to it, the cause that B waits for
    ("minutes: 1, requires_confirmation: true", None, "predecessor_unconfirmed"),
    ("minutes: 1, until: 1, starts: 2", None, "predecessor_suppressed"),
    ("minutes: 1, starts: 60", Verb.CANCEL_PENDING, "predecessor_cancel_pending"),
    ("minutes: 60", Verb.KILL, "predecessor_failed"),
    ("minutes: 60, recovery: {option: RERUN, prompt: Again}", Verb.KILL, "recovery_prompt"),
    ("minutes: 60", None, "predecessor"),
]


@pytest.mark.parametrize(("special", "verb", "cause"), PREDECESSORS)
def test_an_open_predecessor_is_named_after_its_state(special: str, verb: Verb | None, cause: str) -> None:
    text = f"streams: {{S: {{workstation: AGT1, starts: 0, steps: [A, B], jobs: {{A: {{{special}}}}}}}}}"
    engine = small(text, minutes=10)
    if verb is Verb.CANCEL_PENDING:
        carry_out(engine, Verb.HOLD, find(engine, "S.A"))
    if verb:
        carry_out(engine, verb, find(engine, "S.A"))
    assert causes(engine, "S.B") == [(cause, "job")]


def test_a_failed_stream_is_a_failed_predecessor() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 60}}}
  T: {workstation: AGT1, starts: 0, steps: [C], follows: [S]}
""",
        minutes=10,
    )
    carry_out(engine, Verb.KILL, find(engine, "S.A"))
    assert stream(engine, "S").status == "STUCK"
    assert causes(engine, "T.C") == [("predecessor_failed", "stream")]


def test_all_closed_gates_are_reasons_and_the_first_gives_the_substatus() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 60}}}
  T:
    workstation: AGT1
    starts: 30
    limit: 0
    opens: {/x: null}
    steps: [C]
    jobs: {C: {starts: 40, asks: {text: Go}, follows: [S.A], needs: {TAPE: 3}}}
""",
        minutes=10,
    )
    assert causes(engine, "T.C") == [
        ("predecessor", "job"),
        ("time", "job"),
        ("stream_time", "stream"),
        ("prompt_not_asked", "job"),
        ("file", "stream"),
        ("stream_limit", "stream"),
        ("resource", "job"),
    ]
    assert find(engine, "T.C").last.substatus == PREDECESSOR


def test_what_passes_by_itself_is_no_reason_as_long_as_something_holds() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT2, starts: 0, limit: 1, steps: [[A, B]], jobs: {A: {minutes: 60, priority: 50, needs: {TAPE: 2}}, B: {starts: 20, needs: [TAPE]}}}
""",
        minutes=10,
    )
    assert causes(engine, "S.B") == [("time", "job")]
    pass_time(engine, minutes=15)
    assert [cause for cause, _ in causes(engine, "S.B")] == ["workstation_limit", "stream_limit", "resource"]


def test_a_canceled_or_launching_job_has_one_reason() -> None:
    text = "streams: {S: {workstation: AGT1, starts: 5, steps: [[A, B]], jobs: {A: {}, B: {starts: 9}}}}"
    engine = small(text, minutes=5)
    assert causes(engine, "S.A") == [("launching", "job")]
    carry_out(engine, Verb.CANCEL, find(engine, "S.B"))
    assert causes(engine, "S.B") == [("canceled", "job")]
    pass_time(engine, minutes=1)
    assert causes(engine, "S.A") == []


def test_a_rerun_in_a_canceled_stream_does_not_start() -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 5, steps: [A, B]}}", minutes=6)
    carry_out(engine, Verb.CANCEL, stream(engine, "S"))
    carry_out(engine, Verb.RERUN, find(engine, "S.B"))
    assert causes(engine, "S.B") == [("stream_canceled", "stream")]
    pass_time(engine, hours=1)
    assert find(engine, "S.B").last.started_at is None


def test_high_priorities_override_the_limit_of_the_workstation_and_not_that_of_the_stream() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT2, starts: 0, steps: [[A, B]], jobs: {A: {minutes: 60, priority: 101}, B: {minutes: 60, priority: 100}}}
  T: {workstation: AGT1, starts: 0, limit: 1, steps: [[C, D]], jobs: {C: {minutes: 60, priority: 101}, D: {priority: 100}}}
""",
        minutes=5,
    )
    assert states(engine) == {"A": "EXEC", "B": "EXEC", "C": "EXEC", "D": "READY"}


def test_a_prompt_is_asked_once_nothing_else_holds() -> None:
    engine = small(
        """
streams:
  S:
    workstation: AGT1
    starts: 10
    asks: {prompt: GLOBAL, text: Shall it begin}
    steps: [[A, B]]
    jobs: {A: {asks: {text: Now}, starts: 20}, B: {asks: {prompt: GLOBAL, text: Shall it begin}}}
"""
    )
    outer, inner = engine.prompts.values()
    assert (outer.status, inner.status) == ("NOT_ASKED", "NOT_ASKED")
    pass_time(engine, minutes=15)
    assert (outer.status, inner.status) == ("ASKED", "NOT_ASKED")
    carry_out(engine, Verb.REPLY, outer, answer=True)
    assert (outer.status, inner.status, find(engine, "S.B").status) == ("ANSWERED_YES", "NOT_ASKED", "INTRO")
    pass_time(engine, minutes=10)
    assert inner.status == "ASKED"
    carry_out(engine, Verb.REPLY, inner, answer=False)
    assert causes(engine, "S.A") == [("prompt_refused", "job")]


def test_a_pool_runs_a_job_on_its_idlest_member_that_is_up() -> None:
    engine = small(
        "streams: {S: {workstation: POOL, starts: 0, steps: [[A, B, C]], jobs: {A: {minutes: 9}, B: {minutes: 9}, C: {minutes: 9, starts: 5}}}}",
        minutes=1,
    )
    assert sorted(find(engine, f"S.{name}").last.workstation for name in "AB") == ["AGT1", "AGT2"]
    carry_out(engine, Verb.STOP, place(engine, "AGT1"))
    pass_time(engine, minutes=5)
    assert find(engine, "S.C").last.workstation == "AGT2"


def test_jobs_are_launched_by_priority_stream_time_stream_name_and_position() -> None:
    engine = small(
        """
streams:
  ZLATER: {workstation: AGT2, starts: 2, steps: [[F, G]], jobs: {G: {minutes: 1, priority: 60}, F: {minutes: 1}}}
  B: {workstation: AGT2, starts: 1, steps: [[D, E]], jobs: {D: {minutes: 1}, E: {minutes: 1}}}
  A: {workstation: AGT2, starts: 1, steps: [C], jobs: {C: {minutes: 1}}}
  FIRST: {workstation: AGT2, starts: 0, steps: [X], jobs: {X: {minutes: 10}}}
""",
        minutes=60,
    )
    started = sorted(
        (job.last.started_at, job.plan.name) for job in engine.jobs.values() if job.last.started_at
    )
    assert [name for _, name in started] == ["X", "G", "C", "D", "E", "F"]


def test_a_blocked_job_lets_the_next_one_pass() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {minutes: 30, priority: 90, needs: [TAPE]}}}
  T: {workstation: AGT1, starts: 1, steps: [[B, C]], jobs: {B: {priority: 80, needs: {TAPE: 2}}, C: {needs: [TAPE], minutes: 5}}}
""",
        minutes=2,
    )
    assert states(engine) == {"A": "EXEC", "B": "READY", "C": "EXEC"}


def test_units_of_a_stream_are_held_from_its_first_launch_to_its_end() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, needs: {TAPE: 2}, steps: [A, B], jobs: {A: {minutes: 5}, B: {minutes: 5}}}
  T: {workstation: AGT1, starts: 1, steps: [C], jobs: {C: {needs: [TAPE]}}}
""",
        minutes=7,
    )
    (tape,) = engine.resources.values()
    assert (tape.free, causes(engine, "T.C")) == (0, [("resource", "job")])
    pass_time(engine, minutes=10)
    assert (tape.free, states(engine)["C"]) == (1, "EXEC")
