"""What two questions must have in common for one answer to serve both. Pure."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from .terms import fold, language

QuestionKind: TypeAlias = Literal["how", "meaning", "where", "other"]

_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_TOKEN = re.compile(r"[^\s,;!?()\[\]{}\"'“”‘’«»]+")
_EDGES = ".:*_`…"
"""Around a token these are punctuation, inside it they are part of a name, a time or a number."""
_ASKING = frozenset({"who", "where", "when", "many"})
_WORD = re.compile(r"[a-z]+")


@cache
def question_data() -> dict[str, Any]:
    """What `questions.yaml` says."""
    loaded: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("questions.yaml").read_text(encoding="utf-8")
    )
    return loaded


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(question_data()[name].split())


@cache
def _class_of() -> dict[str, str]:
    return {fold(word): name for name, line in question_data()["classes"].items() for word in line.split()}


@cache
def _kinds() -> dict[QuestionKind, re.Pattern[str]]:
    return {
        kind: re.compile(rf"\b(?:{'|'.join(patterns)})")
        for kind, patterns in question_data()["kinds"].items()
    }


def kind_of(question: str) -> QuestionKind:
    """Whether it asks for steps, for what something means, or for the place or name of something."""
    folded = _folded(question)
    return next((kind for kind, pattern in _kinds().items() if pattern.search(folded)), "other")


def is_of_moment(question: str) -> bool:
    """Whether it asks what is or was the case today or these days, not how something is done."""
    words = set(_WORD.findall(_folded(question)))
    return kind_of(question) != "how" and not words.isdisjoint(_words("moments"))


def is_negated(text: str) -> bool:
    """Whether any word turns it round."""
    return not _negations(text).isdisjoint(_WORD.findall(_folded(text)))


def classes(text: str) -> frozenset[str]:
    """The classes of `questions.yaml` that its words are of, the same for words of both languages."""
    known = _class_of()
    return frozenset(known[word] for word in _WORD.findall(_folded(text)) if word in known)


def signature(question: str) -> str:
    """Names, numbers, dates, classes, negation and all other words that a question is about, in a normal form.

    Equal for questions that differ in letter case, accents, filling words, inflections and synonyms that
    `questions.yaml` knows, and the order of those. A word that it does not know may be a name: it counts as it is
    written, in its place. Where a word of direction stands (`before`, `from`) every word keeps its place.
    """
    known, fillers, negations = _class_of(), _words("fillers"), _negations(question)
    tokens = [token for match in _TOKEN.finditer(_folded(question)) if (token := match[0].strip(_EDGES))]
    named, normal = False, []
    for token in tokens:
        if token in negations:
            normal.append("!")
        elif named and token not in fillers and token not in _words("name_of"):
            normal.append(f"={token}")
        elif token in known:
            normal.append(known[token])
        elif token not in fillers:
            normal.append(f"={token}")
        named = token in _words("name_of") or (named and token in _words("articles"))
    kind = "why" if "why" in normal else kind_of(question)
    if kind == "how" or not _ASKING.isdisjoint(normal):  # "how can I" and "what should I do" ask the same
        normal = [word for word in normal if word not in {"can", "must"}]
    if _words("directions").isdisjoint(tokens):
        # stable: names keep their order
        normal = sorted({word for word in normal if word[0] != "="}) + [
            word for word in normal if word[0] == "="
        ]
    return " ".join((kind, *normal))


def _negations(text: str) -> frozenset[str]:
    """In Portuguese `no` is "in the"."""
    return _words("negations") - {"no"} if language(text) == "pt" else _words("negations")


def _folded(text: str) -> str:
    return " ".join(fold(_APOSTROPHE.sub("", text)).split()).replace("por que", "porque")
