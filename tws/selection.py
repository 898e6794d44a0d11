"""Selections of jobs and job streams as people type them for conman: pure.

Source: the vendor's "User's Guide and Reference", conman, "Selecting jobs in commands" and "Selecting job streams
in commands": `AGT1#PAYDAILY(0900 02/19/26).PAY@+state=abend,fail~priority=0`. Beside that `;state=abend` is
understood for `+state=abend`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

import yaml

from .objects import Job, JobFilter, JobStream, JobStreamFilter

_Form: TypeAlias = Literal["flag", "state", "names", "number", "time"]
_Level: TypeAlias = Literal["job", "job_stream"]
_Node: TypeAlias = Job | JobStream

_NAME = r"[A-Za-z0-9_@?%*-]+"
_PLACE = re.compile(rf"/?(?:{_NAME}/)*{_NAME}")
_JOB = re.compile(_NAME)
_NUMBER = re.compile(rf"[0-9]+(?!{_NAME}|[./(])")
_TIME = re.compile(
    r"(?:[01][0-9]|2[0-3])[0-5][0-9](?: (?:0[1-9]|1[0-2])/(?:0[1-9]|[12][0-9]|3[01])(?:/(?:[0-9]{2}){1,2})?)?"
)
_STATES = (
    "abend|abenp|add|bound|cancl|cancelp|done|error|exec|extrn|fail|fence|hold|intro|pend|ready|sched|stuck|succ"
    "|succp|suppr|wait"
)
_NO_STATUS = frozenset({"CANCL", "CANCELP"})
"""States of conman that the engine keeps beside the status."""
_ATTRIBUTES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    resources.files("tws").joinpath("selection.yaml").read_text("utf-8")
)
_HIGH = {"hi": 100, "go": 101}
_VALUE: Mapping[_Form, tuple[re.Pattern[str], str]] = {
    "state": (re.compile(rf"(?:{_STATES})\b", re.IGNORECASE), f"one of {_STATES.replace('|', ', ')}"),
    "names": (re.compile(r"(?:[^\s+~;,()\"'`]|\([^()]*\))+"), "a name"),
    "number": (re.compile(r"[0-9]{1,5}\b|hi\b|go\b", re.IGNORECASE), "a number"),
    "time": (_TIME, "a time such as 0900 or 0900 02/19/26"),
}


class SelectionError(ValueError):
    """The text is no selection; the message shows it with a mark where something else was expected."""

    def __init__(self, text: str, position: int, expected: str) -> None:
        super().__init__(f"{text}\n{' ' * position}^ expected {expected}")
        self.position = position
        """From 0."""
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualifier:
    """What selected objects must or must not have."""

    name: str
    values: tuple[str, ...] = ()
    """None: any value. Numbers and times: one, or the lowest and the highest, empty where that end is open."""
    excludes: bool = False

    def __str__(self) -> str:
        """As conman writes it."""
        return (
            f"{'~' if self.excludes else '+'}{self.name}{'=' if self.values else ''}{','.join(self.values)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which jobs or job streams; None where nothing was given. Names may have a folder and wildcards."""

    workstation: str | None = None
    """Of the job stream; with a job number that on which the job runs."""
    job_stream: str | None = None
    """With `is_by_id` its id in the plan, such as `0AAAAAAAAAAAAAAB`."""
    scheduled: str | None = None
    """`0900` or `0900 02/19/26`."""
    job: str | None = None
    job_number: int | None = None
    """Of a running job."""
    is_by_id: bool = False
    qualifiers: tuple[Qualifier, ...] = ()

    @property
    def level(self) -> _Level:
        """What is selected."""
        return "job_stream" if self.job is None and self.job_number is None else "job"

    @property
    def is_pattern(self) -> bool:
        """Whether it may mean many: it has wildcards or qualifiers."""
        names = (self.workstation, self.job_stream, self.job)
        return bool(self.qualifiers) or any(re.search("[@?%]", name or "") for name in names)

    def __str__(self) -> str:
        """As conman writes it; `parse` gives the same selection again."""
        head = "" if self.workstation is None else f"{self.workstation}#"
        stream = (self.job_stream or "") + (f"({self.scheduled})" if self.scheduled else "")
        job = str(self.job_number or "") if self.job is None else f".{self.job}" if stream else self.job
        by_id = ";schedid" if self.is_by_id else ""
        return f"{head}{stream}{job}{by_id}{''.join(map(str, self.qualifiers))}"


class _Reader:
    """A text and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def take(self, pattern: re.Pattern[str] | str) -> str | None:
        """What stands here, if it is of that form."""
        found = re.compile(pattern).match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def need(self, pattern: re.Pattern[str] | str, expected: str) -> str:
        found = self.take(pattern)
        if found is None:
            raise SelectionError(self.text, self.place, expected)
        return found


def parse(text: str) -> Selection:
    """The selection. A single name is that of a job; `*` is read as `@`. Raises `SelectionError`, nothing else."""
    reader = _Reader(text.replace("*", "@"))
    reader.take(r"\s*=?\s*")
    fields = _read_names(reader)
    by_id = reader.take(r"(?i);schedid\b") is not None
    level: _Level = Selection(**fields).level
    qualifiers = []
    while (mark := reader.take("[+~;]")) is not None:
        # One name alone may be that of a job stream.
        levels: tuple[_Level, ...] = (level,) if len(fields) > 1 else ("job", "job_stream")
        qualifiers.append(_read_qualifier(reader, levels, excludes=mark == "~"))
    reader.need(r"\s*\Z", "`+`, `~` or `;` and a qualifier, or the end")
    return Selection(**fields, is_by_id=by_id, qualifiers=tuple(qualifiers))


def _read_names(reader: _Reader) -> dict[str, Any]:
    first = reader.need(_PLACE, "a workstation, a job stream or a job")
    fields: dict[str, Any] = {}
    if reader.take("#"):
        fields["workstation"] = first
        if (number := reader.take(_NUMBER)) is not None:
            return {**fields, "job_number": int(number[:18])}
        first = reader.need(_PLACE, "a job stream or a job number")
    if reader.take(r"\("):
        fields["scheduled"] = reader.need(_TIME, _VALUE["time"][1])
        reader.need(r"\)", "`)`")
    if reader.take(r"\."):
        return {**fields, "job_stream": first, "job": reader.need(_JOB, "a job")}
    return {**fields, "job_stream": first} if fields else {"job": first}


def _read_qualifier(reader: _Reader, levels: tuple[_Level, ...], *, excludes: bool) -> Qualifier:
    start = reader.place
    name = reader.need("[A-Za-z]*", "").lower()
    known = [key for key, attribute in _ATTRIBUTES.items() if not attribute.keys().isdisjoint(levels)]
    if name not in known:
        raise SelectionError(reader.text, start, f"one of {', '.join(known)}")
    form: _Form = _ATTRIBUTES[name]["form"]
    values = _read_values(reader, form) if form != "flag" and reader.take("=") else ()
    if name in {"state", "priority"} and not values:
        raise SelectionError(reader.text, reader.place, "`=` and a value")
    return Qualifier(name=name, values=values, excludes=excludes)


def _read_values(reader: _Reader, form: _Form) -> tuple[str, ...]:
    pattern, expected = _VALUE[form]
    if form in {"number", "time"}:
        low = reader.take(pattern)
        if not reader.take(","):
            return (low,) if low is not None else (reader.need(pattern, expected),)
        return low or "", (reader.take(pattern) or "" if low else reader.need(pattern, expected))
    values = [reader.need(pattern, expected)]
    while reader.take(","):
        values.append(reader.need(pattern, expected))
    return tuple(values)


def matches(selection: Selection, target: Job | JobStream, zone: tzinfo = UTC) -> bool:
    """Whether the object is among those selected; `zone` is the one that the selection's times are in."""
    return _has_names(selection, target, zone) and all(
        _has(qualifier, target, zone) != qualifier.excludes for qualifier in selection.qualifiers
    )


def _has_names(selection: Selection, target: _Node, zone: tzinfo) -> bool:
    if isinstance(target, Job):
        if selection.job_number is not None:
            numbers = {run.job_number for run in target.runs}
            return _is_called(selection.workstation, target.workstation) and selection.job_number in numbers
        workstation, stream = target.job_stream_workstation, target.job_stream
        if selection.level == "job" and not _is_called(selection.job, target.name):
            return False
    else:
        if selection.level == "job":
            return False
        workstation, stream = target.workstation, target.name
    if selection.is_by_id:
        # The key of both is `workstation;id of the stream` and what follows.
        stream = (*target.key.split(";"), "")[1]
    return (
        _is_called(selection.workstation, workstation)
        and _is_called(selection.job_stream, stream, folder=target.folder)
        and (selection.scheduled is None or _is_between((selection.scheduled,), target.scheduled_at, zone))
    )


def _is_called(pattern: str | None, name: str, *, folder: str = "") -> bool:
    if pattern is None:
        return True
    wanted_folder, slash, wanted = pattern.rpartition("/")
    of_name, _, bare = name.rpartition("/")
    if slash and not _regex(wanted_folder.strip("/")).fullmatch((of_name or folder).strip("/")):
        return False
    return bool(_regex(wanted).fullmatch(bare))


def _has(qualifier: Qualifier, target: _Node, zone: tzinfo) -> bool:
    attribute, values = _ATTRIBUTES[qualifier.name], qualifier.values
    path = attribute.get("job" if isinstance(target, Job) else "job_stream")
    if path is None:
        return False
    actual = _actual(target, path, attribute)
    if not values:
        return actual not in (None, "", []) and actual is not False
    match attribute["form"]:
        case "number":
            return actual is not None and _in_range(values, actual)
        case "time":
            return _is_between(values, actual, zone)
        case _:
            names = [actual or ""] if isinstance(actual, str | None) else actual
            return any(_regex(value, prefix=".*[#/]").fullmatch(name) for value in values for name in names)


def _actual(target: _Node, path: str, attribute: Mapping[str, Any]) -> Any:
    """What the object has: names as a list, spans as conman's `hhmm`."""
    if types := attribute.get("types"):
        found = [item for item in target.dependencies if item.type.partition("_")[0] in types]
        return [name for item in found for name in (item.target, str(item.prompt_number or item.target))]
    if attribute["form"] == "state":
        flags = ("CANCL", target.canceled), ("CANCELP", target.is_cancel_pending)
        return [target.status, *(name for name, is_so in flags if is_so)]
    value: Any = target
    for name in path.split("."):
        value = getattr(value, name, None)
    if isinstance(value, timedelta):
        return int(value.total_seconds()) // 3600 * 100 + int(value.total_seconds()) // 60 % 60
    return value


def _in_range(values: tuple[str, ...], actual: int) -> bool:
    low, high = (
        _HIGH.get(value.lower(), int(value) if value.isdecimal() else None)
        for value in (values[0], values[-1])
    )
    return (low is None or low <= actual) and (high is None or actual <= high)


def _is_between(values: tuple[str, ...], actual: datetime | None, zone: tzinfo) -> bool:
    if actual is None:
        return False
    moment = actual.astimezone(zone)
    (low, from_low), (high, to_high) = (_comparable(value, moment) for value in (values[0], values[-1]))
    is_after, is_before = low <= from_low, to_high <= (high or "~")
    is_over_midnight = bool(high) and len(low) == len(high) and low > high
    return is_after or is_before if is_over_midnight else is_after and is_before


def _comparable(text: str, actual: datetime) -> tuple[str, str]:
    """A bound and the actual time in a form that compares: with the date where the bound has one."""
    clock, _, date = text.partition(" ")
    if not date:
        return clock, f"{actual:%H%M}"
    month, day, *year = date.split("/")
    written = "".join(year) or str(actual.year)
    return f"{written[-2:]}{month}{day}{clock}", f"{actual:%y%m%d%H%M}"


@cache
def _regex(pattern: str, *, prefix: str = "") -> re.Pattern[str]:
    escaped = re.escape(pattern).replace("@", ".*").replace(r"\?", "[A-Za-z0-9]").replace("%", "[0-9]")
    return re.compile(f"(?:{prefix})?{escaped}" if prefix else escaped, re.IGNORECASE)


def job_filter(selection: Selection, *, limit: int = 100) -> JobFilter:
    """The part of a selection that the engine can filter by; `matches` decides about what it finds."""
    wanted = [item for item in selection.qualifiers if item.name == "state" and not item.excludes]
    statuses = tuple(value.upper() for item in wanted[:1] for value in item.values)
    return JobFilter(
        name=_plain(selection.job),
        job_stream=None if selection.is_by_id else _plain(selection.job_stream),
        workstation=_plain(selection.workstation) if selection.job_number is not None else None,
        statuses=() if _NO_STATUS & set(statuses) else statuses,
        limit=limit,
    )


def job_stream_filter(selection: Selection, *, limit: int = 100) -> JobStreamFilter:
    """The same for job streams."""
    name = None if selection.is_by_id else _plain(selection.job_stream)
    return JobStreamFilter(name=name, workstation=_plain(selection.workstation), limit=limit)


def _plain(pattern: str | None) -> str | None:
    name = (pattern or "").rpartition("/")[2].upper().replace("%", "?")
    return name if name.strip("@") else None
