"""Handlers of the operations that change the plan: on one object, or on all that match a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from . import bodies, refusals
from .call import Call
from .desk import Desk, order_for, submission_of
from .kinds import KINDS
from .model import definitions
from .orders import LEGAL, RANGES, Kind, Order, Verb
from .plan import JOBS
from .reads import Reads, answered
from .runs import JobState

_Arguments = dict[str, Any]
_QUERY_NAMES = {Verb.SET_FENCE: "priority"}
"""Where the query names the argument otherwise than the engine."""
_PATCHES = {RANGES[verb][0]: verb for verb in RANGES}
"""Fields that a merge patch may change, with the verb that does the same."""


class Acts:
    """They give orders to the master."""

    def __init__(self, desk: Desk, reads: Reads, overflow: str) -> None:
        """`overflow`: see `SimulatorSettings`."""
        self._desk, self._reads, self._overflow = desk, reads, overflow

    async def act(self, call: Call) -> web.Response:
        """The operation's verb."""
        given = await _arguments(call)
        return self._done(call, [order_for(call.verb, call.kind, one, given) for one in self._meant(call)])

    async def patch(self, call: Call) -> web.Response:
        """A merge patch: as many orders as it has fields."""
        given = (await call.body(bodies.Patch)).arguments()
        known = {name: verb for name, verb in _PATCHES.items() if verb in LEGAL[call.kind]}
        if not given or given.keys() - known.keys():
            raise refusals.wrong(f"The patch must have some of {', '.join(known)}.")
        pairs = [(one, name) for one in self._meant(call) for name in given]
        orders = [order_for(known[name], call.kind, one, {name: given[name]}) for one, name in pairs]
        return self._done(call, orders)

    async def rerun(self, call: Call) -> web.Response:
        """A rerun of one run, with successors where they are wanted; or of the jobs that match."""
        body = await call.body(bodies.Rerun)
        jobs = [call.known(call.engine.job_of_run)] if call.id else self._meant(call)
        given = body.arguments("priority", "from_step")
        orders = [order_for(call.verb, call.kind, job, given) for job in jobs]
        if call.id:
            orders[0] = replace(orders[0], run_id=call.id)
            orders += [order_for(call.verb, call.kind, one) for one in _successors(call, jobs[0], body)]
        return self._done(call, orders)

    async def submit(self, call: Call) -> web.Response:
        """A submission of one definition, or of those that match."""
        given = _placed(call, await call.body(bodies.Submission)).arguments()
        every = definitions(call.engine, call.kind)
        found = [call.known(every)] if call.id else self._within(call, self._reads.definitions(call))
        orders = [submission_of(call.kind, one["def"], given) for one in found]
        if call.id and call.kind is Kind.JOB_STREAM_DEFINITION:
            return answered({"count": 1, "results": [self._desk.give(call.request, orders[0])]})
        return self._done(call, orders)

    async def submit_task(self, call: Call) -> web.Response:
        """A submission of a job that has no definition."""
        body = await call.body(bodies.Task)
        given = _placed(call, body).arguments("at", "priority", "job_stream_id")
        key, name = body.workstation_id or body.workstation_key.lstrip("/"), body.alias or body.name
        place = next((one for one in call.engine.workstations.values() if key in (one.id, one.name)), None)
        if place is None or name is None:
            raise call.missing(key) if name else refusals.wrong("The job has no name.")
        inner = next(iter(body.task.values()), "")
        task = inner if isinstance(inner, dict) else {"taskString": inner}
        given |= {
            "name": name,
            "task": str(task.get("taskString", "")),
            "login": str(task.get("userName", "")),
        }
        order = order_for(call.verb, Kind.WORKSTATION, place, given)
        return self._done(call, [replace(order, kind=call.kind, label=f"{place.name}#{JOBS}.{name}")])

    def _meant(self, call: Call) -> Sequence[Any]:
        """The object of the id in the path, or those that match."""
        if call.id:
            return [call.known(KINDS[call.kind].objects(call.engine))]
        return self._within(call, self._reads.listing(call).find(call.kind, call.query()))

    def _within(self, call: Call, found: Sequence[Any]) -> Sequence[Any]:
        most = call.count("max_object_affected", 1)
        if len(found) > most and self._overflow == "reject":
            raise refusals.wrong(f"{len(found)} objects match, and max_object_affected is {most}.")
        return found[:most]

    def _done(self, call: Call, orders: Sequence[Order]) -> web.Response:
        """`ResourceResponseV2` of the first one, or `FilterActionResponseV2`."""
        if call.id or call.kind is Kind.TASK:
            first, *_ = [self._desk.give(call.request, order) for order in orders]
            return answered(first)
        done, failed = [], []
        for order in orders:
            try:
                done.append(self._desk.give(call.request, order) | {"isError": False, "error": False})
            except (web.HTTPInternalServerError, web.HTTPConflict) as problem:
                shown_id = order.run_id or order.object_id
                failed.append({"id": shown_id, "message": problem.text, "isError": True, "error": True})
        return answered({"successfulResourceResponses": done, "failedResourceResponses": failed})


async def _arguments(call: Call) -> _Arguments:
    """The arguments of the operation's verb. Raises 400 and 415."""
    match call.verb:
        case Verb.REPLY:
            return (await call.body(bodies.Answer)).arguments()
        case Verb.CONFIRM_SUCC | Verb.CONFIRM_ABEND:
            await call.body(bodies.Conditions)
        case Verb.RELEASE_DEPENDENCIES if call.operation.body:
            listed = (await call.body(bodies.Dependencies)).dependencies
            return {"dependencies": ",".join(one.id for one in listed)}
        case verb if verb in RANGES:
            name, values = RANGES[verb]
            value = call.number(_QUERY_NAMES.get(verb, name))
            if value not in values:
                raise refusals.wrong(f"{name} must be from {values[0]} to {values[-1]}.")
            return {name: value}
    return {}


def _successors(call: Call, job: JobState, body: bodies.Rerun) -> Iterator[JobState]:
    """The jobs that run again with it: those that are named, or those within so many steps that have run."""
    wanted, engine = body.successors, call.engine
    if unknown := [one for one in wanted.ids if one not in engine.jobs]:
        raise call.missing(unknown[0])
    yield from (engine.jobs[one] for one in wanted.ids)
    for one in engine.successors(job, 0 if wanted.ids else wanted.depth):
        if isinstance(one, JobState) and one.legal_status in LEGAL[Kind.JOB][Verb.RERUN]:
            yield one


def _placed(call: Call, body: bodies.Submission) -> bodies.Submission:
    if body.job_stream_id is not None and body.job_stream_id not in call.engine.streams:
        raise call.missing(body.job_stream_id)
    return body
