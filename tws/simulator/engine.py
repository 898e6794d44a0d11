"""Carries a plan out in simulated time.

The state is a pure function of the plan, the orders and the time: events run in the order of their times,
chance is drawn from ids, and no clock is read here. `docs/engine-rules.md` states the rules.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from . import effects, lifecycle
from .build import Builder
from .dispatcher import Dispatcher
from .gates import DEAD, PROMPTS, Gate, closed, holding
from .lifecycle import KILLED
from .orders import Order
from .plan import Plan, uncollected
from .runs import JobState, Node, StreamState
from .waits import PromptState, ResourceState, Wait, WorkstationState


class Engine:
    """The plan in motion. Not thread-safe."""

    def __init__(self, plan: Plan, carried: Engine | None = None) -> None:
        """`carried` ran the plan before: what has not ended goes on here, so it must not be advanced any more."""
        self.plan = plan
        self.now = plan.start
        """Simulated time up to which everything has happened."""
        self.streams: dict[str, StreamState] = {}
        self.jobs: dict[str, JobState] = {}
        self.workstations: dict[str, WorkstationState] = {}
        self.resources: dict[str, ResourceState] = {}
        self.prompts: dict[str, PromptState] = {}
        self.job_of_run: dict[str, JobState] = {}
        self.followers: dict[str, list[Wait]] = {}
        """By id of the job or stream followed: who follows it."""
        self.dispatcher = Dispatcher()
        self.events: list[tuple[datetime, int, Callable[..., None], tuple[Any, ...]]] = []
        """Heap of what is to come: when, tie-breaker, an unbound method and its arguments, the object concerned first."""
        self._sequence = itertools.count()
        self.job_numbers = itertools.count(10_000 + plan.run_number)
        if carried is not None:
            carried.advance(plan.start)
        self.builder = Builder(self, carried)
        with uncollected():
            self.builder.build()
            self._dispatch()

    def advance(self, to: datetime) -> None:
        """Lets everything happen that is due by then. A time in the past changes nothing."""
        while self.events and self.events[0][0] <= to:
            self.now = max(self.now, self.events[0][0])
            while self.events and self.events[0][0] <= self.now:
                _, _, event, arguments = heapq.heappop(self.events)
                event(self, *arguments)
            self._dispatch()
        self.now = max(self.now, to)

    def why_illegal(self, order: Order) -> str | None:
        """Why the engine would refuse the order in the present state; None if it would not."""
        return effects.why_illegal(self, order)

    def submit(self, order: Order) -> None:
        """Plans the order's effect. It is dropped if it is no longer legal by then, as batchman drops it."""
        self.at(order.applies_at, effects.carry_out, order)
        self.advance(self.now)

    def submission_id(self, order: Order) -> str:
        """The id that a submission is answered with: of the new job stream, or the composite key of the new job."""
        return effects.submission_id(self, order)

    def reasons(self, job: JobState) -> list[tuple[str, str]]:
        """Cause and owner (`job` or `stream`) of every closed gate; empty for a job that was launched."""
        return [(gate.cause, gate.owner) for gate in closed(job)]

    def predecessors(self, node: Node, depth: int) -> Iterable[Node]:
        """What the job or stream follows, nearest first, each once; 0 steps give nothing."""
        return _walk(node, depth, lambda one: (found for wait in one.waits for found in wait.predecessors()))

    def successors(self, node: Node, depth: int) -> Iterable[Node]:
        """What follows the job or stream, nearest first, each once."""
        return _walk(node, depth, lambda one: (wait.owner for wait in self.followers.get(one.plan.id, ())))

    def at(self, when: datetime, event: Callable[..., None], *arguments: Any) -> None:
        """Plans an event."""
        heapq.heappush(self.events, (when, next(self._sequence), event, arguments))

    def touch(self, node: Node) -> None:
        """Marks a change."""
        node.version += 1
        if isinstance(node, JobState):
            node.stream.version += 1

    def satisfy(self, *waits: Wait) -> None:
        """Opens what the dependencies kept closed, all at once."""
        fresh = [wait for wait in waits if not wait.is_satisfied]
        for wait in fresh:
            wait.is_satisfied = True
            if wait in wait.owner.open:
                wait.owner.open.remove(wait)
        for wait in fresh:
            if wait.join:
                self._judge_join(wait.join)
            else:
                self.touch(wait.owner)
                self.evaluate(wait.owner)

    def judge(self, wait: Wait) -> None:
        """Looks whether the predecessor's state satisfies the dependency, or never will."""
        target, conditions = wait.target, getattr(wait.one, "conditions", ())
        if target is None or wait.is_satisfied:
            return
        if not conditions:
            if target.is_over:
                self.satisfy(wait)
        elif target.final_status in conditions:
            self.satisfy(wait)
        elif target.final_status is not None:
            wait.is_impossible = True
            self._judge_join(wait.join) if wait.join else self._suppress(wait.owner)

    def evaluate(self, node: Node) -> None:
        """Brings a job, or a stream's jobs, that are not launched to the status that the gates give them."""
        if isinstance(node, StreamState):
            self._evaluate_stream(node)
            return
        if not node.is_waiting:
            self.dispatcher.withdraw(node)
            return
        gate = next(closed(node), None)
        if node.is_cancel_pending and all(one.cause.endswith("held") for one in holding(node)):
            self.cancel(node)
        elif gate is None or gate.key:
            self.show(node, gate)
            self.dispatcher.offer(node)
        else:
            self.dispatcher.withdraw(node)
            self.show(node, gate)
            if gate.cause in DEAD:
                self.settle(node)
            else:
                self._ask(node)

    def show(self, job: JobState, gate: Gate | None) -> None:
        """Gives the job the status of the gate, which is the first closed one."""
        shown = (gate.status, gate.substatus) if gate else ("READY", None)
        if shown != (job.last.status, job.last.substatus):
            job.last.status, job.last.substatus = shown
            self.touch(job)

    def cancel(self, node: Node) -> None:
        """Cancels it; what runs goes on running."""
        node.is_canceled, node.is_cancel_pending = True, False
        if isinstance(node, JobState):
            self.dispatcher.withdraw(node)
            self.touch(node)
            self.settle(node)
            return
        active = [job for job in node.jobs if job.is_waiting or job.is_running or job.status == "PEND"]
        for job in active:  # all at once: none of them is seen waiting in a cancelled stream
            job.is_canceled, job.is_cancel_pending = True, False
            self.dispatcher.withdraw(job)
        for job in node.jobs:
            self.touch(job)
        for wait in [wait for job in active for wait in self.followers.get(job.plan.id, ())]:
            self.judge(wait)
        self._settle_stream(node)

    def settle(self, job: JobState) -> None:
        """Tells those who follow the job or its stream what became of it."""
        for wait in self.followers.get(job.plan.id, ()):
            self.judge(wait)
        self._settle_stream(job.stream)

    def give_back(self, node: Node) -> None:
        """Frees the units that it holds."""
        for wait in node.needs:
            resource = wait.resource
            if resource is not None and node in resource.holders:
                resource.in_use -= resource.holders.pop(node)
                self.dispatcher.wake_resource(resource)

    def arrive(self, node: Node, starts_at: datetime) -> None:
        """The earliest start has come, unless it was moved."""
        if node.starts_at == starts_at:
            node.is_early = False
            self.touch(node)
            self.evaluate(node)

    def pass_until(self, node: Node) -> None:
        """The latest start has passed: of a stream, for all its jobs that are still to be launched."""
        if node.is_canceled or (
            isinstance(node, JobState) and not (node.is_unlaunched and node.last.is_bound)
        ):
            return
        node.is_until_gone = True
        self.touch(node)
        if node.plan.special.on_until == "cancel":
            self.cancel(node)
        else:
            self.evaluate(node)

    def miss_deadline(self, node: Node) -> None:
        """The deadline has come."""
        node.is_late = not node.is_over
        self.touch(node)
        if isinstance(node, JobState) and node.is_running and node.plan.special.on_late == "kill":
            lifecycle.end(self, node, node.last, *KILLED)

    def give_up(self, stream: StreamState, wait: Wait) -> None:
        """An instance that does not start because the one before still runs."""
        if not wait.is_satisfied:
            self.cancel(stream)

    def _evaluate_stream(self, stream: StreamState) -> None:
        if stream.is_cancel_pending and all(gate.cause == "stream_held" for gate in holding(stream)):
            self.cancel(stream)
            return
        self._ask(stream)
        for job in stream.jobs:
            self.evaluate(job)

    def _ask(self, owner: Node) -> None:
        """Asks the owner's own prompts if nothing else holds it."""
        prompts = [wait.prompt for wait in owner.open if wait.prompt and wait.prompt.status == "NOT_ASKED"]
        mine = "job" if isinstance(owner, JobState) else "stream"
        if prompts and all(gate.cause in PROMPTS and gate.owner == mine for gate in holding(owner)):
            for prompt in prompts:
                prompt.status, prompt.asked_at = "ASKED", self.now

    def _suppress(self, owner: Node) -> None:
        if isinstance(owner, JobState) and owner.is_waiting and owner.last.is_bound:
            owner.is_suppressed = True
            self.evaluate(owner)

    def _judge_join(self, join: Wait) -> None:
        needed = getattr(join.one, "needed", 0)
        if sum(member.is_satisfied for member in join.members) >= needed:
            self.satisfy(join)
        elif sum(not member.is_impossible for member in join.members) < needed:
            self._suppress(join.owner)

    def _settle_stream(self, stream: StreamState) -> None:
        waits = self.followers.get(stream.plan.id)
        if waits and (stream.is_over or stream.final_status):
            for wait in waits:
                self.judge(wait)
        if stream.needs and not stream.busy and stream.status in ("SUCC", "ABEND", "CANCL", "SUPPR"):
            self.give_back(stream)

    def _dispatch(self) -> None:
        """Launches what may be launched."""
        while (job := self.dispatcher.next()) is not None:
            gate = next(closed(job), None)
            if gate is not None:
                self.show(job, gate)
                self.dispatcher.park(job, gate.key, is_resource=gate.cause == "resource")
            elif job.plan.special.is_nop:
                self.show(job, None)
                self.cancel(job)
            else:
                lifecycle.launch(self, job)


def _walk(start: Node, depth: int, step: Callable[[Node], Iterable[Node]]) -> Iterable[Node]:
    found: dict[str, Node] = {}
    edge: Iterable[Node] = [start]
    while depth and edge:
        following = {node.plan.id: node for here in edge for node in step(here) if node is not start}
        edge = [node for node in following.values() if node.plan.id not in found]
        found |= following
        depth -= 1
    return found.values()
