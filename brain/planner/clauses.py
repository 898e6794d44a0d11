"""Cuts a request into the questions that it is made of. Pure.

In doubt it stays whole: what follows "and" is a question of its own only if it begins like one and can be
understood alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from brain.agents.grammar import Request, read_request
from brain.agents.grammar.tokens import Token, read_tokens
from brain.agents.grammar.vocabulary import KNOWN_WORDS, WORDS, compiled
from brain.message import Locale

MAX_CLAUSES = 8
_MAX_CHARS = 600
"""Longer texts are pasted."""
_AND = compiled("^ {and_then}")
_STARTS = compiled(
    "^ [{polite}] ({question} | {what} | {why} | {when} | show | {diagnose} | {compare} | {explain})",
    "^ ({late} | {failures} | {streams} | {stations} | {prompts} | {resources} | {overview_of})",
)
_WHY = compiled("^ [{and_then}] {why} $")
_NO_QUESTION = frozenset({"unknown", "greeting", "help"})


def clauses(words: str, locale: Locale | None) -> tuple[str, ...]:
    """The questions and wishes in order, at most eight; the words themselves where they are one."""
    if len(words) > _MAX_CHARS or _says_no(words):
        return (words,)
    found: list[str] = []
    for piece in _pieces(words):
        if found and not _stands_alone(piece, locale):
            found[-1] += piece
        else:
            found.append(piece)
    parts = [re.sub(r"^[\s,;.]+|[\s,;]+$", "", _without_and(one)) for one in found]
    wishes = sum(read_request(part, locale).kind == "action" for part in parts)
    # Two changes are two proposals: a person asks for one after the other.
    is_whole = (
        not 1 < len(parts) <= MAX_CLAUSES
        or wishes > 1
        or not all(_is_question(part, locale) for part in parts)
    )
    return (words,) if is_whole else tuple(parts)


def _says_no(words: str) -> bool:
    """Whether anything in it may take a wish back."""
    request = read_request(words)
    if request.negated or request.hypothetical:
        return True
    tokens = {token.word for token in read_tokens(words, KNOWN_WORDS)}
    return request.action is not None and not tokens.isdisjoint(WORDS["retractions"])


def _pieces(words: str) -> Iterator[str]:
    """The text cut before each word that may begin a question."""
    tokens = read_tokens(words, KNOWN_WORDS)
    start = 0
    for place in range(1, len(tokens)):
        before = tokens[place - 1]
        starts_clause = tokens[place].clause != before.clause
        is_link = tokens[place].text != "é" and _AND.match(_line(tokens[place : place + 3]))
        if starts_clause or is_link:
            yield words[start : before.end]
            start = before.end
    yield words[start:]


def _stands_alone(piece: str, locale: Locale | None) -> bool:
    part = _without_and(piece)
    tokens = read_tokens(part, KNOWN_WORDS)
    request = read_request(part, locale)
    if request.kind == "action":
        return _has_subject(request, tokens)
    if request.kind == "knowledge" and not request.identifiers:
        # What it is about stands before.
        return False
    line = _line(tokens)
    return bool(_STARTS.match(line)) and not _WHY.match(line) and _is_question(part, locale)


def _has_subject(request: Request, tokens: Sequence[Token]) -> bool:
    """Whether a wish says what it is for, by name or by a pronoun: a verb alone may stand for anything."""
    named = (
        request.job,
        request.job_stream,
        request.workstation,
        request.prompt,
        request.resource,
        request.selection,
    )
    return any(named) or not WORDS["pronouns"].isdisjoint(token.word for token in tokens)


def _is_question(part: str, locale: Locale | None) -> bool:
    request = read_request(part, locale)
    return request.kind not in _NO_QUESTION and not _is_name_only(request, part)


def _is_name_only(request: Request, part: str) -> bool:
    """Whether only a name is in it: said of it is what stood before."""
    tokens = read_tokens(part, KNOWN_WORDS)
    return request.kind == "status" and request.topic is None and len(tokens) <= 1


def _without_and(piece: str) -> str:
    tokens = read_tokens(piece, KNOWN_WORDS)
    match = _AND.match(_line(tokens[:3]))
    count = match[0].count(" ") if match else 0
    return piece[tokens[count - 1].end :] if 0 < count < len(tokens) else piece


def _line(tokens: list[Token]) -> str:
    return "".join(f" {token.word}" for token in tokens)
