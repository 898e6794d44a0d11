"""The two sides of REST API V2: builds what is sent and reads what comes back; pure.

Source: the vendor's OpenAPI document (`/twsd/WA_API3_v2.json` on every master). It gives no schema for errors and
omits some statuses that real engines give; those rules come from observed answers.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from . import oql
from .errors import (
    TwsDeniedError,
    TwsError,
    TwsNotFoundError,
    TwsNotMasterError,
    TwsProtocolError,
    TwsRejectedError,
    TwsUnreachableError,
    TwsUnsupportedError,
    find_message_ids,
)
from .fields import Fields
from .objects import Job, JobFilter, JobStreamFilter

_T = TypeVar("_T")

_OQL_COMMON_STATUS = {"SUCCESSFUL": "SUCCEED"}
"""The manual's OQL chapter has its own word for one value of the published enum."""
_OUTAGE_IDS = frozenset({"AWSJCO005E", "AWSJDB801E", "AWSJDB802E", "AWSJDB803E"})
"""Causes that are the engine's own trouble (its server, its database), not a refusal. Source: message catalogue."""
_NOT_MASTER_ID = "AWSJPL004E"
_GATEWAY_STATUSES = frozenset({429, 502, 503, 504})
"""Answers of a gateway, or of an engine that is starting or overloaded."""
_PATH = re.compile(r"/(?:[\w@?-]+/)*[\w@?-]+", re.ASCII)
"""Folders and a name; `@` and `?` are wildcards."""
_MAX_MESSAGE_CHARS = 300
"""What of an engine's text goes into an error; the ids come first in it."""


def build_job_query(job_filter: JobFilter) -> dict[str, str]:
    """Query parameters without paging.

    Statuses match any run of a job, because OQL knows no field for the last one: `is_match` narrows the answer.
    Raises `oql.ImpossibleValueError` for a name that no object can have.
    """
    stream, plan_filter = _split(job_filter.job_stream, ".@")
    conditions = _named(job_filter.name, stream, job_filter.workstation)
    if job_filter.statuses:
        conditions.append(oql.one_of(oql.Field.RUN_STATUS, job_filter.statuses))
    if job_filter.common_statuses:
        values = [_OQL_COMMON_STATUS.get(status, status) for status in job_filter.common_statuses]
        conditions.append(oql.one_of(oql.Field.RUN_COMMON_STATUS, values))
    return {"oql": oql.render(conditions, oql.Order(oql.Field.NAME)), **plan_filter}


def build_job_stream_query(stream_filter: JobStreamFilter) -> dict[str, str]:
    """Query parameters without paging. Raises `oql.ImpossibleValueError` for a name that no object can have."""
    name, plan_filter = _split(stream_filter.name)
    conditions = _named(name, None, stream_filter.workstation)
    return {"oql": oql.render(conditions, oql.Order(oql.Field.NAME)), **plan_filter}


def build_key_query(key: str) -> dict[str, str]:
    """Query parameters for `workstation;job stream;job`, the newest first: what a submission of a job is answered with.

    Raises `oql.ImpossibleValueError` for a key that no job can have.
    """
    workstation, _, rest = key.partition(";")
    stream, _, name = rest.partition(";")
    newest = _named(name, stream, workstation)
    return {"oql": oql.render(newest, oql.Order(oql.Field.SCHEDULED_AT, is_descending=True))}


def _named(name: str | None, job_stream: str | None, workstation: str | None) -> list[oql.Condition]:
    named: list[oql.Condition] = [] if name is None else [oql.matches(oql.Field.NAME, name)]
    named += [] if job_stream is None else [oql.matches(oql.Field.JOB_STREAM_NAME, job_stream)]
    return named + ([] if workstation is None else [_on_workstation(workstation)])


def _split(job_stream: str | None, jobs: str = "") -> tuple[str | None, dict[str, str]]:
    """The name to ask for with OQL, or, as that has no field for folders, the parameter that names them.

    Such as `/@/@#/F2/PAYDAILY`. Source: the vendor's "User's Guide and Reference", conman's "Selecting jobs in
    commands"; such forms were seen to be answered by a 10.2.8 master. Raises `oql.ImpossibleValueError`.
    """
    if job_stream is None or "/" not in job_stream:
        return job_stream, {}
    if not _PATH.fullmatch(job_stream):
        raise oql.ImpossibleValueError("job stream")
    return None, {"plan_filter": f"/@/@#{job_stream}{jobs}"}


def _on_workstation(pattern: str) -> oql.Condition:
    """The engine writes a workstation with its folder, people only outside the root folder."""
    if "/" in pattern:
        return oql.matches(oql.Field.WORKSTATION, pattern)
    return oql.Or(tuple(oql.matches(oql.Field.WORKSTATION, name) for name in (pattern, f"/{pattern}")))


def is_match(job: Job, job_filter: JobFilter) -> bool:
    """Whether the job's present status is one that the filter asks for."""
    return (not job_filter.statuses or job.status in job_filter.statuses) and (
        not job_filter.common_statuses or job.common_status in job_filter.common_statuses
    )


def has_next(payload: object) -> bool:
    """Whether more pages follow; never after an empty one.

    The `next` URL itself is of no use: it names the host as the engine sees itself.
    """
    return bool(Fields(payload).text("next")) and row_count(payload) > 0


def row_count(payload: object) -> int:
    """How many objects the page has."""
    return len(Fields(payload).children("results"))


def read_count(payload: object) -> int:
    """How many objects match in all; 0 where the engine does not say."""
    return Fields(payload).integer("count") or 0


def read_results(payload: object, read: Callable[[Fields], _T]) -> tuple[_T, ...]:
    """The objects of one page, in the engine's order."""
    return tuple(read(fields) for fields in Fields(payload).children("results"))


def read_change(payload: object) -> str:
    """The id that the engine echoes of what was changed, or made; empty where it echoes none.

    Raises `TwsRejectedError` where an answer that looks like success says otherwise inside.
    """
    fields = Fields(payload)
    results = fields.children("results")
    echoed = results[0] if results else fields
    if echoed.flag("isError") or echoed.flag("error"):
        text = _squeeze(echoed.text("message"))
        raise TwsRejectedError(text, message_ids=find_message_ids(text))
    return echoed.text("id")


def read_error(status: int, body: str, *, url: str, what: str | None = None) -> TwsError:
    """The error that an answer other than 2xx stands for.

    The engine wraps the message of the cause in another one, so the last id counts. `what` names the object asked
    for; without it a 404 means that the address is wrong.
    """
    ids = find_message_ids(body)
    message = _read_message(body, ids) or f"TWS answered {status}"
    match status:
        case _ if _is_not_master(body, ids):
            return TwsNotMasterError(message, message_ids=ids)
        case 401:
            return TwsDeniedError(status, "TWS does not accept the credentials")
        case 403:
            return TwsDeniedError(status, message)
        case 404 if what:
            return TwsNotFoundError(what)
        case 404 | 405 | 501:
            return TwsUnsupportedError(f"{url} answered {status}: it does not know this operation")
        case _ if status in _GATEWAY_STATUSES or _is_outage(status, ids):
            return TwsUnreachableError(url, f"status {status} {' '.join(ids)}".rstrip(), was_sent=True)
        case _ if ids or status in {400, 409}:
            return TwsRejectedError(message, message_ids=ids)
        case _:
            return TwsProtocolError(f"{url} answered {status}, which REST API V2 does not")


def _is_not_master(body: str, ids: tuple[str, ...]) -> bool:
    """A host that only stands by says so with an id, or with the name of an exception in the older API."""
    return _NOT_MASTER_ID in ids or "EngineNotMaster" in body


def _is_outage(status: int, ids: tuple[str, ...]) -> bool:
    return status == 500 and (not ids or ids[-1] in _OUTAGE_IDS)  # noqa: PLR2004 - an HTTP status


def _read_message(body: str, ids: tuple[str, ...]) -> str:
    """The sentence of the innermost message; where there are no ids, the whole text unless it is a page."""
    if not ids:
        return "" if "<" in body else _squeeze(body)
    causes = (text for text in _texts(body) if ids[-1] in text)
    return next((_squeeze(text[text.index(ids[-1]) :]) for text in causes), _squeeze(body))


def _texts(body: str) -> tuple[str, ...]:
    try:
        payload: object = json.loads(body)
    except ValueError:
        return (body,)
    return Fields(payload).texts("messages") if isinstance(payload, Mapping) else (body,)


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:_MAX_MESSAGE_CHARS]
