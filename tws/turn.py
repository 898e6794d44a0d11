"""What the engine makes of an action at once: the action applied to a copy of the plan, then the dispatcher's turn.

Pure. No time passes: nothing ends but what the action ends. The rules are those of `docs/engine-rules.md`.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from .actions import SWITCHES, Action, PlanObject
from .gates import WAITING, Cause, closed, holding, is_bound, owners_of, shown
from .objects import Dependency, Job, JobStream, Prompt, Resource, Workstation
from .outcomes import LaunchOrder, final_status, is_dead, is_over, launch_order, met, stream_status
from .plan import RUNNING, STARTABLE, Owner, Plan
from .recovery import Stage, fresh_run, new_prompt, new_recovery_job, recovery_job, recovery_of, stage_of

_DEFAULT_PRIORITY = 10
"""Of TWS; what a release restores where the engine does not say what the priority was."""
_KILLED = 9
"""Return code of a killed job: the signal."""
_ASKS = frozenset({Cause.PROMPT, Cause.PROMPT_NOT_ASKED, Cause.PROMPT_REFUSED})
_HELD = frozenset({Cause.HELD, Cause.STREAM_HELD})
_GIVES_BACK = frozenset({"SUCC", "ABEND", "CANCL", "SUPPR"})
"""Statuses in which a stream gives its resources back, once none of its jobs runs."""
_NOT_ENDED = WAITING | RUNNING | {"ADD", "PEND"}

_O = TypeVar("_O", bound=Owner)
_Arguments = Mapping[str, str | int | bool]


class Turn:
    """One action and what follows from it without time passing."""

    def __init__(self, plan: Plan, now: datetime) -> None:
        self.plan = plan.replaced()
        """The plan that is predicted."""
        self.changed: set[str] = set()
        """Ids of the jobs that were written, whether they differ in the end or not."""
        self.launched: list[str] = []
        """Ids of the jobs that start, in the order in which they are launched."""
        self._now = now
        self._ready: list[tuple[LaunchOrder, str]] = []
        self._opened: set[str] = set()
        """Workstations, streams and resources with more room than before: who waits there is considered."""
        self._narrowed: set[str] = set()
        """Those with less: who waits there may wait for something else now."""
        self._settled_jobs: OrderedDict[str, None] = OrderedDict()
        self._settled_streams: OrderedDict[str, None] = OrderedDict()
        """Ids of those whose outcome others have to be told, the oldest first."""
        self._touched: set[str] = set()
        """Streams some job of which changed in any way."""

    def take(self, action: Action, target: PlanObject, arguments: _Arguments) -> None:
        """Carries the action out, which must be legal, and lets the engine react."""
        match target:
            case Job():
                self._act_on_job(action, target, arguments)
            case JobStream():
                self._act_on_owner(action, target, arguments)
            case Workstation():
                changes: Mapping[str, Any] = dict([SWITCHES[action]]) if action in SWITCHES else arguments
                self.plan.put(replace(target, **changes))
                self._open_place(target.name)
            case Resource():
                quantity = int(arguments["quantity"])
                free = target.available + quantity - target.quantity
                self.plan.put(replace(target, quantity=quantity, available=free))
                self._opened.add(target.selection)
            case Prompt():
                self._reply(target, is_yes=action is Action.REPLY_YES)
        self._react()

    def _act_on_job(self, action: Action, job: Job, arguments: _Arguments) -> None:
        match action:
            case Action.RERUN:
                self._run_again(job, "RERUN")
            case Action.KILL:
                self._end(job)
            case Action.CONFIRM_SUCC | Action.CONFIRM_ABEND if job.status in RUNNING:
                self._put(job, status="SUCCP" if action is Action.CONFIRM_SUCC else "ABENP")
            case Action.CONFIRM_SUCC | Action.CONFIRM_ABEND:
                status = "SUCC" if action is Action.CONFIRM_SUCC else "ABEND"
                self._conclude(self._put(job, status=status, substatus=None))
            case _:
                self._act_on_owner(action, job, arguments)

    def _act_on_owner(self, action: Action, owner: Owner, arguments: _Arguments) -> None:
        match action:
            case Action.HOLD:
                self._change(owner, priority=0)
            case Action.SET_PRIORITY:
                self._change(owner, priority=arguments["priority"])
            case Action.SET_LIMIT:
                self._change(owner, limit=arguments["limit"])
                self._opened.add(owner.id)
            case Action.RELEASE if owner.priority == 0:
                self._change(owner, priority=owner.original_priority or _DEFAULT_PRIORITY)
            case Action.RELEASE | Action.RELEASE_DEPENDENCIES:
                freed = tuple(replace(one, satisfied=True) for one in owner.dependencies)
                may_start = owner.is_start_satisfied or action is Action.RELEASE
                self._change(owner, dependencies=freed, is_start_satisfied=may_start)
            case Action.CANCEL:
                self._cancel(owner)
            case Action.CANCEL_PENDING:
                self._change(owner, is_cancel_pending=True)

    def _reply(self, prompt: Prompt, *, is_yes: bool) -> None:
        self.plan.put(replace(prompt, status="ANSWERED_YES" if is_yes else "ANSWERED_NO"))
        for owner in self.plan.users(prompt.id) if is_yes else ():
            self._satisfy(owner.id, lambda one: one.id == prompt.id)
        job = self.plan.jobs.get(prompt.job_id or "")
        if job and job.has_failed and self.plan.recovery_prompt(job.id) is self.plan.prompts[prompt.id]:
            if is_yes:
                self._go_on(job)
            self._settle(job)

    def _put(self, owner: _O, **changes: Any) -> _O:
        changed = replace(owner, **changes)
        self.plan.put(changed)
        if isinstance(changed, Job):
            self.changed.add(changed.id)
        self._touched.add(changed.job_stream_id if isinstance(changed, Job) else changed.id)
        return changed

    def _change(self, owner: Owner, **changes: Any) -> None:
        self._evaluate(self._put(owner, **changes))

    def _evaluate(self, owner: Owner) -> None:
        """Brings a job, or a stream's jobs, that are not launched to the status that the gates give them."""
        if isinstance(owner, JobStream):
            if owner.is_cancel_pending and not owner.canceled and self._is_open([owner]):
                self._cancel(owner)
                return
            self._ask([owner])
            for job in self.plan.jobs_of(owner.id):
                self._evaluate(job)
        elif owner.status in WAITING and not owner.canceled:
            self._evaluate_job(owner)

    def _evaluate_job(self, job: Job) -> None:
        owners = owners_of(self.plan, job)
        if job.is_cancel_pending and self._is_open(owners):
            self._cancel(job)
            return
        gates = closed(self.plan, job, self._now)
        status, substatus = shown(gates)
        if status == "HOLD" and job.status in WAITING - STARTABLE:
            status = job.status  # SCHED and WAIT are kinds of HOLD
        if (status, substatus) != (job.status, job.substatus):
            job = self._put(job, status=status, substatus=substatus)
        if status == "SUPPR":
            self._settle(job)
        elif not gates:
            heapq.heappush(self._ready, (launch_order(self.plan, job), job.id))
        elif gates[0].cause in _ASKS:
            self._ask(owners)

    def _is_open(self, owners: Sequence[Owner]) -> bool:
        """Whether a pending cancellation takes place: nothing but the priority holds the job, or the stream."""
        return all(gate.cause in _HELD for gate in holding(self.plan, owners, self._now))

    def _ask(self, owners: Sequence[Owner]) -> None:
        """Asks the prompts of the job (given with its stream) or stream if nothing else holds it."""
        owner = owners[0]
        gates = holding(self.plan, owners, self._now)
        if all(gate.cause in _ASKS and gate.owner.id == owner.id for gate in gates):
            for one in owner.dependencies:
                prompt = self.plan.prompts.get(one.id) if one.type == "PROMPT" and not one.satisfied else None
                if prompt and prompt.status == "NOT_ASKED":
                    self.plan.put(replace(prompt, status="ASKED"))

    def _cancel(self, owner: Owner) -> None:
        if isinstance(owner, Job):
            self._settle(self._put(owner, canceled=True, is_cancel_pending=False))
            return
        self._put(owner, canceled=True, is_cancel_pending=False, status="CANCL")
        for job in self.plan.jobs_of(owner.id):
            if not job.canceled and job.status in _NOT_ENDED:
                self._cancel(job)
        self._settle(owner)

    def _end(self, job: Job) -> None:
        """Ends what runs as a kill does."""
        self._open_place(job.workstation)
        self._opened.add(job.job_stream_id)
        job = self._hold_units(job, is_taking=False)
        *before, last = job.runs
        ended = replace(last, status="ABEND", return_code=_KILLED, ended_at=self._now)
        self._conclude(self._put(job, status="ABEND", substatus=None, runs=(*before, ended)))

    def _conclude(self, job: Job) -> None:
        """What follows by itself from a final status."""
        if job.has_failed:
            recovery = recovery_of(job)
            if recovery.prompt:
                self.plan.put(new_prompt(job, recovery.prompt))
            else:
                self._go_on(job)
        self._tell_followers(self.plan.jobs[job.id])
        self._settle(job)
        for other in self.plan.jobs_of(job.job_stream_id):
            if other.has_failed and (helper := recovery_job(self.plan, other)) and helper.id == job.id:
                self._go_on(other)
                self._settle(other)
        if job.status == "SUCC" and job.repeat_interval and is_bound(job):
            self._repeat(job, job.repeat_interval)

    def _go_on(self, job: Job) -> None:
        """The next step of a recovery, if it comes at once."""
        stage, recovery = stage_of(self.plan, job), recovery_of(job)
        if stage is Stage.RUNS_JOB and recovery_job(self.plan, job) is None:
            self._change(new_recovery_job(self.plan, job))
        elif stage is Stage.RERUNS and not recovery.repeat_every:
            self._run_again(job, "RECOVERY_RERUN")

    def _repeat(self, job: Job, interval: timedelta) -> None:
        last = job.last_run
        begins = (job.starts_after or (last and last.started_at) or self._now) + interval
        if job.latest_start is None or max(begins, self._now) < job.latest_start:
            self._run_again(job, "RERUN_EVERY", starts_after=begins, is_start_satisfied=begins <= self._now)

    def _run_again(self, job: Job, rerun_type: str, **changes: Any) -> None:
        before = tuple(replace(run, is_last=False) for run in job.runs)
        runs = (*before, fresh_run(job, rerun_type))
        freed = {"canceled": False, "is_cancel_pending": False}
        self._change(job, status="HOLD", substatus=None, runs=runs, **freed, **changes)

    def _settle(self, owner: Owner) -> None:
        """Has those who follow the owner told what became of it: streams last, when all is known of their jobs."""
        (self._settled_jobs if isinstance(owner, Job) else self._settled_streams)[owner.id] = None

    def _settle_all(self) -> None:
        while self._settled_jobs or self._settled_streams:
            if self._settled_jobs:
                job = self.plan.jobs[self._settled_jobs.popitem(last=False)[0]]
                self._tell_followers(job)
                self._settled_streams[job.job_stream_id] = None
            elif stream := self.plan.job_streams.get(self._settled_streams.popitem(last=False)[0]):
                self._settle_stream(stream)

    def _settle_stream(self, stream: JobStream) -> None:
        status = stream_status(self.plan, stream, self._now)
        stream = self._put(stream, status=status)
        if is_over(self.plan, stream) or final_status(self.plan, stream):
            self._tell_followers(stream)
        if status in _GIVES_BACK and not self.plan.running(stream.id):
            self._hold_units(stream, is_taking=False)

    def _tell_followers(self, target: Owner) -> None:
        followers = self.plan.successors(target.id)
        if not followers:
            return
        is_good, status = is_over(self.plan, target), final_status(self.plan, target)
        for owner in followers:
            self._satisfy(
                owner.id,
                lambda one: (
                    one.target_id == target.id and (status in one.conditions if one.conditions else is_good)
                ),
            )
            if status is not None and isinstance(owner, Job):
                self._suppress(self.plan.jobs[owner.id])

    def _satisfy(self, owner_id: str, is_met: Callable[[Dependency], bool]) -> None:
        owner = self.plan.owner(owner_id)  # what came before may have changed it
        dependencies = tuple(met(one, is_met) for one in owner.dependencies) if owner else ()
        if owner and dependencies != owner.dependencies:
            self._change(owner, dependencies=dependencies)

    def _suppress(self, job: Job) -> None:
        """A job some condition of which can no longer be met does not run."""
        may_run = job.status in WAITING and not job.canceled and is_bound(job)
        if may_run and any(is_dead(self.plan, one) for one in job.dependencies):
            self._settle(self._put(job, status="SUPPR", substatus="SUPPR_UNSATISFIED_DEPENDENCY"))

    def _react(self) -> None:
        """Settles what changed and launches what may be launched, until nothing more happens."""
        while True:
            self._settle_all()
            while self._opened:
                self._consider(self._opened.pop())
            if self._settled_jobs or self._settled_streams:
                continue
            if not self._ready:
                break
            job = self.plan.jobs[heapq.heappop(self._ready)[1]]
            if job.status in WAITING and not job.canceled:
                self._launch(job)
        for place in self._narrowed:
            self._consider(place)
        for stream in [self.plan.job_streams[one] for one in self._touched if one in self.plan.job_streams]:
            self.plan.put(replace(stream, status=stream_status(self.plan, stream, self._now)))

    def _consider(self, place: str) -> None:
        waiting = set(self.plan.startable(place))
        for user in self.plan.users(place):
            waiting |= self.plan.startable(user.id) if isinstance(user, JobStream) else {user.id}
        for job_id in waiting:
            self._evaluate(self.plan.jobs[job_id])

    def _open_place(self, name: str) -> None:
        pools = (one.name for one in self.plan.workstations.values() if name in (one.members or ()))
        self._opened |= {name, *pools}

    def _launch(self, job: Job) -> None:
        """Launches the job if nothing has come between since it was found ready."""
        if gates := closed(self.plan, job, self._now):
            status, substatus = shown(gates)
            self._put(job, status=status, substatus=substatus)
            return
        if job.is_no_operation:
            self._cancel(job)
            return
        for owner in owners_of(self.plan, job):
            self._hold_units(owner, is_taking=True)
        job = self.plan.jobs[job.id]
        *before, last = job.runs or (fresh_run(job, "REGULAR"),)
        self._put(job, status="INTRO", substatus=None, runs=(*before, replace(last, status="INTRO")))
        self.launched.append(job.id)
        self._narrowed |= {job.workstation, job.job_stream_id}

    def _hold_units(self, owner: _O, *, is_taking: bool) -> _O:
        """Takes the units that the owner needs and does not hold, or gives back those that it holds."""
        dependencies = list(owner.dependencies)
        for number, one in enumerate(dependencies):
            resource = self.plan.resources.get(one.target) if one.type == "RESOURCE" else None
            if resource and bool(one.held) != is_taking:
                units = (one.quantity or 1) if is_taking else 0
                self.plan.put(replace(resource, available=resource.available + one.held - units))
                (self._narrowed if is_taking else self._opened).add(one.target)
                dependencies[number] = replace(one, held=units, satisfied=is_taking)
        return self._put(owner, dependencies=tuple(dependencies))
