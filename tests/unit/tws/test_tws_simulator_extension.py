"""The plan of the next day: what goes on in it, and with which ids."""

from __future__ import annotations

from datetime import timedelta

from tests.support.night import START, carry_out, causes, definition, find, pass_time, place, stream
from tws.simulator.definition import PlanDefinition
from tws.simulator.engine import Engine
from tws.simulator.maker import generate
from tws.simulator.orders import Verb

DAY = timedelta(days=1)
TEXT = """
streams:
  LONG: {workstation: AGT1, starts: 1400, steps: [A, B], jobs: {A: {minutes: 120, needs: [TAPE]}, B: {asks: {prompt: P, text: Go}}}}
  DROPPED: {workstation: AGT1, starts: 1400, carries_forward: false, steps: [C], jobs: {C: {minutes: 300}}}
  WAITS: {workstation: AGT1, starts: 1400, steps: [D, E], jobs: {D: {follows: [DROPPED.C]}, E: {follows: [DONE.F]}}}
  DONE: {workstation: AGT1, starts: 0, steps: [F]}
  LATER: {workstation: AGT1, starts: 1400, steps: [[G, H]], jobs: {G: {follows: [{name: COMES.X, is_pending: true}]}, H: {follows: [{name: NEVER, is_pending: true}]}}}
"""
NEXT = """
streams:
  LONG: {workstation: AGT1, starts: 60, on_overlap: enqueue, every: 1440, steps: [A, B]}
  COMES: {workstation: AGT1, starts: 30, steps: [X], jobs: {X: {minutes: 10}}}
"""


def extended(old: Engine, following: PlanDefinition) -> Engine:
    return Engine(generate(following, seed=1, start=START + DAY, run_number=8), carried=old)


def first_day() -> Engine:
    return Engine(generate(definition(TEXT), seed=1, start=START, run_number=7))


def test_unfinished_streams_go_on_with_their_ids_and_their_state() -> None:
    old = first_day()
    old.advance(START + DAY)
    job, run = find(old, "LONG.A"), find(old, "LONG.A").last
    engine = extended(old, definition(NEXT))
    assert engine.plan.run_number == 8
    carried = {one.plan.name: one.is_carried for one in engine.streams.values() if one.is_carried}
    assert carried == {"LONG": True, "WAITS": True, "LATER": True}
    assert (engine.jobs[job.plan.id], engine.job_of_run[run.id], job.status) == (job, job, "EXEC")
    assert next(iter(engine.resources.values())).in_use == 1
    assert place(engine, "AGT1").busy == 1
    pass_time(engine, minutes=110)
    assert (job.status, next(iter(engine.resources.values())).in_use) == ("SUCC", 0)


def test_predecessors_of_the_plan_before_are_resolved_or_orphans() -> None:
    old = first_day()
    old.advance(START + DAY)
    engine = extended(old, definition(NEXT))
    assert causes(engine, "WAITS.D") == [("predecessor_orphan", "job")]
    assert causes(engine, "WAITS.E") == [("predecessor", "job")]
    assert causes(engine, "LATER.G") == [("predecessor", "job")]
    assert causes(engine, "LATER.H") == [("predecessor_orphan", "job")]
    pass_time(engine, minutes=45)
    assert find(engine, "LATER.G").is_running


def test_a_pending_predecessor_is_resolved_by_a_submission() -> None:
    engine = Engine(
        generate(
            definition(TEXT + NEXT.replace("streams:\n", "").replace("LONG", "LONG2")),
            seed=1,
            start=START,
            run_number=7,
        )
    )
    engine.advance(START + timedelta(minutes=1410))
    model = next(key for key, one in engine.plan.stream_definitions.items() if one.definition_name == "COMES")
    assert causes(engine, "LATER.G") == [("predecessor_pending", "job")]
    engine.builder.add_stream(
        *engine.plan.maker.stream(engine.plan.stream_definitions[model], "again", engine.now)
    )
    assert causes(engine, "LATER.G") == [("predecessor", "job")]


def test_an_instance_waits_for_the_one_of_the_plan_before() -> None:
    old = first_day()
    old.advance(START + DAY)
    engine = extended(old, definition(NEXT))
    pass_time(engine, minutes=61)
    new = next(one for one in engine.streams.values() if one.plan.name == "LONG" and not one.is_carried)
    assert engine.reasons(new.jobs[0]) == [("overlap", "stream")]


def test_prompts_get_another_number_and_keep_their_id() -> None:
    old = first_day()
    old.advance(START + DAY)
    (before,) = old.prompts.values()
    number = before.number
    engine = extended(old, definition(NEXT))
    (after,) = engine.prompts.values()
    assert (after.id, after.number != number) == (before.id, True)
    pass_time(engine, minutes=110)
    assert after.status == "ASKED"
    carry_out(engine, Verb.REPLY, after, answer=True)
    assert find(engine, "LONG.B").is_running


def test_limit_fence_link_and_quantity_persist() -> None:
    old = first_day()
    for verb, arguments in (
        (Verb.SET_LIMIT, {"limit": 3}),
        (Verb.SET_FENCE, {"fence": 5}),
        (Verb.UNLINK, {}),
    ):
        carry_out(old, verb, place(old, "AGT1"), **arguments)
    carry_out(old, Verb.SET_QUANTITY, next(iter(old.resources.values())), quantity=9)
    engine = extended(old, definition(NEXT))
    agent = place(engine, "AGT1")
    assert (agent.limit, agent.fence, agent.is_linked) == (3, 5, False)
    assert next(iter(engine.resources.values())).quantity == 9
    assert causes(engine, "LONG.A") == [("workstation_unlinked", "job")]


def test_the_same_extension_gives_the_same_ids() -> None:
    ids = []
    for _ in range(2):
        old = first_day()
        old.advance(START + DAY)
        ids.append((list(extended(old, definition(NEXT)).jobs), stream(old, "LONG").plan.id))
    assert ids[0] == ids[1]
