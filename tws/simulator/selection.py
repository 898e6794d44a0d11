"""Selection of plan objects as conman writes it (`plan_filter`), e.g. `/@/@#/@/@.@+state=abend`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .oql import to_pattern

__all__ = ["SelectionError", "select_jobs", "select_named", "select_streams"]

_STREAM = r"(?:(?P<workstation>[^#]+)#)?(?P<stream>[^#.+~(]+?)(?:\([^)]*\))?"
_QUALIFIERS = r"(?P<qualifiers>(?:[+~]state=[\w,]+)*)"
_JOB = re.compile(rf"{_STREAM}(?:\.(?P<job>[^#.+~]+))?{_QUALIFIERS}")
_STREAMS = re.compile(_STREAM + _QUALIFIERS)
_QUALIFIER = re.compile(r"([+~])state=([\w,]+)")

_Predicate = Callable[[Any], bool]


class SelectionError(Exception):
    """The text is no selection that this simulator reads."""


def select_jobs(text: str) -> _Predicate:
    """Jobs by `workstation#stream.job` with `+state=` or `~state=`. Raises SelectionError."""
    match = _match(_JOB, text)
    workstation, stream = _named(match["workstation"] or "@"), _named(match["stream"])
    job, state = _named(match["job"] or "@"), _states(match["qualifiers"])
    return lambda one: (
        workstation(one["jobStreamWorkstation"])
        and stream(one["jobStreamName"])
        and job(one["name"])
        and state(one["lastRunCompositeStatus"]["status"])
    )


def select_streams(text: str) -> _Predicate:
    """Job streams by `workstation#stream`. Raises SelectionError."""
    match = _match(_STREAMS, text)
    workstation, stream = _named(match["workstation"] or "@"), _named(match["stream"])
    state = _states(match["qualifiers"])
    return lambda one: (
        workstation(one["workstation"]) and stream(one["name"]) and state(one["compositeStatus"]["status"])
    )


def select_named(text: str) -> _Predicate:
    """Workstations by name; a trailing `#` is allowed."""
    name = _named(text.rstrip("#"))
    return lambda one: name(one["name"])


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text.strip())
    if match is None:
        raise SelectionError(text)
    return match


def _named(selection: str) -> Callable[[str], bool]:
    """Compares names without their folders: everything is in the root folder, which `/` and `/@/` both select."""
    folder, _, name = selection.rpartition("/")
    pattern = to_pattern(name or "@")
    in_root = to_pattern(folder or "/").fullmatch("/") is not None or folder == "/@"
    return lambda found: in_root and pattern.fullmatch(found.rpartition("/")[2]) is not None


def _states(qualifiers: str) -> Callable[[str], bool]:
    wanted = [(sign == "+", states.upper().split(",")) for sign, states in _QUALIFIER.findall(qualifiers)]
    return lambda status: all((status in states) == is_wanted for is_wanted, states in wanted)
