"""Picks the words of passages that answer a question. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Self

from .documents import Passage
from .signature import QuestionKind, kind_of, question_data
from .terms import extract, synonyms, tokenize

_MAX_CHARS = 400
"""What a reader takes in at a glance under an answer."""
_MAX_UNITS = 3
"""Sentences or list items of a quotation at most."""
_NAME_WEIGHT = 3
"""How many shared words a shared identifier is worth."""
_MAX_QUOTES = 3
_LISTS_FROM = 2
"""Passages in which the steps may be that a question asks for."""
_ENOUGH = 0.5
"""What a further quotation shares with the question, measured by the best one."""
_SAME = 0.8
"""Share of its words that another quotation has already."""
_CELLS = " | "
"""Between the cells of a row."""
_ITEM = re.compile(r"^[ \t]*(?:\d{1,2}[.)]|[-*•])[ \t]+\S", re.MULTILINE)
_NUMBERED = re.compile(r"\s*\d")
_LIST = re.compile(
    r"^[ \t]*(?:1[.)]|[-*•])[ \t]+\S.*\n?(?:(?:[ \t]*(?:\d{1,2}[.)]|[-*•])[ \t]|[ \t]+\S).*\n?|[ \t]*\n)*",
    re.MULTILINE,
)
"""Items with what is indented under them, from the first on; blank lines do not end a list."""
_MESSAGE = re.compile(r"^[^\w\n]*(?P<id>[A-Z]{2,8}-?\d{3,6}[A-Z]?)\b", re.MULTILINE)
_LINE = re.compile(r"\S.*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\sa-z])")
_LIST_MARK = re.compile(r"\s*(?:\d{1,3}|[A-Za-z])\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Words of a document that answer a question."""

    passage: Passage
    text: str
    """Verbatim from the passage's section."""
    is_steps: bool = False
    """Whether the words are the items of a list."""


def answer(question: str, passages: Iterable[Passage], today: date) -> tuple[Quote, ...]:
    """What answers best in the passages (best first), at most three quotations; empty without passages.

    A message id is answered with what its message means and asks for, a question how with the list of steps, a
    question which with the row of the table. What is outdated comes last; what was quoted already, or shares
    much less with the question than the best, is left out.
    """
    ordered = sorted(passages, key=lambda passage: is_outdated(passage, today))
    asked = _Asked.of(question)
    for passage in ordered:
        if parts := list(_message_parts(passage.section, asked.names)):
            return tuple(Quote(passage=passage, text=part) for part in parts[:_MAX_QUOTES])
    quotes = [Quote(passage=passage, text=_best(passage, asked)) for passage in ordered]
    if asked.kind == "how":
        for index, passage in enumerate(ordered[:_LISTS_FROM]):
            if steps := _steps(passage, asked):
                quotes.insert(0, Quote(passage=passage, text=steps, is_steps=True))
                del quotes[index + 1]
                break
    enough = _ENOUGH * max((asked.merit(found.text) for found in quotes), default=0)
    kept: list[Quote] = []
    for found in quotes:
        is_near = not kept or asked.merit(found.text) >= enough
        if found.text and is_near and not any(_says_the_same(found.text, other.text) for other in kept):
            kept.append(found)
    return tuple(kept[:_MAX_QUOTES])


def is_outdated(passage: Passage, today: date) -> bool:
    """Whether its last day is over."""
    return passage.valid_to is not None and passage.valid_to < today


def quote(passage_text: str, question: str) -> str:
    """The one to three neighbouring sentences or list items that best answer the question.

    A verbatim part of the passage of at most 400 characters; empty only for a blank passage. It is the
    shortest part that shares most with the question, with as much of what follows, then of what goes before,
    as fits. A question that shares nothing gets the beginning.
    """
    return _quote(passage_text, _Asked.of(question))


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: QuestionKind
    terms: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Self:
        terms = frozenset(tokenize(question))
        return cls(kind_of(question), terms.union(*map(synonyms, terms)), extract(question))

    def merit(self, part: str) -> int:
        """How much the part shares with the question."""
        return len(self.terms.intersection(tokenize(part))) + _NAME_WEIGHT * len(self.names & extract(part))


def _quote(text: str, asked: _Asked) -> str:
    units = list(_units(text))
    if not units:
        return ""

    def merit(window: tuple[int, int]) -> tuple[int, int]:
        first, last = window
        return asked.merit(text[units[first][0] : units[last][1]]), first - last

    # max() keeps the first of equals
    windows = _windows(units)
    first, last = max(windows, key=merit)
    while (first, last + 1) in windows:
        last += 1
    while (first - 1, last) in windows:
        first -= 1
    return text[units[first][0] : units[last][1]]


def _best(passage: Passage, asked: _Asked) -> str:
    """The best row where a table was asked for and says as much; else the best sentences."""
    if asked.kind == "where":
        units = [passage.text[start:stop] for start, stop in _units(passage.text)]
        # the first row of a table is its head
        rows = [unit for before, unit in pairwise(units) if _CELLS in before and _CELLS in unit]
        row = max(rows, key=asked.merit, default="")
        if row and asked.merit(row) >= max(
            (asked.merit(unit) for unit in units if _CELLS not in unit), default=1
        ):
            return row
    return _quote(passage.text, asked)


def _steps(passage: Passage, asked: _Asked) -> str:
    """The list of the section that shares most with the question, numbered ones first; empty where none does."""
    section = passage.section
    lists: list[tuple[bool, int, str]] = []
    for match in _LIST.finditer(section):
        found = match[0].strip("\n")
        before = section[: match.start()].rstrip().rpartition("\n")[2]
        merit = asked.merit(f"{passage.location} {before} {found}")
        if merit and len(_ITEM.findall(found)) > 1:
            lists.append((bool(_NUMBERED.match(found)), merit, found))
    return max(lists, key=lambda one: one[:2], default=(False, 0, ""))[2]


def _message_parts(text: str, names: frozenset[str]) -> Iterator[str]:
    """What the text says under the first of the message ids: the message, its explanation, what to do."""
    heads = [match for match in _MESSAGE.finditer(text) if match["id"] in names]
    if not heads:
        return
    start = heads[0].start()
    following = (match.start() for match in _MESSAGE.finditer(text) if match.start() > start)
    others = (at for at in following if not text.startswith(heads[0]["id"], at))
    block = text[start : next(others, len(text))]
    labels = list(_labels().finditer(block))
    if not any(label["telling"] for label in labels):
        return
    yield _shortened(block[: labels[0].start()])
    ends = [*(label.start() for label in labels[1:]), len(block)]
    for label, end in zip(labels, ends, strict=True):
        if label["telling"]:
            yield _shortened(block[label.start() : end])


@cache
def _labels() -> re.Pattern[str]:
    telling, rest = (question_data()["labels"][name].replace(" |", "|") for name in ("telling", "rest"))
    return re.compile(
        rf"(?:^[ \t#*_>]*|(?<=[.!?\"] )\**)(?:(?P<telling>{telling})|{rest})[ \t*_]*(?::|$)",
        re.IGNORECASE | re.MULTILINE,
    )


def _shortened(text: str) -> str:
    """As many of the first sentences as fit a quotation."""
    units = list(_units(text))
    start = units[0][0]
    return text[start : max(stop for _, stop in units if stop - start <= _MAX_CHARS)]


def _says_the_same(one: str, other: str) -> bool:
    first, second = set(tokenize(one)), set(tokenize(other))
    return len(first & second) >= _SAME * min(len(first), len(second))


def _windows(units: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """First and last index of each run of units that is small enough; every unit alone is."""
    return [
        (first, last)
        for first in range(len(units))
        for last in range(first, min(first + _MAX_UNITS, len(units)))
        if units[last][1] - units[first][0] <= _MAX_CHARS
    ]


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence or list item, cut at a blank where it is too long."""
    for line in _LINE.finditer(text):
        ends = [
            match
            for match in _SENTENCE_END.finditer(text, line.start(), line.end())
            if not _LIST_MARK.fullmatch(text, line.start(), match.start())
        ]
        starts = [line.start(), *(match.end() for match in ends)]
        stops = [*(match.start() for match in ends), line.end()]
        for start, stop in zip(starts, stops, strict=True):
            yield start, _cut(text, start, stop)


def _cut(text: str, start: int, stop: int) -> int:
    if stop - start > _MAX_CHARS:
        blank = text.rfind(" ", start, start + _MAX_CHARS)
        stop = blank if blank > start else start + _MAX_CHARS
    return start + len(text[start:stop].rstrip())
