"""What the searches found of a section: how it ranks, and whether it is enough to answer. Pure.

The scores of the searches are added, each on the scale of its own best thousand: how far a section stands out
there. Ranks alone (reciprocal rank fusion) would forget whether the first is far ahead, and lose to the better of two
searches where the other knows little; figures in docs/retrieval.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Way: TypeAlias = Literal["identifier", "words", "vector"]

_TOP = 1000
_LIKENESS = {True: 1.0, False: 0.3}
"""By whether the embedding model knows the language of the document."""
_TITLE = 0.2
_TOGETHER = 1.0
_ENTRIES = 6.0
_NAME = 5.0
_OUTDATED = 2.0
_BIAS = {True: -7.0, False: -3.85}
"""By whether the embedding model knows the language of the document, as for coverage."""
_PER_COVERAGE = {True: 4.9, False: 8.0}
_PER_COSINE = 11.1
_PER_PLACE = 0.2
_MOST_PLACES = 12.0
_PER_NAME = 2.7
_PER_LACKING_NAME = -1.0
_PER_UNKNOWN = -2.3
_PER_MOMENT = -1.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and spread of the best thousand scores of a search."""

    mean: float
    spread: float

    @classmethod
    def of(cls, scores: npt.NDArray[np.float32], share: float = 1.0) -> Scale:
        """Of all scores, or of a sample that is such a share of them."""
        count = min(len(scores), max(30, round(_TOP * share)))
        if count == 0:
            return cls(0.0, 0.0)
        top = np.partition(scores, len(scores) - count)[len(scores) - count :]
        return cls(float(top.mean()), float(top.std()))

    def place(self, score: float) -> float:
        """How many spreads above the mean; 0 where all are alike."""
        return (score - self.mean) / self.spread if self.spread > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that speaks for a section."""

    words: float
    """Place among the BM25 scores."""
    titles: float
    """Place among the BM25 scores of headings."""
    likeness: float
    """Place among the cosines; 0 when the embedding model is away."""
    cosine: float
    is_compared: bool
    """Whether the cosine says something: the model was there and knows the language of the document."""
    coverage: float
    """0 to 1: share of the question's words that it has, rare ones counting more."""
    together: float
    """0 to 1: the same of some thirty words of it, and of the question's words that documents have."""
    entries: float
    """0 to 1: share of the question's words that are entries which it describes, rare ones counting more."""
    name: float
    """0 to 1: the identifiers of the question that it has, against the section that has most."""
    is_told: bool
    """Whether it has a telling identifier of the question, more than a return code."""
    lacks_name: bool
    """Whether the question has telling identifiers and this section none of them."""
    weight: float = 1.0
    is_outdated: bool = False

    @property
    def merit(self) -> float:
        """What sections are ranked by."""
        return (
            self.words
            + _LIKENESS[self.is_compared] * self.likeness
            + _TITLE * self.titles
            + _TOGETHER * self.together
            + _ENTRIES * self.entries
            + _NAME * self.name
            + math.log2(self.weight)
            - _OUTDATED * self.is_outdated
        )


def confidence(evidence: Evidence, *, has_unknown: bool = False, is_of_moment: bool = False) -> float:
    """0 to 1: how sure it is that the section answers; a logistic model, fitted as docs/retrieval.md tells.

    `has_unknown`: the question names something that no document does. `is_of_moment`: it is about today or now, which
    documents say nothing of.
    """
    merit = (
        _BIAS[evidence.is_compared]
        + _PER_COVERAGE[evidence.is_compared] * evidence.coverage
        + _PER_COSINE * evidence.cosine * evidence.is_compared
        + _PER_PLACE * min(evidence.words, _MOST_PLACES)
        + _PER_NAME * evidence.is_told
        + _PER_LACKING_NAME * evidence.lacks_name
        + _PER_UNKNOWN * has_unknown
        + _PER_MOMENT * is_of_moment
    )
    return 1 / (1 + math.exp(-merit))
