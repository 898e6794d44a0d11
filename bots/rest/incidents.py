"""Incidents: what is wrong, and what is done about it: `/api/v1/incidents`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypedDict, TypeVar

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints
from sqlalchemy.exc import DBAPIError

from bots.problems import ProblemError
from brain.incidents.alerts import Alerts
from brain.incidents.desk import Desk, IncidentError
from brain.incidents.incidents import Entry, Incident
from brain.reply import Reply
from security.roles import Actor, Permission

from .body import read_json, read_query
from .endpoint import ACTOR, Endpoint, json_response
from .idempotency import IdempotencyKeys
from .models import Request
from .turns import Answers

_T = TypeVar("_T")
_STATUS = {"forbidden": 403, "not_found": 404, "not_possible": 409}
_ALERTS = 200
"""Alerts shown of one incident."""
_Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=r"^[^\x00]*$")
]


class IncidentQuery(Request):
    """Which incidents."""

    state: Literal["", "active", "open", "acknowledged", "mitigated", "resolved", "closed"] = ""
    """`active` are all that are not over; empty: all."""


class Root(BaseModel):
    """What stands behind the incident; empty texts where it is no job, or no job stream."""

    job: str
    job_stream: str
    workstation: str


class IncidentView(BaseModel):
    """An incident."""

    id: int
    engine: str
    state: str
    severity: str
    title: str
    """What is wrong, such as `failed AGT01#PAYDAILY.PAYROLL`."""
    root: Root | None
    alerts: int
    """Without repetitions."""
    waiting: int
    """Jobs that come after the root and are not over."""
    first_seen: datetime
    last_seen: datetime
    ended_at: datetime | None
    assignee: str | None
    silenced_until: datetime | None
    merged_into: int | None


class IncidentList(BaseModel):
    """The latest first, at most 200."""

    incidents: Sequence[IncidentView]


class AlertView(BaseModel):
    """An alert, as its sender told it."""

    id: str
    source: str
    event: str
    job: str
    job_stream: str
    workstation: str
    times: int
    """How often it was reported."""
    received_at: datetime
    happened_at: datetime | None


class IncidentDetail(IncidentView):
    """An incident with what happened, who reported it (at most 200 alerts) and what the investigation found."""

    timeline: Sequence[Entry]
    reported: Sequence[AlertView]
    investigation: Reply | None
    """None while it goes on."""


class AssignRequest(Request):
    """Who is responsible."""

    assignee: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
    """A user name; empty: nobody."""


class SilenceRequest(Request):
    """Until when nothing more of it is posted, unless it becomes critical."""

    until: AwareDatetime


class MergeRequest(Request):
    """Which incident it is a part of."""

    into: int


class SplitRequest(Request):
    """The alerts that are an incident of their own."""

    alerts: Annotated[list[str], Field(min_length=1, max_length=1000)]


class NoteRequest(Request):
    """A line for the timeline."""

    text: _Words


class _By(TypedDict):
    by: Actor
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRoutes:
    """Everybody who may ask may look; changes need the right to propose, and are audited."""

    desk: Desk
    alerts: Alerts
    answers: Answers
    keys: IdempotencyKeys

    def endpoints(self) -> tuple[Endpoint, ...]:
        """All addresses."""
        ask, act = Permission.ASK, Permission.PROPOSE
        one, view = "/api/v1/incidents/{incident_id}", {200: IncidentView}
        return (
            Endpoint(
                "GET", "/api/v1/incidents", self.list, ask, None, {200: IncidentList}, query=IncidentQuery
            ),
            Endpoint("GET", one, self.get, ask, None, {200: IncidentDetail}),
            Endpoint("POST", f"{one}/acknowledge", self.acknowledge, act, None, view),
            Endpoint("POST", f"{one}/resolve", self.resolve, act, None, view),
            Endpoint("POST", f"{one}/assign", self.assign, act, AssignRequest, view),
            Endpoint("POST", f"{one}/silence", self.silence, act, SilenceRequest, view),
            Endpoint("POST", f"{one}/note", self.note, act, NoteRequest, view),
            Endpoint("POST", f"{one}/merge", self.merge, act, MergeRequest, view),
            Endpoint("POST", f"{one}/split", self.split, act, SplitRequest, view),
        )

    async def list(self, request: web.Request) -> web.Response:
        """The incidents, the latest first."""
        query = read_query(request, IncidentQuery)
        found = await stored(self.desk.incidents.list(query.state))
        counts = await stored(self.alerts.counts([one.id for one in found]))
        return json_response(IncidentList(incidents=[view_of(one, counts.get(one.id, 0)) for one in found]))

    async def get(self, request: web.Request) -> web.Response:
        """One incident with its timeline, alerts and investigation."""
        number = _number(request)
        incident = await stored(self.desk.incidents.get(number))
        if incident is None:
            raise ProblemError(404, "not_found", "There is no such incident.")
        timeline = await stored(self.desk.incidents.timeline(number))
        reported = await stored(self.alerts.of_incident(number, limit=_ALERTS))
        counts = await stored(self.alerts.counts([number]))
        found = await self.answers.reply(incident.turn_id) if incident.turn_id else None
        return json_response(
            IncidentDetail(
                **view_of(incident, counts.get(number, 0)).model_dump(),
                timeline=timeline,
                reported=[
                    AlertView(
                        id=one.id,
                        source=one.source,
                        event=one.alert.event,
                        job=one.alert.job,
                        job_stream=one.alert.job_stream,
                        workstation=one.alert.workstation,
                        times=one.times,
                        received_at=one.received_at,
                        happened_at=one.alert.happened_at,
                    )
                    for one in reported
                ],
                investigation=found,
            )
        )

    async def acknowledge(self, request: web.Request) -> web.Response:
        """Say that you look after it; you are the assignee, if nobody is."""
        return await self._change(
            request, b"", lambda number: self.desk.step(number, "acknowledge", **_by(request))
        )

    async def resolve(self, request: web.Request) -> web.Response:
        """Say that it is over; most incidents resolve by themselves, by the plan."""
        return await self._change(
            request, b"", lambda number: self.desk.step(number, "resolve", **_by(request))
        )

    async def assign(self, request: web.Request) -> web.Response:
        """Make somebody responsible."""
        body = await read_json(request, AssignRequest)
        return await self._change(
            request, _bytes(body), lambda number: self.desk.assign(number, body.assignee, **_by(request))
        )

    async def silence(self, request: web.Request) -> web.Response:
        """Post nothing more of it until a time, unless it becomes critical."""
        body = await read_json(request, SilenceRequest)
        return await self._change(
            request, _bytes(body), lambda number: self.desk.silence(number, body.until, **_by(request))
        )

    async def note(self, request: web.Request) -> web.Response:
        """Write into the timeline."""
        body = await read_json(request, NoteRequest)
        return await self._change(
            request, _bytes(body), lambda number: self.desk.note(number, body.text, **_by(request))
        )

    async def merge(self, request: web.Request) -> web.Response:
        """Make it a part of another incident, which is the answer."""
        body = await read_json(request, MergeRequest)
        return await self._change(
            request, _bytes(body), lambda number: self.desk.merge(number, body.into, **_by(request))
        )

    async def split(self, request: web.Request) -> web.Response:
        """Make an incident of its own of some alerts; it is the answer."""
        body = await read_json(request, SplitRequest)
        return await self._change(
            request, _bytes(body), lambda number: self.desk.split(number, body.alerts, **_by(request))
        )

    async def _change(
        self, request: web.Request, body: bytes, change: Callable[[int], Awaitable[Incident]]
    ) -> web.Response:
        number = _number(request)

        async def once() -> web.Response:
            incident = await stored(change(number))
            counts = await stored(self.alerts.counts([incident.id]))
            return json_response(view_of(incident, counts.get(incident.id, 0)))

        return await self.keys.once(request, body, once)


def _by(request: web.Request) -> _By:
    return {"by": request[ACTOR], "channel": "rest"}


def _bytes(body: Request) -> bytes:
    return body.model_dump_json().encode()


def _number(request: web.Request) -> int:
    text = request.match_info["incident_id"]
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  # a bigint has no more digits
        raise ProblemError(404, "not_found", "There is no such incident.")
    return int(text)


async def stored(work: Awaitable[_T]) -> _T:
    """What the work gives; its errors as problems."""
    try:
        return await work
    except IncidentError as error:
        raise ProblemError(_STATUS[error.code], error.code, str(error)) from error
    except (OSError, DBAPIError) as error:
        raise ProblemError(503, "database_away", "The database does not answer; try again.") from error


def view_of(incident: Incident, alerts: int) -> IncidentView:
    """The incident as it is shown, with the number of its alerts."""
    return IncidentView(
        id=incident.id,
        engine=incident.engine,
        state=incident.state,
        severity=incident.severity,
        title=f"{incident.cause} {incident.subject}",
        root=Root(**incident.root) if incident.root else None,
        alerts=alerts,
        waiting=incident.waiting,
        first_seen=incident.first_seen,
        last_seen=incident.last_seen,
        ended_at=incident.ended_at,
        assignee=incident.assignee,
        silenced_until=incident.silenced_until,
        merged_into=incident.merged_into,
    )
