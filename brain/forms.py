"""What people are asked to write before something is done, whatever the channel shows it as; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from brain.message import Locale, Verb
from brain.phrases import say

_MAX_REASON: Final = 500
"""Characters; as many as the REST API takes."""
_MAX_QUESTION: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One text, which may not be left empty."""

    id: str
    title: str
    label: str
    hint: str
    max_chars: int
    submit: str
    """The label of the button that sends it."""
    cancel: str


def reason_form(locale: Locale) -> Form:
    """Why a change is approved or rejected."""
    return _form("reason", say(locale, "form_reason_hint"), _MAX_REASON, locale)


def correction_form(locale: Locale) -> Form:
    """How an answer that was not good would be right."""
    return _form("correction", say(locale, "form_correction_hint"), _MAX_REASON, locale)


def form_of(verb: Verb, locale: Locale) -> Form:
    """What is asked before a press on such a button counts."""
    return correction_form(locale) if verb is Verb.RATE else reason_form(locale)


def question_form(locale: Locale) -> Form:
    """One question, asked from anywhere."""
    return _form("question", say(locale, "example_failed"), _MAX_QUESTION, locale)


def _form(name: str, hint: str, max_chars: int, locale: Locale) -> Form:
    return Form(
        id=name,
        title=say(locale, f"form_{name}_title"),
        label=say(locale, f"form_{name}_label"),
        hint=hint,
        max_chars=max_chars,
        submit=say(locale, "form_submit"),
        cancel=say(locale, "form_cancel"),
    )
