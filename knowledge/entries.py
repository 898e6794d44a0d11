"""What a section describes, rather than mentions, as reference manuals do: options, states, messages, numbers. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from .terms import tokenize

_ALONE = re.compile(r"(?:^|\|)[^\w|\n]*(\w(?:[^\s|]*\w)?)[^\w|\n]*(?=\||$)", re.MULTILINE)
"""The one word of a line or of a table's cell."""


def entries(heading: str, text: str) -> set[tuple[str, ...]]:
    """The terms of each entry: of the heading, and of words alone in a line or a cell.

    As in `STUCK` above its meaning, or `101 | Job abended`.
    """
    return {_terms(entry) for entry in {heading, *_ALONE.findall(text)}} - {()}


@lru_cache(maxsize=50_000)
def _terms(entry: str) -> tuple[str, ...]:
    return tuple(tokenize(entry))
