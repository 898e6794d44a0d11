"""What an action would do: to its target, to all that depends on it, and what is dangerous about it. Pure.

`tws/turn.py` carries the action out on a copy of the plan; here the plans before and after are compared and judged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from .actions import SWITCHES, VALUES, Action, Change, PlanObject, is_legal, legal_actions
from .forecast import forecast
from .gates import WAITING
from .objects import Job, JobStream, Prompt, Workstation
from .outcomes import has_started, is_over
from .plan import RUNNING, STARTABLE, Owner, Plan
from .recovery import Stage, recovery_of, stage_of
from .turn import Turn
from .why import Reason, reasons


class Danger(StrEnum):
    """What a careful operator would think of first, worst first."""

    CANCELS_RUNNING_LEAVES_PROCESS = "cancels_running_leaves_process"
    KILL_NO_UNDO = "kill_no_undo"
    FREES_DEPENDANTS_AT_ONCE = "frees_dependants_at_once"
    RELEASE_FREES_ALL_DEPENDENCIES = "release_frees_all_dependencies"
    CONFIRMS_WITHOUT_OUTPUT = "confirms_without_output"
    RERUN_WITH_SUCCESSORS_STARTED = "rerun_with_successors_started"
    RESOURCE_OVERSUBSCRIBED = "resource_oversubscribed"
    REFUSED_FOR_GOOD = "refused_for_good"
    NOTHING_STARTS_THERE = "nothing_starts_there"
    RECOVERY_SKIPPED = "recovery_skipped"
    ANOTHER_INSTANCE = "another_instance"
    CRITICAL_AFFECTED = "critical_affected"


class RecoveryEffect(StrEnum):
    """What becomes of the recovery that the job's definition asks for."""

    NONE = "none"
    APPLIES = "applies"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the engine would not accept it."""

    status: str
    """Of the target; empty if it has none, or is not in the plan."""
    legal: tuple[Action, ...]
    """What is legal instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A direct successor that still does not start."""

    owner: Owner
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The expected end of a job that is critical or has a deadline; None: cannot say."""

    job: Job
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The consequences of one change, at once and without time passing. Jobs are given as they are before it."""

    change: Change
    refusal: Refusal | None = None
    """Set: nothing would happen, and all else is empty."""
    after: PlanObject | None = None
    """The target as it will be."""
    changes: Mapping[str, Job] = field(default_factory=dict)
    """By id, as they will be: all jobs whose status, cancellation or substatus changes, the target among them."""
    freed: tuple[Job, ...] = ()
    """Jobs that nothing holds any more: those that start, in the order of their launch, then those that wait for room."""
    started: frozenset[str] = frozenset()
    """Ids of the jobs that start at once."""
    early: tuple[Job, ...] = ()
    """Those of them that come after the target although its own work is not done."""
    still_blocked: tuple[Blocked, ...] = ()
    keeps_running: bool = False
    """Whether a process of the target runs and goes on running."""
    recovery: RecoveryEffect = RecoveryEffect.NONE
    undo: Change | None = None
    """What takes it back; None where nothing does."""
    dangers: tuple[Danger, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    """Those that move."""


_OPPOSITE = {(name, not is_on): action for action, (name, is_on) in SWITCHES.items()}
_INVERSE = {Action.HOLD: Action.RELEASE, **{one: _OPPOSITE[what] for one, what in SWITCHES.items()}}
_RELEASES = frozenset({Action.RELEASE, Action.RELEASE_DEPENDENCIES})
_IS_DONE = frozenset({"SUCC", "PEND"})
_UNDER_WAY = frozenset({Stage.ASKS, Stage.RUNS_JOB, Stage.RERUNS})


def consequences(plan: Plan, change: Change, now: datetime) -> Impact:
    """What the change does at once: after the engine's next turn, with no time passing.

    Raises KeyError if an argument that the action needs is missing.
    """
    if change.action is Action.SUBMIT:
        return _of_submission(plan, change)
    target = plan.find(change.object_id)
    if target is None or not is_legal(change.action, target):
        legal = legal_actions(target) if target else ()
        return Impact(change=change, refusal=Refusal(status=getattr(target, "status", ""), legal=legal))
    turn = Turn(plan, now)
    turn.take(change.action, target, change.arguments)
    return _Comparison(plan, turn, change, target, now).impact()


def _of_submission(plan: Plan, change: Change) -> Impact:
    instances: list[Owner] = [*plan.job_streams.values(), *plan.jobs.values()]
    is_there = any(one.definition_id == change.object_id and not is_over(plan, one) for one in instances)
    return Impact(change=change, dangers=(Danger.ANOTHER_INSTANCE,) if is_there else ())


class _Comparison:
    """The plan before and after a change."""

    def __init__(self, plan: Plan, turn: Turn, change: Change, target: PlanObject, now: datetime) -> None:
        self.before, self.after, self.turn = plan, turn.plan, turn
        self.action, self.change, self.target, self.now = change.action, change, target, now
        self.jobs = [target] if isinstance(target, Job) else plan.jobs_of(target.id)
        """The target's own."""
        both = [(plan.jobs[one], turn.plan.jobs[one]) for one in turn.changed if one in plan.jobs]
        self.changes = {job.id: job for old, job in both if _shown(old) != _shown(job)}
        self.affected = plan.after({target.id, *self.changes})
        self.critical = [
            job
            for one in self.affected
            if (job := plan.jobs.get(one)) and (job.is_critical or job.deadline) and not is_over(plan, job)
        ]

    def impact(self) -> Impact:
        freed, early = self.freed(), self.early()
        return Impact(
            change=self.change,
            after=self.after.find(self.target.id),
            changes=self.changes,
            freed=freed,
            started=frozenset(self.turn.launched),
            early=early,
            still_blocked=tuple(self.still_blocked()),
            keeps_running=self.keeps_running,
            recovery=self.recovery,
            undo=self.undo(),
            dangers=tuple(danger for danger, is_there in _SIGNS.items() if is_there(self)),
            deadlines=self.deadlines(),
        )

    def freed(self) -> tuple[Job, ...]:
        place = {job_id: number for number, job_id in enumerate(self.turn.launched)}
        own = {job.id for job in self.jobs} if isinstance(self.target, Job) else set()
        both = [(self.before.jobs[one], job) for one, job in self.changes.items() if one not in own]
        found = [
            old
            for old, job in both
            if job.id in place
            or (job.status in STARTABLE and not job.canceled and old.status in WAITING - STARTABLE)
        ]
        return tuple(sorted(found, key=lambda job: (place.get(job.id, len(place)), -job.priority, job.id)))

    def early(self) -> tuple[Job, ...]:
        if not isinstance(self.target, Job | JobStream) or all(job.status in _IS_DONE for job in self.jobs):
            return ()
        own = {job.id for job in self.jobs}
        after = self.before.after([self.target.id]) - own
        return tuple(job for job in self.freed() if job.id in after)

    def still_blocked(self) -> Iterator[Blocked]:
        for owner in self.after.successors(self.target.id):
            jobs = [owner] if isinstance(owner, Job) else self.after.jobs_of(owner.id)[:1]
            found = tuple(
                reason
                for job in jobs
                for reason in reasons(self.after, job, self.now)
                if isinstance(owner, Job) or reason.owner == owner
            )
            if found and not owner.canceled:
                yield Blocked(owner=owner, reasons=found)

    @property
    def keeps_running(self) -> bool:
        now_running = (self.after.jobs[job.id] for job in self.jobs if job.status in RUNNING)
        return any(job.status in RUNNING for job in now_running)

    @property
    def recovery(self) -> RecoveryEffect:
        if isinstance(self.target, Prompt):
            if self.target.type != "Restart Prompt":
                return RecoveryEffect.NONE
            return RecoveryEffect.APPLIES if self.action is Action.REPLY_YES else RecoveryEffect.SKIPPED
        jobs = [job for job in self.jobs if _has_recovery(job)]
        if self.action in {Action.KILL, Action.CONFIRM_ABEND}:
            return RecoveryEffect.APPLIES if jobs else RecoveryEffect.NONE
        ends = self.action in {Action.CANCEL, Action.CONFIRM_SUCC, Action.RERUN}
        is_coming = any(job.status in RUNNING or stage_of(self.before, job) in _UNDER_WAY for job in jobs)
        return RecoveryEffect.SKIPPED if ends and is_coming else RecoveryEffect.NONE

    def undo(self) -> Change | None:
        if self.turn.launched:
            return None
        name = VALUES.get(self.action)
        if name:
            value = getattr(self.target, name)
            return None if value is None else replace(self.change, arguments={name: value})
        if self.action is Action.RELEASE and getattr(self.target, "priority", None) == 0:
            return replace(self.change, action=Action.HOLD)
        inverse = _INVERSE.get(self.action)
        return replace(self.change, action=inverse) if inverse else None

    def deadlines(self) -> tuple[Deadline, ...]:
        if not self.critical:
            return ()
        ids = {job.id for job in self.critical}
        before, after = (forecast(plan, self.now, ids) for plan in (self.before, self.after))
        ends = ((job, before.of(job.id).end, after.of(job.id).end) for job in self.critical)
        return tuple(Deadline(job=job, before=old, after=new) for job, old, new in ends if old != new)


def _shown(job: Job) -> tuple[str, bool, str | None]:
    return job.status, job.canceled, job.substatus


def _has_recovery(job: Job) -> bool:
    recovery = recovery_of(job)
    return recovery.option != "STOP" or bool(recovery.job or recovery.prompt)


def _frees_all(one: _Comparison) -> bool:
    owner = one.before.owner(one.target.id)
    is_held = owner is not None and owner.priority == 0 and one.action is Action.RELEASE
    return bool(
        owner and one.action in _RELEASES and not is_held and any(not d.satisfied for d in owner.dependencies)
    )


def _oversubscribes(one: _Comparison) -> bool:
    both = ((one.before.resources[name], after) for name, after in one.after.resources.items())
    return any(after.available < min(0, before.available) for before, after in both)


def _stops_place(one: _Comparison) -> bool:
    fence = one.target.fence if isinstance(one.target, Workstation) else 0
    is_raised = int(one.change.arguments.get("fence", 0)) > fence
    is_zero = one.action is Action.SET_LIMIT and one.change.arguments["limit"] == 0
    return one.action in {Action.UNLINK, Action.STOP} or is_raised or is_zero


_SIGNS: Mapping[Danger, Callable[[_Comparison], bool]] = {
    Danger.CANCELS_RUNNING_LEAVES_PROCESS: lambda one: one.action is Action.CANCEL and one.keeps_running,
    Danger.KILL_NO_UNDO: lambda one: one.action is Action.KILL,
    Danger.FREES_DEPENDANTS_AT_ONCE: lambda one: bool(one.early()),
    Danger.RELEASE_FREES_ALL_DEPENDENCIES: _frees_all,
    Danger.CONFIRMS_WITHOUT_OUTPUT: lambda one: (
        one.action is Action.CONFIRM_SUCC and any(job.status != "PEND" for job in one.jobs)
    ),
    Danger.RERUN_WITH_SUCCESSORS_STARTED: lambda one: (
        one.action is Action.RERUN
        and any(_has_begun(one.before, each) for each in one.before.successors(one.target.id))
    ),
    Danger.RESOURCE_OVERSUBSCRIBED: _oversubscribes,
    Danger.REFUSED_FOR_GOOD: lambda one: one.action is Action.REPLY_NO,
    Danger.NOTHING_STARTS_THERE: _stops_place,
    Danger.RECOVERY_SKIPPED: lambda one: one.recovery is RecoveryEffect.SKIPPED,
    Danger.CRITICAL_AFFECTED: lambda one: any(job.is_critical for job in one.critical),
}


def _has_begun(plan: Plan, owner: Owner) -> bool:
    jobs = [owner] if isinstance(owner, Job) else plan.jobs_of(owner.id)
    return any(map(has_started, jobs))
