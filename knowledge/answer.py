"""Picks the words of a passage that answer a question. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .terms import extract, synonyms, tokenize

__all__ = ["quote"]

_MAX_CHARS = 400
"""What a reader takes in at a glance under an answer."""
_MAX_UNITS = 3
"""Sentences or list items of a quotation at most."""
_NAME_WEIGHT = 3
"""How many shared words a shared identifier is worth."""
_LINE = re.compile(r"\S.*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\sa-z])")
_LIST_MARK = re.compile(r"\s*(?:\d{1,3}|[A-Za-z])\.")


def quote(passage_text: str, question: str) -> str:
    """The one to three neighbouring sentences or list items that best answer the question.

    A verbatim part of the passage of at most 400 characters; empty only for a blank passage. It is the
    shortest part that shares most with the question, with as much of what follows, then of what goes before,
    as fits. A question that shares nothing gets the beginning.
    """
    units = list(_units(passage_text))
    if not units:
        return ""
    terms = set(tokenize(question))
    terms = terms.union(*map(synonyms, terms))
    names = extract(question)

    def merit(window: tuple[int, int]) -> tuple[int, int]:
        first, last = window
        part = passage_text[units[first][0] : units[last][1]]
        shared = len(terms.intersection(tokenize(part))) + _NAME_WEIGHT * len(names & extract(part))
        return shared, first - last

    # max() keeps the first of equals
    windows = _windows(units)
    first, last = max(windows, key=merit)
    while (first, last + 1) in windows:
        last += 1
    while (first - 1, last) in windows:
        first -= 1
    return passage_text[units[first][0] : units[last][1]]


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
