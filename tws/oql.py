"""Queries in TWS's Orchestration Query Language, built so that a value can never become syntax: pure.

Source: the vendor's "User's Guide and Reference", chapter "Using Orchestration Query Language".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

__all__ = ["Field", "ImpossibleValueError", "any_of", "matches", "one_of", "ordered"]

_UNQUOTABLE = re.compile(r"""['"\\\x00-\x1f\x7f\x85\u2028\u2029]""")


class Field(StrEnum):
    """The fields that Resync asks for, as OQL spells them."""

    NAME = "name"
    WORKSTATION = "workstation"
    JOB_STREAM_NAME = "jobStreamName"
    RUN_STATUS = "jobruns.compositeStatus.status"
    RUN_COMMON_STATUS = "jobruns.commonStatus"


class ImpossibleValueError(ValueError):
    """No object of TWS can have this value, so there is no need to ask.

    The published grammar has no way to write a quote inside a quoted string, and no TWS name has one:
    quotes, backslashes and control characters are refused here instead of guessing an escape.
    """

    def __init__(self, field: Field) -> None:
        super().__init__(f"no {field.value} in TWS has quotes, backslashes or control characters")


def matches(field: Field, pattern: str) -> str:
    """Equality, or `LIKE` where the pattern has `@` (any characters) or `?` (one). Raises `ImpossibleValueError`."""
    operator = "LIKE" if "@" in pattern or "?" in pattern else "="
    return f"{field} {operator} {_quote(field, pattern)}"


def one_of(field: Field, values: Iterable[str]) -> str:
    """`field IN ['a', 'b']`, or equality for a single value. Raises `ImpossibleValueError`."""
    quoted = [_quote(field, value) for value in values]
    return f"{field} = {quoted[0]}" if len(quoted) == 1 else f"{field} IN [{', '.join(quoted)}]"


def any_of(conditions: Iterable[str]) -> str:
    """The conditions combined with OR, in parentheses."""
    return f"({' OR '.join(conditions)})"


def ordered(conditions: Iterable[str], field: Field) -> str:
    """The conditions (or none) combined with AND, in ascending order, which paging needs to be complete."""
    return f"{' AND '.join(conditions)} ORDER BY {field} ASC".lstrip()


def _quote(field: Field, value: str) -> str:
    if _UNQUOTABLE.search(value):
        raise ImpossibleValueError(field)
    return f"'{value}'"
