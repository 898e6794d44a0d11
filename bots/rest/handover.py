"""What a shift hands over to the next: `/api/v1/handover`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from bots.problems import ProblemError
from brain.incidents.handover import Line, Section
from brain.incidents.handover_card import words
from brain.incidents.shifts import Handover, Shifts
from brain.message import Locale
from security.roles import Permission

from .body import read_query
from .endpoint import Endpoint, Responses, json_response
from .incidents import stored
from .models import Request

_MOST = timedelta(hours=72)


class HandoverQuery(Request):
    """Which time: so many hours until now, or from `since` to before `until`; at most 72 hours."""

    hours: Annotated[int, Field(ge=1, le=72)] = 8
    since: Annotated[
        AwareDatetime | SkipJsonSchema[None], Field(description="With its zone; instead of `hours`.")
    ] = None
    until: Annotated[
        AwareDatetime | SkipJsonSchema[None], Field(description="With its zone; now where there is none.")
    ] = None
    locale: Locale = Locale.EN


class HandoverLine(BaseModel):
    """A line, made of exactly one record."""

    section: Section
    """What went wrong, was done, is open, or is at risk in the next eight hours."""
    at: datetime | None
    by: str
    """Empty: Resync itself, or nobody."""
    text: str
    record: str
    """`event:12`, `audit:7`, `incident:3`, or `job:` with engine and id of a job of the plan."""
    link: str | None
    """Where to read the record; None for a job of the plan."""


class HandoverView(BaseModel):
    """The handover."""

    since: datetime
    until: datetime
    zone: str
    """In which people read its times."""
    as_of: datetime | None
    """When the plan was read from which the risks are; None while there is none."""
    lines: Sequence[HandoverLine]


class RecordView(BaseModel):
    """The record that a line is made of, as it is stored; of the audit log with its place in the chain."""

    record: str
    row: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRoutes:
    """Everybody who may ask may read it, as with incidents."""

    shifts: Shifts
    zone: ZoneInfo

    def endpoints(self) -> tuple[Endpoint, ...]:
        """All addresses."""
        ask, path = Permission.ASK, "/api/v1/handover"
        whole: Responses = {200: HandoverView}
        return (
            Endpoint("GET", path, self.get, ask, None, whole, query=HandoverQuery),
            Endpoint("GET", f"{path}/records/{{record_id}}", self.record, ask, None, {200: RecordView}),
        )

    async def get(self, request: web.Request) -> web.Response:
        """What went wrong, what was done by whom and why, what is open and what is at risk."""
        query = read_query(request, HandoverQuery)
        found = await stored(self.shifts.read(*_span(query)))
        return json_response(
            HandoverView(
                since=found.since,
                until=found.until,
                zone=self.zone.key,
                as_of=found.as_of,
                lines=[self._line(line, found, query.locale) for line in found.lines],
            )
        )

    async def record(self, request: web.Request) -> web.Response:
        """The event or audit row behind a line."""
        name = request.match_info["record_id"].replace("-", ":")
        row = await stored(self.shifts.record(name))
        if row is None:
            raise ProblemError(404, "not_found", "There is no such record.")
        return json_response(RecordView(record=name, row=row))

    def _line(self, line: Line, found: Handover, locale: Locale) -> HandoverLine:
        kind, _, number = line.record.partition(":")
        links = {"incident": f"/api/v1/incidents/{number}", "job": None}
        return HandoverLine(
            section=line.section,
            at=line.at,
            by=line.by,
            text=words(line, found, locale, self.zone),
            record=line.record,
            link=links.get(kind, f"/api/v1/handover/records/{kind}-{number}"),
        )


def _span(query: HandoverQuery) -> tuple[datetime, datetime]:
    """What the query means, in UTC. Raises `ProblemError` 422."""
    now = datetime.now(UTC)
    try:
        until = min(query.until or now, now).astimezone(UTC)
        since = query.since.astimezone(UTC) if query.since else until - timedelta(hours=query.hours)
    except OverflowError:
        since = until = now
    if not timedelta() < until - since <= _MOST:
        raise ProblemError(422, "invalid", "since: has to be before until, by at most 72 hours")
    return since, until
