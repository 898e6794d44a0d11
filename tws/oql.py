"""Queries in TWS's Orchestration Query Language, built from typed parts so that a value never becomes syntax: pure.

Source: the vendor's "User's Guide and Reference", chapter "Using Orchestration Query Language".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

_UNQUOTABLE = re.compile(r"""['"\\\x00-\x1f\x7f\x85\u2028\u2029]""")


class Field(StrEnum):
    """The fields that Resync asks for, as OQL spells them."""

    ID = "id"
    NAME = "name"
    WORKSTATION = "workstation"
    JOB_STREAM_ID = "jobStreamId"
    JOB_STREAM_NAME = "jobStreamName"
    SCHEDULED_AT = "schedTime"
    PREDECESSOR_STREAM_ID = "dependencies.jobStreamId"
    RUN_STATUS = "jobruns.compositeStatus.status"
    RUN_COMMON_STATUS = "jobruns.commonStatus"
    PROMPT_DEPENDENCIES = "dependenciesStats.numberOfPromptDependencies"
    FILE_DEPENDENCIES = "dependenciesStats.numberOfFileDependencies"


class Operator(StrEnum):
    """What a field is compared by; `LIKE` knows `@` (any characters) and `?` (one), `IN` takes several values."""

    EQUAL = "="
    GREATER = ">"
    LIKE = "LIKE"
    IN = "IN"


class ImpossibleValueError(ValueError):
    """No object of TWS can have this value, so there is no need to ask.

    The published grammar has no way to write a quote inside a quoted string, and no TWS name has one:
    quotes, backslashes and control characters are refused here instead of guessing an escape.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"no {what} in TWS has such characters")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One term, e.g. `name LIKE 'PAY@'`. Raises `ImpossibleValueError`."""

    field: Field
    operator: Operator
    values: tuple[str | int, ...]
    """One, for `IN` at least one."""

    def __post_init__(self) -> None:
        if any(isinstance(value, str) and _UNQUOTABLE.search(value) for value in self.values):
            raise ImpossibleValueError(self.field.value)

    def __str__(self) -> str:
        written = ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in self.values)
        return f"{self.field} {self.operator} " + (
            f"[{written}]" if self.operator is Operator.IN else written
        )


@dataclass(frozen=True, slots=True)
class _Joined:
    conditions: tuple["Condition", ...]
    _word: ClassVar[str]

    def __str__(self) -> str:
        if len(self.conditions) == 1:
            return str(self.conditions[0])
        return self._word.join(
            str(part) if isinstance(part, Comparison) else f"({part})" for part in self.conditions
        )


class And(_Joined):
    """All of the conditions; at least one."""

    _word = " AND "


class Or(_Joined):
    """Any of the conditions; at least one."""

    _word = " OR "


Condition = Comparison | And | Or


@dataclass(frozen=True, slots=True)
class Order:
    """By which field the answer is sorted."""

    field: Field
    is_descending: bool = False

    def __str__(self) -> str:
        return f"ORDER BY {self.field} {'DESC' if self.is_descending else 'ASC'}"


def matches(field: Field, pattern: str) -> Comparison:
    """Equality, or `LIKE` where the pattern has `@` or `?`. Raises `ImpossibleValueError`."""
    is_pattern = "@" in pattern or "?" in pattern
    return Comparison(field, Operator.LIKE if is_pattern else Operator.EQUAL, (pattern,))


def one_of(field: Field, values: Iterable[str]) -> Comparison:
    """One of the values, of which there is at least one. Raises `ImpossibleValueError`."""
    given = tuple(values)
    return Comparison(field, Operator.EQUAL if len(given) == 1 else Operator.IN, given)


def render(conditions: Iterable[Condition], order: Order) -> str:
    """The query: all conditions, or none, and the order, without which pages would overlap."""
    given = tuple(conditions)
    return f"{And(given)} {order}" if given else str(order)
