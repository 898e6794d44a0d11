"""A small language for sentence patterns, so that a grammar can be a table. Pure.

A pattern is words in lower case without accents. `(a b|c)` means either, `[a|b]` means perhaps one, `...`
means any few words, `x*` any ending, `^` and `$` the ends of the text, `{name}` another pattern.
"""

import re
from collections.abc import Collection, Iterable, Mapping

_PIECE = re.compile(r"\.\.\.|[()\[\]|^$]|[^\s()\[\]|^$]+")
_WORD = re.compile(r"@?[a-z0-9]+(?:-[a-z0-9]+)*")
_SYNTAX = {
    "...": r"(?: \S+){0,12}?",
    "(": "(?:",
    "[": "(?:",
    ")": ")",
    "]": ")?",
    "|": "|",
    "^": "^",
    "$": "$",
}

_SHORTEST_CORRECTED = 5
"""Shorter words have too many neighbours that are words themselves."""


def compile_pattern(pattern: str, parts: Mapping[str, str]) -> re.Pattern[str]:
    """The pattern for a line in which each word has one space before it. Raises ValueError for an unknown part."""
    return re.compile("".join(_to_regex(piece) for piece in _PIECE.findall(_expand(pattern, parts))))


def words_of(patterns: Iterable[str], parts: Mapping[str, str]) -> frozenset[str]:
    """The whole words that occur in the patterns."""
    pieces = (piece for pattern in patterns for piece in _PIECE.findall(_expand(pattern, parts)))
    return frozenset(piece for piece in pieces if _WORD.fullmatch(piece))


def correct(word: str, known_words: Mapping[str, Collection[str]]) -> str:
    """The known word that is one slip away (a letter more, less, other or swapped), else the word itself.

    `known_words` are grouped by first letter, which people rarely mistype. Swapped
    letters are the likeliest slip; two equally likely words mean no correction.
    """
    if len(word) < _SHORTEST_CORRECTED or not word.isalpha():
        return word
    known = known_words.get(word[0], ())
    if word in known:
        return word
    near = [other for other in known if len(other) >= _SHORTEST_CORRECTED and _is_one_slip(word, other)]
    swapped = [other for other in near if sorted(other) == sorted(word)]
    likely = swapped or near
    return likely[0] if len(likely) == 1 else word


def _expand(pattern: str, parts: Mapping[str, str]) -> str:
    expanded = pattern
    while "{" in expanded:
        try:
            expanded = expanded.format_map(parts)
        except KeyError as error:
            raise ValueError(f"there is no part {error} for the pattern {pattern!r}") from None
    return expanded


def _to_regex(piece: str) -> str:
    if piece in _SYNTAX:
        return _SYNTAX[piece]
    return " " + re.escape(piece).replace(r"\*", r"[^ ]*") + "(?![^ ])"


def _is_one_slip(word: str, other: str) -> bool:
    if abs(len(word) - len(other)) > 1:
        return False
    start = next(
        (place for place, pair in enumerate(zip(word, other, strict=False)) if pair[0] != pair[1]),
        min(len(word), len(other)),
    )
    rest, other_rest = word[start:], other[start:]
    return (
        rest[1:] == other_rest
        or rest == other_rest[1:]
        or rest[1:] == other_rest[1:]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    )
