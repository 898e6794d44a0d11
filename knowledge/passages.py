"""Sections in their order, as the passages that a reader sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Row

from .documents import Passage
from .evidence import Evidence, Way
from .question import Question
from .store import Key
from .terms import tokenize
from .vectors import Near

_SCORE_STEP = 4.0
"""By how much merit the score falls to about a third."""

_Row: TypeAlias = Row[Any]


def passages_of(
    ranked: Sequence[Key],
    rows: Mapping[Key, list[_Row]],
    evidence: Mapping[Key, Evidence],
    question: Question,
    near: Mapping[Key, Near],
    k: int,
) -> Iterable[Passage]:
    """The best sections, each with its best chunk; of sections with the same text the first."""
    seen: set[str] = set()
    best = evidence[ranked[0]].merit if ranked else 0.0
    for key in ranked:
        section = section_text(rows[key])
        if section in seen:
            continue
        seen.add(section)
        row = max(rows[key], key=lambda row: _fit(row, question, near.get(key)))
        proof = evidence[key]
        ways: dict[Way, bool] = {
            "identifier": proof.name > 0,
            "words": proof.coverage > 0,
            "vector": key in near,
        }
        yield Passage(
            document_id=str(row.document_id),
            document_title=row.title,
            location=row.location,
            text=row.text,
            section=section,
            page=row.page,
            link=row.link,
            kind=row.kind,
            ingested_at=row.ingested_at,
            valid_to=row.valid_to,
            score=min(1.0, math.exp((proof.merit - best) / _SCORE_STEP)),
            matched=frozenset(way for way, is_so in ways.items() if is_so),
        )
        if len(seen) == k:
            return


def section_text(rows: Sequence[_Row]) -> str:
    """Its chunks in order."""
    return "\n".join(row.text for row in rows)


def _fit(row: _Row, question: Question, near: Near | None) -> tuple[int, int]:
    """How well a chunk stands for its section: names, then words, then likeness."""
    terms = set(tokenize(row.text))
    names = len(question.names.intersection(row.identifiers))
    shared = max(len(terms.intersection(asked)) for asked in question.terms.values())
    return names, shared + (near is not None and near.chunk_id == row.id)
