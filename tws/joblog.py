"""The lines of a job log that explain a failure; pure.

The log is the engine's banner, what the job itself wrote, and a trailer with the exit status. What the job wrote is
anything at all, and untrusted: it is searched for the marks of real errors (`joblog.yaml`, in Portuguese and
English), and every line is judged by itself.
"""

import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from .errors import find_message_ids

_MAX_LINES = 5
"""More than this is no longer an explanation."""
_MAX_LINE_CHARS = 500
"""Longer lines are cut: a screen shows no more, and patterns stay fast."""
_SOFTENED = 60
"""What a line loses that speaks of another try or only of a warning: enough to fall below any real error."""
_CODE_BONUS = 25
"""What a line gains that the return code confirms."""
_MIN_WEIGHT = 20
"""Below this a line says nothing."""
_MAX_SUSPECTS = 2000
"""Lines looked at closely: a job that fails for each of a million records says it soon enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the log."""

    number: int
    """Counted from 1."""
    text: str
    """As written, without the spaces around it; at most 500 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFindings:
    """What a job log tells about the end of the run."""

    exit_status: int | None
    """From the engine's trailer; None where there is none, as while the job runs."""
    message_ids: tuple[str, ...]
    """Ids of the product, then of databases (`AWSBDW009E`, `ORA-01653`, `SQL0911N`), each in order and once."""
    decisive: tuple[LogLine, ...]
    """At most five lines, the most telling first; empty where nothing looks like an error."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """One way in which a line tells of a failure; see `joblog.yaml`."""

    weight: int
    stems: tuple[str, ...]
    pattern: re.Pattern[str]

    def is_in(self, line: str) -> bool:
        return any(stem in line for stem in self.stems) and self.pattern.search(line) is not None


def _any(alternatives: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


def _to_mark(entry: dict[str, Any]) -> _Mark:
    return _Mark(entry["weight"], tuple(entry["stems"]), _any(entry["patterns"]))


_DATA: dict[str, Any] = yaml.safe_load(resources.files("tws").joinpath("joblog.yaml").read_bytes())
_EXIT_STATUS, _VENDOR_ID, _TIMESTAMP, _NOISE, _RED_HERRINGS, _SOFTENERS = (
    _any(_DATA[name])
    for name in ("exit_status", "vendor_id", "timestamp", "noise", "red_herrings", "softeners")
)
_MARKS = tuple(map(_to_mark, _DATA["marks"]))
_CODE_MARKS = {code: _to_mark(entry) for code, entry in _DATA["return_codes"].items()}
STEMS = frozenset(stem for mark in (*_MARKS, *_CODE_MARKS.values()) for stem in mark.stems)
"""A telling line has at least one of these, in small letters."""


def is_telling(line: str) -> bool:
    """Whether the line looks like an error, whatever the return code."""
    return _weigh(line[:_MAX_LINE_CHARS].strip().lower(), None) >= _MIN_WEIGHT


def read_log(text: str, return_code: int | None = None) -> LogFindings:
    """What the log tells. `return_code` is the plan's, for logs whose trailer is missing."""
    lines = [
        LogLine(number=number, text=line[:_MAX_LINE_CHARS].strip())
        for number, line in enumerate(text.split("\n"), start=1)
    ]
    exit_status = _read_exit_status(lines)
    code = return_code if exit_status is None else exit_status
    weighed = [(_weigh(line.text.lower(), code), line) for line in _suspects(lines)]
    ranked = sorted(weighed, key=lambda item: (-item[0], item[1].number))
    return LogFindings(
        exit_status=exit_status,
        message_ids=tuple(dict.fromkeys([*find_message_ids(text), *_VENDOR_ID.findall(text)])),
        decisive=_pick([line for weight, line in ranked if weight >= _MIN_WEIGHT]),
    )


def _read_exit_status(lines: list[LogLine]) -> int | None:
    """The last trailer counts: the log of a job that prints logs may quote others."""
    for line in reversed(lines):
        found = _EXIT_STATUS.match(line.text.lower()) if line.text.startswith("=") else None
        if found:
            return int(found[1])
    return None


def _suspects(lines: list[LogLine]) -> list[LogLine]:
    """The lines worth a close look; of very many, the first and the last."""
    lowered = [(line, line.text.lower()) for line in lines]
    # Most stems are nowhere in a log: one search in the whole spares one in each line.
    whole = "\n".join(low for _, low in lowered)
    stems = [stem for stem in STEMS if stem in whole]
    found = [line for line, low in lowered if any(stem in low for stem in stems)]
    half = _MAX_SUSPECTS // 2
    return found if len(found) <= _MAX_SUSPECTS else found[:half] + found[-half:]


def _weigh(line: str, code: int | None) -> int:
    said = _TIMESTAMP.sub("", line, count=1) if _TIMESTAMP.match(line) else line
    code_mark = _CODE_MARKS.get(code or 0)
    marks = _MARKS if code_mark is None else (*_MARKS, code_mark)
    if _NOISE.match(said) or not any(mark.is_in(said) for mark in marks):
        return 0
    rest = _RED_HERRINGS.sub(" ", said)
    weight = next((mark.weight for mark in _MARKS if mark.is_in(rest)), 0)
    if weight and _SOFTENERS.search(rest):
        weight -= _SOFTENED
    if code_mark is not None and code_mark.is_in(rest):
        weight += _CODE_BONUS
    return weight


def _pick(ranked: list[LogLine]) -> tuple[LogLine, ...]:
    """The first of each kind: a loop that fails a thousand times gives one line."""
    kinds: dict[str, LogLine] = {}
    for line in ranked:
        kinds.setdefault(re.sub(r"\d+", "0", line.text), line)
    return tuple(kinds.values())[:_MAX_LINES]
