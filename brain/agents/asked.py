"""One request and everything that answers are made of: the person's tools, the conversation, language and zone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from brain.agents.grammar import Request
from brain.agents.tables import cell, table
from brain.message import Locale
from brain.phrases import phrase, say
from brain.reply import Span, Table, Text
from brain.state import Memory
from brain.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked, by whom and how they read."""

    tools: Toolbox
    request: Request
    memory: Memory
    locale: Locale
    zone: ZoneInfo
    progress: Callable[[str], Awaitable[None]]

    def say(self, key: str, **values: object) -> str:
        """The sentence as plain text."""
        return say(self.locale, key, **values)

    def phrase(self, key: str, **values: str | Span) -> Text:
        """The sentence as a paragraph."""
        return phrase(self.locale, key, **values)

    def cell(self, value: object) -> str:
        """The value in words."""
        return cell(value, self.locale, self.zone)

    def table(self, kind: str, objects: Sequence[Any], title: str = "") -> Table:
        """The first rows of a table of the objects."""
        return table(kind, objects, self.locale, self.zone, title=title)
