"""Predecessors and successors in the plan, some steps far."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .engine import Engine
from .plan import Follows
from .runs import JobState, StreamState

__all__ = ["predecessors", "successors"]

_Node = JobState | StreamState


def predecessors(engine: Engine, job: JobState, depth: int) -> list[_Node]:
    """What the job follows, nearest first, each once; 0 steps give nothing."""
    return _walk(job, depth, lambda node: _followed(engine, node))


def successors(engine: Engine, job: JobState, depth: int) -> list[_Node]:
    """What follows the job, nearest first, each once."""
    return _walk(job, depth, lambda node: (owner for owner, _ in engine.followers[node.plan.id]))


def _followed(engine: Engine, node: _Node) -> Iterable[_Node]:
    for one in node.plan.dependencies:
        if isinstance(one, Follows):
            yield engine.jobs[one.job_id] if one.job_id else engine.streams[one.stream_id]


def _walk(start: _Node, depth: int, step: Callable[[_Node], Iterable[_Node]]) -> list[_Node]:
    found: dict[str, _Node] = {}
    edge = [start]
    for _ in range(depth):
        edge = [
            node
            for here in edge
            for node in step(here)
            if node is not start and found.setdefault(node.plan.id, node) is node
        ]
        if not edge:
            break
    return list(found.values())
