"""Makes the objects of an engine out of its plan, out of what is submitted, and out of the plan before."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from . import effects, lifecycle
from .definition import Asks
from .orders import Order
from .plan import Follows, JobPlan, Join, Needs, Opens, Outside, StreamPlan, make_id
from .runs import JobState, Node, StreamState
from .waits import RESOURCE, PromptState, ResourceState, Wait, WorkstationState

if TYPE_CHECKING:
    from .engine import Engine

_GIVES_UP = timedelta(minutes=4)
"""How long an instance with `donotstart` waits for the one before."""


class Builder:
    """What only building needs to know."""

    def __init__(self, engine: Engine, carried: Engine | None) -> None:
        self._engine, self._old = engine, carried
        self._places: dict[str, WorkstationState] = {}
        self._resources: dict[str, ResourceState] = {}
        self._prompts: dict[str, PromptState] = {}
        """Those of this plan that have a name."""
        self._prompt_numbers = itertools.count(1 + engine.plan.run_number % 90 * 100)
        self._latest: dict[tuple[str, str], StreamState] = {}
        """By workstation and name: the newest instance."""
        self._pending: list[Wait] = []
        self.files: dict[str, list[Wait]] = defaultdict(list)
        """By path: who waits for the file."""

    def build(self) -> None:
        """Everything, as the plan begins."""
        engine, plan = self._engine, self._engine.plan
        self._add_places()
        kept = self._carry(self._old) if self._old else []
        jobs: dict[str, list[JobPlan]] = defaultdict(list)
        for job in plan.jobs.values():
            jobs[job.stream_id].append(job)
        fresh = [self._create(stream, jobs[stream.id]) for stream in plan.streams.values()]
        for node in _nodes(fresh):
            self._link(node)
        for wait in [one for one in self._pending if one.owner in kept]:
            if not any(self._resolve(wait, stream) for stream in fresh):
                wait.is_pending = False
        for stream in engine.streams.values():
            engine.evaluate(stream)
        for event in plan.definition.events:
            engine.at(plan.start + timedelta(minutes=event.minute), effects.happen, event)
        self._old = None

    def add_stream(self, plan: StreamPlan, jobs: Iterable[JobPlan]) -> StreamState:
        """A stream that is submitted."""
        stream = self._create(plan, jobs)
        for node in _nodes([stream]):
            self._link(node)
        for wait in [*self._pending]:
            self._resolve(wait, stream)
        self._engine.evaluate(stream)
        return stream

    def add_job(self, stream: StreamState, plan: JobPlan, recovers: JobState | None = None) -> JobState:
        """A job that is submitted, or that recovers another one."""
        job = self._create_job(stream, plan)
        job.recovers = recovers
        self._link(job)
        self._engine.evaluate(job)
        return job

    def ask(self, job: JobState, text: str) -> PromptState:
        """The question of a recovery."""
        name = f"{job.last.id}/recovery"
        return self._new_prompt(
            name, PromptState(id="", name="", number=0, text=text, owner=job, run=job.last)
        )

    def latest(self, workstation: str, name: str) -> StreamState | None:
        """The newest instance."""
        return self._latest.get((workstation, name))

    def _add_places(self) -> None:
        plan = self._engine.plan
        before = {one.name: one for one in self._old.workstations.values()} if self._old else {}
        for name, one in plan.workstations.items():
            kept = before.get(name, one)
            self._places[name] = WorkstationState(
                id=plan.workstation_ids[name],
                name=name,
                plan=one,
                limit=kept.limit,
                fence=kept.fence,
                is_linked=kept.is_linked,
                is_stopped=kept.is_stopped,
                is_ignored=kept.is_ignored,
            )
        for place in self._places.values():
            if place.plan.type in ("POOL", "D-POOL"):
                place.members = [self._places[name] for name in place.plan.members]
            self._engine.workstations[place.id] = place
        quantities = {one.name: one.quantity for one in self._old.resources.values()} if self._old else {}
        for name, resource in plan.resources.items():
            self._add_resource(
                ResourceState(
                    id=make_id(f"{plan.id}/resource", name),
                    name=name,
                    workstation=resource.workstation,
                    quantity=quantities.get(name, resource.quantity),
                )
            )

    def _add_resource(self, resource: ResourceState) -> ResourceState:
        self._resources[resource.name] = self._engine.resources[resource.id] = resource
        return resource

    def _create(self, plan: StreamPlan, jobs: Iterable[JobPlan]) -> StreamState:
        held = plan.special.is_held
        stream = StreamState(
            plan=plan, priority=0 if held else plan.priority, starts_at=plan.starts_at, limit=plan.limit
        )
        self._engine.streams[plan.id] = stream
        before = self._latest.get((plan.workstation, plan.name))
        if plan.special.on_overlap in ("enqueue", "donotstart") and before and not before.is_over:
            one = Follows(stream_id=before.plan.id, is_overlap=True)
            wait = Wait(owner=stream, one=one, number=len(plan.dependencies), is_overlap=True)
            stream.waits.append(wait)
            if plan.special.on_overlap == "donotstart":
                self._engine.at(plan.starts_at + _GIVES_UP, type(self._engine).give_up, stream, wait)
        self._latest[plan.workstation, plan.name] = stream
        for job in jobs:
            self._create_job(stream, job)
        return stream

    def _create_job(self, stream: StreamState, plan: JobPlan) -> JobState:
        job = JobState(
            plan=plan,
            stream=stream,
            workstation=self._places[plan.workstation],
            priority=0 if plan.special.is_held else plan.priority,
            starts_at=plan.starts_at,
        )
        self._engine.jobs[plan.id] = job
        stream.jobs.append(job)
        lifecycle.add_run(self._engine, job, "REGULAR")
        return job

    def _link(self, node: Node) -> None:
        engine = self._engine
        overlap = node.waits
        node.waits = [
            Wait(owner=node, one=one, number=number) for number, one in enumerate(node.plan.dependencies)
        ]
        node.waits += overlap
        for wait in node.waits:
            self._bind(wait)
        self._sort(node)
        if node.starts_at is not None and node.starts_at > engine.now:
            node.is_early = True
            engine.at(node.starts_at, type(engine).arrive, node, node.starts_at)
        if node.plan.until is not None:
            engine.at(node.plan.until, type(engine).pass_until, node)
        if node.plan.deadline is not None:
            engine.at(node.plan.deadline, type(engine).miss_deadline, node)

    @staticmethod
    def _sort(node: Node) -> None:
        unsatisfied = [wait for wait in node.waits if not wait.is_satisfied]
        node.open = sorted((one for one in unsatisfied if one.family != RESOURCE), key=lambda one: one.family)
        node.needs = [wait for wait in node.waits if wait.family == RESOURCE]

    def _bind(self, wait: Wait) -> None:
        """Finds what the dependency is on, and sees to it that it hears of it."""
        engine = self._engine
        match wait.one:
            case Follows(stream_id=stream_id, job_id=job_id, is_pending=is_pending):
                wait.target = engine.jobs[job_id] if job_id else engine.streams.get(stream_id)
                wait.is_pending = is_pending
                if is_pending:
                    self._pending.append(wait)
                self._follow(wait)
            case Join(members=members):
                wait.members = [
                    Wait(owner=wait.owner, one=one, number=number, join=wait)
                    for number, one in enumerate(members)
                ]
                for member in wait.members:
                    self._bind(member)
            case Outside(ends_at=ends_at) if ends_at is not None:
                engine.at(ends_at, effects.outside_ends, wait)
            case Opens(path=path, arrives_at=arrives_at):
                self.files[path].append(wait)
                if arrives_at is not None:
                    engine.at(arrives_at, type(engine).satisfy, wait)
            case Needs(resource=name):
                wait.resource = self._resources[name]
            case Asks(text=text, prompt=name):
                wait.prompt = self._prompt(wait, name, text)
                wait.prompt.waits.append(wait)
                wait.is_satisfied = wait.prompt.status == "ANSWERED_YES"

    def _follow(self, wait: Wait) -> None:
        if wait.target is not None:
            self._engine.followers.setdefault(wait.target.plan.id, []).append(wait)

    def _prompt(self, wait: Wait, name: str, text: str) -> PromptState:
        if name in self._prompts:
            return self._prompts[name]
        owner = None if name else wait.owner
        prompt = self._new_prompt(
            name or f"{wait.owner.plan.id}/{wait.number}",
            PromptState(id="", name=name, number=0, text=text, owner=owner),
        )
        if name:
            self._prompts[name] = prompt
        return prompt

    def _new_prompt(self, key: str, prompt: PromptState) -> PromptState:
        prompt.id = prompt.id or make_id(f"{self._engine.plan.id}/prompt", key)
        prompt.number = next(self._prompt_numbers)
        self._engine.prompts[prompt.id] = prompt
        return prompt

    def _resolve(self, wait: Wait, stream: StreamState) -> bool:
        """Whether the predecessor that was not in the plan is in this stream, or is it."""
        one = wait.one
        name, _, job_name = one.target.partition(".") if isinstance(one, Follows) else ("", "", "")
        if name != stream.plan.name:
            return False
        job = next((job for job in stream.jobs if job.plan.name == job_name), None)
        if job_name and job is None:
            return False
        wait.target, wait.is_pending = job or stream, False
        self._pending.remove(wait)
        self._follow(wait)
        self._engine.touch(wait.owner)
        return True

    def _carry(self, old: Engine) -> list[Node]:
        """Takes over what has not ended, with its ids, its state and what is to come of it."""
        engine = self._engine
        streams = [
            one for one in old.streams.values() if one.plan.special.carries_forward and not one.is_over
        ]
        kept = _nodes(streams)
        for stream in streams:
            stream.is_carried = True
            engine.streams[stream.plan.id] = stream
            self._latest[stream.plan.workstation, stream.plan.name] = stream
            for job in stream.jobs:
                self._carry_job(job)
        known = set(kept)
        for node in kept:
            self._relink(node, known)
        for prompt in old.prompts.values():
            if prompt.owner in known or any(wait.owner in known for wait in prompt.waits):
                self._new_prompt("", prompt)
        for when, _, event, arguments in sorted(old.events, key=lambda one: one[:2]):
            subject = arguments[0].owner if isinstance(arguments[0], Wait) else arguments[0]
            if isinstance(subject, Order) or (
                isinstance(subject, JobState | StreamState) and subject in known
            ):
                engine.at(when, event, *arguments)
        return kept

    def _carry_job(self, job: JobState) -> None:
        engine, old_place = self._engine, job.workstation
        engine.jobs[job.plan.id] = job
        engine.job_of_run |= {run.id: job for run in job.runs}
        job.workstation = self._places.setdefault(old_place.name, old_place)
        if job.workstation is old_place:  # not in the new plan
            engine.workstations[old_place.id] = old_place
        elif job.is_running:
            job.workstation.busy += 1
            for member in job.workstation.members or ():
                member.pooled += member.name == job.last.workstation
        self._engine.touch(job)

    def _relink(self, node: Node, known: set[Node]) -> None:
        for wait in [one for outer in node.waits for one in (outer, *outer.members)]:
            if wait.target is not None and wait.target not in known:
                wait.target = None
            self._follow(wait)
            if wait.is_pending:
                self._pending.append(wait)
            if isinstance(wait.one, Opens):
                self.files[wait.one.path].append(wait)
            if wait.resource is not None:
                old = wait.resource
                wait.resource = self._resources.get(old.name) or self._add_resource(old)
                if wait.resource is not old and node in old.holders:
                    wait.resource.holders[node] = old.holders[node]
                    wait.resource.in_use += old.holders[node]
        # Predecessors that ended in the plan before are not in this one.
        node.waits = [
            one
            for one in node.waits
            if not (one.is_satisfied and isinstance(one.one, Follows) and not one.target)
        ]
        self._sort(node)


def _nodes(streams: Iterable[StreamState]) -> list[Node]:
    found: list[Node] = []
    for stream in streams:
        found += [stream, *stream.jobs]
    return found
