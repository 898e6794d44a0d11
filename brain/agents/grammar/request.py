"""What somebody asks for, read off a message: names first, then wishes, then the table of rules. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from brain.agents.language import detect_locale
from brain.message import Locale

from .commands import TypedCommand, read_command
from .subjects import Subjects, read_subjects
from .tokens import Token, read_tokens
from .vocabulary import KNOWN_WORDS, RULES, Action, Kind, Rule, Topic, compiled, corrected
from .wishes import Wish, read_wish

__all__ = ["ALL", "Request", "read_request"]

_RULES = tuple((compiled(*rule.patterns), rule) for rule in RULES)

_MAX_CHARS = 4000
"""Longer texts are pasted; what is asked stands at the beginning."""
_MAX_WORDS = 80

ALL = "@"
"""TWS's wildcard for any name."""

_ABOUT_ONE: frozenset[Kind] = frozenset({"diagnosis", "not_started", "status", "action"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants to know or to have done."""

    kind: Kind
    locale: Locale | None = None
    """The language of the text, the hint where it does not tell."""
    job: str | None = None
    """As typed, any case, with TWS's wildcards `@` and `?`. May be a lower-case word that only looks like a name;
    `@` where an action on all jobs is asked for."""
    job_stream: str | None = None
    workstation: str | None = None
    action: Action | None = None
    """With kind `action` it is asked for, in the person's own words; else only spoken of."""
    topic: Topic | None = None
    """For a question about many jobs, which of them."""
    identifiers: tuple[str, ...] = ()
    """Message ids in capitals and return codes as `RC 8`, in order, each once."""
    reason: str = ""
    """Why an action is asked for, as typed."""
    negated: bool = False
    """The action is spoken of with a negation; the kind is never `action` then."""
    hypothetical: bool = False
    """What an action would do is asked; the kind is `knowledge` then."""
    candidates: tuple[str, ...] = ()
    """Lower-case words that may be names, the likeliest first; to be matched against the plan."""
    further: tuple[str, ...] = ()
    """Names beyond the first; an action on several needs a question back."""


def read_request(text: str, locale_hint: Locale | None = None) -> Request:
    """The request; kind `unknown` where the grammar has no answer. Never raises."""
    text = text[:_MAX_CHARS]
    locale = detect_locale(text, locale_hint)
    command = read_command(text)
    if command is not None:
        return _from_command(command, locale)
    tokens = read_tokens(text, KNOWN_WORDS)
    words = [corrected(token) for token in tokens]
    subjects = read_subjects(tokens, words)
    wish = read_wish(text, tokens, words, locale)
    request = _from_wish(wish) or _from_rules(words, subjects, tokens, wish)
    if wish is not None and wish.stance == "negated":
        request = replace(request, action=wish.action, negated=True)
    return _with_subjects(replace(request, locale=locale, identifiers=_identifiers(tokens)), subjects)


def _from_command(typed: TypedCommand, locale: Locale | None) -> Request:
    command, selection = typed.command, typed.selection
    return Request(
        kind="diagnosis" if typed.wants_log else command.kind,
        locale=locale,
        job=selection.job,
        job_stream=selection.job_stream,
        workstation=selection.workstation,
        action=command.action,
        topic=typed.topic or command.topic,
    )


def _from_wish(wish: Wish | None) -> Request | None:
    match wish:
        case Wish(stance="wanted"):
            return Request(kind="action", action=wish.action, reason=wish.reason)
        case Wish(stance="hypothetical"):
            return Request(kind="knowledge", action=wish.action, hypothetical=True)
        case _:
            return None


def _from_rules(
    words: Sequence[str], subjects: Subjects, tokens: Sequence[Token], wish: Wish | None
) -> Request:
    line = "".join(f" {word}" for word in words[:_MAX_WORDS])
    for pattern, rule in _RULES:
        if _applies(rule, subjects) and pattern.search(line):
            return Request(kind=rule.kind, topic=rule.topic)
    if any(token.kind in {"message", "code"} for token in tokens):
        return Request(kind="knowledge")
    if wish is not None:
        return Request(kind="unknown")
    if subjects.is_named:
        # A name and nothing to do with it: how it stands.
        return Request(kind="status")
    if subjects.workstation:
        return Request(kind="status", topic="workstations")
    return Request(kind="unknown")


def _applies(rule: Rule, subjects: Subjects) -> bool:
    match rule.needs:
        case "subject":
            return subjects.has_any or subjects.has_pronoun
        case "no_subject":
            return not subjects.has_any
        case "no_name":
            return subjects.job is None
        case "":
            return True


def _with_subjects(request: Request, subjects: Subjects) -> Request:
    subjects.settle_place(request.topic)
    if (request.kind in _ABOUT_ONE and request.topic is None) or request.hypothetical:
        subjects.settle_guess()
    if request.kind == "action" and subjects.is_all and not subjects.is_named:
        subjects.job = ALL
    return replace(
        request,
        job=subjects.job,
        job_stream=subjects.job_stream,
        workstation=subjects.workstation,
        candidates=tuple(name for _, name in subjects.guesses),
        further=tuple(subjects.further),
    )


def _identifiers(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(token.text for token in tokens if token.kind in {"message", "code"}))
