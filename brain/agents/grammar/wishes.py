"""Finds out whether somebody asks for a change, asks about one, or says not to make it. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from brain.agents.language import LANGUAGES
from brain.message import Locale
from tws.actions import Action

from .tokens import Token
from .vocabulary import WORDS, compiled

_MAX_WORDS = 60
"""Nobody asks for a change in more words; a longer text is pasted from somewhere."""

_SPECIAL = (Action.RELEASE_DEPENDENCIES, Action.CANCEL_PENDING, Action.SET_PRIORITY, Action.SET_LIMIT)
_ACTIONS = (*_SPECIAL, *(action for action in Action if action not in _SPECIAL))
"""Those first whose words contain the words of others."""
_POLITE, _ASKING = compiled("{polite}").pattern, compiled("{asking}").pattern
# `start` is also what jobs do.
_PARTS = {
    action: f"{action}_it" if action in {Action.START, Action.STOP} else action.value for action in _ACTIONS
}
_ORDERS = {action: compiled(f"{{{part}}}").pattern for action, part in _PARTS.items()}
_MENTIONED = {action: compiled(f"{{{part}}}", f"{{{part}_forms}}") for action, part in _PARTS.items()}
_TOLD = {action: re.compile(f"^(?:{_POLITE}|{_ASKING})*{order}") for action, order in _ORDERS.items()}
_ASKED = {
    action: re.compile(f"^(?:{_POLITE})*{_ASKING}(?:{_POLITE}|{_ASKING})*{order}")
    for action, order in _ORDERS.items()
}
_ANSWER = compiled("{reply_no}")
_NO_ORDER = compiled("{no_order}")
_QUESTION = compiled("^ [{polite}] {question}")
_HYPOTHETICAL = compiled("{hypothetical}")
_CONDITIONAL = compiled("{conditional}")
_REASON = compiled("{reasons}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An action that was spoken of."""

    action: Action
    stance: Literal["wanted", "negated", "hypothetical", "mentioned"]
    reason: str = ""
    """As typed, empty when none was given."""


def read_wish(text: str, tokens: Sequence[Token], words: Sequence[str], locale: Locale | None) -> Wish | None:
    """The action that the text speaks of, None when it speaks of none.

    In doubt nothing is wanted: a negation before the verb or beside it, a question, a condition, a long text.
    """
    mentions = sorted(_mentions(words), key=lambda mention: mention[0])
    if not mentions:
        return None
    first, spoken_of = mentions[0]
    if len(words) > _MAX_WORDS:
        return Wish(action=spoken_of, stance="mentioned")
    end, reason = _reason(text, tokens, words, first)
    if _HYPOTHETICAL.search(_line(words[:end])):
        return Wish(action=spoken_of, stance="hypothetical")
    if _is_negated(tokens[:end], words[:end], [place for place, _ in mentions if place < end], locale):
        return Wish(action=spoken_of, stance="negated")
    action = _wanted(tokens[:end], words[:end])
    if action is None:
        return Wish(action=spoken_of, stance="mentioned")
    return Wish(action=action, stance="wanted", reason=reason)


def _line(words: Sequence[str]) -> str:
    return "".join(f" {word}" for word in words)


def _mentions(words: Sequence[str]) -> Iterator[tuple[int, Action]]:
    line = _line(words)
    for action, pattern in _MENTIONED.items():
        for match in pattern.finditer(line):
            yield line.count(" ", 0, match.start()), action


def _reason(text: str, tokens: Sequence[Token], words: Sequence[str], verb: int) -> tuple[int, str]:
    """Where the reason begins, as a number of words, and the reason."""
    before = _line(words[: verb + 1])
    line = _line(words)
    match = _REASON.search(line, len(before))
    if match is None:
        return len(words), ""
    last = line.count(" ", 0, match.end()) - 1
    return line.count(" ", 0, match.start()), text[tokens[last].end :].strip(" \t\n:,;-–—")


def _is_negated(
    tokens: Sequence[Token], words: Sequence[str], verbs: Sequence[int], locale: Locale | None
) -> bool:
    clauses_with_verb = {tokens[verb].clause for verb in verbs}
    harmless = LANGUAGES[locale].harmless if locale else ()
    line = _line(words)
    answer = _ANSWER.search(line)
    # The `no` that a prompt is to be answered with.
    answer_at = line.count(" ", 0, answer.end()) - 1 if answer else None
    for place, word in enumerate(words):
        if word in harmless or place == answer_at:
            continue
        if word in WORDS["negations"] and (place < verbs[-1] or tokens[place].clause in clauses_with_verb):
            return True
        begins = place > 0 and tokens[place].clause != tokens[place - 1].clause
        if word in WORDS["retractions"] and begins:
            return True
    return False


def _wanted(tokens: Sequence[Token], words: Sequence[str]) -> Action | None:
    for first, last in _clauses(tokens, words):
        sentence = _sentence(tokens, words, first)
        if _CONDITIONAL.search(sentence):
            continue
        patterns = _ASKED if _QUESTION.search(sentence) else _TOLD
        line = _line(words[first:last])
        for action, pattern in patterns.items():
            if pattern.search(line) and not _NO_ORDER.search(line):
                return action
    return None


def _sentence(tokens: Sequence[Token], words: Sequence[str], place: int) -> str:
    """The line of the sentence that the word at this place belongs to."""
    number = tokens[place].sentence
    return _line([word for token, word in zip(tokens, words, strict=True) if token.sentence == number])


def _clauses(tokens: Sequence[Token], words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last word, exclusive, of each clause."""
    starts = [0]
    for place in range(1, len(words)):
        follows_link = words[place - 1] in WORDS["links"] and tokens[place - 1].text != "é"
        if follows_link or tokens[place].clause != tokens[place - 1].clause:
            starts.append(place)
    return zip(starts, [*starts[1:], len(words)], strict=True)
