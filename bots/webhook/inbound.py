"""The canonical alert as a `Report`; pure.

Field names are TWS's event attributes, so that a script that an event rule runs can copy them one to one.
Such scripts leave attributes out, send numbers as text, and paste messages with quotes and line breaks.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bots.intake import storable
from brain.incidents.alerts import Report
from brain.message import Alert, delivery_digest

_RAW_START = re.compile(r'"ErrorMessage"\s*:\s*(?=")')
_RAW_END = re.compile(r'"(?=\s*(?:,\s*"[A-Za-z]+"\s*:|\}\s*\Z))')
"""The quote that ends a text: after it comes another attribute or the end of the object."""

_MAX_NAME = 500
"""Characters of a name; those of TWS have at most 40."""


class MalformedAlertError(Exception):
    """The body is no alert; the message says why and may be shown to the sender."""


def _word(value: object) -> object:
    if value is None:
        return ""
    return storable(value) if isinstance(value, str) else value


def _number_or_none(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


_Text: TypeAlias = Annotated[str, BeforeValidator(_word)]
_Name: TypeAlias = Annotated[_Text, Field(max_length=_MAX_NAME)]


class _Body(BaseModel):
    """What is read of the payload; an unreadable number is as good as none."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, str_strip_whitespace=True)

    event: _Name = ""
    engine: _Name = ""
    plan: _Name = Field(default="", alias="PlanNumber")
    stream_workstation: _Name = Field(default="", alias="JobStreamWorkstation")
    stream: _Name = Field(default="", alias="JobStreamName")
    stream_id: _Name = Field(default="", alias="JobStreamId")
    scheduled: _Name = Field(default="", alias="JobStreamSchedTime")
    job: _Name = Field(default="", alias="JobName")
    job_number: _Name = Field(default="", alias="JobNumber")
    workstation: _Name = Field(default="", alias="Workstation")
    status: _Name = Field(default="", alias="Status")
    internal_status: _Name = Field(default="", alias="InternalStatus")
    time: _Name = Field(default="", alias="TimeStamp")
    return_code: Annotated[int | None, BeforeValidator(_number_or_none)] = Field(
        default=None, alias="ReturnCode"
    )
    error_message: _Text = Field(default="", alias="ErrorMessage")

    @property
    def subject(self) -> str:
        """What the alert is about: `workstation#stream.job` as conman writes it, or what is known of it."""
        if self.stream or self.job:
            return f"{self.stream_workstation}#{self.stream}.{self.job}"
        return self.workstation or self.event


def to_report(attributes: Mapping[str, Any], *, signed_at: str, identity: str = "") -> Report:
    """The alert with these attributes; `signed_at` is the time stamp of its request.

    `identity` is what its sender tells occurrences apart by, where it has something better than we. Raises
    `MalformedAlertError`.
    """
    try:
        body = _Body.model_validate(attributes)
    except ValidationError as error:
        fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
        raise MalformedAlertError(f"not a text of at most {_MAX_NAME} characters: {fields}") from error
    if not body.subject:
        raise MalformedAlertError("the alert names neither an event nor a job, job stream or workstation")
    return Report(
        fingerprint=identity or _delivery_id(body, attributes, signed_at),
        alert=Alert(
            event=body.event,
            engine=body.engine,
            job=body.job,
            job_stream=body.stream,
            job_stream_workstation=body.stream_workstation,
            workstation=body.workstation,
            internal_status=body.internal_status,
            return_code=body.return_code,
            happened_at=_time_or_none(body.time),
            text=body.error_message,
        ),
    )


def _delivery_id(body: _Body, attributes: Mapping[str, Any], signed_at: str) -> str:
    """The same for the same occurrence, however often its sender reports it.

    A job is told apart by its run: the job number is new with each one, but only within a plan. Whatever
    has no number is told apart by its time, or else a link that breaks again would be taken for the first.
    """
    happened = body.time or signed_at
    if not (body.job or body.stream):
        everything = json.dumps(attributes, sort_keys=True)
        return delivery_digest("alert", everything, happened)
    return delivery_digest(
        "job",
        body.event,
        body.engine,
        body.plan or body.scheduled,
        body.stream_workstation,
        body.stream_id or body.stream,
        body.job,
        body.job_number or happened,
        body.internal_status or body.status,
    )


def read_json(payload: bytes) -> object:
    """The JSON in the payload, also where a script pasted an `ErrorMessage` into it. Raises `MalformedAlertError`."""
    try:
        return _parse(payload.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedAlertError("the body is not JSON") from error


def _parse(text: str) -> object:
    # Not strict: line breaks inside texts are taken as they are.
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError:
        start = _RAW_START.search(text)
        end = _RAW_END.search(text, start.end() + 1) if start else None
        if start is None or end is None:
            raise
        quoted = json.dumps(text[start.end() + 1 : end.start()])
        return json.loads(text[: start.end()] + quoted + text[end.end() :], strict=False)


def _time_or_none(text: str) -> datetime | None:
    """ISO 8601, also with a zone's name behind it as in `2026-09-13T00:05:00Z/GMT`; UTC if it has none."""
    try:
        time = datetime.fromisoformat(text.partition("/")[0])
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
