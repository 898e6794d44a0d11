"""Handlers of the operations that only look."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from aiohttp import web

from . import refusals
from .call import Call
from .engine import Engine
from .kinds import KINDS
from .listing import Listing
from .logs import JobLog
from .model import definitions
from .orders import LEGAL, RANGES, Kind, Verb
from .routes import BASE
from .runs import JobState
from .wire import engine_json

_Json = dict[str, Any]
_T = TypeVar("_T")
_CHUNK = 2_000
"""Lines of a log that are sent at once."""
_STATUSES = ("lastRunCommonStatus", "commonStatus", "activeStates")
"""Fields that the counts of a folder group by; there the first one has the name of the second."""


def answered(value: Any) -> web.Response:
    """The value as JSON."""
    return web.json_response(text=json.dumps(value, ensure_ascii=False))


class Reads:
    """They keep the objects that they have made, by the rights of the caller."""

    def __init__(self) -> None:
        self._listings: dict[tuple[bool, frozenset[str] | None], Listing] = {}

    async def engine_info(self, call: Call) -> web.Response:
        """`EngineInfoV2`."""
        return answered(engine_json(call.engine))

    async def read_permission(self, call: Call) -> web.Response:
        """What the caller may do."""
        return answered(call.caller.permissions())

    async def objects_info(self, call: Call) -> web.Response:
        """Actions of each kind of object, with the keys that objects give in their `actions`."""
        wanted = call.text("object_type")
        found = {
            one.object_type: {"actions": [_action(kind, verb) for verb in LEGAL[kind]]}
            for kind, one in KINDS.items()
            if wanted in ("", one.object_type)
        }
        if not found:
            raise refusals.wrong(f'The object type "{wanted}" has no information.')
        return answered(found)

    async def listed(self, call: Call) -> web.Response:
        """A page of the objects that match."""
        listing = self.listing(call)
        query, is_full = call.query(), call.wants_dependencies
        found = listing.find(call.kind, query)
        return _page(call, found, lambda one: listing.text(call.kind, one, is_full=is_full))

    async def single(self, call: Call) -> web.Response:
        """One object; a job or stream with its dependencies, a stream with its jobs too."""
        listing = self.listing(call)
        one = call.known(KINDS[call.kind].objects(listing.engine))
        found = json.loads(listing.text(call.kind, one, is_full=True))
        if call.kind is Kind.JOB_STREAM:
            found["jobs"] = [listing.row(Kind.JOB, job) for job in one.jobs]
        return answered(found)

    async def counted(self, call: Call) -> web.Response:
        """How many match, in groups where they are asked for."""
        fields = [field for field in call.text("grouping_filters").split(",") if field]
        try:
            return answered(self.listing(call).count(call.kind, call.query(), fields))
        except KeyError as unknown:
            raise refusals.wrong(f"{unknown} is no field to group by.") from None

    async def neighbours(self, call: Call) -> web.Response:
        """What a job or stream follows, or what follows it, near or far."""
        listing = self.listing(call)
        start = call.known(KINDS[call.kind].objects(listing.engine))
        walk = Engine.predecessors if call.operation.path.endswith("predecessors") else Engine.successors
        found = [
            json.loads(
                listing.text(Kind.JOB if isinstance(one, JobState) else Kind.JOB_STREAM, one, is_full=True)
            )
            for one in walk(listing.engine, start, call.count("depth", 1))
        ]
        return answered({"count": len(found), "results": found})

    async def files(self, call: Call) -> web.Response:
        """A page of the files that are waited for."""
        found = call.query().select(self.listing(call).files().values())
        return _page(call, found, json.dumps)

    async def file(self, call: Call) -> web.Response:
        """One file."""
        return answered(call.known(self.listing(call).files()))

    async def defined(self, call: Call) -> web.Response:
        """A page of definitions."""
        return _page(call, self.definitions(call), json.dumps)

    async def definition(self, call: Call) -> web.Response:
        """One definition."""
        return answered(call.known(definitions(call.engine, call.kind)))

    async def issues(self, call: Call) -> web.Response:
        """What is wrong with the jobs that match, without a filter with all."""
        listing = self.listing(call)
        return answered(
            {"issues": [one for job in listing.find(Kind.JOB, call.query()) for one in _issues(job)]}
        )

    async def folder_counts(self, call: Call) -> web.Response:
        """How many objects are in each folder, by status: there is only the root."""
        kind = next(
            (kind for kind, one in KINDS.items() if one.object_type == call.text("object_type")), None
        )
        if kind is None:
            raise refusals.wrong("The object type is not known.")
        listing, root = self.listing(call), {"folder": "/", "folderId": "", "parent": "/", "parentId": ""}
        if not call.query().select([root]):
            return answered([])
        rows = [listing.row(kind, one) for one in KINDS[kind].objects(listing.engine).values()]
        counts = {}
        for field in set(_STATUSES) & (rows[0] if rows else {}).keys():
            values = (
                value
                for row in rows
                for value in ([row[field]] if isinstance(row[field], str) else row[field])
            )
            counts[field.replace("lastRunC", "c")] = Counter(values)
        return answered([{"folder": "/", "totalCount": len(rows), **counts}])

    async def job_log(self, call: Call) -> web.StreamResponse:
        """The log of a run or a window of it, sent piece by piece: it may be longer than memory should hold."""
        engine = call.engine
        job = call.known(engine.job_of_run)
        run = next(run for run in job.runs if run.id == call.id)
        log = JobLog(job, run, now=engine.now, content_only=call.text("contentOnly").lower() == "true")
        if not len(log):
            raise refusals.refusal(
                web.HTTPNotFound, "AWSJDB101E There is no job log: the job was not launched."
            )
        lines = log.window(call.count("from_line", 1), call.count("to_line", len(log)))
        answer = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        await answer.prepare(call.request)
        while piece := list(islice(lines, _CHUNK)):
            await answer.write("".join(f"{line}\n" for line in piece).encode())
        await answer.write_eof()
        return answer

    def listing(self, call: Call) -> Listing:
        """The objects of the plan as the caller sees them."""
        engine, rights = call.engine, (call.caller.may_act, call.caller.only)
        if rights not in self._listings or self._listings[rights].engine is not engine:
            self._listings[rights] = Listing(engine, call.caller.may)
        return self._listings[rights]

    def definitions(self, call: Call) -> list[_Json]:
        """The definitions that match; filters look at their `def`."""
        found = definitions(call.engine, call.kind)
        return [found[one["id"]] for one in call.query().select([one["def"] for one in found.values()])]


def _action(kind: Kind, verb: Verb) -> _Json:
    one = KINDS[kind]
    place = "job/run/{id}" if verb is Verb.RERUN else f"{one.path}/{{id}}"
    is_patch = kind is Kind.JOB_STREAM and verb in RANGES
    return {
        "key": f"{verb.upper().replace('-', '_')}_{one.path.upper()}",
        "label": verb.replace("-", " ").capitalize(),
        "httpMethod": "PATCH" if is_patch else "PUT",
        "parametricUrl": f"{BASE}/plan/{place}" + ("" if is_patch else f"/action/{verb}"),
    }


def _issues(job: JobState) -> Iterator[_Json]:
    code = f" with return code {job.last.return_code}" if job.last.return_code else ""
    found = {"ERROR": job.has_failed, "LATE": job.is_late}
    texts = {"ERROR": f"ended in {job.status}{code}.", "LATE": "missed its deadline."}
    label = KINDS[Kind.JOB].label(job)
    for kind in (kind for kind, is_so in found.items() if is_so):
        yield {"id": job.plan.id, "issueType": kind, "issueMessage": f"{label} {texts[kind]}"}


def _page(call: Call, found: Sequence[_T], to_text: Callable[[_T], str]) -> web.Response:
    limit, offset = call.count("limit", 10_000), call.count("offset", 0)
    parts = [f'"results":[{",".join(to_text(one) for one in found[offset : offset + limit])}]']
    if call.request.headers.get("Include-Count", "true").lower() != "false":
        parts.insert(0, f'"count":{len(found)}')
    pages = {"next": offset + limit} if offset + limit < len(found) else {}
    for name, start in (pages | ({"previous": max(0, offset - limit)} if offset else {})).items():
        url = call.request.url.update_query({"limit": str(limit), "offset": str(start)})
        parts.append(f'"{name}":{json.dumps(str(url))}')
    return web.Response(text=f"{{{','.join(parts)}}}", content_type="application/json")
