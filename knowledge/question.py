"""A question as the search understands it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .documents import Language
from .evidence import Evidence, confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is searched for, in each language that documents may be in."""

    texts: Mapping[Language, str]
    terms: Mapping[Language, Sequence[str]]
    names: frozenset[str]
    """Identifiers, and those that wildcards stand for."""
    has_unknown: bool
    """Whether it names a product or a person that no document does."""
    is_of_moment: bool
    degraded: tuple[str, ...]
    """What was away meanwhile."""

    def confidence(self, evidence: Evidence) -> float:
        """How sure it is that a section with this evidence answers."""
        return confidence(evidence, has_unknown=self.has_unknown, is_of_moment=self.is_of_moment)
