"""Every change that Resync can ask of an engine, and in which state each is legal: pure.

Source of the states: the vendor's "User's Guide and Reference", conman commands (rerun, kill, altpri, release, cancel,
confirm, limit, fence, reply), and answers observed on a 10.2.8 master.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources

import yaml

from .objects import Job, JobStream, Prompt, Resource, Workstation

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


_DATA = yaml.safe_load(resources.files("tws").joinpath("actions.yaml").read_bytes())
_LEGAL = {
    ObjectKind(kind): {Action(action): frozenset(states.split()) for action, states in rows.items()}
    for kind, rows in _DATA.items()
}
ACTIONS_OF: Mapping[ObjectKind, tuple[Action, ...]] = {kind: tuple(rows) for kind, rows in _LEGAL.items()}
"""Which actions each kind of object knows."""
KINDS: Mapping[type[PlanObject], ObjectKind] = {
    Job: ObjectKind.JOB,
    JobStream: ObjectKind.JOB_STREAM,
    Workstation: ObjectKind.WORKSTATION,
    Prompt: ObjectKind.PROMPT,
    Resource: ObjectKind.RESOURCE,
}
VALUES: Mapping[Action, str] = {
    Action.SET_PRIORITY: "priority",
    Action.SET_LIMIT: "limit",
    Action.SET_FENCE: "fence",
    Action.SET_QUANTITY: "quantity",
}
"""Actions that set a value: the name of the argument, and of the object's field."""
SWITCHES: Mapping[Action, tuple[str, bool]] = {
    Action.LINK: ("is_linked", True),
    Action.UNLINK: ("is_linked", False),
    Action.START: ("is_running", True),
    Action.STOP: ("is_running", False),
}
"""Actions that turn something on or off: the object's field, and what it will be."""
_LAUNCHED = frozenset({"INTRO", "EXEC", "SUCCP", "ABENP"})
_JOB_WAITS = frozenset({"ADD", "HOLD", "SCHED", "WAIT", "WAITD"})
_STREAM_WAITS = frozenset({"ADD", "HOLD", "READY"})


def kind_of(target: PlanObject) -> ObjectKind:
    """The kind of the object."""
    return KINDS[type(target)]


def is_legal(action: Action, target: PlanObject) -> bool:
    """Whether the engine accepts the action in the object's present state, and it would change something."""
    states = _LEGAL[kind_of(target)].get(action)
    if states is None:
        return False
    match target:
        case Job() if action is Action.RERUN:
            # The process of a job that was cancelled after its launch still runs.
            has_ended = target.status in states or (target.canceled and target.status not in _LAUNCHED)
            return target.last_run is not None and has_ended
        case Job() | JobStream():
            return not target.canceled and target.status in states and _would_change(action, target)
        case Workstation() if action in SWITCHES:
            name, wanted = SWITCHES[action]
            return getattr(target, name) is not wanted
        case Prompt():
            return target.status in states
    return True


def legal_actions(target: PlanObject) -> tuple[Action, ...]:
    """The actions that make sense for the object now."""
    return tuple(action for action in ACTIONS_OF[kind_of(target)] if is_legal(action, target))


def _would_change(action: Action, owner: Job | JobStream) -> bool:
    match action:
        case Action.HOLD:
            return owner.priority > 0
        case Action.RELEASE:
            # conman documents release for what waits; a READY job is released only out of a hold.
            waits = _JOB_WAITS if isinstance(owner, Job) else _STREAM_WAITS
            return owner.priority == 0 or owner.status in waits
        case Action.RELEASE_DEPENDENCIES:
            return any(not item.satisfied for item in owner.dependencies)
        case Action.CANCEL_PENDING:
            return not owner.is_cancel_pending
    return True
