"""Tells Portuguese from English by a few words and letters. Pure."""

from __future__ import annotations

import re
import unicodedata

from brain.message import Locale

from .wordlists import ENGLISH_WORDS, PORTUGUESE_WORDS

__all__ = ["detect_locale", "fold"]

_WORDS = {Locale.PT: PORTUGUESE_WORDS, Locale.EN: ENGLISH_WORDS}

_PORTUGUESE_LETTERS = frozenset("ãõçáàâéêíóôú")
_LETTERS_WEIGHT = 2
"""An accent says more than a short word: English job names and words have none."""

_WORD = re.compile(r"\w+")


def fold(text: str) -> str:
    """The text in lower case and without accents, character for character as long as before."""
    return "".join(_fold_character(character) for character in text)


def detect_locale(text: str, hint: Locale | None) -> Locale | None:
    """The language of the text; the hint where it says nothing or both equally."""
    words = [word for word in _WORD.findall(text) if not word.isupper() or text.isupper()]
    scores = {locale: sum(fold(word) in known for word in words) for locale, known in _WORDS.items()}
    if _PORTUGUESE_LETTERS.intersection(text.lower()):
        scores[Locale.PT] += _LETTERS_WEIGHT
    if scores[Locale.PT] == scores[Locale.EN]:
        return hint
    return max(scores, key=scores.__getitem__)


def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base if len(base) == 1 else character
