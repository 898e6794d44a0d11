"""Sections to chunks small enough to embed. Pure.

A chunk never crosses a section. A section is cut between paragraphs; only what is still too large is cut
between lines (list items, table rows, code lines), then sentences, then words. Chunks do not overlap.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import pairwise

from .documents import Chunk, Section
from .terms import extract

_MAX_WORDS = 180
"""About the 256 tokens that all-MiniLM-L6-v2 reads; what lies beyond would not be embedded."""
_LONG_WORD = 20
"""Characters after which a word counts as one more: paths and encoded data are many tokens."""
_CUTS = (
    re.compile(r"^\S.*\n\n|\n\n(?=\S)", re.MULTILINE),  # a blank line between indented ones is part of code
    re.compile(r"\n"),
    re.compile(r"[.!?;:]\s"),
    re.compile(r"\s"),
    re.compile(rf"\S{{{_LONG_WORD}}}"),
)
"""After what to cut, from the best place to the worst."""


def split(title: str, sections: Iterable[Section]) -> tuple[Chunk, ...]:
    """The chunks in reading order; together they hold every word of the sections.

    A chunk's identifiers include those of the title and the heading path: the steps under
    "PAYROLL ends with RC 8" belong to PAYROLL though they do not repeat the name.
    """
    pieces = [
        (number, section, piece.strip("\n"))
        for number, section in enumerate(sections)
        for piece in _pieces(section.text, 0)
        if piece.strip()
    ]
    return tuple(
        Chunk(
            position=position,
            section=number,
            location=section.location,
            page=section.page,
            text=text,
            identifiers=extract(title) | extract(section.location) | extract(text),
            digest=hashlib.sha256(embedded(title, section.location, text).encode()).hexdigest(),
        )
        for position, (number, section, text) in enumerate(pieces)
    )


def embedded(title: str, location: str, text: str) -> str:
    """What is embedded of a chunk: the headings say what a list of steps is about."""
    headings = title if location in {"", title} else f"{title}. {location}"
    return f"{headings}. {text}"


def _pieces(text: str, level: int) -> list[str]:
    """The text in pieces that fit, cut at this level or a worse one; joined they are the text again."""
    if _size(text) <= _MAX_WORDS or level == len(_CUTS):
        return [text]
    packed: list[str] = []
    ends = [match.end() for match in _CUTS[level].finditer(text)]
    for start, end in pairwise([0, *ends, len(text)]):
        for piece in _pieces(text[start:end], level + 1):
            if packed and _size(packed[-1]) + _size(piece) <= _MAX_WORDS:
                packed[-1] += piece
            else:
                packed.append(piece)
    return packed


def _size(text: str) -> int:
    return sum(1 + len(word) // _LONG_WORD for word in text.split())
