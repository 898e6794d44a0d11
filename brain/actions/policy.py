"""Which changes there are, when they are legal and who may approve them: pure.

Source of the legal states: the vendor's manuals (rerun, altpri, release and cancel of conman).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from security.roles import Actor, Permission
from tws.objects import Job

__all__ = ["Action", "Requirement", "is_legal", "legal_actions", "why_not"]

Requirement = Literal["self", "second_person"]


class Action(StrEnum):
    """The changes Resync can make."""

    RERUN = "rerun"
    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"


_WAITING = frozenset({"ADD", "HOLD", "SCHED", "WAIT"})
_STARTABLE = frozenset({"READY", "FENCE"})
_LAUNCHED = frozenset({"INTRO", "EXEC", "SUCCP", "ABENP"})
_ENDED = frozenset({"SUCC", "ABEND", "FAIL", "DONE", "SUPPR", "CANCL", "CANCLP", "ERROR"})

_LEGAL: dict[Action, frozenset[str]] = {
    Action.RERUN: _ENDED,
    Action.HOLD: _WAITING | _STARTABLE,
    # CANCLP is missing on purpose: TWS takes a release there, and cancels. Whoever means that asks for a cancel.
    Action.RELEASE: _WAITING | _STARTABLE,
    Action.CANCEL: _WAITING | _STARTABLE | _LAUNCHED | (_ENDED - {"CANCL"}) | {"PEND", "EXTRN"},
}


def is_legal(action: Action, job: Job) -> bool:
    """Whether TWS accepts the action in the job's present state."""
    if action is Action.RERUN:
        # The process of a job that was cancelled after its launch still runs.
        has_ended = job.status in _LEGAL[action] or (job.canceled and job.status not in _LAUNCHED)
        return job.last_run is not None and has_ended
    if job.canceled:
        return False
    if action is Action.HOLD:
        return job.priority > 0 and job.status in _LEGAL[action]
    if action is Action.RELEASE:
        # conman documents release for waiting jobs; a READY job is released only out of a hold.
        return job.status in _LEGAL[action] and (job.status not in _STARTABLE or job.priority == 0)
    return job.status in _LEGAL[action]


def legal_actions(job: Job) -> tuple[Action, ...]:
    """The actions that make sense for the job now."""
    return tuple(action for action in Action if is_legal(action, job))


def why_not(actor: Actor, *, requires: Requirement, proposed_by: str) -> str | None:
    """Why the actor may not approve, as a key of the phrases; None if they may."""
    if not actor.may(Permission.APPROVE):
        return "refused_not_permitted"
    if requires == "second_person":
        if actor.actor_id == proposed_by:
            return "refused_same_person"
        if not actor.may(Permission.APPROVE_SECOND):
            return "refused_second_person"
    return None
