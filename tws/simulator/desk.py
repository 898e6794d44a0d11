"""Takes orders over HTTP: rights, faults that are wanted, the master's refusals, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web

from . import refusals
from .engine import Engine
from .faults import FAULT, Effect
from .kinds import KINDS
from .master import IllegalActionError, Master
from .orders import LEGAL, Kind, Order, Verb, access
from .rights import CALLER
from .routes import BASE

_JUSTIFICATION = {
    "description": "Justification-Description",
    "category": "Justification-Category",
    "ticket": "Justification-Ticket-Num",
}


class Desk:
    """Over one master."""

    def __init__(self, master: Master) -> None:
        self.master = master

    def give(self, request: web.Request, order: Order) -> dict[str, str]:
        """`ResourceResponseV2` of what is changed, or will be made. Raises 403, 409 and 500."""
        caller, fault, engine = request[CALLER], request.get(FAULT), self.master.engine
        effect = fault.effect if fault else None
        object_type, keyword = access(order.kind, order.verb)
        if not caller.may(order.kind, order.verb):
            raise refusals.denied(caller.name, keyword, order.label, object_type)
        shown_id = order.run_id or order.object_id
        if effect is not Effect.NOTHING:
            chosen = _another(engine, order) if effect is Effect.OTHER else order
            signed = replace(chosen, user=caller.name, justification=_justification(request))
            late = fault.seconds if fault and effect is Effect.LATE else 0.0
            try:
                accepted = self.master.accept(signed, late=late)
            except IllegalActionError as problem:
                if order.verb is Verb.SUBMIT:  # its definition and its stream are known
                    raise refusals.duplicate(order.label) from None
                raise refusals.illegal(order.label, str(problem)) from None
            if order.verb is Verb.SUBMIT:
                shown_id = engine.submission_id(accepted)
        path = "job/run" if order.run_id else _PATHS[order.kind]
        return {"id": shown_id, "url": f"{request.url.origin()}{BASE}/plan/{path}/{shown_id}"}


def order_for(verb: Verb, kind: Kind, one: Any, arguments: Mapping[str, Any] | None = None) -> Order:
    """An order for an object of the plan; a rerun is for the last run of its job."""
    object_id = one.plan.id if kind in (Kind.JOB, Kind.JOB_STREAM) else one.id
    run_id = one.last.id if verb is Verb.RERUN else None
    label, given = KINDS[kind].label(one), dict(arguments or {})
    return _draft(verb=verb, kind=kind, object_id=object_id, arguments=given, label=label, run_id=run_id)


def submission_of(kind: Kind, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> Order:
    """An order to submit what is defined (`def` of a definition)."""
    label = f"{definition['workstation']}#{definition['name']}".lstrip("/")
    object_id, given = definition["id"], dict(arguments)
    return _draft(verb=Verb.SUBMIT, kind=kind, object_id=object_id, arguments=given, label=label)


_NEVER = datetime.min.replace(tzinfo=UTC)
_draft = partial(Order, at=_NEVER, applies_at=_NEVER, user="")
"""The desk signs it, the master dates it."""
_PATHS = {kind: one.path for kind, one in KINDS.items()} | {
    Kind.JOB_DEFINITION: "job",
    Kind.TASK: "job",
    Kind.JOB_STREAM_DEFINITION: "jobstream",
}


def _another(engine: Engine, order: Order) -> Order:
    """The same for another object of the kind, for a fault; the order itself where no other is in a fit state."""
    for one in KINDS[order.kind].objects(engine).values() if order.kind in KINDS else ():
        other = order_for(order.verb, order.kind, one, order.arguments)
        is_fit = getattr(one, "legal_status", "") in LEGAL[order.kind][order.verb]
        if is_fit and other.object_id != order.object_id:
            return other
    return order


def _justification(request: web.Request) -> dict[str, str]:
    headers = request.headers
    found = {name: headers[header] for name, header in _JUSTIFICATION.items() if header in headers}
    # Headers may hold bytes that are no text.
    return {
        name: text.encode(errors="surrogateescape").decode(errors="replace") for name, text in found.items()
    }
