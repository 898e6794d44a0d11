"""What a button may ask to be filled in before it does something, whatever the channel: pure types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from brain.message import Conversation, Locale

FormKind: TypeAlias = Literal["reason", "rating", "settings"]
"""`reason`: why a change is approved or rejected, its field is `reason`. `rating`: what is wrong with an answer.
`settings`: what holds in a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to fill in."""

    id: str
    label: str
    kind: Literal["line", "text", "choice"] = "line"
    value: str = ""
    """What stands there at first; of a choice the value of the option."""
    options: tuple[tuple[str, str], ...] = ()
    """Of a choice: value and label of each, at least two."""
    is_required: bool = False
    max_chars: int = 1000
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a channel shows as a modal, a task module or a dialog; its submission is a press on the same button."""

    title: str
    fields: tuple[Field, ...]
    submit: str
    """The label of the button that sends it."""
    cancel: str


class OpensForms(Protocol):
    """What a channel asks when a button with a form is pressed; quick, as the person's client waits for it."""

    async def open(self, kind: FormKind, *, conversation: Conversation, locale: Locale) -> Form:
        """The form as it is to be shown now. Raises SQLAlchemy's errors when the database is away."""
        ...
