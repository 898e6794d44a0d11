"""The classic API below `/twsd`, as far as vendor samples and monitoring tools call it.

Queries are POSTs with a filter and answer bare arrays; ids are composite keys `workstation;stream id;job`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from . import refusals
from .bodies import Submission, parsed
from .catalogue import FOLDER, load
from .desk import Desk, order_for, submission_of
from .engine import Engine
from .filters import to_pattern
from .kinds import KINDS, nobody
from .model import definitions, filled
from .orders import LEGAL, Kind, Verb
from .reads import answered
from .shapes import instant

_Json = dict[str, Any]
_ROWS = 500
"""Of a query whose header does not say how many."""
_VERBS = {verb.value: verb for verb in LEGAL[Kind.JOB]} | {"confirm": Verb.CONFIRM_SUCC}


class _Query(NamedTuple):
    kind: Kind
    filters: dict[str, str]
    answer: _Json


class _Wanted(BaseModel):
    filters: dict[str, dict[str, Any]] = {}


_QUERIES = load(FOLDER / "v1.yaml", dict[str, _Query])


class Classic:
    """Handlers over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._master = desk, desk.master

    def routes(self) -> Iterator[web.RouteDef]:
        """Every route."""
        plan = "/twsd/plan/current"
        yield web.get("/twsd/engine/info", self._engine_info)
        for path, query in _QUERIES.items():
            yield web.post(f"/twsd{path}", self._querying(query))
        yield web.post("/twsd/eventrule/engine/message_log_record/header/query", self._message_log)
        yield web.put(f"{plan}/job/{{id}}/action/{{verb}}", self._act)
        yield web.post(f"{plan}/jobstream/{{id}}/action/make_jobstream", self._make)
        yield web.post(f"{plan}/jobstream/{{id}}/action/submit_jobstream", self._submit)

    async def _engine_info(self, _: web.Request) -> web.Response:
        plan = self._master.engine.plan
        return answered(
            {
                "synphonyBatchManStatus": "ENGINE_STATUS_LIVES",
                "synphonyPlanStart": instant(plan.start),
                "synphonyPlanEnd": instant(plan.start + timedelta(days=1)),
                "version": "10.2.5",
                "engineType": "DISTRIBUTED",
            }
        )

    def _querying(self, query: _Query) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            body = parsed(_Wanted, await request.read() or b"{}")
            wanted = {name: str(value) for one in body.filters.values() for name, value in one.items()}
            found = [row for facets, row in _rows(self._master.engine, query) if _is_wanted(facets, wanted)]
            return answered(found[: _how_many(request, _ROWS)])

        return answer

    async def _message_log(self, request: web.Request) -> web.Response:
        """What an event rule wrote about each run that failed; the header How-Many is mandatory here."""
        most, label = _how_many(request, None), KINDS[Kind.JOB].label
        runs = [(job, run) for job in self._master.engine.jobs.values() for run in job.runs if run.has_failed]
        return answered(
            [
                {
                    "id": run.id,
                    "eventType": "JobStatusChanged",
                    "ruleName": "NOTIFY_ABEND",
                    "timeStamp": instant(run.ended_at or run.submitted_at),
                    "message": f"{label(job)} {run.status} RC={run.return_code}",
                }
                for job, run in runs[:most]
            ]
        )

    async def _act(self, request: web.Request) -> web.Response:
        key, verb = request.match_info["id"], _VERBS.get(request.match_info["verb"])
        job = next((one for one in self._master.engine.jobs.values() if one.plan.key == key), None)
        if job is None or verb is None or verb is Verb.SET_PRIORITY:
            raise refusals.not_found(request.path)
        self._desk.give(request, order_for(verb, Kind.JOB, job))
        return answered({"id": key})

    async def _make(self, request: web.Request) -> web.Response:
        """The instance that a submission would make, for the caller to change."""
        definition, body = await self._submission(request)
        starts_at = instant(body.at or self._master.engine.now)
        return answered(
            {"name": definition["name"], "timeRestriction": {"timeDependent": True, "startTime": starts_at}}
        )

    async def _submit(self, request: web.Request) -> web.Response:
        """The ids of what was submitted."""
        definition, body = await self._submission(request)
        order = submission_of(Kind.JOB_STREAM_DEFINITION, definition, body.arguments("at", "alias"))
        return answered([self._desk.give(request, order)["id"]])

    async def _submission(self, request: web.Request) -> tuple[_Json, Submission]:
        body = parsed(Submission, await request.read() or b"{}")
        found = definitions(self._master.engine, Kind.JOB_STREAM_DEFINITION).get(request.match_info["id"])
        if found is None:
            raise refusals.not_found(request.match_info["id"])
        return found["def"], body


def _how_many(request: web.Request, default: int | None) -> int:
    text = request.headers.get("How-Many", "" if default is None else str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise refusals.wrong("The header How-Many must be a number.")
    return int(text)


def _rows(engine: Engine, query: _Query) -> Iterator[tuple[dict[str, str], _Json]]:
    """What the filters compare, and the answer."""
    if query.kind is Kind.JOB_STREAM_DEFINITION:
        found = (one["def"] for one in definitions(engine, query.kind).values())
    else:
        shape = KINDS[query.kind]
        found = (shape.to_json(engine, one, may=nobody) for one in shape.objects(engine).values())
    for one in found:
        names = (one.get(field, "").rpartition("/")[2] for field in ("workstation", "jobStreamWorkstation"))
        values = {"one": one} | dict(zip(("place", "home"), names, strict=True))
        yield filled(query.filters, **values), filled(query.answer, **values)


def _is_wanted(facets: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Filters whose names are not known select nothing away, as those of later versions would not."""
    known = facets.keys() & wanted.keys()
    return all(to_pattern(wanted[name].replace("*", "@")).fullmatch(facets[name]) for name in known)
