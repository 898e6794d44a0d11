"""Whether the plan shows a change: pure. The wording of an outcome comes from here, never from a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brain.actions.policy import Action
from brain.actions.proposal import Target
from brain.message import Locale
from brain.phrases import say
from tws.objects import Job

__all__ = ["Observation", "observe"]

_WAITING = frozenset({"ADD", "HOLD", "SCHED", "WAIT"})
_UNSTARTED = _WAITING | {"READY", "FENCE", "CANCL", "CANCLP"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the plan says about a change that was asked for."""

    state: Literal["confirmed", "different", "pending"]
    detail: str


def observe(action: Action, target: Target, job: Job, locale: Locale) -> Observation:
    """Compares the job as it is now with what the action should have made of it."""
    match action:
        case Action.RERUN:
            return _rerun(target, job, locale)
        case Action.HOLD:
            if job.priority == 0:
                return _confirmed("seen_held", job, locale)
            if job.status not in _UNSTARTED:
                return _different(job, locale)
        case Action.RELEASE:
            if job.canceled:
                return _different(job, locale)
            if job.priority > 0 and (target.was_held or _is_let_go(target, job)):
                return _confirmed("seen_released", job, locale)
        case Action.CANCEL:
            if job.canceled:
                return _confirmed("seen_cancelled", job, locale)
    return _pending(job, locale)


def _is_let_go(target: Target, job: Job) -> bool:
    """Whether what the job itself waited for is gone; it may still wait with its job stream."""
    if job.status not in _WAITING:
        return True
    return target.had_dependencies and all(item.satisfied for item in job.dependencies)


def _rerun(target: Target, job: Job, locale: Locale) -> Observation:
    run = job.last_run
    if run is not None and run.attempt > target.attempt and run.id != target.run_id:
        detail = say(locale, "seen_rerun", job=job.selection, attempt=run.attempt, status=run.status)
        return Observation(state="confirmed", detail=detail)
    if job.canceled:
        return _different(job, locale)
    return _pending(job, locale)


def _confirmed(key: str, job: Job, locale: Locale) -> Observation:
    return Observation(state="confirmed", detail=say(locale, key, job=job.selection, status=job.status))


def _different(job: Job, locale: Locale) -> Observation:
    return Observation(
        state="different", detail=say(locale, "seen_different", job=job.selection, status=_status(job))
    )


def _pending(job: Job, locale: Locale) -> Observation:
    return Observation(
        state="pending", detail=say(locale, "seen_nothing", job=job.selection, status=_status(job))
    )


def _status(job: Job) -> str:
    return f"{job.status} (CANCELED)" if job.canceled else job.status
