"""Portuguese questions as they are typed in a chat, put into writing that a translator understands.

Half of them come without accents, and `nao autorizado` is translated to `authorized`. The word list is the one of
`pyspellchecker`: https://github.com/barrust/pyspellchecker
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, product
from pathlib import Path

import yaml
from spellchecker import SpellChecker

from .terms import fold, name_spans

_WORD = re.compile(r"(?<![\w./\\@#$%=-])[^\W\d_]+(?![\w/\\@#$%=-]|\.\w)")
"""Not in a path, an option (`-n`), an address or a name."""
_ACCENTS = {"a": "áâãà", "e": "éê", "i": "í", "o": "óôõ", "u": "ú", "c": "ç"}
_MOST_ACCENTS = 2
"""In one word, as in `execuções`."""
_RARE = 60
"""Words seen less often are mostly misspelt themselves."""
_COMMON = 5_000
"""How often a word has to be seen to be taken for what was meant: the list knows little of the trade."""
_CLEARLY = 10
"""How much oftener the word with accents has to be seen: `esta` and `está` are both meant."""
_LONG = 5
"""Letters of a word that is not taken for another one by chance."""


def spelled_out(text: str, is_known: Callable[[str], bool]) -> str:
    """The text with accents, with abbreviations written out and slips of one letter mended.

    Names, capitalised words and those that documents have stay as they are. Loads the word list
    at the first use, in about a second.
    """
    names = name_spans(text)

    def mend(match: re.Match[str]) -> str:
        is_name = any(start <= match.start() < end for start, end in names)
        return match[0] if is_name else _mended(match[0], is_known)

    return _WORD.sub(mend, text)


def term_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Where words of the trade stand, and what they are in English."""
    terms = _data()["terms"]
    for match in _WORD.finditer(text):
        if english := terms.get(fold(match[0])):
            yield *match.span(), english


def _mended(word: str, is_known: Callable[[str], bool]) -> str:
    if word in _data()["abbreviations"]:
        return _data()["abbreviations"][word]
    folded, seen = fold(word), _seen(word)
    if not word.islower():
        return word
    if folded == word:
        accented = max(_accented(word), key=_seen, default=word)
        if _seen(accented) > _CLEARLY * seen:
            return accented
    if seen or len(word) < _LONG or is_known(word) or folded in _data()["terms"]:
        return word
    meant = max(_speller().candidates(word) or (word,), key=_seen)
    return meant if _seen(meant) >= _COMMON else word


def _accented(word: str) -> Iterator[str]:
    """The word with accents on one or two of its letters."""
    places = [place for place, letter in enumerate(word) if letter in _ACCENTS]
    for count in range(1, _MOST_ACCENTS + 1):
        for some in combinations(places, count):
            for letters in product(*(_ACCENTS[word[place]] for place in some)):
                changed = list(word)
                for place, letter in zip(some, letters, strict=True):
                    changed[place] = letter
                yield "".join(changed)


def _seen(word: str) -> int:
    """How often the word list saw the word."""
    count: int = _speller().word_frequency[word]
    return count


@cache
def _speller() -> SpellChecker:
    speller = SpellChecker(language="pt", distance=1)
    speller.word_frequency.remove_by_threshold(_RARE)
    return speller


@cache
def _data() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load(
        Path(__file__).with_name("portuguese.yaml").read_text(encoding="utf-8")
    )
    return loaded
