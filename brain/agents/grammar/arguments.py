"""Reads the arguments of a change or a question: numbers, steps, times. Pure."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from brain.agents.language import fold
from tws.actions import Action

from .vocabulary import ARGUMENTS

Arguments: TypeAlias = Mapping[str, int | str | bool]

_WORDS = {"hi": 100, "go": 101}
"""Priorities and fences that have a name."""


def read_arguments(text: str, action: Action | None) -> tuple[Arguments, str]:
    """The arguments of the action, or of a question, and the text with blanks in their place."""
    folded, found = fold(text), {}
    for known in ARGUMENTS:
        if action in known.actions or (action is None and not known.actions):
            for match in list(known.pattern.finditer(folded))[-1:]:
                found[known.name] = _value(match, text)
                text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    return found, text


def argument(typed: str) -> int | str:
    """A value as a command has it."""
    return int(typed) if typed.isdecimal() else _WORDS.get(typed.lower(), typed)


def _value(match: re.Match[str], text: str) -> int | str | bool:
    groups = match.groupdict()
    if "hour" in groups:
        return f"{int(match['hour']):02}:{match['minute'] or groups.get('minutes') or '00'}"
    return argument(text[slice(*match.span("value"))]) if "value" in groups else True
