"""Several rankings to one: weighted reciprocal rank fusion. Pure.

Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods", SIGIR 2009.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

__all__ = ["WEIGHTS", "Fused", "Ranking", "Way", "fuse"]

Way: TypeAlias = Literal["identifier", "words", "vector"]
Ranking: TypeAlias = Mapping[int, float]
"""Score by chunk id, higher is better."""

WEIGHTS: Mapping[Way, float] = {"identifier": 2.0, "words": 1.0, "vector": 1.0}
"""A name that was copied from a log says more than words and likeness together."""
_DAMPING = 60
"""The constant of the paper: how slowly lower ranks lose weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """One chunk with what all rankings say of it."""

    chunk_id: int
    score: float
    """0 to 1; 1 is first in each ranking that was asked."""
    ways: frozenset[Way]
    """The rankings it is in."""


def fuse(rankings: Mapping[Way, Ranking]) -> list[Fused]:
    """All chunks of the rankings, best first; equal scores in a ranking share a rank.

    A ranking that found nothing does not lower the scores of the others.
    """
    asked = {way: ranking for way, ranking in rankings.items() if ranking}
    best = sum(WEIGHTS[way] for way in asked) / (_DAMPING + 1)
    shares = {way: _shares(ranking) for way, ranking in asked.items()}
    ids = {chunk_id for ranking in asked.values() for chunk_id in ranking}
    fused = [
        Fused(
            chunk_id=chunk_id,
            score=sum(WEIGHTS[way] * share.get(chunk_id, 0.0) for way, share in shares.items()) / best,
            ways=frozenset(way for way, share in shares.items() if chunk_id in share),
        )
        for chunk_id in ids
    ]
    return sorted(fused, key=lambda item: (-item.score, item.chunk_id))


def _shares(ranking: Ranking) -> dict[int, float]:
    ordered = sorted(ranking, key=lambda chunk_id: -ranking[chunk_id])
    groups = groupby(ordered, key=lambda chunk_id: ranking[chunk_id])
    return {chunk_id: 1 / (_DAMPING + rank) for rank, (_, tied) in enumerate(groups, 1) for chunk_id in tied}
