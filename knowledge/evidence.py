"""What the three searches found for one question: how it ranks, and whether it is enough to answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .words import WordHit

__all__ = ["Evidence", "Fused", "NameHits", "Ranking", "Way", "fuse"]

Way: TypeAlias = Literal["identifier", "words", "vector"]
Ranking: TypeAlias = Mapping[int, float]
"""Score by chunk id, higher is better."""

_DAMPING = 60
"""The constant of the paper: how slowly lower ranks lose weight."""
_WEIGHTS: Mapping[Way, float] = {"identifier": 2.0, "words": 1.0, "vector": 1.0}
"""A name that was copied from a log says more than words and likeness together."""
_FOREIGN_WEIGHTS: Mapping[Way, float] = {**_WEIGHTS, "vector": 0.7}
"""For a question in a language that the embedding model does not know."""
_ENOUGH_COVERAGE = 0.5
"""Share of the question's words, weighted by rarity, that an answering passage has at least."""
_ENOUGH_FOREIGN_COVERAGE = 0.3
"""The same in a language that the embedding model does not know: much of such a question has no counterpart in
documents of the other language, and there is no likeness to fall back on."""
_ENOUGH_LIKENESS = 0.5
"""Cosine that MiniLM gives an answering passage at least; unrelated texts mostly stay below 0.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """One chunk with what all rankings say of it."""

    chunk_id: int
    score: float
    """0 to 1; 1 is first in each ranking that was asked."""
    ways: frozenset[Way]
    """The rankings it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHits:
    """The chunks that have an identifier of the question."""

    ranking: Ranking = field(default_factory=dict)
    """By how rare the identifiers are that the chunk has."""
    told: Collection[int] = frozenset()
    """The chunks that have a telling identifier, more than a return code."""
    asks_by_name: bool = False
    """Whether the question has a telling identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was found."""

    names: NameHits
    words: Sequence[WordHit]
    likeness: Ranking
    """Cosines; empty when the embedding model is away."""
    is_foreign: bool
    """Whether the embedding model does not know the question's language."""

    def ranked(self) -> list[Fused]:
        """The chunks, best first."""
        rankings: dict[Way, Ranking] = {
            "identifier": self.names.ranking,
            "words": {hit.chunk_id: hit.score for hit in self.words},
            "vector": self.likeness,
        }
        return fuse(rankings, _FOREIGN_WEIGHTS if self.is_foreign else _WEIGHTS)

    def answers(self, chunk_id: int) -> bool:
        """Whether a chunk is close enough to answer from.

        It has a name of the question, or most of its words, or means nearly the same. Likeness counts only
        where no name was asked for: a passage without the name is about something else.
        """
        coverage = next((hit.coverage for hit in self.words if hit.chunk_id == chunk_id), 0.0)
        enough = _ENOUGH_FOREIGN_COVERAGE if self.is_foreign else _ENOUGH_COVERAGE
        if chunk_id in self.names.told or coverage >= enough:
            return True
        is_believed = not (self.is_foreign or self.names.asks_by_name)
        return is_believed and self.likeness.get(chunk_id, 0.0) >= _ENOUGH_LIKENESS


def fuse(rankings: Mapping[Way, Ranking], weights: Mapping[Way, float]) -> list[Fused]:
    """All chunks of the rankings, best first, by weighted reciprocal rank fusion.

    Equal scores in a ranking share a rank; a ranking that found nothing does not lower the scores of the
    others. Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual
    Rank Learning Methods", SIGIR 2009. Unlike there, a rank also counts by its score relative to the best of
    the ranking: a question of which one chunk has every word and the next has one is not a close race.
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
