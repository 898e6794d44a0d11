"""Several rankings to one: weighted reciprocal rank fusion. Pure.

Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods", SIGIR 2009. Unlike there, a rank also counts by its score relative to the best of the
ranking: a question of which one chunk has every word and the next has one is not a close race.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Fused", "Ranking", "Way", "fuse"]

Way: TypeAlias = Literal["identifier", "words", "vector"]
Ranking: TypeAlias = Mapping[int, float]
"""Score by chunk id, higher is better."""

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


def fuse(rankings: Mapping[Way, Ranking], weights: Mapping[Way, float]) -> list[Fused]:
    """All chunks of the rankings, best first; equal scores in a ranking share a rank.

    A ranking that found nothing does not lower the scores of the others.
    """
    positive = {
        way: {chunk_id: score for chunk_id, score in ranking.items() if score > 0}
        for way, ranking in rankings.items()
    }
    asked = {way: ranking for way, ranking in positive.items() if ranking}
    best = sum(weights[way] for way in asked) / (_DAMPING + 1)
    shares = {way: _shares(ranking) for way, ranking in asked.items()}
    ids = {chunk_id for ranking in asked.values() for chunk_id in ranking}
    fused = [
        Fused(
            chunk_id=chunk_id,
            score=sum(weights[way] * share.get(chunk_id, 0.0) for way, share in shares.items()) / best,
            ways=frozenset(way for way, share in shares.items() if chunk_id in share),
        )
        for chunk_id in ids
    ]
    return sorted(fused, key=lambda item: (-item.score, item.chunk_id))


def _shares(ranking: Ranking) -> dict[int, float]:
    ordered = sorted(ranking.values(), reverse=True)
    rank = {score: place for place, score in reversed(list(enumerate(ordered, 1)))}
    return {chunk_id: score / ordered[0] / (_DAMPING + rank[score]) for chunk_id, score in ranking.items()}
