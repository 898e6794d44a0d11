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
    "^ [{polite}] ({question} | {what} | {why} | {when} | show | {tell} | {diagnose} | {compare} | {explain})",
    "^ [{the} | os | as] [open | pending] ({late} | {failures} | {streams} | {stations} | {prompts} | {resources} | {overview_of})",
)
_CONDITION = compiled("{conditional}")
_WHY = compiled("^ [{and_then}] {why} $")
_NO_QUESTION = frozenset({"unknown", "greeting", "help"})


def clauses(words: str, locale: Locale | None) -> tuple[str, ...]:
    """The questions and wishes in order, at most eight; the words themselves where they are one."""
    if len(words) > _MAX_CHARS:
        return (words,)
    pieces = list(_pieces(words))
    if len(pieces) == 1:
        return (words,)
    found: list[str] = []
    for piece in pieces:
        if found and not _stands_alone(piece, locale):
            found[-1] += piece
        else:
            found.append(piece)
    if len(found) == 1 or _says_no(words) or not _begins_well(found[0], locale):
        return (words,)
    parts = [re.sub(r"^[\s,;.]+|[\s,;]+$", "", _without_and(one)) for one in found]
    is_several = 1 < len(parts) <= MAX_CLAUSES and all(_is_question(part, locale) for part in parts)
    requests = [read_request(part, locale) for part in parts]
    return tuple(parts) if is_several and _may_wish(words, requests) else (words,)


def _may_wish(words: str, requests: Sequence[Request]) -> bool:
    """Whether what is asked to be done is plainly asked: one change, on no condition, beside no explanation."""
    wishes = sum(request.kind == "action" for request in requests)
    # Two changes are two proposals: a person asks for one after the other.
    if wishes != 1:
        return wishes == 0
    is_explained = any(request.kind == "knowledge" and not request.identifiers for request in requests)
    return not is_explained and not _CONDITION.search(_line(read_tokens(words, KNOWN_WORDS)))


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
    request = read_request(part, locale)
    if request.kind == "knowledge" and not request.identifiers:
        # What it is about stands before.
        return False
    return _begins_well(part, locale) and not _WHY.match(_line(read_tokens(part, KNOWN_WORDS)))


def _begins_well(part: str, locale: Locale | None) -> bool:
    """Whether it begins as a question or a wish does, and is one."""
    tokens, request = read_tokens(part, KNOWN_WORDS), read_request(part, locale)
    if request.kind == "action":
        return _has_subject(request, tokens)
    return bool(_STARTS.match(_line(tokens))) and _is_question(part, locale)


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
