"""The HTTP side: REST API V2 of the engine server, as far as this simulator answers it.

Facts: the vendor's OpenAPI document, and answers observed on a 10.2.8 master where that document is silent
(405 for a wrong verb, 415 for a rerun without JSON, 500 for an action that is illegal in the job's state).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from . import filters, logs
from .engine import Engine
from .listing import JobListing
from .master import IllegalActionError, Master
from .orders import Action
from .rights import Caller, Users
from .runs import JobState, Node, StreamState
from .wire import dependencies_json, engine_json, instant, stream_json, workstation_json

__all__ = ["Api"]

_BASE = "/twsd/api/v2"
_DEFAULT_LIMIT = 10_000
_JUSTIFICATION = {
    "description": "Justification-Description",
    "category": "Justification-Category",
    "ticket": "Justification-Ticket-Num",
}
_CALLER = web.RequestKey("caller", Caller)
_LANDING = "<!DOCTYPE html><title>Workload Automation</title><h1>Workload Automation REST API</h1>"
_WRAPPER = "AWSJSY404E The operation on the plan could not be completed."

_T = TypeVar("_T")
_Json = dict[str, Any]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Handlers over one master."""

    def __init__(self, master: Master, users: Users) -> None:
        self._master = master
        self._users = users
        self._listings: dict[bool, JobListing] = {}

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        job, run = f"{_BASE}/plan/job/{{id}}", f"{_BASE}/plan/job/run/{{id}}"
        on_jobs = [action for action in Action if action is not Action.RERUN]
        return [
            web.get("/twsd/", self._landing),
            web.get("/sim/actions", self._actions),
            web.get(f"{_BASE}/engine/info", self._engine_info),
            web.get(f"{_BASE}/plan/job", self._jobs),
            web.get(f"{_BASE}/plan/job/count", self._job_count),
            web.get(job, self._job),
            web.get(f"{job}/predecessors", self._neighbours(Engine.predecessors)),
            web.get(f"{job}/successors", self._neighbours(Engine.successors)),
            web.get(f"{run}/joblog", self._job_log),
            web.put(f"{run}/action/{Action.RERUN}", self._rerun),
            *(web.put(f"{job}/action/{action}", self._act_on_job(action)) for action in on_jobs),
            web.get(f"{_BASE}/plan/jobstream", self._streams),
            web.get(f"{_BASE}/plan/jobstream/{{id}}", self._stream),
            web.get(f"{_BASE}/plan/workstation", self._workstations),
            web.get(f"{_BASE}/plan/workstation/{{id}}", self._workstation),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuses callers without valid credentials, as the application server does before any route."""
        caller = self._users.authenticate(request.headers.get("Authorization", ""))
        if caller is not None:
            request[_CALLER] = caller
        elif request.path != "/twsd/":
            return web.Response(
                status=401,
                text="<html><body>Error 401: SRVE0295E</body></html>",
                content_type="text/html",
                headers={"WWW-Authenticate": 'Basic realm="Engine server"'},
            )
        return await handler(request)

    async def _landing(self, _: web.Request) -> web.Response:
        answer = web.Response(text=_LANDING, content_type="text/html")
        answer.set_cookie("XSRF-TOKEN", str(uuid.uuid4()), path="/twsd", samesite="Strict")
        return answer

    async def _actions(self, _: web.Request) -> web.Response:
        """For tests: what was accepted, oldest first."""
        fields = ("user", "action", "job", "run_id", "justification")
        orders = self._master.orders
        return web.json_response(
            [{"at": instant(one.at)} | {field: getattr(one, field) for field in fields} for one in orders]
        )

    async def _engine_info(self, _: web.Request) -> web.Response:
        return _json(engine_json(self._master.engine))

    async def _jobs(self, request: web.Request) -> web.Response:
        listing = self._listing(request)
        return _page(request, listing.find(_query(request, filters.select_jobs)), listing.text)

    async def _job_count(self, request: web.Request) -> web.Response:
        fields = [field for field in request.query.get("grouping_filters", "").split(",") if field]
        try:
            return _json(self._listing(request).count(_query(request, filters.select_jobs), fields))
        except KeyError as unknown:
            raise _error(web.HTTPBadRequest, f"AWSJCS029E {unknown} is no field to group by.") from None

    async def _job(self, request: web.Request) -> web.Response:
        listing = self._listing(request)
        return _json(listing.full(_known(listing.engine.jobs, request)))

    def _neighbours(self, walk: Callable[[Engine, JobState, int], Iterable[Node]]) -> _Handler:
        async def neighbours(request: web.Request) -> web.Response:
            listing = self._listing(request)
            engine = listing.engine
            found = [
                listing.full(node) if isinstance(node, JobState) else _full_stream(engine, node)
                for node in walk(engine, _known(engine.jobs, request), _number(request, "depth", 1))
            ]
            return _json({"count": len(found), "results": found})

        return neighbours

    async def _job_log(self, request: web.Request) -> web.Response:
        engine = self._master.engine
        job = _known(engine.job_of_run, request)
        run = next(run for run in job.runs if run.id == request.match_info["id"])
        content_only = request.query.get("contentOnly", "").lower() == "true"
        lines = logs.render(job, run, now=engine.now, content_only=content_only)
        if not lines:
            cause = "AWSJDB101E The job log was not found: the job has not been launched."
            raise _error(web.HTTPNotFound, cause)
        first, last = _number(request, "from_line", 1), _number(request, "to_line", len(lines))
        return web.Response(text="\n".join(lines[max(0, first - 1) : last]) + "\n", content_type="text/plain")

    async def _streams(self, request: web.Request) -> web.Response:
        engine, query = self._master.engine, _query(request, filters.select_streams)
        make = _full_stream if query.needs_dependencies else stream_json
        return _page(request, query.select(make(engine, one) for one in engine.streams.values()), json.dumps)

    async def _stream(self, request: web.Request) -> web.Response:
        listing = self._listing(request)
        stream = _known(listing.engine.streams, request)
        jobs = [listing.row(job) for job in stream.jobs]
        return _json(_full_stream(listing.engine, stream) | {"jobs": jobs})

    async def _workstations(self, request: web.Request) -> web.Response:
        engine, query = self._master.engine, _query(request, filters.select_named)
        rows = query.select(workstation_json(engine, name) for name in engine.plan.workstations)
        return _page(request, rows, json.dumps)

    async def _workstation(self, request: web.Request) -> web.Response:
        engine = self._master.engine
        names = {object_id: name for name, object_id in engine.plan.workstation_ids.items()}
        return _json(workstation_json(engine, _known(names, request)))

    async def _rerun(self, request: web.Request) -> web.Response:
        await _check_options(request)
        job = _known(self._master.engine.job_of_run, request)
        return self._accept(request, Action.RERUN, job, run_id=request.match_info["id"])

    def _act_on_job(self, action: Action) -> _Handler:
        async def act(request: web.Request) -> web.Response:
            jobs = self._master.engine.jobs
            if any(request.match_info["id"] == job.plan.key for job in jobs.values()):
                cause = "AWSBIO006E The key field SCHED-NAME has no value."
                raise _error(web.HTTPInternalServerError, _WRAPPER, cause)
            return self._accept(request, action, _known(jobs, request), run_id=None)

        return act

    def _accept(
        self, request: web.Request, action: Action, job: JobState, *, run_id: str | None
    ) -> web.Response:
        caller, headers = request[_CALLER], request.headers
        if not caller.may_act:
            text = f'AWSJDB817E The user "{caller.name}" does not have {action.access} access to the object'
            raise _error(web.HTTPForbidden, f'{text} "{job.plan.key}" of type JOB.')
        reason = {name: headers[header] for name, header in _JUSTIFICATION.items() if header in headers}
        try:
            self._master.accept(action, job, user=caller.name, run_id=run_id, justification=reason)
        except IllegalActionError:
            cause = (
                f'AWSBIN076E The job or instance "{job.plan.key}" is in an incorrect state for the action.'
            )
            raise _error(web.HTTPInternalServerError, _WRAPPER, cause) from None
        path = f"job/run/{run_id}" if run_id else f"job/{job.plan.id}"
        return _json({"id": run_id or job.plan.id, "url": f"{request.url.origin()}{_BASE}/plan/{path}"})

    def _listing(self, request: web.Request) -> JobListing:
        engine, may_act = self._master.engine, request[_CALLER].may_act
        if may_act not in self._listings or self._listings[may_act].engine is not engine:
            self._listings[may_act] = JobListing(engine, may_act=may_act)
        return self._listings[may_act]


def _full_stream(engine: Engine, stream: StreamState) -> _Json:
    return stream_json(engine, stream) | {"dependencies": dependencies_json(engine, stream)}


def _query(request: web.Request, select: Callable[[str], filters.Predicate]) -> filters.Query:
    """What both filters of the request say. Raises 400."""
    try:
        query = filters.parse(request.query.get("oql", ""))
        text = request.query.get("plan_filter")
        return query.where(select(text)) if text else query
    except filters.OqlSyntaxError as problem:
        raise _error(web.HTTPBadRequest, f"OQL_FILTER_SYNTAX_ERROR {problem}") from None
    except filters.SelectionError as problem:
        raise _error(web.HTTPBadRequest, f"AWSJCS029E The filter {problem} is not valid.") from None


def _page(request: web.Request, found: Sequence[_T], to_text: Callable[[_T], str]) -> web.Response:
    limit, offset = _number(request, "limit", _DEFAULT_LIMIT), _number(request, "offset", 0)
    parts = [f'"results":[{",".join(to_text(one) for one in found[offset : offset + limit])}]']
    if request.headers.get("Include-Count", "true").lower() != "false":
        parts.insert(0, f'"count":{len(found)}')
    pages = {
        "next": offset + limit if offset + limit < len(found) else None,
        "previous": max(0, offset - limit) if offset > 0 else None,
    }
    for name, start in pages.items():
        if start is not None:
            url = request.url.update_query({"limit": str(limit), "offset": str(start)})
            parts.append(f'"{name}":{json.dumps(str(url))}')
    return web.Response(text=f"{{{','.join(parts)}}}", content_type="application/json")


def _known(objects: Mapping[str, _T], request: web.Request) -> _T:
    object_id = request.match_info["id"]
    if object_id not in objects:
        raise _error(web.HTTPNotFound, f'AWSJDB101E The object "{object_id}" cannot be found.')
    return objects[object_id]


def _number(request: web.Request, name: str, default: int) -> int:
    """A query parameter that counts something. Raises 400."""
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _error(web.HTTPBadRequest, f'AWSJCS029E The value "{text}" of {name} is not a number.')
    return int(text)


async def _check_options(request: web.Request) -> None:
    """Raises 415 or 400 unless the body is a JSON object without options: this engine has none to honour."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except (ValueError, LookupError):  # LookupError: a charset that nobody knows
        raise _error(web.HTTPBadRequest, "AWSJCS029E The body is not JSON.") from None
    if not isinstance(body, dict) or any(body.values()):
        raise _error(web.HTTPBadRequest, "AWSJCS029E The options of the rerun are not supported.")


def _error(kind: type[web.HTTPError], *messages: str) -> web.HTTPError:
    return kind(text=json.dumps({"messages": messages}), content_type="application/json")


def _json(value: _Json) -> web.Response:
    return web.json_response(text=json.dumps(value, ensure_ascii=False))
