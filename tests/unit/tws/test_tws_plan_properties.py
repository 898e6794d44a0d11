"""The rules of the engine are written twice: here the product's reading of them is held against the simulator's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import NamedTuple

import pytest

from tests.support.simulated_plan import contents_of, order_for
from tws.actions import ACTIONS_OF, Action, Change, PlanObject, kind_of, legal_actions
from tws.impact import consequences
from tws.objects import Job, JobStream
from tws.plan import Plan
from tws.simulator.engine import Engine
from tws.simulator.generator import generated
from tws.simulator.maker import generate
from tws.simulator.orders import Kind, Order, Verb
from tws.why import Cause, reasons

PLANS = 2000
START = datetime(2026, 3, 2, 3, tzinfo=UTC)
VALUES = {
    Action.SET_PRIORITY: ("priority", (0, 1, 15, 50, 100, 101)),
    Action.SET_LIMIT: ("limit", (0, 1, 2, 5, 20)),
    Action.SET_FENCE: ("fence", (0, 10, 20, 60, 101)),
    Action.SET_QUANTITY: ("quantity", (0, 1, 2, 5)),
}
EARLIER = (
    (Kind.PROMPT, Verb.REPLY),
    *((Kind.JOB, verb) for verb in (Verb.CANCEL_PENDING, Verb.CANCEL, Verb.RERUN, Verb.HOLD, Verb.RELEASE)),
    *((Kind.JOB_STREAM, verb) for verb in (Verb.CANCEL_PENDING, Verb.CANCEL, Verb.HOLD, Verb.RELEASE)),
)
Shown = tuple[str, bool, str | None]


class Seen(NamedTuple):
    """What a random plan showed: twice the same if all is well."""

    seed: int
    about: str
    simulated: object
    predicted: object


def random_engine(seed: int) -> Engine:
    """A small plan in which everything occurs, somewhere in its night."""
    random = Random(seed)  # noqa: S311 - the same plans each time
    definition = generated(random.randint(5, 16), seed, "all")
    engine = Engine(generate(definition, seed=seed, start=START, run_number=7))
    moments = sorted(random.randint(0, 300) for _ in range(3))
    for moment in moments[:-1]:
        engine.advance(START + timedelta(minutes=moment))
        interfere(engine, random)
    engine.advance(START + timedelta(minutes=moments[-1]))
    return engine


def interfere(engine: Engine, random: Random) -> None:
    """An operator has done something before; what is not legal is not done."""
    kind, verb = random.choice(EARLIER)
    objects = {Kind.JOB: engine.jobs, Kind.JOB_STREAM: engine.streams, Kind.PROMPT: engine.prompts}[kind]
    if objects:
        object_id, arguments = random.choice(sorted(objects)), {"answer": False} if verb is Verb.REPLY else {}
        order = Order(
            at=engine.now,
            applies_at=engine.now,
            user="operator",
            verb=verb,
            kind=kind,
            object_id=object_id,
            arguments=arguments,
        )
        engine.submit(order)


def causes_in(engine: Engine, plan: Plan, seed: int) -> Iterator[Seen]:
    for state in engine.jobs.values():
        found = reasons(plan, plan.jobs[state.plan.id], engine.now)
        predicted = [(str(one.cause), "job" if isinstance(one.owner, Job) else "stream") for one in found]
        yield Seen(seed, state.plan.id, sorted(engine.reasons(state)), sorted(predicted))


def random_change(plan: Plan, seed: int) -> Change:
    """Every action on every kind of object is as likely as every other that is legal."""
    random, choices = Random(seed), defaultdict(list)  # noqa: S311 - the same changes each time
    objects: list[PlanObject] = [*plan.jobs.values(), *plan.job_streams.values(), *plan.workstations.values()]
    for one in [*objects, *plan.prompts.values(), *plan.resources.values()]:
        for legal in legal_actions(one):
            choices[kind_of(one), legal].append(one)
    kind, action = random.choice(sorted(choices))
    target = random.choice(choices[kind, action])
    name, values = VALUES.get(action, ("", (0,)))
    arguments = {name: random.choice(values)} if name else {}
    return Change(action=action, kind=kind, object_id=target.id, selection="", arguments=arguments)


def shown(engine: Engine) -> dict[str, Shown]:
    return {key: (job.status, job.is_canceled, job.last.substatus) for key, job in engine.jobs.items()}


def effect_of(engine: Engine, plan: Plan, change: Change, seed: int) -> Iterator[Seen]:
    before, impact, about = (
        shown(engine),
        consequences(plan, change, engine.now),
        f"{change.kind} {change.action}",
    )
    order = order_for(engine, change)
    yield Seen(seed, about, engine.why_illegal(order), None)
    engine.submit(order)
    engine.advance(engine.now)
    simulated = {key: now for key, now in shown(engine).items() if before.get(key, now) != now}
    predicted = {key: (one.status, one.canceled, one.substatus) for key, one in impact.changes.items()}
    yield Seen(seed, about, simulated, predicted)
    if isinstance(impact.after, JobStream):
        stream, after = engine.streams[change.object_id], impact.after
        simulated_stream = (stream.status, stream.is_canceled, stream.priority)
        yield Seen(seed, f"{about}: status", simulated_stream, (after.status, after.canceled, after.priority))


@cache
def seen() -> tuple[tuple[Seen, ...], frozenset[tuple[str, str]]]:
    """What all plans showed, and which actions were tried on which kinds."""
    found: list[Seen] = []
    tried = set()
    for seed in range(PLANS):
        engine = random_engine(seed)
        plan = Plan(contents_of(engine))
        found += causes_in(engine, plan, seed)
        change = random_change(plan, seed)
        tried.add((str(change.kind), str(change.action)))
        found += effect_of(engine, plan, change, seed)
    return tuple(found), frozenset(tried)


@pytest.mark.timeout(300)
def test_reasons_and_consequences_are_those_of_the_simulator_in_every_random_plan() -> None:
    found, _ = seen()
    wrong = [one for one in found if one.simulated != one.predicted]
    assert not wrong, f"{len(wrong)} of {len(found)}, first: {wrong[:5]}"


def test_the_random_plans_have_every_cause_alone_or_with_others_and_every_action() -> None:
    found, tried = seen()
    causes = {cause for one in found if isinstance(one.simulated, list) for cause, _ in one.simulated}
    not_of_a_job_in_the_plan = {Cause.CYCLE, Cause.PLAN_NOT_EXTENDED, Cause.CARRY_FORWARD, Cause.NOT_IN_PLAN}
    assert causes == {str(cause) for cause in set(Cause) - not_of_a_job_in_the_plan}
    kinds = {kind: actions for kind, actions in ACTIONS_OF.items() if Action.SUBMIT not in actions}
    assert tried == {(str(kind), str(action)) for kind, actions in kinds.items() for action in actions}
