"""Checks what a model wrote against the passages that it cites. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .doubts import sentences
from .signature import classes, is_negated
from .terms import extract, fold, language, synonyms, tokenize

_CITED = re.compile(r"\s*\[(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\]")
_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•#>]+)\s+")
_LOOSE_END = re.compile(r"([.!?])((?:\s*\[[\d,; ]+\])+)")
"""A citation behind the full stop belongs to the sentence before it."""
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NAME = re.compile(r"(?<=[\w,;:] )[A-ZÀ-Ý][\w.-]+")
"""Words with a capital inside a sentence."""
_ENOUGH = {True: 0.6, False: 0.2}
"""Share of its words that a claim has from its sources, in their language and in another one: across languages only
names, loan words and the glossary can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence and the numbers of the passages that it rests on, from 1."""

    text: str
    """Without the citations."""
    cited: tuple[int, ...]


def supported_claims(answer: str, sources: Sequence[str]) -> tuple[Claim, ...]:
    """The sentences of an answer that cite sources (numbered from 1) which say so, in order; the others are dropped.

    The sources have all names and numbers of the sentence, no other kinds of doing, enough of its words, and
    the sentence of theirs that is most like it is negated just like it.
    """
    return tuple(claim for claim in _claims(answer) if _is_supported(claim, sources))


def _claims(answer: str) -> Iterator[Claim]:
    for sentence in sentences(_LOOSE_END.sub(r"\2\1", answer)):
        cited = [
            int(number) for match in _CITED.finditer(sentence) for number in re.findall(r"\d+", match[1])
        ]
        words = _CITED.sub("", _MARK.sub("", sentence)).strip()
        if cited and words:
            yield Claim(text=words, cited=tuple(dict.fromkeys(cited)))


def _is_supported(claim: Claim, sources: Sequence[str]) -> bool:
    if not all(1 <= number <= len(sources) for number in claim.cited):
        return False
    cited = "\n".join(sources[number - 1] for number in claim.cited)
    terms = _terms(claim.text)
    if not terms or not _has_all(claim.text, cited):
        return False
    shared = terms & _terms(cited)
    if len(shared) < _ENOUGH[language(claim.text) == language(cited)] * len(terms):
        return False
    nearest = max(sentences(cited), key=lambda sentence: len(terms & _terms(sentence)))
    return is_negated(claim.text) == is_negated(nearest)


def _has_all(claim: str, cited: str) -> bool:
    """Whether everything in the claim that can be looked up word for word is in its sources."""
    folded = fold(cited)
    return (
        extract(claim) <= extract(cited)
        and set(_NUMBER.findall(claim)) <= set(_NUMBER.findall(cited))
        and all(fold(name) in folded for name in _NAME.findall(claim))
        and classes(claim) <= classes(cited)
    )


def _terms(text: str) -> set[str]:
    """The words, one for all that the glossary takes for the same."""
    return {min({term, *synonyms(term)}) for term in tokenize(text)}
