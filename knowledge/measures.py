"""How good a ranking is, as BEIR and TREC count it. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypedDict

Grades: TypeAlias = Mapping[str, int]
"""How well each document answers, above 0; what is not in it does not."""
Ranking: TypeAlias = Sequence[str]
"""Documents, best first."""

_DEPTH = 10


class Figures(TypedDict):
    """Means over questions, in per cent; of the first ten documents."""

    ndcg_at_10: float
    """With a gain of 2^grade - 1. Source: Järvelin and Kekäläinen, ACM TOIS 20(4), 2002."""
    recall_at_10: float
    mrr: float
    """Of the reciprocal rank of the first document that answers."""
    right_first: float
    """Questions whose first document answers."""


def mean_figures(rankings: Sequence[tuple[Grades, Ranking]]) -> Figures:
    """The figures of at least one question."""

    def mean(values: Sequence[float]) -> float:
        return round(100 * statistics.fmean(values), 2)

    return Figures(
        ndcg_at_10=mean([_ndcg(grades, found) for grades, found in rankings]),
        recall_at_10=mean(
            [len(set(found[:_DEPTH]) & set(grades)) / len(grades) for grades, found in rankings]
        ),
        mrr=mean([_reciprocal_rank(grades, found) for grades, found in rankings]),
        right_first=mean([bool(found) and found[0] in grades for grades, found in rankings]),
    )


def _ndcg(grades: Grades, found: Ranking) -> float:
    return _gain([grades.get(name, 0) for name in found]) / _gain(sorted(grades.values(), reverse=True))


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:_DEPTH], 1))


def _reciprocal_rank(grades: Grades, found: Ranking) -> float:
    return next((1 / rank for rank, name in enumerate(found[:_DEPTH], 1) if name in grades), 0.0)
