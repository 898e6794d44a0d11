"""Takes secrets and personal data out of what a model is told, and puts the personal data back. Pure.

Personal data becomes a placeholder (`[EMAIL_1]`) and comes back byte-exact in answers and in the arguments of tools:
the person may see it anyway. A secret becomes `[SECRET]` for good: whoever may read a job log need not see a password
of it in a chat, where it would stay.

Nothing is remembered between two requests. Placeholders are numbered in the order in which values first appear, and a
conversation only grows at its end, so that each request of it arrives at the same numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from security.masking import mask_text
from security.personal_data import PERSONAL_DATA, Kind

from .mask_pattern import LITERAL, SECRET, site_kind

_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]{0,31}_[0-9]{1,6}\]")
_BEGINNING = re.compile(r"\[(?:[A-Z][A-Z0-9_]{0,38})?\Z")
"""What may become a placeholder when more text comes."""


def kinds_of(site_patterns: dict[str, str]) -> tuple[Kind, ...]:
    """What is masked, the site's own first. Raises ValueError for a pattern that cannot be used."""
    sites = (site_kind(name, pattern) for name, pattern in site_patterns.items())
    return (Kind(LITERAL, _PLACEHOLDER), *sites, *PERSONAL_DATA)


class Masks:
    """The placeholders of one conversation."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self._placeholders: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._counted: Counter[str] = Counter()

    def hide(self, text: str) -> str:
        """The text as a model may see it."""
        # Plain text and placeholders in turn: no pattern looks into what another one put there.
        parts = [mask_text(text, f"[{SECRET}]")]
        for kind in self._kinds:
            parts = [
                new
                for place, part in enumerate(parts)
                for new in ((part,) if place % 2 else self._split(kind, part))
            ]
        return "".join(parts)

    def restore(self, text: str) -> str:
        """The text with the values in place of the placeholders; one that the model made up stays."""
        return _PLACEHOLDER.sub(lambda found: self._values.get(found[0], found[0]), text)

    def _split(self, kind: Kind, text: str) -> list[str]:
        parts, end = [], 0
        for match in kind.pattern.finditer(text):
            if match[0] and kind.is_real(match[0]):
                parts += [text[end : match.start()], self._placeholder(kind.name, match[0])]
                end = match.end()
        return [*parts, text[end:]]

    def _placeholder(self, kind: str, value: str) -> str:
        if value not in self._placeholders:
            self._counted[kind] += 1
            placeholder = f"[{kind}_{self._counted[kind]}]"
            self._placeholders[value], self._values[placeholder] = placeholder, value
        return self._placeholders[value]


class Restored:
    """Restores text that comes in pieces, none of which shows a part of a placeholder."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._held = ""

    def add(self, piece: str) -> str:
        """What can be shown now, often nothing."""
        text = self._held + piece
        begun = _BEGINNING.search(text, text.rfind("[")) if "[" in text else None
        end = begun.start() if begun else len(text)
        self._held = text[end:]
        return self._masks.restore(text[:end])

    def rest(self) -> str:
        """What was held back and became no placeholder."""
        return self._held


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with its texts changed; keys are the names of arguments and stay."""
    match value:
        case str():
            return change(value)
        case Mapping():
            return {key: each_text(item, change) for key, item in value.items()}
        case list():
            return [each_text(item, change) for item in value]
        case _:
            return value
