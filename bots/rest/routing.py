"""What rules would do and what is silenced: `/api/v1/routes/preview`, `/api/v1/alerts/preview`, `/api/v1/silences`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from bots.problems import ProblemError
from brain.incidents.router import Router
from brain.incidents.routes import About, Subject, Way
from brain.incidents.sameness import Group, Sameness, preview
from brain.incidents.silences import Silence
from brain.incidents.troubles import Severity
from security.roles import Permission

from .body import read_json, read_query
from .endpoint import ACTOR, Endpoint, json_response
from .idempotency import IdempotencyKeys
from .incidents import stored
from .models import Request

_Name = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$")]


class PreviewQuery(Request):
    """An incident that might be: by what stands behind it. What is left out is empty."""

    engine: _Name
    folder: _Name = ""
    workstation: _Name = ""
    job_stream: _Name = ""
    job: _Name = ""
    severity: Severity = "low"
    source: _Name = ""
    """Who reports it; empty: the plan itself shows it."""
    unacknowledged_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0
    """For how long nobody has acknowledged it."""


class DeliveryView(BaseModel):
    """Somebody who would be told."""

    route: str
    """The rule."""
    target: str
    way: Way
    """`card` at once, `digest` as one of a list."""
    wait_seconds: int
    """Before the list; it also waits while the rule is quiet."""


class PreviewView(BaseModel):
    """Who would be told now. Nobody is."""

    deliveries: Sequence[DeliveryView]
    hushed_by: str | None
    """The maintenance or silence because of which nobody is told."""
    unreached: Sequence[str]
    """People that rules name and that no channel knows."""


class SilenceAsk(Request):
    """What nothing is posted about, and until when. Patterns as in rules; what is left out matches all."""

    engine: Sequence[_Name] = ("*",)
    folder: Sequence[_Name] = ("*",)
    workstation: Sequence[_Name] = ("*",)
    job_stream: Sequence[_Name] = ("*",)
    job: Sequence[_Name] = ("*",)
    until: AwareDatetime
    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")
    ]


class SilenceView(BaseModel):
    """A silence that lasts; what is critical comes through."""

    id: int
    engine: Sequence[str]
    folder: Sequence[str]
    workstation: Sequence[str]
    job_stream: Sequence[str]
    job: Sequence[str]
    until: datetime
    reason: str
    created_by: str
    created_at: datetime


class SilenceList(BaseModel):
    """Those that last, the first to end first."""

    silences: Sequence[SilenceView]


class SamenessQuery(Request):
    """A rule by which a source's reports would be about the same occurrence."""

    source: _Name
    fields: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Attributes of the canonical alert, with commas in between: job_stream,job."""
    within_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    hours: Annotated[int, Field(ge=1, le=8784)] = 24
    """How far back to look."""


class SamenessView(BaseModel):
    """What the rule would have made of past reports; nothing is changed."""

    reports: int
    occurrences: int
    """As they were told apart."""
    would_be: int
    """By the rule."""
    groups: Sequence[Group]
    """The twenty that are most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRoutes:
    """Everybody who may ask may look; silences need the right to propose, and are audited."""

    router: Router
    keys: IdempotencyKeys

    def endpoints(self) -> tuple[Endpoint, ...]:
        """All addresses."""
        ask, act, silences = Permission.ASK, Permission.PROPOSE, "/api/v1/silences"
        return (
            Endpoint(
                "GET",
                "/api/v1/routes/preview",
                self.preview,
                ask,
                None,
                {200: PreviewView},
                query=PreviewQuery,
            ),
            Endpoint(
                "GET",
                "/api/v1/alerts/preview",
                self.sameness,
                ask,
                None,
                {200: SamenessView},
                query=SamenessQuery,
            ),
            Endpoint("GET", silences, self.list, ask, None, {200: SilenceList}),
            Endpoint("POST", silences, self.begin, act, SilenceAsk, {201: SilenceView}),
            Endpoint("POST", f"{silences}/{{silence_id}}/end", self.end, act, None, {200: SilenceView}),
        )

    async def preview(self, request: web.Request) -> web.Response:
        """See who would be told now of such an incident; nobody is."""
        query = read_query(request, PreviewQuery)
        names = query.model_dump(include={"engine", "folder", "workstation", "job_stream", "job", "severity"})
        subject = Subject(**names, sources=frozenset({query.source} - {""}))
        waits = timedelta(minutes=query.unacknowledged_minutes)
        found = await stored(self.router.preview(subject, unacknowledged_for=waits))
        return json_response(
            PreviewView(
                deliveries=[
                    DeliveryView(
                        route=one.route,
                        target=one.target,
                        way=one.way,
                        wait_seconds=int(one.wait.total_seconds()),
                    )
                    for one in found.deliveries
                ],
                hushed_by=found.hushed_by,
                unreached=found.unreached,
            )
        )

    async def sameness(self, request: web.Request) -> web.Response:
        """See how many past reports of a source a rule would have taken for one; nothing is changed."""
        query = read_query(request, SamenessQuery)
        try:
            rule = Sameness.model_validate(
                {"fields": query.fields.split(","), "within": timedelta(minutes=query.within_minutes)}
            )
        except ValidationError as error:
            raise ProblemError(422, "invalid", f"fields: {error.errors()[0]['msg']}") from error
        found = await stored(preview(self.router.engine, query.source, rule, timedelta(hours=query.hours)))
        return json_response(
            SamenessView(
                reports=found.reports,
                occurrences=found.occurrences,
                would_be=found.would_be,
                groups=found.groups,
            )
        )

    async def list(self, _request: web.Request) -> web.Response:
        """The silences that last."""
        found = await stored(self.router.silences.active())
        return json_response(SilenceList(silences=list(map(_view, found))))

    async def begin(self, request: web.Request) -> web.Response:
        """Post nothing of what the patterns match until a time, unless it is critical."""
        body = await read_json(request, SilenceAsk)
        try:
            about = About(name="new", **body.model_dump(exclude={"until", "reason"}))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            raise ProblemError(422, "invalid", f"{fault['loc'][0]}: {fault['msg']}") from error

        async def once() -> web.Response:
            made = self.router.silences.begin(
                about, body.until, body.reason, by=request[ACTOR], channel="rest"
            )
            return json_response(_view(await stored(made)), status=201)

        return await self.keys.once(request, body.model_dump_json().encode(), once)

    async def end(self, request: web.Request) -> web.Response:
        """End a silence before its time."""
        number = request.match_info["silence_id"]
        if not number.isdecimal() or len(number) > 18:  # noqa: PLR2004  # a bigint has no more digits
            raise ProblemError(404, "not_found", "There is no such silence that still lasts.")

        async def once() -> web.Response:
            ended = self.router.silences.end(int(number), by=request[ACTOR], channel="rest")
            return json_response(_view(await stored(ended)))

        return await self.keys.once(request, b"", once)


def _view(silence: Silence) -> SilenceView:
    return SilenceView(
        id=silence.id,
        **silence.about.model_dump(exclude={"name"}),
        until=silence.until,
        reason=silence.reason,
        created_by=silence.created_by,
        created_at=silence.created_at,
    )
