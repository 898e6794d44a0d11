"""Orders to the engine: which verbs each kind of object knows, in which status each is legal, what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .catalogue import FOLDER, load


class Kind(StrEnum):
    """What an order is given to."""

    JOB = "job"
    JOB_STREAM = "job_stream"
    WORKSTATION = "workstation"
    PROMPT = "prompt"
    RESOURCE = "resource"
    JOB_DEFINITION = "job_definition"
    JOB_STREAM_DEFINITION = "job_stream_definition"
    WORKSTATION_DEFINITION = "workstation_definition"
    """No order is given to it; its members are read."""
    TASK = "task"
    """A job that has no definition: an ad hoc job."""


class Verb(StrEnum):
    """What is ordered; the values are the verbs of the REST paths."""

    RERUN = "rerun"
    KILL = "kill"
    HOLD = "hold"
    RELEASE = "release"
    RELEASE_DEPENDENCIES = "release-all-dependencies"
    CANCEL = "cancel"
    CANCEL_PENDING = "cancel-pending"
    CONFIRM_SUCC = "confirm-succ"
    CONFIRM_ABEND = "confirm-abend"
    SET_PRIORITY = "update-priority"
    SET_LIMIT = "update-limit"
    SET_FENCE = "update-fence"
    SET_QUANTITY = "update-quantity"
    LINK = "link"
    UNLINK = "unlink"
    START = "start"
    STOP = "stop"
    REPLY = "reply"
    SUBMIT = "submit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One accepted order. Times are simulated."""

    at: datetime
    applies_at: datetime
    """When the plan shows it: the answer comes first, batchman works later."""
    user: str
    verb: Verb
    kind: Kind
    object_id: str
    """Of the object in the plan; for a submission the model id of the definition, for a task its workstation's id."""
    arguments: dict[str, int | str | bool] = field(default_factory=dict)
    """`priority`, `limit`, `fence`, `quantity`; `answer` (yes is True); `dependencies` to be released (ids with commas, else
    all); for a rerun `priority`, `from_step`; for a submission `alias`, `at` (ISO 8601), `priority`, `job_stream_id`, for a
    task also `name`, `task`, `login`."""
    label: str = ""
    """The object as conman writes it, e.g. `AGT1#PAYDAILY.PAYROLL`, for readers of the journal."""
    run_id: str | None = None
    """Of the run that a rerun was asked for."""
    justification: dict[str, str] = field(default_factory=dict)
    """`description`, `category`, `ticket`, where the caller sent them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """`orders.yaml`."""

    legal: dict[Kind, dict[Verb, frozenset[str]]]
    ranges: dict[Verb, tuple[str, int]]
    objects: dict[Kind, str]
    keywords: dict[Verb, str]


_RULES = load(FOLDER / "orders.yaml", _Rules)

LEGAL: Mapping[Kind, Mapping[Verb, frozenset[str]]] = _RULES.legal
"""In which status each verb is accepted. A cancelled job that does not run counts as `CANCL`."""

RANGES: Mapping[Verb, tuple[str, range]] = {
    verb: (name, range(largest + 1)) for verb, (name, largest) in _RULES.ranges.items()
}
"""The argument that a verb needs and the values it may have."""


def access(kind: Kind, verb: Verb) -> tuple[str, str]:
    """The object type and the access keyword of the Security file that an order needs, e.g. `("JOB", "RERUN")`."""
    keyword = "SUBMITDB" if kind is Kind.JOB_DEFINITION else _RULES.keywords.get(verb, verb.name)
    return _RULES.objects[kind], keyword
