"""What the grammar knows, put together from the files of this folder: sentences, their parts, words."""

from __future__ import annotations

import re
from itertools import chain
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from brain.agents.language import GRAMMAR, LANGUAGES, Words, load

from .patterns import compile_pattern, correct, words_of
from .tokens import Token

__all__ = [
    "ALL_WORDS",
    "CONMAN",
    "KNOWN_WORDS",
    "LINKS",
    "NEGATIONS",
    "PRONOUNS",
    "RETRACTIONS",
    "RULES",
    "Action",
    "Command",
    "Kind",
    "Rule",
    "Topic",
    "compiled",
    "corrected",
]

Kind: TypeAlias = Literal[
    "diagnosis", "not_started", "status", "knowledge", "action", "help", "greeting", "unknown"
]
Action: TypeAlias = Literal["rerun", "hold", "release", "cancel"]
Topic: TypeAlias = Literal[
    "failed", "running", "late", "waiting", "held", "summary", "workstations", "job_streams"
]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Entry):
    """Sentences and what they mean; the first rule that fits is taken."""

    patterns: tuple[str, ...]
    kind: Kind
    topic: Topic | None = None
    needs: Literal["", "subject", "no_subject", "no_name"] = ""
    """Whether a job or stream must (not) be spoken of; `no_name` lets unknown lower-case words pass."""


class Command(_Entry):
    """A conman command."""

    names: Words
    """Its names and abbreviations."""
    level: Literal["job", "job_stream", "workstation"]
    """What its selection names when that is a single word."""
    kind: Kind
    topic: Topic | None = None
    action: Action | None = None
    argument: str = ""
    """What must follow the selection, such as the `;0` that makes a priority change a hold."""


class _Conman(_Entry):
    commands: tuple[Command, ...]
    qualifiers: dict[Topic, str]
    """What conman's `+` qualifiers ask for, as regular expressions."""


_KNOWN = LANGUAGES.values()
_PARTS = {
    name: f"({' | '.join(patterns)})"
    for name in next(iter(_KNOWN)).parts
    if (patterns := [language.parts[name] for language in _KNOWN if language.parts[name]])
}

CONMAN = load(GRAMMAR / "conman.yaml", _Conman)
RULES = load(GRAMMAR / "rules.yaml", tuple[Rule, ...])

NEGATIONS = frozenset(chain.from_iterable(language.negations for language in _KNOWN))
RETRACTIONS = frozenset(chain.from_iterable(language.retractions for language in _KNOWN))
LINKS = frozenset(chain.from_iterable(language.links for language in _KNOWN))
PRONOUNS = frozenset(chain.from_iterable(language.pronouns for language in _KNOWN))
ALL_WORDS = frozenset(chain.from_iterable(language.all_words for language in _KNOWN))

KNOWN_WORDS = words_of(_PARTS.values(), _PARTS).union(*(language.words for language in _KNOWN))
"""What is in it is no name, what is nearly in it is a slip of the fingers."""

_BY_LETTER = {
    letter: frozenset(word for word in KNOWN_WORDS if word[0] == letter)
    for letter in {word[0] for word in KNOWN_WORDS}
}


def compiled(*patterns: str) -> re.Pattern[str]:
    """One expression for all patterns. Raises ValueError where one names an unknown part."""
    return compile_pattern(f"({' | '.join(patterns)})", _PARTS)


def corrected(token: Token) -> str:
    """The token's word, with one slip of the fingers put right."""
    return correct(token.word, _BY_LETTER) if token.kind == "word" else token.word
