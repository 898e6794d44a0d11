"""Text to search terms: folded, without stop words, stemmed, names kept whole. Pure.

One stem serves both languages: the English stemmer, then the Portuguese one, for documents and questions
alike. It conflates a little more than either, and needs no guess at the language of a chat line.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Literal

import snowballstemmer
from bm25s.stopwords import STOPWORDS_EN, STOPWORDS_PORTUGUESE

from .glossary import NOTIONS

__all__ = ["fold", "language", "synonyms", "tokenize"]

_TOKEN = re.compile(r"[a-z0-9]+(?:[_#.*/@$-]+[a-z0-9]+)*")
_PART = re.compile(r"[a-z0-9]+")
_PLURAL = re.compile(r"oes$")
"""`-ões`: without its accent the stemmer does not see the plural of `-ão`."""
_ENGLISH_QUESTION_WORDS = (
    "how what when where which who whom why can could did does has have i may me my should we you your"
)
_PORTUGUESE_QUESTION_WORDS = "porque onde quais quanto devo posso pode fazer faco"


def fold(text: str) -> str:
    """Lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


_ENGLISH = frozenset((*STOPWORDS_EN, *_ENGLISH_QUESTION_WORDS.split()))
_PORTUGUESE = frozenset(map(fold, (*STOPWORDS_PORTUGUESE, *_PORTUGUESE_QUESTION_WORDS.split())))
_STEMMERS = (snowballstemmer.stemmer("english"), snowballstemmer.stemmer("portuguese"))
_STEMMING = threading.Lock()
"""A stemmer keeps the word in itself while it works, and texts are read in several threads."""


def tokenize(text: str) -> list[str]:
    """The terms of a text in order, with repetitions.

    A joined name (`SFTP_BACEN`, `ORA-01653`) gives itself, unstemmed, and then its parts.
    """
    return list(_terms(fold(text)))


def language(text: str) -> Literal["en", "pt"]:
    """The language that more of the function words are of; English where there are none or as many."""
    words = _PART.findall(fold(text))
    portuguese = sum(word in _PORTUGUESE and word not in _ENGLISH for word in words)
    english = sum(word in _ENGLISH and word not in _PORTUGUESE for word in words)
    return "pt" if portuguese > english else "en"


def _terms(folded: str) -> Iterator[str]:
    for match in _TOKEN.finditer(folded):
        token = match.group()
        parts = _PART.findall(token)
        if len(parts) > 1:
            yield token
        for part in parts:
            if part not in _ENGLISH and part not in _PORTUGUESE:
                yield _stem(part)


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    if not word.isalpha():
        return word
    word = _PLURAL.sub("ao", word)
    with _STEMMING:
        for stemmer in _STEMMERS:
            word = stemmer.stemWord(word)
    return word


def synonyms(term: str) -> frozenset[str]:
    """The other terms of the glossary's notions that this term belongs to; mostly empty."""
    return _synonyms().get(term, frozenset())


@cache
def _synonyms() -> dict[str, frozenset[str]]:
    groups = [frozenset(tokenize(notion)) for notion in NOTIONS]
    terms = frozenset().union(*groups)
    return {term: frozenset().union(*(group for group in groups if term in group)) - {term} for term in terms}
