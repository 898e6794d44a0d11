"""Every sentence Resync says, by key and language; a language is one YAML file in this folder."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import yaml

from brain.message import Locale
from brain.reply import Span, Text

__all__ = ["keys", "phrase", "say"]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def _sentences(locale: Locale) -> dict[str, str]:
    content = resources.files(__name__).joinpath(f"{locale}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, str] = yaml.safe_load(content)
    return loaded


def keys(locale: Locale) -> frozenset[str]:
    """The keys that a language has."""
    return frozenset(_sentences(locale))


def say(locale: Locale, key: str, **values: object) -> str:
    """The sentence as plain text. Raises KeyError for an unknown key or a missing value."""
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), _sentences(locale)[key])


def phrase(locale: Locale, key: str, **values: str | Span) -> Text:
    """The sentence as a paragraph; values stay literal and keep their style."""
    spans: list[Span] = []
    for index, part in enumerate(_PLACEHOLDER.split(_sentences(locale)[key])):
        value = values[part] if index % 2 else part
        if value:
            spans.append(value if isinstance(value, Span) else Span(value))
    return Text(spans=tuple(spans))
