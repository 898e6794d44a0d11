"""What somebody asks for, read off a message: names first, then wishes, then the table of rules. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from brain.agents.language import detect_locale
from brain.message import Locale
from tws.actions import ACTIONS_OF, Action, ObjectKind
from tws.selection import Selection

from .arguments import Arguments, read_arguments
from .commands import TypedCommand, read_command
from .subjects import Subjects, bare, read_subjects
from .tokens import Token, read_tokens
from .vocabulary import ABOUT_ONE, KNOWN_WORDS, OF_ONE, RULES, Kind, Level, Rule, Topic, compiled, corrected
from .wishes import Wish, read_wish

_RULES = tuple((compiled(*rule.patterns), rule) for rule in RULES)

_MAX_CHARS = 4000
"""Longer texts are pasted; what is asked stands at the beginning."""
_MAX_WORDS = 80

_STATES: Mapping[Topic, re.Pattern[str]] = {
    "failed": compiled("{failed_ones}", "{failed}"),
    "held": compiled("{held_ones} {job}", "{job} {on_hold}"),
    "waiting": compiled("{waiting_ones}", "{job} {waiting}"),
    "running": compiled("{running_ones}", "{job} {running}"),
}
"""Which of all jobs an action is meant for."""
NAMES = ("job", "job_stream", "workstation", "prompt", "resource", "selection")
"""Fields that name what is spoken of, the one object before what it is part of."""
_SINGLE_KINDS: Mapping[ObjectKind, Level] = {
    ObjectKind.WORKSTATION: "workstation",
    ObjectKind.PROMPT: "prompt",
    ObjectKind.RESOURCE: "resource",
}


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
    prompt: str | None = None
    """Name or number."""
    resource: str | None = None
    selection: Selection | None = None
    """In full, where one was typed: the names above are in it too."""
    action: Action | None = None
    """With kind `action` it is asked for, in the person's own words; else only spoken of."""
    arguments: Arguments = field(default_factory=dict)
    """Of the action, as `tws.actions.Change` has them, times as `02:10`; of a question about another moment `at`,
    `hours` or `minutes`."""
    topic: Topic | None = None
    """For a question, or an action on all, which jobs; or what about them."""
    identifiers: tuple[str, ...] = ()
    """Message ids in capitals and return codes as `RC 8`, in order, each once."""
    reason: str = ""
    """Why an action is asked for, as typed."""
    negated: bool = False
    """The action is spoken of with a negation; the kind is never `action` then."""
    hypothetical: bool = False
    """What an action would do is asked; the kind is `what_if` then."""
    candidates: tuple[str, ...] = ()
    """Lower-case words that may be names, the likeliest first; to be matched against the plan."""
    further: tuple[str, ...] = ()
    """Names beyond the first."""
    is_quoted: bool = False
    """Only a quotation names what the action is asked for."""
    problem: str = ""
    """Why what looks like a selection is none; the kind is `unknown` then."""


def read_request(text: str, locale_hint: Locale | None = None) -> Request:
    """The request; kind `unknown` where the grammar has no answer. Never raises."""
    text = text[:_MAX_CHARS]
    locale = detect_locale(text, locale_hint)
    command = read_command(text)
    if command is not None:
        return _from_command(command, locale)
    tokens = read_tokens(text, KNOWN_WORDS)
    words = [corrected(token) for token in tokens]
    # A wish that is quoted is somebody else's.
    spoken = [(token, word) for token, word in zip(tokens, words, strict=True) if not token.is_quoted]
    wish = read_wish(text, [token for token, _ in spoken], [word for _, word in spoken], locale)
    is_about_change = wish is not None and wish.stance in {"wanted", "hypothetical"}
    arguments, rest = read_arguments(text, wish.action if wish and is_about_change else None)
    if is_about_change and rest != text:
        # What names a step or an alias names no job.
        tokens = read_tokens(rest, KNOWN_WORDS)
        words = [corrected(token) for token in tokens]
    subjects, is_quoted = read_subjects(tokens, words), False
    if is_about_change and any(token.is_quoted for token in tokens):
        own = [at for at, token in enumerate(tokens) if not token.is_quoted]
        typed = read_subjects([tokens[at] for at in own], [words[at] for at in own])
        is_quoted = not typed.names_anything and subjects.names_anything
        subjects = subjects if is_quoted else typed
    if subjects.problem:
        return Request(kind="unknown", locale=locale, problem=subjects.problem)
    request = _from_wish(wish, words) or _from_rules(words, subjects, tokens, wish, has_time=bool(arguments))
    if wish is not None and wish.stance == "negated":
        request = replace(request, action=wish.action, negated=True)
    request = replace(
        request, locale=locale, identifiers=_identifiers(tokens), arguments=arguments, is_quoted=is_quoted
    )
    return _with_subjects(request, subjects)


def _from_command(typed: TypedCommand, locale: Locale | None) -> Request:
    command, selection = typed.command, typed.selection or Selection()
    job, stream = bare(selection.job), bare(selection.job_stream)
    names: dict[str, Any]
    match command.level:
        case "job_definition":
            names = {"job": job or stream}
        case "prompt" | "resource":
            names = {command.level: str(selection.job_number or "") or job or stream}
        case "job_stream" | "workstation" if selection.workstation is None and stream is None:
            names = {command.level: job}
        case _:
            names = {"job_stream": stream, "job": job, "selection": typed.selection}
    return Request(
        kind=command.kind,
        locale=locale,
        action=command.action,
        topic=typed.topic or ("selected" if command.kind == "status" and selection.is_pattern else None),
        arguments=typed.arguments,
        **{"workstation": bare(selection.workstation), **names},
    )


def _from_wish(wish: Wish | None, words: Sequence[str]) -> Request | None:
    match wish:
        case Wish(stance="wanted"):
            line = "".join(f" {word}" for word in words)
            topic = next((topic for topic, pattern in _STATES.items() if pattern.search(line)), None)
            return Request(kind="action", action=wish.action, reason=wish.reason, topic=topic)
        case Wish(stance="hypothetical"):
            return Request(kind="what_if", action=wish.action, hypothetical=True)
        case _:
            return None


def _from_rules(
    words: Sequence[str], subjects: Subjects, tokens: Sequence[Token], wish: Wish | None, *, has_time: bool
) -> Request:
    line = "".join(f" {word}" for word in words[:_MAX_WORDS])
    for pattern, rule in _RULES:
        if _applies(rule, subjects, has_time=has_time) and pattern.search(line):
            return Request(kind=rule.kind, topic=rule.topic)
    if any(token.kind in {"message", "code"} for token in tokens):
        return Request(kind="knowledge")
    if wish is not None:
        return Request(kind="unknown")
    if subjects.is_named or subjects.place:
        # A name and nothing to do with it: how it stands.
        return Request(kind="status")
    others: dict[Topic, str | None] = {
        "prompts": subjects.prompt,
        "resources": subjects.resource,
        "workstations": subjects.workstation,
    }
    topic = next((topic for topic, name in others.items() if name), None)
    return Request(kind="status" if topic else "unknown", topic=topic)


def _applies(rule: Rule, subjects: Subjects, *, has_time: bool) -> bool:
    met = {
        "": True,
        "time": has_time,
        "subject": subjects.has_any or subjects.has_pronoun,
        "no_subject": not subjects.has_any,
        "no_name": subjects.job is None,
        "place": bool(subjects.place or subjects.workstation),
    }
    return met[rule.needs]


def _with_subjects(request: Request, subjects: Subjects) -> Request:
    if request.action and request.kind in {"action", "what_if"}:
        subjects.settle_place(is_many=subjects.is_all_of)
        subjects.settle_guess()
        subjects.settle_all()
        kinds = [kind for kind, actions in ACTIONS_OF.items() if request.action in actions]
        role = _SINGLE_KINDS.get(kinds[0]) if len(kinds) == 1 else None
        if role is not None and getattr(subjects, role) is None:
            setattr(subjects, role, subjects.job or subjects.job_stream)
            subjects.job = subjects.job_stream = None
    else:
        subjects.settle_place(is_many=request.topic not in OF_ONE)
        if request.topic == "workstations" and subjects.job:
            subjects.workstation, subjects.job = subjects.workstation or subjects.job, None
        if request.kind in ABOUT_ONE and request.topic in OF_ONE:
            subjects.settle_guess()
        is_pattern = subjects.selection is not None and subjects.selection.is_pattern
        if request.kind == "status" and request.topic is None and is_pattern:
            request = replace(request, topic="selected")
    return replace(
        request,
        **{name: getattr(subjects, name) for name in NAMES},
        candidates=tuple(name for _, name in subjects.guesses),
        further=tuple(subjects.further),
    )


def _identifiers(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(token.text for token in tokens if token.kind in {"message", "code"}))
