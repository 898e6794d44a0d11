"""What keeps a job from starting, and the status it has for it: the table of `docs/engine-rules.md`, stated about a plan.

Pure. `tws/why.py` explains the gates to people, `tws/turn.py` opens and closes them in thought.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import resources
from typing import Literal, NamedTuple

import yaml
from pydantic import TypeAdapter

from .actions import Action
from .objects import FAILED_STATUSES, Dependency, Job, JobStream, Resource, Workstation
from .plan import STARTABLE, Owner, Plan


class Cause(StrEnum):
    """Why a job does not start. The order is that in which one looks after them: what a person must do comes first."""

    CANCELED = "canceled"
    STREAM_CANCELED = "stream_canceled"
    PLAN_NOT_EXTENDED = "plan_not_extended"
    CARRY_FORWARD = "carry_forward"
    NOT_IN_PLAN = "not_in_plan"
    CYCLE = "cycle"
    SUPPRESSED = "suppressed"
    UNTIL_PASSED = "until_passed"
    STREAM_UNTIL_PASSED = "stream_until_passed"
    HELD = "held"
    STREAM_HELD = "stream_held"
    RECOVERY_PROMPT = "recovery_prompt"
    PREDECESSOR_FAILED = "predecessor_failed"
    PREDECESSOR_UNCONFIRMED = "predecessor_unconfirmed"
    PREDECESSOR_SUPPRESSED = "predecessor_suppressed"
    PREDECESSOR_ORPHAN = "predecessor_orphan"
    PROMPT = "prompt"
    PROMPT_REFUSED = "prompt_refused"
    WORKSTATION_IGNORED = "workstation_ignored"
    WORKSTATION_UNLINKED = "workstation_unlinked"
    WORKSTATION_STOPPED = "workstation_stopped"
    POOL_EMPTY = "pool_empty"
    FENCE = "fence"
    WORKSTATION_LIMIT_ZERO = "workstation_limit_zero"
    STREAM_LIMIT = "stream_limit"
    RESOURCE = "resource"
    FILE = "file"
    PREDECESSOR_PENDING = "predecessor_pending"
    PREDECESSOR_CANCEL_PENDING = "predecessor_cancel_pending"
    CANCEL_PENDING = "cancel_pending"
    INTERNETWORK = "internetwork"
    JOIN = "join"
    OVERLAP = "overlap"
    PREDECESSOR = "predecessor"
    PROMPT_NOT_ASKED = "prompt_not_asked"
    TIME = "time"
    STREAM_TIME = "stream_time"
    EVERY = "every"
    WORKSTATION_LIMIT = "workstation_limit"
    LAUNCHING = "launching"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for a cause: a row of `causes.yaml`."""

    status: str
    substatus: str | None = None
    about: Literal["predecessor", "workstation"] | None = None
    passes: bool = False
    action: Action | None = None
    target: Literal["owner", "about"] = "about"
    arguments: Mapping[str, int] = field(default_factory=dict)


class Gate(NamedTuple):
    """A closed gate."""

    cause: Cause
    owner: Owner
    dependency: Dependency | None = None


_DATA = yaml.safe_load(resources.files("tws").joinpath("causes.yaml").read_bytes())
RULES = TypeAdapter(dict[Cause, Rule]).validate_python(_DATA)
"""By cause, those of a job that is not in the plan excepted."""
_OVERRIDES_LIMIT = 100
"""Priority `hi`; it and `go` (101) override the limit of a workstation, not that of a stream."""
WAITING = frozenset({"HOLD", "SCHED", "WAIT", "WAITD", "CANCLP", *STARTABLE})
"""Statuses of a job that may still be launched."""
_NOT_LAUNCHED = WAITING | {"ADD", "SUPPR"}
_PROMPTS = {"NOT_ASKED": Cause.PROMPT_NOT_ASKED, "ANSWERED_NO": Cause.PROMPT_REFUSED}
_BAD_ENDS = {
    **dict.fromkeys(("ABEND", "FAIL", "STUCK"), Cause.PREDECESSOR_FAILED),
    "PEND": Cause.PREDECESSOR_UNCONFIRMED,
    "SUPPR": Cause.PREDECESSOR_SUPPRESSED,
    "CANCLP": Cause.PREDECESSOR_CANCEL_PENDING,
}
_FAMILIES = {"PROMPT": 2, "FILE": 3}
"""Where a dependency's type stands in the table; predecessors of all types come before the time."""


def closed(plan: Plan, job: Job, now: datetime) -> list[Gate]:
    """The closed gates of a job that is not launched, in the order of the table; none for one that was."""
    if job.status == "INTRO" or (job.status == "ADD" and not job.canceled):
        return [Gate(Cause.LAUNCHING, job)]
    if job.status not in _NOT_LAUNCHED:
        return []
    if job.canceled:
        return [Gate(Cause.CANCELED, job)]
    owners = owners_of(plan, job)
    if job.is_stream_canceled or owners[-1].canceled:
        return [Gate(Cause.STREAM_CANCELED, owners[-1])]
    holds = [*_ends(owners, job, now), *holding(plan, owners, now)]
    return holds + [gate for gate in _at_launch(plan, job, owners) if not holds or not passes(plan, gate)]


def holding(plan: Plan, owners: Sequence[Owner], now: datetime) -> list[Gate]:
    """The closed gates that hold a job (given with its stream) or a stream, its cancellation apart."""
    found = [
        (0, Gate(_of(owner, Cause.HELD, Cause.STREAM_HELD), owner)) for owner in owners if owner.priority == 0
    ]
    for owner in owners if is_bound(owners[0]) else ():
        found += [
            (_FAMILIES.get(one.type, 0), Gate(_cause(plan, owner, one), owner, one))
            for one in owner.dependencies
            if not one.satisfied and one.type != "RESOURCE"
        ]
        if owner.starts_after and owner.starts_after > now and not owner.is_start_satisfied:
            found.append((1, Gate(_time_cause(owner), owner)))
    return [gate for _, gate in sorted(found, key=lambda item: item[0])]


def shown(gates: Sequence[Gate]) -> tuple[str, str | None]:
    """Status and substatus of a job that is neither launched nor cancelled, by its closed gates."""
    rule = RULES[gates[0].cause] if gates else None
    return (rule.status, rule.substatus) if rule else ("READY", None)


def cause_of(plan: Plan, predecessor: Owner) -> Cause:
    """Why a predecessor that is in the plan lets nobody go on."""
    prompt = plan.recovery_prompt(predecessor.id) if predecessor.status in FAILED_STATUSES else None
    if prompt and prompt.status == "ASKED":
        return Cause.RECOVERY_PROMPT
    is_pending = predecessor.is_cancel_pending
    plain = Cause.PREDECESSOR_CANCEL_PENDING if is_pending else Cause.PREDECESSOR
    return _BAD_ENDS.get(predecessor.status, plain)


def is_bound(owner: Owner) -> bool:
    """Whether dependencies and times count for it: they do not for a rerun, other than one of `every`."""
    last = owner.last_run if isinstance(owner, Job) else None
    return last is None or last.attempt == 1 or last.rerun_type == "RERUN_EVERY"


def owners_of(plan: Plan, job: Job) -> list[Owner]:
    """The job and, if it was read, its stream: all whose dependencies and times the job waits for."""
    stream = plan.job_streams.get(job.job_stream_id)
    return [job, stream] if stream else [job]


def is_up(workstation: Workstation) -> bool:
    """Whether jobs can be launched there."""
    return workstation.is_linked and workstation.is_running


def _of(owner: Owner, for_job: Cause, for_stream: Cause) -> Cause:
    return for_job if isinstance(owner, Job) else for_stream


def _ends(owners: Sequence[Owner], job: Job, now: datetime) -> Iterator[Gate]:
    """What ends the waiting without a start."""
    if job.status == "SUPPR" and job.substatus == RULES[Cause.SUPPRESSED].substatus:
        yield Gate(Cause.SUPPRESSED, job)
    for owner in owners if is_bound(job) else ():
        has_passed = owner.has_until_passed or (owner.latest_start is not None and owner.latest_start <= now)
        if has_passed and owner.on_late_start in {"", "doNotRun"}:
            yield Gate(_of(owner, Cause.UNTIL_PASSED, Cause.STREAM_UNTIL_PASSED), owner)
    yield from (Gate(Cause.CANCEL_PENDING, owner) for owner in owners if owner.is_cancel_pending)


def _time_cause(owner: Owner) -> Cause:
    last = owner.last_run if isinstance(owner, Job) else None
    is_repeated = last is not None and last.rerun_type == "RERUN_EVERY"
    return Cause.EVERY if is_repeated else _of(owner, Cause.TIME, Cause.STREAM_TIME)


def _cause(plan: Plan, owner: Owner, dependency: Dependency) -> Cause:
    match dependency.type:
        case "FILE":
            return Cause.FILE
        case "PROMPT":
            prompt = plan.prompts.get(dependency.id)
            return _PROMPTS.get(prompt.status if prompt else dependency.prompt_status or "", Cause.PROMPT)
        case "JOIN":
            return Cause.JOIN
        case "INTERNETWORK":
            return Cause.INTERNETWORK
    target = plan.owner(dependency.target_id)
    if dependency.is_orphan:
        return Cause.PREDECESSOR_ORPHAN
    if dependency.is_pending or (target is None and dependency.predecessor_status is None):
        return Cause.PREDECESSOR_PENDING
    if isinstance(owner, JobStream) and isinstance(target, JobStream) and owner.selection == target.selection:
        return Cause.OVERLAP
    if target is None:
        return _BAD_ENDS.get(dependency.predecessor_status or "", Cause.PREDECESSOR)
    return cause_of(plan, target)


def _at_launch(plan: Plan, job: Job, owners: Sequence[Owner]) -> Iterator[Gate]:
    place = plan.workstations.get(job.workstation)
    if place:
        yield from (Gate(cause, job) for cause in _at_workstation(plan, place, job))
    stream = plan.job_streams.get(job.job_stream_id)
    if stream and stream.limit is not None and 0 <= stream.limit <= len(plan.running(stream.id)):
        yield Gate(Cause.STREAM_LIMIT, stream)
    for owner in owners:
        for one in owner.dependencies:
            resource = (
                plan.resources.get(one.target) if one.type == "RESOURCE" and not one.satisfied else None
            )
            if resource and (one.quantity or 1) > resource.available:
                yield Gate(Cause.RESOURCE, owner, one)


def _at_workstation(plan: Plan, place: Workstation, job: Job) -> Iterator[Cause]:
    if job.priority <= place.fence > 0:
        yield Cause.FENCE
    if place.is_ignored:
        yield Cause.WORKSTATION_IGNORED
    if not is_up(place):
        yield Cause.WORKSTATION_STOPPED if place.is_linked else Cause.WORKSTATION_UNLINKED
    if place.members is not None and not any(map(is_up, _present(plan, place.members))):
        yield Cause.POOL_EMPTY
    if job.priority < _OVERRIDES_LIMIT and len(plan.running(place.name)) >= place.limit:
        yield Cause.WORKSTATION_LIMIT if place.limit else Cause.WORKSTATION_LIMIT_ZERO


def _present(plan: Plan, names: Sequence[str]) -> Iterator[Workstation]:
    yield from (plan.workstations[name] for name in names if name in plan.workstations)


def passes(plan: Plan, gate: Gate) -> bool:
    """Whether it opens by itself as running jobs end: no reason as long as something holds the job anyway."""
    if isinstance(gate.owner, JobStream) and gate.cause is Cause.STREAM_LIMIT:
        return gate.owner.limit != 0
    if gate.cause is Cause.RESOURCE and gate.dependency:
        resource: Resource = plan.resources[gate.dependency.target]
        return (gate.dependency.quantity or 1) <= resource.quantity
    return gate.cause is Cause.WORKSTATION_LIMIT
