"""Tables of what is in the plan, by kind: one row an object; the columns are in `tables.yaml`. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from brain.message import Locale
from brain.phrases import say
from brain.reply import Table
from brain.times import clock, span

ROWS = 20
"""Rows shown of a list; the sentence above says how many there are."""
_NAMED = 3
"""Objects named in one cell."""


def status_of(node: Any) -> str:
    """The status of a job, a job stream or a past state, with the substatus where there is one."""
    return node.status if node.substatus is None else f"{node.status} ({node.substatus})"


_COMPUTED: Mapping[str, Callable[[Any], object]] = {
    "status_of": status_of,
    "done": lambda stream: f"{stream.jobs_successful}/{stream.jobs_total}",
    "failed": lambda stream: stream.jobs_abended + stream.jobs_failed,
}
_COLUMNS: Mapping[str, Mapping[str, str]] = yaml.safe_load(
    resources.files("brain.agents").joinpath("tables.yaml").read_text("utf-8")
)


def table(kind: str, objects: Sequence[Any], locale: Locale, zone: ZoneInfo, *, title: str = "") -> Table:
    """The first rows of a table of the objects, which are all of the kind."""
    columns = _COLUMNS[kind]
    rows = (
        tuple(cell(_value(one, path), locale, zone) for path in columns.values()) for one in objects[:ROWS]
    )
    return Table(columns=tuple(say(locale, f"col_{name}") for name in columns), rows=tuple(rows), title=title)


def _value(one: Any, path: str) -> object:
    for name in path.split("."):
        if one is None:
            return None
        compute = _COMPUTED.get(name)
        one = compute(one) if compute else one[int(name)] if name.isdecimal() else getattr(one, name)
    return one


def cell(value: object, locale: Locale, zone: ZoneInfo) -> str:
    """The value in words: times in the reader's zone, `–` for none, a few of many."""
    match value:
        case bool():
            return say(locale, "yes" if value else "no")
        case datetime():
            return clock(value, zone, now=datetime.now(UTC))
        case timedelta():
            return span(value)
        case list() | tuple() if value:
            return ", ".join(getattr(one, "selection", str(one)) for one in value[:_NAMED])
        case None | "" | () | []:
            return "–"
    return str(value)
