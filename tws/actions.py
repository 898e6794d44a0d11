"""Every change that Resync can ask of an engine, and in which state each is legal: pure.

Source of the states: the vendor's "User's Guide and Reference", conman commands (rerun, kill, altpri, release, cancel,
confirm, limit, fence, reply), and answers observed on a 10.2.8 master.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .objects import Job, JobStream, Prompt, Resource, Workstation

__all__ = [
    "ACTIONS_OF",
    "Action",
    "Change",
    "ObjectKind",
    "PlanObject",
    "is_legal",
    "kind_of",
    "legal_actions",
]

PlanObject = Job | JobStream | Workstation | Prompt | Resource
"""What a change is made to; submissions are made to a definition instead."""


class ObjectKind(StrEnum):
    """Kinds of objects that changes are made to."""

    JOB = "job"
    JOB_STREAM = "job_stream"
    WORKSTATION = "workstation"
    PROMPT = "prompt"
    RESOURCE = "resource"
    JOB_DEFINITION = "job_definition"
    JOB_STREAM_DEFINITION = "job_stream_definition"


class Action(StrEnum):
    """The changes, in the words of the REST API where it has one."""

    RERUN = "rerun"
    HOLD = "hold"
    RELEASE = "release"
    RELEASE_DEPENDENCIES = "release_dependencies"
    CANCEL = "cancel"
    CANCEL_PENDING = "cancel_pending"
    KILL = "kill"
    CONFIRM_SUCC = "confirm_succ"
    CONFIRM_ABEND = "confirm_abend"
    SET_PRIORITY = "set_priority"
    SET_LIMIT = "set_limit"
    SET_FENCE = "set_fence"
    SET_QUANTITY = "set_quantity"
    LINK = "link"
    UNLINK = "unlink"
    START = "start"
    STOP = "stop"
    REPLY_YES = "reply_yes"
    REPLY_NO = "reply_no"
    SUBMIT = "submit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One action on one object with its arguments: what a proposal is about."""

    action: Action
    kind: ObjectKind
    object_id: str
    """Of the object in the plan; for a submission the model id of the definition."""
    selection: str
    """As conman writes the object, e.g. `AGT1#PAYDAILY.PAYROLL`."""
    arguments: Mapping[str, str | int | bool] = field(default_factory=dict)
    """`priority`, `limit`, `fence`, `quantity` (whole numbers); for a rerun `from_step`, `same_workstation`,
    `with_successors`; for a submission `alias`, `at` (ISO 8601)."""


ACTIONS_OF: Mapping[ObjectKind, tuple[Action, ...]] = {
    ObjectKind.JOB: (
        Action.RERUN,
        Action.HOLD,
        Action.RELEASE,
        Action.RELEASE_DEPENDENCIES,
        Action.CANCEL,
        Action.CANCEL_PENDING,
        Action.KILL,
        Action.CONFIRM_SUCC,
        Action.CONFIRM_ABEND,
        Action.SET_PRIORITY,
    ),
    ObjectKind.JOB_STREAM: (
        Action.HOLD,
        Action.RELEASE,
        Action.RELEASE_DEPENDENCIES,
        Action.CANCEL,
        Action.CANCEL_PENDING,
        Action.SET_PRIORITY,
        Action.SET_LIMIT,
    ),
    ObjectKind.WORKSTATION: (
        Action.LINK,
        Action.UNLINK,
        Action.START,
        Action.STOP,
        Action.SET_LIMIT,
        Action.SET_FENCE,
    ),
    ObjectKind.PROMPT: (Action.REPLY_YES, Action.REPLY_NO),
    ObjectKind.RESOURCE: (Action.SET_QUANTITY,),
    ObjectKind.JOB_DEFINITION: (Action.SUBMIT,),
    ObjectKind.JOB_STREAM_DEFINITION: (Action.SUBMIT,),
}
"""Which actions each kind of object knows."""

_WAITING = frozenset({"ADD", "HOLD", "SCHED", "WAIT", "WAITD"})
_STARTABLE = frozenset({"READY", "FENCE"})
_LAUNCHED = frozenset({"INTRO", "EXEC", "SUCCP", "ABENP"})
_ENDED = frozenset({"SUCC", "ABEND", "FAIL", "DONE", "SUPPR", "CANCL", "CANCLP", "ERROR"})
_NOT_STARTED = _WAITING | _STARTABLE

_JOB: Mapping[Action, frozenset[str]] = {
    Action.RERUN: _ENDED,
    Action.HOLD: _NOT_STARTED,
    # CANCLP is missing on purpose: TWS takes a release there, and cancels. Whoever means that asks for a cancel.
    Action.RELEASE: _NOT_STARTED,
    Action.RELEASE_DEPENDENCIES: _WAITING,
    Action.CANCEL: _NOT_STARTED | _LAUNCHED | (_ENDED - {"CANCL"}) | {"PEND", "EXTRN"},
    Action.CANCEL_PENDING: _WAITING,
    Action.KILL: frozenset({"EXEC", "SUCCP", "ABENP"}),
    Action.CONFIRM_SUCC: frozenset({"EXEC", "PEND", "ABENP", "ABEND", "DONE", "SUPPR", "EXTRN", "ERROR"}),
    Action.CONFIRM_ABEND: frozenset({"EXEC", "PEND", "DONE", "EXTRN", "ERROR"}),
    Action.SET_PRIORITY: _NOT_STARTED | {"CANCLP"},
}
_STREAM_WAITING = frozenset({"ADD", "HOLD", "READY"})
_STREAM_ACTIVE = _STREAM_WAITING | {"EXEC", "STUCK"}
_STREAM: Mapping[Action, frozenset[str]] = {
    Action.HOLD: _STREAM_ACTIVE,
    Action.RELEASE: _STREAM_ACTIVE,
    Action.RELEASE_DEPENDENCIES: frozenset({"ADD", "HOLD"}),
    Action.CANCEL: _STREAM_ACTIVE | {"ABEND", "SUCC"},
    Action.CANCEL_PENDING: frozenset({"ADD", "HOLD"}),
    Action.SET_PRIORITY: _STREAM_ACTIVE,
    Action.SET_LIMIT: _STREAM_ACTIVE,
}


def kind_of(target: PlanObject) -> ObjectKind:
    """The kind of the object."""
    match target:
        case Job():
            return ObjectKind.JOB
        case JobStream():
            return ObjectKind.JOB_STREAM
        case Workstation():
            return ObjectKind.WORKSTATION
        case Prompt():
            return ObjectKind.PROMPT
        case Resource():
            return ObjectKind.RESOURCE


def is_legal(action: Action, target: PlanObject) -> bool:
    """Whether the engine accepts the action in the object's present state, and it would change something."""
    if action not in ACTIONS_OF[kind_of(target)]:
        return False
    match target:
        case Job():
            return _is_legal_for_job(action, target)
        case JobStream():
            return _is_legal_for_stream(action, target)
        case Workstation():
            return _changes_workstation(action, target)
        case Prompt():
            return target.status in {"NOT_ASKED", "ASKED"}
        case Resource():
            return True


def legal_actions(target: PlanObject) -> tuple[Action, ...]:
    """The actions that make sense for the object now."""
    return tuple(action for action in ACTIONS_OF[kind_of(target)] if is_legal(action, target))


def _is_legal_for_job(action: Action, job: Job) -> bool:
    if action is Action.RERUN:
        # The process of a job that was cancelled after its launch still runs.
        has_ended = job.status in _JOB[action] or (job.canceled and job.status not in _LAUNCHED)
        return job.last_run is not None and has_ended
    if job.canceled:
        return False
    if action is Action.HOLD:
        return job.priority > 0 and job.status in _JOB[action]
    if action is Action.RELEASE:
        # conman documents release for waiting jobs; a READY job is released only out of a hold.
        return job.status in _JOB[action] and (job.status not in _STARTABLE or job.priority == 0)
    if action is Action.RELEASE_DEPENDENCIES:
        return job.status in _JOB[action] and any(not item.satisfied for item in job.dependencies)
    if action is Action.CANCEL_PENDING:
        return job.status in _JOB[action] and not job.is_cancel_pending
    return job.status in _JOB[action]


def _is_legal_for_stream(action: Action, stream: JobStream) -> bool:
    if stream.canceled or stream.status not in _STREAM[action]:
        return False
    match action:
        case Action.HOLD:
            return stream.priority > 0
        case Action.RELEASE:
            return stream.priority == 0 or stream.status in _STREAM_WAITING
        case Action.RELEASE_DEPENDENCIES:
            return any(not item.satisfied for item in stream.dependencies)
        case Action.CANCEL_PENDING:
            return not stream.is_cancel_pending
    return True


def _changes_workstation(action: Action, workstation: Workstation) -> bool:
    match action:
        case Action.LINK:
            return not workstation.is_linked
        case Action.UNLINK:
            return workstation.is_linked
        case Action.START:
            return not workstation.is_running
        case Action.STOP:
            return workstation.is_running
    return True
