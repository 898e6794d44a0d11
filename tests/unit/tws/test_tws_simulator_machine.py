"""Whatever is ordered, and however time passes: what always holds, and that all of it can be replayed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import cache
from itertools import zip_longest
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.night import START, order, state_of
from tws.simulator.engine import Engine
from tws.simulator.gates import closed
from tws.simulator.generator import generated, history
from tws.simulator.maker import generate
from tws.simulator.orders import LEGAL, RANGES, Kind, Order, Verb
from tws.simulator.plan import Plan
from tws.simulator.runs import RUNNING, JobState, StreamState
from tws.simulator.waits import Wait

ORDERS = [
    (kind, verb)
    for kind in (Kind.JOB, Kind.JOB, Kind.JOB_STREAM, *Kind)
    for verb in LEGAL[kind]
    if verb != Verb.SUBMIT
]
HIGH = 100


@cache
def dense_plan(seed: int) -> Plan:
    return generate(generated(40, seed, features="all"), seed=seed, start=START, run_number=3)


class SimulatorMachine(RuleBasedStateMachine):
    engine: Engine
    orders: list[Order]

    @initialize(seed=st.integers(0, 30))
    def begin(self, seed: int) -> None:
        self.seed, self.orders = seed, []
        self.engine = Engine(dense_plan(seed))
        self.satisfied: set[Wait] = set()
        self.largest = {one.id: one.limit for one in self.engine.workstations.values()}
        self.most = {one.id: one.quantity for one in self.engine.resources.values()}
        self.has_handed_out = False

    @rule(minutes=st.floats(0.01, 90))
    def wait(self, minutes: float) -> None:
        self.engine.advance(self.engine.now + timedelta(minutes=minutes))

    @rule(
        which=st.sampled_from(ORDERS),
        number=st.integers(0, 10_000),
        value=st.integers(0, 120),
        delay=st.sampled_from([0, 2, 300]),
    )
    def give(self, which: tuple[Kind, Verb], number: int, value: int, delay: int) -> None:
        kind, verb = which
        engine = self.engine
        objects: dict[Kind, dict[str, Any]] = {
            Kind.JOB: engine.jobs,
            Kind.JOB_STREAM: engine.streams,
            Kind.WORKSTATION: engine.workstations,
            Kind.RESOURCE: engine.resources,
            Kind.PROMPT: engine.prompts,
        }
        targets = [*objects[kind].values()]
        if not targets:
            return
        argument = RANGES[verb][0] if verb in RANGES else "answer"
        wish = order(
            engine,
            verb,
            targets[number % len(targets)],
            after=timedelta(seconds=delay),
            **{argument: bool(value % 2) if argument == "answer" else value},
        )
        if engine.why_illegal(wish) is None:
            engine.submit(wish)
            self.orders.append(wish)
            self.has_handed_out |= verb in (Verb.RELEASE, Verb.RELEASE_DEPENDENCIES)

    @invariant()
    def places_are_counted_and_limits_hold(self) -> None:
        running = [job for job in self.engine.jobs.values() if job.is_running]
        busy = Counter(job.workstation.id for job in running)
        for place in self.engine.workstations.values():
            self.largest[place.id] = max(self.largest[place.id], place.limit)
            normal = [job for job in running if job.workstation is place]
            assert place.members is not None or place.busy >= busy[place.id]
            assert len(normal) <= self.largest[place.id] or any(
                max(job.plan.priority, job.priority) >= HIGH for job in normal
            )
        for stream in self.engine.streams.values():
            assert stream.busy == sum(job.is_running for job in stream.jobs)

    @invariant()
    def units_are_conserved(self) -> None:
        for one in self.engine.resources.values():
            self.most[one.id] = max(self.most[one.id], one.quantity)
            assert one.in_use == sum(one.holders.values())
            assert one.in_use <= self.most[one.id] or self.has_handed_out
            for holder in one.holders:
                assert holder.is_running if isinstance(holder, JobState) else isinstance(holder, StreamState)

    @invariant()
    def a_job_runs_once_at_a_time(self) -> None:
        for job in self.engine.jobs.values():
            assert all(run.status not in RUNNING for run in job.runs[:-1])
            for before, after in zip_longest(job.runs, job.runs[1:]):
                assert (
                    after is None
                    or not after.started_at
                    or not before.ended_at
                    or before.ended_at <= after.started_at
                )

    @invariant()
    def what_was_satisfied_stays_so(self) -> None:
        found = {wait for job in self.engine.jobs.values() for wait in job.waits if wait.is_satisfied}
        assert found >= self.satisfied
        self.satisfied = found

    @invariant()
    def the_first_closed_gate_gives_the_status(self) -> None:
        for job in self.engine.jobs.values():
            gates = [*closed(job)]
            assert bool(gates) == (job.status in ("HOLD", "READY", "FENCE", "SUPPR", "INTRO"))
            if gates and not (job.is_canceled or job.stream.is_canceled) and job.status != "INTRO":
                assert (job.status, job.last.substatus) == (gates[0].status, gates[0].substatus)

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        end = self.engine.now + timedelta(hours=2)
        self.engine.advance(end)
        again = Engine(dense_plan(self.seed))
        for one in self.orders:
            again.advance(one.at)
            again.submit(one)
        again.advance(end)
        assert state_of(again) == state_of(self.engine)


TestSimulatorMachine = SimulatorMachine.TestCase
TestSimulatorMachine.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    assert generated(200, 7) == generated(200, 7)
    assert generated(200, 7) != generated(200, 8)


def test_an_ordinary_plan_has_about_the_jobs_that_were_asked_for_and_no_unknown_names() -> None:
    definition = generated(3000, 5)
    assert [*definition.problems()] == []
    plan = generate(definition, seed=5, start=START, run_number=1)
    assert 3000 <= len(plan.jobs) <= 3300
    sizes = Counter(job.stream_id for job in plan.jobs.values())
    assert max(sizes.values()) <= 30


def test_an_ordinary_plan_mostly_ends_well_within_the_day() -> None:
    engine = Engine(generate(generated(1000, 3), seed=3, start=START, run_number=1))
    engine.advance(START + timedelta(hours=40))
    assert sum(job.is_over for job in engine.jobs.values()) > len(engine.jobs) * 0.6


def test_dense_plans_have_every_gate_and_pairs_of_them() -> None:
    alone: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for seed in range(12):
        engine = Engine(generate(generated(120, seed, features="all"), seed=seed, start=START, run_number=1))
        for _ in range(8):
            engine.advance(engine.now + timedelta(minutes=37))
            for job in engine.jobs.values():
                found = {cause for cause, _ in engine.reasons(job)}
                alone |= found
                pairs |= {(one, other) for one in found for other in found if one < other}
    missing = EVERY - alone
    assert not missing
    assert len(pairs) > 150


EVERY = {
    *(
        "canceled",
        "suppressed",
        "until_passed",
        "stream_until_passed",
        "held",
        "stream_held",
        "predecessor_orphan",
    ),
    *(
        "predecessor_pending",
        "overlap",
        "internetwork",
        "join",
        "recovery_prompt",
        "predecessor_failed",
        "predecessor",
    ),
    *(
        "predecessor_unconfirmed",
        "predecessor_suppressed",
        "time",
        "stream_time",
        "every",
        "prompt",
        "prompt_not_asked",
    ),
    *(
        "file",
        "fence",
        "workstation_ignored",
        "workstation_unlinked",
        "workstation_stopped",
        "workstation_limit_zero",
    ),
    *("workstation_limit", "stream_limit", "resource", "launching"),
}
"""All but those that only an operator brings about."""


def test_the_history_scatters_around_the_estimates() -> None:
    definition = generated(60, 2)
    runs = [*history(definition, seed=2, days=30)]
    assert runs == [*history(definition, seed=2, days=30)]
    assert {run.day for run in runs} == set(range(1, 31))
    by_job = Counter((run.job_stream, run.job) for run in runs)
    assert min(by_job.values()) >= 30
    plan = generate(definition, seed=2, start=START, run_number=9)
    estimates = {(plan.streams[job.stream_id].name, job.name): job.estimate for job in plan.jobs.values()}
    for key in by_job:
        took = sorted(run.took for run in runs if (run.job_stream, run.job) == key)
        assert 0.85 < took[len(took) // 2] / estimates[key] < 1.15
    assert 0.9 < sum(run.status == "SUCC" for run in runs) / len(runs) < 1
