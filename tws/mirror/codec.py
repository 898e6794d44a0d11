"""Plan objects as rows of the mirror and back, without loss: pure."""

from typing import Any, NamedTuple

from pydantic import TypeAdapter

from tws.actions import KINDS, PlanObject, kind_of
from tws.objects import Job, JobStream, Prompt, Resource, Workstation

_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind: TypeAdapter(form) for form, kind in KINDS.items()}


class Row(NamedTuple):
    """One object: what is asked for, and all of it as JSON."""

    kind: str
    id: str
    selection: str
    status: str
    substatus: str | None
    priority: int | None
    canceled: bool
    content: str


def encode(each: PlanObject) -> Row:
    """The object as a row.

    A workstation has for a status `LINKED`, `UNLINKED` or `IGNORED`, for a substatus `RUNNING` or `STOPPED`, and its
    fence for a priority. A resource has `free/all`, e.g. `1/3`.
    """
    kind = kind_of(each)
    status, substatus, priority, canceled = "", None, None, False
    match each:
        case Job() | JobStream():
            status, substatus, priority, canceled = each.status, each.substatus, each.priority, each.canceled
        case Workstation():
            priority = each.fence
            status = "IGNORED" if each.is_ignored else "LINKED" if each.is_linked else "UNLINKED"
            substatus = "RUNNING" if each.is_running else "STOPPED"
        case Resource():
            status = f"{each.available}/{each.quantity}"
        case Prompt():
            status = each.status
    content = _ADAPTERS[kind].dump_json(each, exclude_defaults=True).decode()
    return Row(kind, each.id, each.selection, status, substatus, priority, canceled, content)


def decode(kind: str, content: str) -> PlanObject:
    """The object that was encoded. Raises pydantic's `ValidationError` for JSON that no object has."""
    found: PlanObject = _ADAPTERS[kind].validate_json(content)
    return found
