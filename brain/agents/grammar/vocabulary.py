"""What the grammar knows, put together from the files of this folder: sentences, their parts, words."""

import re
from collections.abc import Mapping
from itertools import chain
from typing import Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict

from brain.agents.language import GRAMMAR, LANGUAGES, Words, load
from tws.actions import Action

from .patterns import compile_pattern, correct, words_of
from .tokens import Token

KindOfOne: TypeAlias = Literal["diagnosis", "not_started", "status", "relations", "action", "what_if"]
Kind: TypeAlias = (
    KindOfOne | Literal["knowledge", "help", "greeting", "forget", "incidents", "approvals", "unknown"]
)
TopicOfJobs: TypeAlias = Literal["failed", "running", "late", "waiting", "held", "selected"]
"""Which jobs are listed."""
TopicOfObjects: TypeAlias = Literal["workstations", "job_streams", "prompts", "resources", "files"]
"""What else is listed."""
TopicOfOne: TypeAlias = Literal["finish", "critical_path", "then", "changes"]
"""What may be asked about one job."""
TopicOfGraph: TypeAlias = Literal["impact", "owner", "incidents", "known"]
"""Likewise, of what documents and earlier cases say."""
Topic: TypeAlias = (
    TopicOfJobs | TopicOfObjects | TopicOfOne | TopicOfGraph | Literal["summary", "coverage", "slower"]
)
Level: TypeAlias = Literal["job", "job_stream", "workstation", "prompt", "resource", "job_definition"]

ABOUT_ONE: frozenset[Kind] = frozenset(get_args(KindOfOne))
"""Kinds of requests that may be about one job."""
OF_ONE: frozenset[Topic | None] = frozenset({None, *get_args(TopicOfOne), *get_args(TopicOfGraph)})
"""Topics that may be about one job; all others are about many."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Entry):
    """Sentences and what they mean; the first rule that fits is taken."""

    patterns: tuple[str, ...]
    kind: Kind
    topic: Topic | None = None
    needs: Literal["", "subject", "no_subject", "no_name", "place", "time"] = ""
    """Whether a job or stream must (not) be spoken of, or another moment; `no_name` lets unknown lower-case words
    pass."""


class Argument(_Entry):
    """What stands beside a verb, or in a question about a time; the last place that fits counts."""

    name: str
    actions: tuple[Action, ...] = ()
    """Of which actions; none: of questions."""
    pattern: re.Pattern[str]
    """Over the text in lower case without accents. Its groups are `value`, or `hour` and `minute`; without one
    the argument is simply given."""


class Command(_Entry):
    """A conman command."""

    names: Words
    """Its names and abbreviations."""
    level: Level
    """What its selection names when that is a single word."""
    kind: Kind = "action"
    topic: Topic | None = None
    action: Action | None = None
    arguments: Mapping[str, int | str | bool] = {}
    options: re.Pattern[str]
    """What may follow the selection; its groups are arguments too. The first command that fits counts."""


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
ARGUMENTS = load(GRAMMAR / "arguments.yaml", tuple[Argument, ...])

WORDS: Mapping[str, frozenset[str]] = {
    name: frozenset(chain.from_iterable(getattr(language, name) for language in _KNOWN))
    for name in ("negations", "retractions", "links", "pronouns", "all_words")
}
"""The lists of all languages together."""
SHORT: Mapping[str, str] = {short: word for language in _KNOWN for short, word in language.short.items()}
"""What people type in the chat for a longer word."""
KNOWN_WORDS = words_of(_PARTS.values(), _PARTS).union(SHORT, *(language.words for language in _KNOWN))
"""What is in it is no name, what is nearly in it is a slip of the fingers."""

_BY_LETTER = {
    letter: frozenset(word for word in KNOWN_WORDS if word[0] == letter)
    for letter in {word[0] for word in KNOWN_WORDS}
}


def compiled(*patterns: str) -> re.Pattern[str]:
    """One expression for all patterns. Raises ValueError where one names an unknown part."""
    return compile_pattern(f"({' | '.join(patterns)})", _PARTS)


def corrected(token: Token) -> str:
    """The token's word, spelled out, with one slip of the fingers put right."""
    return SHORT.get(token.word) or correct(token.word, _BY_LETTER) if token.kind == "word" else token.word
