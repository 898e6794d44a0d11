"""Patterns for names of TWS, as rules have them. Pure.

`*` (or `@`) and `?` as in conman, upper and lower case are the same; `re:` and a regular expression is matched whole. A
pattern other than `*` never matches where there is no such name: one for jobs `PAY*` says nothing about a workstation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_REGEX = "re:"


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _readable(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        if pattern.startswith(_REGEX):
            try:
                _compiled(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return patterns


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
"""One, or a list of them."""
Patterns = Annotated[Names, AfterValidator(_readable)]
"""One pattern, or a list of which one has to match."""


def is_like(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns matches the name."""
    return any(_matches(name, pattern) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith(_REGEX):
        return bool(name) and _compiled(pattern).fullmatch(name) is not None
    return fnmatchcase(name.upper(), pattern.upper().replace("@", "*"))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removeprefix(_REGEX), re.IGNORECASE)
