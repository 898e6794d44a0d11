"""The two filters of list requests, applied to objects as JSON: queries in OQL and selections as conman writes them.

OQL: https://help.hcl-software.com/workloadautomation/v102/distr/src_ref/awsrgoql.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import eq, ge, gt, itemgetter, le, lt, ne
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter

_TOKEN = re.compile(r"'[^']*'|-?\d{1,18}(?![\w:.-])|\w[\w.#:+-]*|<=|>=|!=|[=<>()\[\],]|(?P<stray>\S)")
_FIELD = re.compile(r"[A-Za-z][\w#.-]*")
_DURATIONS = TypeAdapter(timedelta)
_UUID = re.compile(r"\w{8}(?:-\w{4}){3}-\w{12}")
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DEEPEST = 50
"""Parentheses within parentheses; more is refused, as the parser is recursive."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
_KEYWORDS = {"AND", "OR", "IN", "NOT", "LIKE", "ORDER", "BY", "ASC", "DESC"}
_COMPARISONS = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
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

_STREAM = r"(?:(?P<workstation>[^#]+)#)?(?P<stream>[^#.+~(]+?)(?:\([^)]*\))?"
_QUALIFIERS = r"(?P<qualifiers>(?:[+~]state=[\w,]+)*)"
_JOB = re.compile(rf"{_STREAM}(?:\.(?P<job>[^#.+~]+))?{_QUALIFIERS}")
_STREAMS = re.compile(_STREAM + _QUALIFIERS)
_NAMED = re.compile(r"(?P<name>[^#]+)#?(?P<qualifiers>)")
_OWNED = re.compile(r"(?:(?P<workstation>[^#]+)#)?(?P<name>[^#]+)(?P<qualifiers>)")
_QUALIFIER = re.compile(r"([+~])state=([\w,]+)")

_T = TypeVar("_T")
_Value = str | int | bool | datetime | timedelta | None
Predicate = Callable[[Any], bool]


class OqlSyntaxError(Exception):
    """The query is not OQL."""


class SelectionError(Exception):
    """The text is no selection that this simulator reads."""


class Query(NamedTuple):
    """A parsed query."""

    text: str
    """Tells queries apart."""
    condition: Predicate | None
    """Whether an object, given as JSON, is wanted; None: all are. A field within a list matches if any element does."""
    needs_dependencies: bool
    """Whether the condition looks at fields of the dependencies."""
    order_by: str | None
    is_descending: bool

    @property
    def is_everything(self) -> bool:
        """Whether it gives all objects as they stand."""
        return self.condition is None and self.order_by is None

    def where(self, text: str, also: Predicate | None) -> Query:
        """The query with another condition, which `text` says."""
        conditions = [one for one in (also, self.condition) if one is not None]
        holds = (lambda one: all(holds(one) for holds in conditions)) if conditions else None
        return self._replace(text=f"{text}\0{self.text}", condition=holds)

    def judge(self, one: Any) -> tuple[bool, Any]:
        """Whether the object is wanted, and what decides its place; None where it has no such field."""
        is_wanted = self.condition is None or self.condition(one)
        return is_wanted, _sort_key(one, self.order_by) if is_wanted and self.order_by else None

    def arrange(self, judged: Iterable[tuple[_T, tuple[bool, Any]]]) -> list[_T]:
        """What is wanted, in the query's order: as it comes where it has none, without the field last."""
        wanted = [(key, one) for one, (is_wanted, key) in judged if is_wanted]
        placed = sorted(
            (pair for pair in wanted if pair[0] is not None), key=itemgetter(0), reverse=self.is_descending
        )
        return [one for _, one in placed] + [one for key, one in wanted if key is None]

    def select(self, objects: Iterable[Any]) -> list[Any]:
        """The objects that match, in the query's order."""
        return self.arrange((one, self.judge(one)) for one in objects)


def parse(text: str) -> Query:
    """Reads a query; an empty one matches everything. Raises OqlSyntaxError."""
    return _Parser(text).query()._replace(text=text)


_OF_JOB = {"workstation": "jobStreamWorkstation", "stream": "jobStreamName", "job": "name"}
_SELECTIONS: Mapping[str, tuple[re.Pattern[str], Mapping[str, str], str]] = {
    "job": (_JOB, _OF_JOB, "lastRunCompositeStatus"),
    "job_stream": (_STREAMS, {"workstation": "workstation", "stream": "name"}, "compositeStatus"),
    "workstation": (_NAMED, {"name": "name"}, ""),
    "": (_OWNED, {"workstation": "workstation", "name": "name"}, ""),
}
"""By kind of object, the last one for all others: the form, which field each of its groups selects by, the status."""


def select(kind: str, text: str) -> Predicate | None:
    """A selection as conman or composer writes it; None where it means all. Raises SelectionError.

    Jobs: `/@/@#/@/@.@+state=abend`, also `~state=`; job streams likewise without the job; workstations: a name, with
    or without `#`; everything else: `workstation#name`.
    """
    pattern, fields, status = _SELECTIONS.get(kind, _SELECTIONS[""])
    match = pattern.fullmatch(text.strip())
    if match is None:
        raise SelectionError(text)
    chosen = [(field, match[group]) for group, field in fields.items()]
    names = [(field, _named(name)) for field, name in chosen if name not in (None, "@", "/@/@")]
    if not names and not match["qualifiers"]:
        return None
    has_state = _states(match["qualifiers"])
    return lambda one: (
        all(is_named(one.get(field, "")) for field, is_named in names)
        and has_state(one[status]["status"] if status else "")
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = deque(_tokens(text))
        self._depth = 0
        self._needs_dependencies = False

    def query(self) -> Query:
        condition = self._either() if self._peek() not in ("", "ORDER") else None
        order_by, is_descending = None, False
        if self._skip("ORDER"):
            self._expect("BY")
            order_by = _ALIASES.get(name := self._field(), name).removeprefix("key.")
            is_descending = self._skip("DESC")
            if not is_descending:
                self._skip("ASC")
        if self._peek():
            raise OqlSyntaxError(f"unexpected {self._peek()}")
        return Query("", condition, self._needs_dependencies, order_by, is_descending)

    def _either(self) -> Predicate:
        return self._joined("OR", any, lambda: self._joined("AND", all, self._term))

    def _joined(
        self, word: str, combine: Callable[[Iterable[bool]], bool], read: Callable[[], Predicate]
    ) -> Predicate:
        parts = [read()]
        while self._skip(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else lambda one: combine(part(one) for part in parts)

    def _term(self) -> Predicate:
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
        self._needs_dependencies |= field.startswith("dependencies.")
        path = _ALIASES.get(field, field).split(".")
        is_negated = self._skip("NOT")
        test = self._test(is_negated=is_negated)
        return lambda one: any(test(value) for value in _resolve(one, path)) != is_negated

    def _test(self, *, is_negated: bool) -> Predicate:
        if self._skip("IN"):
            self._expect("[")
            values = [_to_time(self._value())]
            while self._skip(","):
                values.append(_to_time(self._value()))
            self._expect("]")
            return lambda found: any(_compare(eq, found, value) for value in values)
        if self._skip("LIKE"):
            wildcards = self._value()
            if not isinstance(wildcards, str):
                raise OqlSyntaxError("LIKE needs a quoted text")
            pattern = to_pattern(wildcards)
            return lambda found: isinstance(found, str) and pattern.fullmatch(found) is not None
        compare = _COMPARISONS.get(self._next())
        if compare is None or is_negated:
            raise OqlSyntaxError("NOT needs IN or LIKE" if is_negated else "a comparison was expected")
        value = _to_time(self._value())
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
        """The next token, a keyword in capitals; empty at the end."""
        token = self._tokens[0] if self._tokens else ""
        return token.upper() if token.upper() in _KEYWORDS else token

    def _next(self) -> str:
        return self._tokens.popleft() if self._tokens else ""

    def _skip(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._next()
        return True

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise OqlSyntaxError(f"{token} was expected")


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        if match["stray"]:
            raise OqlSyntaxError(f"unexpected {text[match.start() :][:10]}")
        yield match[0]


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
    """Compares like with like, texts with a time after reading them as times."""
    if isinstance(value, datetime | timedelta):
        found = _to_time(found)
    if type(found) is not type(value):
        return compare is ne
    return compare(found, value) if value is not None else compare in (eq, le, ge)


def _to_time(text: Any) -> Any:
    """The instant or the duration that a text stands for, otherwise the text."""
    if not isinstance(text, str):
        return text
    try:
        if text.startswith("P"):
            return _DURATIONS.validate_python(text)
        if _INSTANT.match(text) and (instant := datetime.fromisoformat(text)).tzinfo:
            return instant
    except (ValueError, OverflowError):  # the thirteenth month, a billion years
        return text
    return text


def _named(selection: str) -> Callable[[str], bool]:
    """Compares names without their folders: everything is in the root folder, which `/` and `/@/` both select."""
    folder, _, name = selection.rpartition("/")
    pattern = to_pattern(name or "@")
    in_root = to_pattern(folder or "/").fullmatch("/") is not None or folder == "/@"
    return lambda found: in_root and pattern.fullmatch(found.rpartition("/")[2]) is not None


def _states(qualifiers: str) -> Callable[[str], bool]:
    wanted = [(sign == "+", states.upper().split(",")) for sign, states in _QUALIFIER.findall(qualifiers)]
    return lambda status: all((status in states) == is_wanted for is_wanted, states in wanted)


def to_pattern(wildcards: str) -> re.Pattern[str]:
    """`@` as any characters and `?` as one."""
    parts = ({"@": ".*", "?": "."}.get(character) or re.escape(character) for character in wildcards)
    return re.compile("".join(parts), re.DOTALL)
