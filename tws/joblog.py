"""Finds the lines of a job log that explain a failure, in Portuguese and English: pure.

The log is the engine's banner, what the job itself wrote, and a trailer with the exit status. What the job wrote is
anything at all, and untrusted: it is searched for the marks of real errors, and every line is judged by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .joblog_marks import (
    BANNER,
    CODE_MARKS,
    EXIT_STATUS,
    MARKS,
    NOISE,
    RED_HERRINGS,
    SOFTENERS,
    TIMESTAMP,
    VENDOR_ID,
)
from .message_ids import find_ids

__all__ = ["LogFindings", "LogLine", "read_log"]

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

_STEMS = frozenset(stem for mark in (*MARKS, *CODE_MARKS.values()) for stem in mark.stems)


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
        message_ids=tuple(dict.fromkeys([*find_ids(text), *VENDOR_ID.findall(text)])),
        decisive=_pick([line for weight, line in ranked if weight >= _MIN_WEIGHT]),
    )


def _read_exit_status(lines: list[LogLine]) -> int | None:
    """The last trailer counts: the log of a job that prints logs may quote others."""
    for line in reversed(lines):
        found = EXIT_STATUS.match(line.text.lower()) if line.text.startswith("=") else None
        if found:
            return int(found[1])
    return None


def _suspects(lines: list[LogLine]) -> list[LogLine]:
    """The lines worth a close look; of very many, the first and the last."""
    lowered = [(line, line.text.lower()) for line in lines]
    # Most stems are nowhere in a log: one search in the whole spares one in each line.
    whole = "\n".join(low for _, low in lowered)
    stems = [stem for stem in _STEMS if stem in whole]
    found = [line for line, low in lowered if any(stem in low for stem in stems)]
    return (
        found if len(found) <= _MAX_SUSPECTS else found[: _MAX_SUSPECTS // 2] + found[-_MAX_SUSPECTS // 2 :]
    )


def _weigh(line: str, code: int | None) -> int:
    said = TIMESTAMP.sub("", line, count=1) if TIMESTAMP.match(line) else line
    if BANNER.match(said) or NOISE.match(said) or not any(mark.is_in(said) for mark in MARKS):
        return 0
    rest = RED_HERRINGS.sub(" ", said)
    weight = next((mark.weight for mark in MARKS if mark.is_in(rest)), 0)
    if weight and SOFTENERS.search(rest):
        weight -= _SOFTENED
    code_mark = CODE_MARKS.get(code or 0)
    if code_mark is not None and code_mark.is_in(rest):
        weight += _CODE_BONUS
    return weight


def _pick(ranked: list[LogLine]) -> tuple[LogLine, ...]:
    """The first of each kind: a loop that fails a thousand times gives one line."""
    kinds: dict[str, LogLine] = {}
    for line in ranked:
        kinds.setdefault(re.sub(r"\d+", "0", line.text), line)
    return tuple(kinds.values())[:_MAX_LINES]
