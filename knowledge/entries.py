"""Which words a text has an entry for, as reference manuals do: on a line of its own, or in a table beside a description. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .terms import tokenize

_MARKS = " \t-*_`#>:"
"""Around what stands on a line of Markdown."""
_DIGIT = re.compile(r"\d")


@lru_cache(maxsize=20_000)
def entries(text: str) -> frozenset[str]:
    """The terms that the text explains, rather than uses: as in `STUCK` above its meaning, or `101 | Job abended`."""
    return frozenset(term for word in _words(text) for term in tokenize(word))


def _words(text: str) -> Iterator[str]:
    for line in text.splitlines():
        cells = [cell.strip(_MARKS) for cell in line.split("|")]
        if len(cells) == 1 or any(map(_describes, cells)):
            yield from (cell for cell in cells if cell and len(cell.split()) == 1)


def _describes(cell: str) -> bool:
    """Whether it is words, not the values of a listing."""
    words = cell.split()
    return len(words) > 1 and not _DIGIT.search(cell) and any(word.islower() for word in words)
