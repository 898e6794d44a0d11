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

from . import logs, oql, selection
from .engine import Engine
from .listing import JobListing, filtered, page_bounds
from .master import IllegalActionError, Master
from .neighbours import predecessors, successors
from .rights import ACCESS, Caller, Users
from .runs import JobState, StreamState
from .transitions import Action
from .wire import TIME_ZONE, instant, stream_json, workstation_json
from .wire_dependencies import dependencies_json

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

_T = TypeVar("_T")
_Json = dict[str, Any]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Handlers over one master."""

    def __init__(self, master: Master, users: Users) -> None:
        self._master = master
        self._users = users
        self._listing = JobListing(master.engine)

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        job, run = f"{_BASE}/plan/job/{{id}}", f"{_BASE}/plan/job/run/{{id}}"
        return [
            web.get("/twsd/", self._landing),
            web.get("/sim/actions", self._actions),
            web.get(f"{_BASE}/engine/info", self._engine_info),
            web.get(f"{_BASE}/plan/job", self._jobs),
            web.get(f"{_BASE}/plan/job/count", self._job_count),
            web.get(job, self._job),
            web.get(f"{job}/predecessors", self._predecessors),
            web.get(f"{job}/successors", self._successors),
            web.get(f"{run}/joblog", self._job_log),
            web.put(f"{run}/action/{Action.RERUN}", self._rerun),
            *(
                web.put(f"{job}/action/{action}", self._act_on_job(action))
                for action in Action
                if action is not Action.RERUN
            ),
            web.get(f"{_BASE}/plan/jobstream", self._streams),
            web.get(f"{_BASE}/plan/jobstream/{{id}}", self._stream),
            web.get(f"{_BASE}/plan/workstation", self._workstations),
            web.get(f"{_BASE}/plan/workstation/{{id}}", self._workstation),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuses callers without valid credentials, as the application server does before any route."""
        caller = self._users.authenticate(request.headers.get("Authorization", ""))
        if caller is None and request.path != "/twsd/":
            return web.Response(
                status=401,
                text="<html><body>Error 401: SRVE0295E</body></html>",
                content_type="text/html",
                headers={"WWW-Authenticate": 'Basic realm="Engine server"'},
            )
        if caller is not None:
            request[_CALLER] = caller
        return await handler(request)

    async def _landing(self, _: web.Request) -> web.Response:
        answer = web.Response(text=_LANDING, content_type="text/html")
        answer.set_cookie("XSRF-TOKEN", str(uuid.uuid4()), path="/twsd", samesite="Strict")
        return answer

    async def _actions(self, _: web.Request) -> web.Response:
        """For tests: what was accepted, oldest first."""
        return web.json_response(
            [
                {
                    "at": instant(order.at),
                    "user": order.user,
                    "action": order.action,
                    "job": order.job,
                    "run_id": order.run_id,
                    "justification": order.justification,
                }
                for order in self._master.orders
            ]
        )

    async def _engine_info(self, _: web.Request) -> web.Response:
        plan = self._master.engine.plan
        return _json(
            {
                "displayVersion": "10.2.5",
                "fullVersion": "10.2.5.00",
                "referenceId": f"RESYNCSIM-{plan.seed}",
                "licenseType": "PERSERVER",
                "locale": "pt_BR",
                "timezone": TIME_ZONE,
            }
        )

    async def _jobs(self, request: web.Request) -> web.Response:
        listing, may_act = self._jobs_now(), request[_CALLER].may_act
        query, selected = _filters(request, selection.select_jobs)
        found = listing.find(query, selected, may_act=may_act)
        return _page(request, found, lambda job: listing.text(job, may_act=may_act))

    async def _job_count(self, request: web.Request) -> web.Response:
        listing = self._jobs_now()
        selected = _selected(request.query.get("plan_filter", "/@/@#/@/@.@"), selection.select_jobs)
        fields = [field for field in request.query.get("grouping_filters", "").split(",") if field]
        try:
            return _json(listing.count(selected, fields))
        except KeyError as unknown:
            raise _error(web.HTTPBadRequest, f"AWSJCS029E {unknown} is no field to group by.") from None

    async def _job(self, request: web.Request) -> web.Response:
        listing = self._jobs_now()
        job = _known(listing.engine.jobs, request)
        return _json(listing.job_with_dependencies(job, may_act=request[_CALLER].may_act))

    async def _predecessors(self, request: web.Request) -> web.Response:
        return self._neighbours(request, predecessors)

    async def _successors(self, request: web.Request) -> web.Response:
        return self._neighbours(request, successors)

    def _neighbours(
        self, request: web.Request, walk: Callable[[Engine, JobState, int], Iterable[JobState | StreamState]]
    ) -> web.Response:
        listing, may_act = self._jobs_now(), request[_CALLER].may_act
        job = _known(listing.engine.jobs, request)
        found = [
            listing.job_with_dependencies(node, may_act=may_act)
            if isinstance(node, JobState)
            else _full_stream(listing.engine, node)
            for node in walk(listing.engine, job, _number(request, "depth", 1))
        ]
        return _json({"count": len(found), "results": found})

    async def _job_log(self, request: web.Request) -> web.Response:
        engine = self._master.engine
        job = _known(engine.job_of_run, request)
        run = next(run for run in job.runs if run.id == request.match_info["id"])
        content_only = request.query.get("contentOnly", "").lower() == "true"
        lines = logs.render(job.plan, job.stream.plan, run, now=engine.now, content_only=content_only)
        if not lines:
            raise _error(
                web.HTTPNotFound, "AWSJDB101E The job log was not found: the job has not been launched."
            )
        first, last = _number(request, "from_line", 1), _number(request, "to_line", len(lines))
        return web.Response(text="\n".join(lines[max(0, first - 1) : last]) + "\n", content_type="text/plain")

    async def _streams(self, request: web.Request) -> web.Response:
        engine = self._master.engine
        query, selected = _filters(request, selection.select_streams)
        make = (
            _full_stream if any(field.startswith("dependencies.") for field in query.fields) else stream_json
        )
        found = filtered((make(engine, stream) for stream in engine.streams.values()), query, selected)
        return _page(request, found, json.dumps)

    async def _stream(self, request: web.Request) -> web.Response:
        listing, may_act = self._jobs_now(), request[_CALLER].may_act
        stream = _known(listing.engine.streams, request)
        jobs = [listing.job(job, may_act=may_act) for job in stream.jobs]
        return _json(_full_stream(listing.engine, stream) | {"jobs": jobs})

    async def _workstations(self, request: web.Request) -> web.Response:
        engine = self._master.engine
        query, selected = _filters(request, selection.select_named)
        rows = (workstation_json(engine, one) for one in engine.plan.workstations.values())
        return _page(request, filtered(rows, query, selected), json.dumps)

    async def _workstation(self, request: web.Request) -> web.Response:
        engine = self._master.engine
        by_id = {one.id: one for one in engine.plan.workstations.values()}
        return _json(workstation_json(engine, _known(by_id, request)))

    async def _rerun(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        await _check_empty_object(request)
        job = _known(self._master.engine.job_of_run, request)
        return self._accept(request, Action.RERUN, job, run_id=request.match_info["id"])

    def _act_on_job(self, action: Action) -> _Handler:
        async def act(request: web.Request) -> web.Response:
            jobs = self._master.engine.jobs
            job_id = request.match_info["id"]
            if any(job_id == job.plan.key for job in jobs.values()):
                cause = "AWSBIO006E The key field SCHED-NAME has no value."
                raise _error(web.HTTPInternalServerError, _WRAPPER, cause)
            return self._accept(request, action, _known(jobs, request), run_id=None)

        return act

    def _accept(
        self, request: web.Request, action: Action, job: JobState, *, run_id: str | None
    ) -> web.Response:
        caller = request[_CALLER]
        if not caller.may_act:
            text = f'AWSJDB817E The user "{caller.name}" does not have {ACCESS[action]} access to the object'
            raise _error(web.HTTPForbidden, f'{text} "{job.plan.key}" of type JOB.')
        headers = {name: request.headers.get(header) for name, header in _JUSTIFICATION.items()}
        try:
            self._master.accept(
                action,
                job,
                user=caller.name,
                run_id=run_id,
                justification={name: text for name, text in headers.items() if text is not None},
            )
        except IllegalActionError:
            cause = (
                f'AWSBIN076E The job or instance "{job.plan.key}" is in an incorrect state for the action.'
            )
            raise _error(web.HTTPInternalServerError, _WRAPPER, cause) from None
        object_id = run_id or job.plan.id
        kind = "job/run" if run_id else "job"
        return _json({"id": object_id, "url": f"{request.url.origin()}{_BASE}/plan/{kind}/{object_id}"})

    def _jobs_now(self) -> JobListing:
        engine = self._master.engine
        if self._listing.engine is not engine:
            self._listing = JobListing(engine)
        return self._listing


_WRAPPER = "AWSJSY404E The operation on the plan could not be completed."


def _full_stream(engine: Engine, stream: StreamState) -> _Json:
    return stream_json(engine, stream) | {"dependencies": dependencies_json(engine, stream)}


def _filters(
    request: web.Request, select: Callable[[str], Callable[[Any], bool]]
) -> tuple[oql.Query, Callable[[Any], bool]]:
    try:
        query = oql.parse(request.query.get("oql", ""))
    except oql.OqlSyntaxError as problem:
        raise _error(web.HTTPBadRequest, f"OQL_FILTER_SYNTAX_ERROR {problem}") from None
    return query, _selected(request.query.get("plan_filter", ""), select)


def _selected(text: str, select: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if not text:
        return lambda _: True
    try:
        return select(text)
    except selection.SelectionError as problem:
        raise _error(web.HTTPBadRequest, f"AWSJCS029E The filter {problem} is not valid.") from None


def _page(request: web.Request, found: Sequence[_T], to_text: Callable[[_T], str]) -> web.Response:
    limit, offset = _number(request, "limit", _DEFAULT_LIMIT), _number(request, "offset", 0)
    following, preceding = page_bounds(len(found), limit, offset)
    parts = [f'"results":[{",".join(to_text(one) for one in found[offset : offset + limit])}]']
    if request.headers.get("Include-Count", "true").lower() != "false":
        parts.insert(0, f'"count":{len(found)}')
    for name, start in (("next", following), ("previous", preceding)):
        if start is not None:
            url = request.url.update_query({"limit": str(limit), "offset": str(start)})
            parts.append(f'"{name}":{json.dumps(str(url))}')
    return web.Response(text=f"{{{','.join(parts)}}}", content_type="application/json")


def _known(objects: Mapping[str, _T], request: web.Request) -> _T:
    found = objects.get(object_id := request.match_info["id"])
    if found is None:
        raise _error(web.HTTPNotFound, f'AWSJDB101E The object "{object_id}" cannot be found.')
    return found


def _number(request: web.Request, name: str, default: int) -> int:
    """A query parameter that counts something. Raises 400."""
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _error(web.HTTPBadRequest, f'AWSJCS029E The value "{text}" of {name} is not a number.')
    return int(text)


async def _check_empty_object(request: web.Request) -> None:
    """Raises 400 unless the body is an object without options: this engine has none of them to honour."""
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
