"""Why a job has not started: each reason with its proof and with what would clear it, and the first causes behind it.

Pure: the caller says what time it is by the engine's clock.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import rustworkx as rx

from .actions import Change, PlanObject, is_legal, kind_of
from .gates import RULES, Cause, Gate, Rule, cause_of, closed, passes
from .objects import Dependency, Job, JobStream, Prompt, Resource, Workstation
from .plan import Owner, Plan

Fact = str | int | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that keeps a job from starting."""

    cause: Cause
    owner: Owner | None
    """The job, or its stream if that is what waits; None for a job that is not in the plan."""
    about: PlanObject | Dependency | None = None
    """What it is on: predecessor, workstation, resource, prompt; a dependency on anything that is not in the plan."""
    fact: Mapping[str, Fact] = field(default_factory=dict)
    """What proves it, e.g. limit 2 and running 2."""
    since: datetime | None = None
    """None where the plan does not say."""
    clears: Change | None = None
    """The change that would clear it, in a state in which it is legal; None where there is none."""
    passes: bool = False
    """Whether it passes by itself if all goes well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCause:
    """A reason that has no other one behind it."""

    reason: Reason
    chain: tuple[Owner, ...]
    """From the job that was asked about to the one that the reason is about: each waits for the next one."""


_RANK = {cause: rank for rank, cause in enumerate(Cause)}


def reasons(plan: Plan, job: Job, now: datetime) -> tuple[Reason, ...]:
    """Everything that keeps the job from starting, what to fix first on top; nothing for a job that was launched."""
    found = [_reason(plan, gate, _subject(plan, job, gate)) for gate in closed(plan, job, now)]
    return tuple(sorted(found, key=lambda reason: (reason.passes, _RANK[reason.cause])))


def first_causes(plan: Plan, job: Job, now: datetime) -> tuple[FirstCause, ...]:
    """What keeps the job from starting in the end, each with the shortest chain to it, what to fix first on top.

    Open predecessors that wait themselves are followed, into and out of job streams. Who waits in a circle is
    reported as such.
    """
    parents: dict[str, Owner | None] = {job.id: None}
    waits: list[tuple[str, str]] = []
    found: list[FirstCause] = []
    queue: deque[Owner] = deque([job])
    while queue:
        owner = queue.popleft()
        own, further = _step(plan, owner, now)
        found += [FirstCause(reason=reason, chain=_chain(parents, owner)) for reason in own]
        for target in further:
            waits.append((owner.id, target.id))
            if target.id not in parents:
                parents[target.id] = owner
                queue.append(target)
    found += _circles(plan, parents, waits)
    return tuple(sorted(found, key=lambda one: (one.reason.passes, _RANK[one.reason.cause], len(one.chain))))


def why_absent(
    plan: Plan, name: str, now: datetime, *, was_in_previous_plan: bool | None = None
) -> Reason | None:
    """Why no job or job stream of that name (or selection) is in the plan; None if there is one.

    `was_in_previous_plan` None means that nobody knows.
    """
    if plan.named(name):
        return None
    facts: dict[str, Fact] = {"name": name, "run_number": plan.run_number, "plan_ends_at": plan.ends_at}
    if plan.ends_at is not None and plan.ends_at <= now:
        return Reason(cause=Cause.PLAN_NOT_EXTENDED, owner=None, fact=facts, since=plan.ends_at)
    cause = Cause.CARRY_FORWARD if was_in_previous_plan else Cause.NOT_IN_PLAN
    return Reason(cause=cause, owner=None, fact=facts, since=plan.starts_at)


def _step(plan: Plan, owner: Owner, now: datetime) -> tuple[list[Reason], list[Owner]]:
    """The reasons that end here, and those whom the owner waits for and who wait themselves."""
    own: list[Reason] = []
    further: list[Owner] = []
    if isinstance(owner, JobStream):
        jobs = [job for job in plan.jobs_of(owner.id) if not job.canceled and job.status != "SUCC"]
        further += (job for job in jobs if closed(plan, job, now))
        own += (_reason(plan, Gate(cause_of(plan, job), owner), job) for job in jobs if job not in further)
        return own, further
    for gate in closed(plan, owner, now):
        targets = [plan.owner(one.target_id) for one in _behind(gate) if not one.satisfied]
        waiting = [one for one in targets if isinstance(one, JobStream) or (one and closed(plan, one, now))]
        further += waiting
        if not waiting:
            own.append(_reason(plan, gate, _subject(plan, owner, gate)))
    return own, further


def _behind(gate: Gate) -> tuple[Dependency, ...]:
    dependency = gate.dependency
    if dependency is None or RULES[gate.cause].about != "predecessor":
        return ()
    return dependency.members or (dependency,)


def _chain(parents: Mapping[str, Owner | None], owner: Owner) -> tuple[Owner, ...]:
    chain = [owner]
    while (parent := parents[chain[-1].id]) is not None:
        chain.append(parent)
    return tuple(reversed(chain))


def _circles(
    plan: Plan, parents: Mapping[str, Owner | None], waits: list[tuple[str, str]]
) -> Iterator[FirstCause]:
    graph: rx.PyDiGraph[str, None] = rx.PyDiGraph()
    nodes = dict(zip(parents, graph.add_nodes_from(list(parents)), strict=True))
    graph.add_edges_from_no_data([(nodes[start], nodes[end]) for start, end in waits])
    for component in rx.strongly_connected_components(graph):
        names = [graph[index] for index in component]
        if len(names) > 1 or graph.has_edge(component[0], component[0]):
            members = [owner for name in names if (owner := plan.owner(name))]
            first = min(members, key=lambda owner: len(_chain(parents, owner)))
            fact: dict[str, Fact] = {"members": ", ".join(sorted(owner.selection for owner in members))}
            reason = Reason(cause=Cause.CYCLE, owner=first, about=first, fact=fact)
            yield FirstCause(reason=reason, chain=_chain(parents, first))


def _subject(plan: Plan, job: Job, gate: Gate) -> PlanObject | Dependency:
    """What the gate is about."""
    one = gate.dependency
    if one is not None:
        found = plan.owner(one.target_id) or plan.prompts.get(one.id) or plan.resources.get(one.target)
        return found or one
    return plan.workstations[job.workstation] if RULES[gate.cause].about == "workstation" else gate.owner


def _reason(plan: Plan, gate: Gate, about: PlanObject | Dependency) -> Reason:
    if gate.cause is Cause.RECOVERY_PROMPT:
        about = plan.recovery_prompt(about.id) or about
    rule = RULES[gate.cause]
    target = gate.owner if rule.target == "owner" else about
    needed = (
        {"quantity": gate.dependency.quantity or 1}
        if gate.dependency and gate.cause is Cause.RESOURCE
        else {}
    )
    return Reason(
        cause=gate.cause,
        owner=gate.owner,
        about=about,
        fact={name: value for name, value in _facts(plan, gate, about) if value is not None},
        since=_since(gate, about),
        clears=_change(rule, target, rule.arguments or needed) if not passes(plan, gate) else None,
        passes=rule.passes or passes(plan, gate),
    )


def _facts(plan: Plan, gate: Gate, about: PlanObject | Dependency) -> Iterator[tuple[str, Fact]]:
    match about:
        case Workstation():
            yield from (
                ("fence", about.fence),
                ("limit", about.limit),
                ("running", len(plan.running(about.name))),
            )
            yield "priority", gate.owner.priority
        case Resource():
            yield "needed", gate.dependency.quantity if gate.dependency else None
            yield from (("available", about.available), ("quantity", about.quantity))
        case Prompt():
            yield from (("status", about.status), ("number", about.number), ("text", about.text))
        case Dependency():
            yield from (("status", about.predecessor_status), ("target", about.target))
        case Job() | JobStream():
            yield from (("status", about.status), ("priority", about.priority))
            yield from (("at", about.starts_after), ("until", about.latest_start))
            if isinstance(about, Job) and about.last_run:
                yield "return_code", about.last_run.return_code
            if isinstance(about, JobStream):
                yield from (("limit", about.limit), ("running", len(plan.running(about.id))))


def _since(gate: Gate, about: PlanObject | Dependency) -> datetime | None:
    if gate.cause in {Cause.UNTIL_PASSED, Cause.STREAM_UNTIL_PASSED}:
        return gate.owner.latest_start
    last = about.last_run if isinstance(about, Job) and about is not gate.owner else None
    return (last.ended_at or last.started_at) if last else None


def _change(rule: Rule, target: PlanObject | Dependency, arguments: Mapping[str, int]) -> Change | None:
    action = rule.action
    if action is None or isinstance(target, Dependency) or not is_legal(action, target):
        return None
    kind, name = kind_of(target), target.selection
    return Change(action=action, kind=kind, object_id=target.id, selection=name, arguments=arguments)
