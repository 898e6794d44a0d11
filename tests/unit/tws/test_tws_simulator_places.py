"""What orders to workstations, and new limits, priorities and quantities do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.night import (
    carry_out,
    causes,
    find,
    pass_time,
    place,
    small,
    states,
    stream,
)
from tws.simulator.orders import Verb

CHAIN = "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 30%s}, B: {minutes: 10}}}}"

WORKSTATION = """
workstations:
  AGT1: {type: AGENT, os: LINUX, limit: %s, fence: %s, is_linked: %s, is_stopped: %s, description: ''}
streams:
  S: {workstation: AGT1, starts: 0, steps: [[A, B]], jobs: {A: {minutes: 60, priority: 101}, B: {minutes: 60, priority: 30}}}
"""


@pytest.mark.parametrize(
    ("state", "verb", "arguments"),
    [
        (("0", "0", "true", "false"), Verb.SET_LIMIT, {"limit": 2}),
        (("5", "30", "true", "false"), Verb.SET_FENCE, {"fence": 29}),
        (("5", "0", "false", "false"), Verb.LINK, {}),
        (("5", "0", "true", "true"), Verb.START, {}),
    ],
)
def test_what_may_start_after_a_change_of_its_workstation_starts(
    state: tuple[str, ...], verb: Verb, arguments: dict[str, Any]
) -> None:
    engine = small(WORKSTATION % state, minutes=5)
    assert states(engine)["B"] in ("READY", "FENCE")
    carry_out(engine, verb, place(engine, "AGT1"), **arguments)
    assert states(engine)["B"] == "INTRO"


@pytest.mark.parametrize(
    ("verb", "arguments", "cause"),
    [
        (Verb.SET_LIMIT, {"limit": 0}, "workstation_limit_zero"),
        (Verb.SET_FENCE, {"fence": 30}, "fence"),
        (Verb.UNLINK, {}, "workstation_unlinked"),
        (Verb.STOP, {}, "workstation_stopped"),
    ],
)
def test_what_runs_goes_on_and_nothing_else_starts(verb: Verb, arguments: dict[str, Any], cause: str) -> None:
    engine = small(
        WORKSTATION.replace("priority: 30", "priority: 30, starts: 10") % ("5", "0", "true", "false"),
        minutes=5,
    )
    carry_out(engine, verb, place(engine, "AGT1"), **arguments)
    pass_time(engine, minutes=10)
    assert states(engine)["A"] == "EXEC"
    assert causes(engine, "S.B") == [(cause, "job")]


def test_link_does_not_start_what_was_stopped_by_hand() -> None:
    engine = small(WORKSTATION % ("5", "0", "false", "true"), minutes=5)
    carry_out(engine, Verb.LINK, place(engine, "AGT1"))
    assert causes(engine, "S.B") == [("workstation_stopped", "job")]


def test_the_reason_of_a_ready_job_changes_with_its_workstation() -> None:
    engine = small(WORKSTATION % ("1", "0", "true", "false"), minutes=5)
    job = find(engine, "S.B")
    assert job.last.substatus == "READY_WAITING_FOR_LIMIT"
    carry_out(engine, Verb.UNLINK, place(engine, "AGT1"))
    assert job.last.substatus == "READY_WAITING_FOR_AGENT"
    carry_out(engine, Verb.SET_FENCE, place(engine, "AGT1"), fence=40)
    assert [job.status, job.last.substatus] == ["FENCE", None]


def test_limits_of_streams_priorities_and_quantities_take_effect() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 0, limit: 0, steps: [A]}
  T: {workstation: AGT1, starts: 0, steps: [B], jobs: {B: {needs: {TAPE: 3}}}}
  U: {workstation: AGT1, starts: 0, steps: [C], jobs: {C: {is_held: true}}}
""",
        minutes=5,
    )
    carry_out(engine, Verb.SET_LIMIT, stream(engine, "S"), limit=1)
    carry_out(engine, Verb.SET_QUANTITY, next(iter(engine.resources.values())), quantity=3)
    carry_out(engine, Verb.SET_PRIORITY, find(engine, "U.C"), priority=77)
    pass_time(engine, seconds=10)
    assert states(engine) == {"A": "EXEC", "B": "EXEC", "C": "EXEC"}
    assert find(engine, "U.C").priority == 77
