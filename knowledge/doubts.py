"""What speaks against believing a source: it is over, there is a newer one, or another says otherwise. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from .answer import is_outdated
from .documents import Passage
from .terms import extract, fold, is_generic, synonyms, tokenize

_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s)|$)", re.MULTILINE)
_LIST_MARK = re.compile(r"^\W*\d{1,2}[.)]\s")
_VALUE = re.compile(r"(?<![\w.#/-])\d+(?:[.,:]\d+)*(?![\w#/-])")
_RETURN_CODE = re.compile(r"RC (-?\d+)")
_ALIKE = 0.5
"""Share of the words of the shorter sentence that two statements about one thing have in common."""
_VERY_ALIKE = 0.8
"""The same where the sentences name nothing themselves."""
_SHARED = 2
"""Words that they have in common at least, where they have so many."""
_OPTION = re.compile(r"^\W*([a-z][\w -]{1,39}?)\s*[=:]\s*\S")
_SAME_TITLE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A doubt about one of the passages that were given, by its index; `other` is the one that it is compared with."""

    kind: Literal["outdated", "superseded", "conflict"]
    passage: int
    other: int | None = None
    value: str = ""
    """What it says where the other one says `other_value`."""
    other_value: str = ""


def doubts(passages: Sequence[Passage], today: date) -> tuple[Doubt, ...]:
    """At most one for each pair (in conflict with a newer one, or the older of two versions), then what is outdated."""
    found: list[Doubt] = []
    for pair in combinations(range(len(passages)), 2):
        older, newer = sorted(
            pair, key=lambda index: (not is_outdated(passages[index], today), passages[index].ingested_at)
        )
        if passages[older].document_id == passages[newer].document_id:
            continue
        values = _conflict(passages[older], passages[newer])
        if values is not None:
            found.append(
                Doubt(kind="conflict", passage=older, other=newer, value=values[0], other_value=values[1])
            )
        elif not is_outdated(passages[older], today) and _is_same_procedure(passages[older], passages[newer]):
            found.append(Doubt(kind="superseded", passage=older, other=newer))
    over = (index for index, passage in enumerate(passages) if is_outdated(passage, today))
    return (*found, *(Doubt(kind="outdated", passage=index) for index in over))


def sentences(text: str) -> list[str]:
    """Sentences, list items and rows."""
    return [stripped for match in _SENTENCE.finditer(text) if (stripped := match[0].strip())]


def _conflict(one: Passage, other: Passage) -> tuple[str, str] | None:
    """The values of the first two statements that speak of the same and differ in a number."""
    for first in _statements(one):
        for second in _statements(other):
            if first.is_at_odds_with(second):
                mine, theirs = first.values - second.values, second.values - first.values
                return ", ".join(sorted(mine)), ", ".join(sorted(theirs))
    return None


@dataclass(frozen=True, slots=True)
class _Statement:
    names: frozenset[str]
    """In the sentence, the option before its `=` or `:`, or else what the headings name."""
    words: frozenset[str]
    values: frozenset[str]
    enough: float
    """Share of the words that another statement about the same has."""

    def is_at_odds_with(self, other: _Statement) -> bool:
        """Whether both give the same thing numbers that the other has not."""
        shared = len(self.words & other.words)
        least = min(len(self.words), len(other.words))
        is_alike = shared >= min(_SHARED, least) and shared >= max(self.enough, other.enough) * least
        differ = self.values - other.values and other.values - self.values
        return bool(self.names) and self.names == other.names and is_alike and bool(differ)


def _statements(passage: Passage) -> Iterator[_Statement]:
    headings = extract(f"{passage.document_title}\n{passage.location}")
    for sentence in sentences(passage.text):
        bare = _LIST_MARK.sub("", sentence)
        names, option = extract(bare), _OPTION.match(fold(bare))
        codes = {code for name in names for code in _RETURN_CODE.findall(name)}
        values = frozenset(_VALUE.findall(bare)) - codes
        if values:
            own = names or (frozenset({option[1]}) if option else frozenset())
            said = {term for term in tokenize(bare) if not any(map(str.isdigit, term))}
            others = said.difference(tokenize(" ".join(own)))
            words = frozenset(min({term, *synonyms(term)}) for term in others)
            yield _Statement(own or headings, words, values, _ALIKE if own else _VERY_ALIKE)


def _is_same_procedure(one: Passage, other: Passage) -> bool:
    if fold(one.location) != fold(other.location):
        return False
    first, second = set(tokenize(one.document_title)), set(tokenize(other.document_title))
    names = [
        frozenset(name for name in extract(passage.document_title) if not is_generic(name))
        for passage in (one, other)
    ]
    return names[0] == names[1] and len(first & second) >= _SAME_TITLE * max(len(first | second), 1)
