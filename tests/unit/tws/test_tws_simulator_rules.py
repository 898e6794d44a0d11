"""Dependencies, times, recoveries and statuses in motion, as `docs/engine-rules.md` states them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.night import START, carry_out, causes, find, pass_time, small, states, stream
from tws.simulator.orders import Verb

FAULT = "faults: {S.A: {return_code: 8, minutes: 5, heals: %s}}"


def chain(special: str = "", *, heals: str = "false", more: str = "") -> str:
    """Job A fails after five minutes and B follows it."""
    job = f"S: {{workstation: AGT1, starts: 0, steps: [A, B], jobs: {{A: {{{special}}}}}}}"
    return f"streams:\n  {job}\n{more}\n{FAULT % heals}"


# Conditions and joins.


@pytest.mark.parametrize(
    ("when", "status"),
    [("[ABEND]", "SUCC"), ("[ABEND, FAIL]", "SUCC"), ("[SUCC]", "SUPPR"), ("[FAIL]", "SUPPR")],
)
def test_a_condition_is_met_by_the_final_status_or_suppresses_the_job(when: str, status: str) -> None:
    more = f"  T: {{workstation: AGT1, starts: 0, steps: [C], jobs: {{C: {{minutes: 5, follows: [{{name: S.A, when: {when}}}]}}}}}}"
    engine = small(chain(more=more), minutes=30)
    assert states(engine)["C"] == status
    assert find(engine, "T.C").last.substatus == (
        "SUPPR_UNSATISFIED_DEPENDENCY" if status == "SUPPR" else None
    )


def test_a_condition_waits_for_the_recovery() -> None:
    more = (
        "  T: {workstation: AGT1, starts: 0, steps: [C], jobs: {C: {follows: [{name: S.A, when: [ABEND]}]}}}"
    )
    engine = small(chain("recovery: {option: RERUN, every: 30}", more=more), minutes=20)
    assert states(engine)["C"] == "HOLD"
    pass_time(engine, minutes=20)
    assert states(engine)["C"] == "EXEC"


def test_a_suppressed_job_does_not_start_and_can_be_rerun_or_confirmed() -> None:
    more = "  T: {workstation: AGT1, starts: 0, steps: [C, D], jobs: {C: {follows: [{name: S.A, when: [SUCC]}]}}}"
    engine = small(chain(more=more), minutes=30)
    job = find(engine, "T.C")
    assert engine.reasons(job) == [("suppressed", "job"), ("predecessor_failed", "job")]
    assert causes(engine, "T.D") == [("predecessor_suppressed", "job")]
    carry_out(engine, Verb.CONFIRM_SUCC, job)
    assert find(engine, "T.D").status == "INTRO"


@pytest.mark.parametrize(("needed", "minutes", "status"), [(1, 12, "EXEC"), (2, 12, "HOLD"), (2, 25, "EXEC")])
def test_a_join_needs_so_many_of_its_members(needed: int, minutes: int, status: str) -> None:
    engine = small(
        f"""
streams:
  S: {{workstation: AGT1, starts: 0, steps: [[A, B]], jobs: {{A: {{minutes: 5}}, B: {{minutes: 15}}}}}}
  T: {{workstation: AGT1, starts: 0, steps: [C], jobs: {{C: {{minutes: 30, joins: [{{name: J, needed: {needed}, follows: [S.A, S.B]}}]}}}}}}
""",
        minutes=minutes,
    )
    assert states(engine)["C"] == status


def test_a_join_that_cannot_be_met_suppresses() -> None:
    more = """
  T: {workstation: AGT1, starts: 0, steps: [C], jobs: {C: {joins: [{name: J, needed: 2, follows: [S.B, {name: S.A, when: [SUCC]}]}]}}}
"""
    engine = small(chain(more=more), minutes=10)
    assert states(engine)["C"] == "SUPPR"


def test_what_was_satisfied_stays_so_when_the_predecessor_runs_again() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {minutes: 5}}}
  T: {workstation: AGT1, starts: 0, steps: [B], jobs: {B: {starts: 30, follows: [S.A]}}}
""",
        minutes=20,
    )
    carry_out(engine, Verb.RERUN, find(engine, "S.A"))
    assert causes(engine, "T.B") == [("time", "job")]


# Files, prompts from outside, other networks, events.


def test_a_file_that_arrives_frees_all_that_wait_for_it() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, opens: {/x: null}, steps: [A]}
  T: {workstation: AGT1, starts: 0, steps: [B], jobs: {B: {opens: {/x: null, /y: 5}}}}
events: [{minute: 20, do: arrive, object: /x}]
""",
        minutes=19,
    )
    assert states(engine) == {"A": "HOLD", "B": "HOLD"}
    assert causes(engine, "T.B") == [("file", "job")]
    pass_time(engine, minutes=2)
    assert states(engine) == {"A": "EXEC", "B": "EXEC"}


@pytest.mark.parametrize(("status", "found"), [("SUCC", "EXEC"), ("ABEND", "HOLD"), ("ERROR", "HOLD")])
def test_a_predecessor_in_another_network_frees_only_by_success(status: str, found: str) -> None:
    text = f"internetwork: [{{agent: N, name: X#Y.Z, ends: 10, status: {status}}}]"
    engine = small(
        f"streams: {{S: {{workstation: AGT1, starts: 0, steps: [A], jobs: {{A: {{{text}}}}}}}}}", minutes=11
    )
    assert states(engine)["A"] == found
    assert find(engine, "S.A").waits[0].outside == status


def test_events_happen_at_their_minute() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, asks: {prompt: P, text: Go}, steps: [A], jobs: {A: {minutes: 60}}}
  T: {workstation: AGT1, starts: 0, steps: [B], jobs: {B: {is_held: true, minutes: 60}}}
  U: {workstation: AGT2, starts: 0, steps: [C]}
events:
  - {minute: 5, do: reply, object: P, to: 1}
  - {minute: 6, do: release, object: T.B}
  - {minute: 0, do: ignore, object: AGT2}
  - {minute: 7, do: update-quantity, object: TAPE, to: 9}
"""
    )
    pass_time(engine, minutes=8)
    assert states(engine) == {"A": "EXEC", "B": "EXEC", "C": "EXEC"}
    assert next(iter(engine.resources.values())).quantity == 9
    pass_time(engine, minutes=60)
    assert next(one for one in engine.workstations.values() if one.name == "AGT2").is_ignored


# Times.


@pytest.mark.parametrize(
    ("action", "status", "successor"),
    [("doNotRun", "SUPPR", "HOLD"), ("continue", "HOLD", "HOLD"), ("cancel", "CANCL", "EXEC")],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_until_suppresses_goes_on_or_cancels(
    action: str, status: str, successor: str, *, is_stream: bool
) -> None:
    until = f"until: 10, on_until: {action}"
    stream_part, job_part = (f", {until}", "") if is_stream else ("", f", {until}")
    engine = small(
        f"""
streams:
  S: {{workstation: AGT1, starts: 0{stream_part}, steps: [A], jobs: {{A: {{opens: {{/x: null}}{job_part}}}}}}}
  T: {{workstation: AGT1, starts: 0, steps: [B], jobs: {{B: {{minutes: 60, follows: [S.A]}}}}}}
""",
        minutes=15,
    )
    assert states(engine) == {"A": status, "B": successor}
    causes_of = {"doNotRun": ("stream_until_passed", "stream") if is_stream else ("until_passed", "job")}
    assert (causes_of.get(action) in engine.reasons(find(engine, "S.A"))) is (action == "doNotRun")


def test_until_leaves_what_runs_alone() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, until: 5, steps: [A], jobs: {A: {minutes: 30, until: 5}}}}",
        minutes=10,
    )
    assert (states(engine)["A"], find(engine, "S.A").is_until_gone) == ("EXEC", False)


def test_a_deadline_that_passes_makes_late_and_kills_if_it_shall() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, deadline: 10, steps: [[A, B]], jobs: {A: {minutes: 30, deadline: 10}, B: {minutes: 30, deadline: 10, on_late: kill}}}
""",
        minutes=11,
    )
    assert states(engine) == {"A": "EXEC", "B": "ABEND"}
    assert [find(engine, "S.A").is_late, find(engine, "S.B").is_late, stream(engine, "S").is_late] == [
        True
    ] * 3
    assert find(engine, "S.B").last.return_code == 9


def test_a_maximum_duration_kills_if_it_shall() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [[A, B]], jobs: {A: {minutes: 30, max_minutes: 9, on_max: kill}, B: {minutes: 30, max_minutes: 9}}}}",
        minutes=12,
    )
    assert states(engine) == {"A": "ABEND", "B": "EXEC"}


def test_a_job_that_repeats_waits_for_its_next_time_until_its_end() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 2, starts: 5, every: 30, until: 50}, B: {minutes: 60}}}}",
        minutes=10,
    )
    job = find(engine, "S.A")
    assert (causes(engine, "S.A"), job.starts_at) == ([("every", "job")], START + timedelta(minutes=35))
    assert states(engine)["B"] == "EXEC"
    pass_time(engine, minutes=60)
    assert [(run.status, run.rerun_type, run.attempt) for run in job.runs] == [
        ("SUCC", "REGULAR", 1),
        ("SUCC", "RERUN_EVERY", 2),
    ]


OVERLAP = """
streams:
  S: {workstation: AGT1, starts: 0, every: 720, on_overlap: %s, steps: [A], jobs: {A: {minutes: 1000}}}
"""


@pytest.mark.parametrize(
    ("overlap", "reasons", "status"),
    [
        ("parallel", [], "EXEC"),
        ("enqueue", [("overlap", "stream")], "HOLD"),
        ("donotstart", [("overlap", "stream")], "HOLD"),
    ],
)
def test_an_instance_that_overlaps_runs_waits_or_gives_up(
    overlap: str, reasons: list[tuple[str, str]], status: str
) -> None:
    engine = small(OVERLAP % overlap, minutes=722)
    first, second = engine.jobs.values()
    assert (first.status, engine.reasons(second), second.status) == ("EXEC", reasons, status)
    pass_time(engine, minutes=5)
    assert second.is_canceled is (overlap == "donotstart")
    pass_time(engine, hours=9)
    assert second.status == ("HOLD" if overlap == "donotstart" else "EXEC")


def test_a_nop_job_is_cancelled_when_it_would_be_launched() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {is_nop: true, starts: 10}}}}",
        minutes=9,
    )
    assert states(engine) == {"A": "HOLD", "B": "HOLD"}
    pass_time(engine, minutes=2)
    assert states(engine) == {"A": "CANCL", "B": "EXEC"}
    assert find(engine, "S.A").last.job_number is None


# Recoveries.


def test_stop_leaves_the_rest_waiting() -> None:
    engine = small(chain(), minutes=30)
    assert states(engine) == {"A": "ABEND", "B": "HOLD"}
    assert stream(engine, "S").status == "STUCK"


def test_continue_lets_successors_go_on_and_the_stream_end_well() -> None:
    engine = small(chain("recovery: {option: CONTINUE}"), minutes=30)
    assert states(engine) == {"A": "ABEND", "B": "SUCC"}
    assert stream(engine, "S").status == "SUCC"


def test_rerun_repeats_after_its_interval_as_often_as_it_may() -> None:
    engine = small(chain("recovery: {option: RERUN, every: 10, times: 2}"), minutes=14)
    job = find(engine, "S.A")
    assert (job.status, len(job.runs), stream(engine, "S").status) == ("ABEND", 1, "EXEC")
    pass_time(engine, minutes=60)
    assert [run.rerun_type for run in job.runs] == ["REGULAR", "RECOVERY_RERUN", "RECOVERY_RERUN"]
    assert (job.status, stream(engine, "S").status) == ("ABEND", "STUCK")


def test_a_rerun_that_heals_frees_the_successors() -> None:
    engine = small(chain("recovery: {option: RERUN}", heals="true"), minutes=9)
    assert states(engine) == {"A": "SUCC", "B": "EXEC"}


@pytest.mark.parametrize(
    ("answer", "found"), [(True, {"A": "SUCC", "B": "INTRO"}), (False, {"A": "ABEND", "B": "HOLD"})]
)
@pytest.mark.parametrize("option", ["RERUN", "CONTINUE"])
def test_a_recovery_with_a_prompt_waits_for_the_answer(
    option: str, found: dict[str, str], *, answer: bool
) -> None:
    engine = small(chain(f"recovery: {{option: {option}, prompt: Again}}", heals="true"), minutes=20)
    (prompt,) = engine.prompts.values()
    assert (prompt.type, prompt.text, prompt.status) == ("Restart Prompt", "Again", "ASKED")
    assert causes(engine, "S.B") == [("recovery_prompt", "job")]
    carry_out(engine, Verb.REPLY, prompt, answer=answer)
    if option == "RERUN":
        pass_time(engine, seconds=60)
        found = found | ({"B": "EXEC"} if answer else {})
    else:
        found = found | {"A": "ABEND"}
    assert states(engine) == found
    assert causes(engine, "S.B") == (
        []
        if states(engine)["B"] == "EXEC"
        else [("launching", "job")]
        if answer
        else [("predecessor_failed", "job")]
    )


@pytest.mark.parametrize(("fails", "runs"), [("false", 2), ("true", 1)])
def test_a_recovery_job_runs_once_before_and_must_end_well(fails: str, runs: int) -> None:
    special = f"recovery: {{option: RERUN, times: 3, job: FIX, job_minutes: 4, job_fails: {fails}}}"
    engine = small(chain(special, heals="true"), minutes=7)
    assert find(engine, "S.FIX").status == "EXEC"
    pass_time(engine, minutes=30)
    assert len(find(engine, "S.A").runs) == runs
    assert [job.plan.name for job in stream(engine, "S").jobs] == ["A", "B", "FIX"]


def test_no_recovery_follows_what_was_dealt_with_meanwhile() -> None:
    engine = small(chain("recovery: {option: RERUN, every: 30}"), minutes=10)
    job = find(engine, "S.A")
    carry_out(engine, Verb.CONFIRM_SUCC, job)
    pass_time(engine, minutes=60)
    assert (job.status, len(job.runs)) == ("SUCC", 1)


# Statuses of job streams.


@pytest.mark.parametrize(
    ("text", "minutes", "status"),
    [
        ("S: {workstation: AGT1, starts: 5, steps: [A]}", 1, "HOLD"),
        ("S: {workstation: AGT1, starts: 0, opens: {/x: null}, steps: [A]}", 1, "HOLD"),
        ("S: {workstation: AGT1, starts: 0, limit: 0, steps: [A]}", 1, "READY"),
        ("S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {opens: {/x: null}}}}", 1, "READY"),
        (
            "S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 5}, B: {opens: {/x: null}}}}",
            20,
            "EXEC",
        ),
        ("S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {until: 5, starts: 9}}}", 20, "SUPPR"),
        (
            "S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {is_nop: true}, B: {minutes: 1}}}",
            20,
            "SUCC",
        ),
        (
            "S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {minutes: 9, max_minutes: 2, on_max: kill}}}",
            20,
            "ABEND",
        ),
        (
            "S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 9, max_minutes: 2, on_max: kill}}}",
            20,
            "STUCK",
        ),
        (
            "S: {workstation: AGT1, starts: 0, steps: [A, B, C], jobs: {A: {minutes: 1}, B: {until: 1, starts: 2}}}",
            20,
            "STUCK",
        ),
    ],
)
def test_the_status_of_a_stream_follows_from_its_jobs(text: str, minutes: int, status: str) -> None:
    assert stream(small(f"streams: {{{text}}}", minutes=minutes), "S").status == status
