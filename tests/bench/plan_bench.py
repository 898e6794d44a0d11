"""Measures the plan of 100,000 jobs in memory: building it, reasons, consequences, and its graph against networkx.

Run by itself (`python -m tests.bench.plan_bench`) or as a part of `make bench`, which takes `report()`.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

import networkx as nx
import psutil

from tests.support.simulated_plan import contents_of
from tws.actions import Action, Change, ObjectKind, legal_actions
from tws.contents import PlanContents
from tws.impact import consequences
from tws.objects import Job, JobStream
from tws.plan import Plan, followed
from tws.simulator.engine import Engine
from tws.simulator.generator import generated
from tws.simulator.maker import generate
from tws.why import first_causes, reasons

_T = TypeVar("_T")

_JOBS, _ASKED = 100_000, 500
_START = datetime(2026, 3, 2, 3, tzinfo=UTC)
_SEEN_AFTER = timedelta(hours=10)
_COPIES = 3
"""Built to see what one takes: the first finds memory that the simulation has left."""
_LEAST_RATIO = 5
"""How many times as fast as networkx the graph must be."""


def report(jobs: int = _JOBS) -> str:
    """Markdown tables; slow: the plan is simulated first."""
    engine = Engine(generate(generated(jobs, 1), seed=1, start=_START, run_number=1))
    engine.advance(_START + _SEEN_AFTER)
    contents = contents_of(engine)
    del engine
    gc.collect()
    gc.freeze()
    plan, built = _timed(lambda: Plan(contents))
    before = psutil.Process().memory_info().rss
    more = [Plan(contents) for _ in range(_COPIES)]
    resident = (psutil.Process().memory_info().rss - before) / 1e6 / len(more)
    del more
    asked = Random(1).sample(list(plan.jobs.values()), min(_ASKED, jobs))  # noqa: S311 - the same jobs each time
    lines = [
        f"{len(plan.jobs):,} jobs in {len(plan.job_streams):,} job streams: built in {built:.1f} s, {resident:.0f} MB.",
        "",
        f"| of {len(asked)} jobs | median | p95 | goal |",
        "|---|---|---|---|",
        _row("reasons", (_time(reasons, plan, job, plan.read_at) for job in asked), 100),
        _row("first causes", (_time(first_causes, plan, job, plan.read_at) for job in asked), 100),
        _row("consequences", (_time(consequences, plan, _change(job), plan.read_at) for job in asked), 200),
        "",
        "| graph | here | networkx | times as fast | goal |",
        "|---|---|---|---|---|",
        *_compared(contents, plan),
    ]
    return "\n".join(lines)


def _compared(contents: PlanContents, plan: Plan) -> Iterable[str]:
    """The walks that consequences need, from the streams that hold up most; in processor time, as others may run."""
    edges = list(_edges(contents))
    graph = nx.DiGraph(edges)
    asked = sorted(plan.job_streams, key=lambda one: len(plan.after([one])))[-_ASKED:]

    def here(stream_id: str) -> object:
        return plan.after([stream_id]), plan.in_order([stream_id])

    def there(stream_id: str) -> object:
        before = nx.ancestors(graph, stream_id)
        return nx.descendants(graph, f"begin {stream_id}"), list(nx.topological_sort(graph.subgraph(before)))

    fresh = Plan(contents)
    yield _ratio(
        "the order of the whole plan", _spent(fresh.in_order), _spent(lambda: [*nx.topological_sort(graph)])
    )
    ours, theirs = (
        _spent(lambda walk=walk: [walk(one) for one in asked]) / len(asked) for walk in (here, there)
    )
    yield _ratio("all that comes after a stream, and all before it in order", ours, theirs)


def _edges(contents: PlanContents) -> Iterable[tuple[str, str]]:
    """The same graph: a stream has a begin and an end."""
    owners: list[Job | JobStream] = [*contents.jobs, *contents.job_streams]
    known = {owner.id for owner in owners}
    for owner in owners:
        entry = owner.id if isinstance(owner, Job) else f"begin {owner.id}"
        yield from ((one.target_id, entry) for one in followed(owner) if one.target_id in known)
        if isinstance(owner, Job):
            yield from ((f"begin {owner.job_stream_id}", owner.id), (owner.id, owner.job_stream_id))
        else:
            yield entry, owner.id


def _change(job: Job) -> Change:
    """One that is legal for the job, another for each job."""
    legal = legal_actions(job) or (Action.HOLD,)
    action = legal[sum(job.id.encode()) % len(legal)]
    arguments = {"priority": 50} if action is Action.SET_PRIORITY else {}
    return Change(
        action=action,
        kind=ObjectKind.JOB,
        object_id=job.id,
        selection=job.selection,
        arguments=arguments,
    )


def _timed(call: Callable[[], _T]) -> tuple[_T, float]:
    began = time.perf_counter()
    found = call()
    return found, time.perf_counter() - began


def _time(call: Callable[..., object], *arguments: object) -> float:
    return _timed(lambda: call(*arguments))[1]


def _row(name: str, seconds: Iterable[float], goal: int) -> str:
    found = [1000 * one for one in seconds]
    p95 = statistics.quantiles(found, n=20)[-1]
    verdict = "met" if p95 < goal else "**missed**"
    return f"| {name} | {statistics.median(found):.2f} ms | {p95:.2f} ms | p95 < {goal} ms: {verdict} |"


def _spent(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _ratio(name: str, ours: float, theirs: float) -> str:
    verdict = "met" if theirs >= _LEAST_RATIO * ours else "**missed**"
    times = f"{1000 * ours:.2f} ms | {1000 * theirs:.2f} ms | {theirs / ours:.0f}"
    return f"| {name} | {times} | ≥ {_LEAST_RATIO}: {verdict} |"


if __name__ == "__main__":
    print(report())  # noqa: T201 - what it is for
