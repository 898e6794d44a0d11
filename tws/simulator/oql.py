"""Orchestration Query Language: parses a query and applies it to objects as JSON.

https://help.hcl-software.com/workloadautomation/v102/distr/src_ref/awsrgoql.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

__all__ = ["OqlSyntaxError", "Query", "parse", "to_pattern"]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<number>-?\d{1,18}(?![\w:.-]))|(?P<word>[\w][\w.#:+-]*)|(?P<mark><=|>=|!=|[=<>()\[\],]))"
)
_FIELD = re.compile(r"[A-Za-z][\w#.-]*")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UUID = re.compile(r"\w{8}(?:-\w{4}){3}-\w{12}")
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DEEPEST = 50
"""Parentheses within parentheses; more is refused, as the parser is recursive."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
_KEYWORDS = {"AND", "OR", "IN", "NOT", "LIKE", "ORDER", "BY", "ASC", "DESC"}

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_ALIASES = {
    "jobDefinition.key.name": "jobDefinition.name",
    "jobDefinition.userLogin": "jobDefinition.userLogins",
    "jobruns.elapsedTime": "jobruns.timeInfo.elapsedTime",
    "jobruns.estimatedDuration": "jobruns.timeInfo.estimatedDuration",
    "pendingPredecessor": "jsStatusFlags.pendingPredecessor",
}
"""Fields that the manual spells otherwise than the schema."""

_VALUE_ALIASES = {"SUCCEED": "SUCCESSFUL"}
"""The manual's word for a common status, and the schema's."""

_Value = str | int | bool | datetime | timedelta | None
_Predicate = Callable[[Any], bool]


class OqlSyntaxError(Exception):
    """The query is not OQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query."""

    matches: _Predicate
    """Whether an object, given as JSON, satisfies the condition. A field within a list matches if any element does."""
    fields: frozenset[str]
    """The fields that the condition looks at."""
    order_by: str | None
    is_descending: bool

    def sort(self, objects: list[Any]) -> list[Any]:
        """The objects in the query's order; as they are where it has none. Objects without the field come last."""
        if self.order_by is None:
            return objects
        keyed = [(_sort_key(one, self.order_by), one) for one in objects]
        having = sorted(
            (pair for pair in keyed if pair[0] is not None),
            key=lambda pair: pair[0],
            reverse=self.is_descending,
        )
        return [one for _, one in having] + [one for key, one in keyed if key is None]


def parse(text: str) -> Query:
    """Reads a query; an empty one matches everything. Raises OqlSyntaxError."""
    return _Parser(text).query()


def to_pattern(wildcards: str) -> re.Pattern[str]:
    """`@` as any characters and `?` as one."""
    parts = ({"@": ".*", "?": "."}.get(character) or re.escape(character) for character in wildcards)
    return re.compile("".join(parts), re.DOTALL)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0
        self._fields: set[str] = set()

    def query(self) -> Query:
        matches: _Predicate = _always
        if self._peek() not in ("", "ORDER"):
            matches = self._either()
        order_by, is_descending = None, False
        if self._skip("ORDER"):
            self._expect("BY")
            order_by = _ALIASES.get(name := self._field(), name).removeprefix("key.")
            is_descending = self._skip("DESC")
            if not is_descending:
                self._skip("ASC")
        if self._peek():
            raise OqlSyntaxError(f"unexpected {self._peek()}")
        return Query(
            matches=matches, fields=frozenset(self._fields), order_by=order_by, is_descending=is_descending
        )

    def _either(self) -> _Predicate:
        parts = [self._both()]
        while self._skip("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda one: any(part(one) for part in parts)

    def _both(self) -> _Predicate:
        parts = [self._term()]
        while self._skip("AND"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda one: all(part(one) for part in parts)

    def _term(self) -> _Predicate:
        if self._skip("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise OqlSyntaxError("too many parentheses")
            inner = self._either()
            self._expect(")")
            self._depth -= 1
            return inner
        field = self._field()
        if field.startswith("key."):
            raise OqlSyntaxError(f"{field} cannot be compared")
        self._fields.add(field)
        is_negated = self._skip("NOT")
        test = self._membership() or self._similarity()
        if test is None and not is_negated:
            test = self._comparison()
        if test is None:
            raise OqlSyntaxError("NOT needs IN or LIKE")
        return _any_value(_ALIASES.get(field, field), test, is_negated=is_negated)

    def _membership(self) -> _Predicate | None:
        if not self._skip("IN"):
            return None
        self._expect("[")
        values = [self._value()]
        while self._skip(","):
            values.append(self._value())
        self._expect("]")
        return lambda found: any(_compare(operator.eq, found, value) for value in values)

    def _similarity(self) -> _Predicate | None:
        if not self._skip("LIKE"):
            return None
        value = self._value()
        if not isinstance(value, str):
            raise OqlSyntaxError("LIKE needs a quoted text")
        pattern = to_pattern(value)
        return lambda found: isinstance(found, str) and pattern.fullmatch(found) is not None

    def _comparison(self) -> _Predicate:
        compare = _COMPARISONS.get(self._next())
        if compare is None:
            raise OqlSyntaxError("a comparison was expected")
        value = self._value()
        return lambda found: _compare(compare, found, value)

    def _field(self) -> str:
        name = self._next()
        if not _FIELD.fullmatch(name) or name.upper() in _KEYWORDS:
            raise OqlSyntaxError(f"{name or 'the end'} is not a field")
        return name

    def _value(self) -> _Value:
        token = self._next()
        if token.startswith("'"):
            return _VALUE_ALIASES.get(token[1:-1], token[1:-1])
        if re.fullmatch(r"-?\d{1,18}", token):
            return int(token)
        if token in _LITERALS:
            return _LITERALS[token]
        if _UUID.fullmatch(token):
            return token
        if isinstance(value := _to_time(token), datetime | timedelta):
            return value
        raise OqlSyntaxError(f"{token or 'the end'} is not a value")

    def _peek(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        return token.upper() if token.upper() in _KEYWORDS else token

    def _next(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        self._at += 1
        return token

    def _skip(self, token: str) -> bool:
        is_next = self._peek() == token
        self._at += is_next
        return is_next

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise OqlSyntaxError(f"{token} was expected")


def _tokens(text: str) -> Iterator[str]:
    position = 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise OqlSyntaxError(f"unexpected {text[position : position + 10]}")
        yield match[0].strip()
        position = match.end()


def _always(_: Any) -> bool:
    return True


def _any_value(field: str, test: _Predicate, *, is_negated: bool) -> _Predicate:
    path = field.split(".")

    def matches(one: Any) -> bool:
        return any(test(value) for value in _resolve(one, path)) != is_negated

    return matches


def _resolve(one: Any, path: list[str]) -> Iterable[Any]:
    """The values at a path; lists are entered, what is missing is None."""
    if isinstance(one, list):
        return [value for element in one for value in _resolve(element, path)]
    if not path:
        return [one]
    return _resolve(one.get(path[0]), path[1:]) if isinstance(one, dict) else [None]


def _sort_key(one: Any, field: str) -> Any:
    value = next((value for value in _resolve(one, field.split(".")) if value is not None), None)
    return value if isinstance(value, int | None) else str(value)


def _compare(compare: Callable[[Any, Any], bool], found: Any, value: _Value) -> bool:
    """Compares like with like; texts that are times are compared as times."""
    if isinstance(value, datetime | timedelta) or (isinstance(value, str) and isinstance(found, str)):
        value = _to_time(value) if isinstance(value, str) else value
        found = _to_time(found) if isinstance(value, datetime | timedelta) else found
    if type(found) is not type(value):
        return compare is operator.ne
    return compare(found, value) if value is not None else compare in (operator.eq, operator.le, operator.ge)


def _to_time(text: Any) -> Any:
    """The instant or the duration that a text stands for, otherwise the text."""
    if not isinstance(text, str):
        return text
    try:
        if len(text) > 1 and (match := _DURATION.fullmatch(text)) and not text.endswith("T"):
            days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
            return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if _INSTANT.match(text) and (instant := datetime.fromisoformat(text)).tzinfo:
            return instant
    except (ValueError, OverflowError):  # the thirteenth month, a billion years
        return text
    return text
