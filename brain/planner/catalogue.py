"""Requests of several parts that are known: plans as data, in `catalogue.yaml`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from brain.agents.grammar import Kind, Topic
from brain.agents.grammar.tokens import read_tokens
from brain.agents.grammar.vocabulary import KNOWN_WORDS, compiled, corrected
from brain.agents.language import load

Gather: TypeAlias = Literal["causes", "sections"]
"""`causes`: what has the same cause is told once. `sections`: one after the other."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Entry):
    """One part of a plan."""

    name: str
    kind: Kind = "status"
    topic: Topic | None = None
    plan: str = ""
    """Name of the plan that it is; `kind` and `topic` say nothing then."""
    each_of: str = ""
    """Name of the step before whose objects it is done for, each by itself."""


class KnownPlan(_Entry):
    """What a kind of request is made of."""

    patterns: tuple[str, ...]
    gather: Gather
    steps: tuple[Step, ...]


CATALOGUE: Mapping[str, KnownPlan] = load(
    resources.files("brain.planner") / "catalogue.yaml", dict[str, KnownPlan]
)
_PATTERNS = {name: compiled(*plan.patterns) for name, plan in CATALOGUE.items()}


def known_plan(words: str) -> str:
    """Name of the first plan that the words ask for; empty where none fits."""
    line = "".join(f" {corrected(token)}" for token in read_tokens(words, KNOWN_WORDS))
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(line)), "")
