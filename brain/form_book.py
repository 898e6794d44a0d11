"""The forms that buttons open, in the reader's language."""

from __future__ import annotations

from typing import Final

from brain.forms import Field, Form, FormKind
from brain.message import Conversation, Locale
from brain.phrases import say

_MAX_REASON: Final = 500
"""Characters; as many as the REST API takes."""
_MAX_QUESTION: Final = 2000


class FormBook:
    """Knows every kind of form; an `OpensForms`."""

    async def open(self, kind: FormKind, *, conversation: Conversation, locale: Locale) -> Form:  # noqa: ARG002  # no form here asks for the conversation
        """The form as it is to be shown now. Raises KeyError for a kind that there is not."""
        return {"reason": _reason}[kind](locale)


def question_form(locale: Locale) -> Form:
    """One question, asked from anywhere."""
    asked = Field(
        id="question",
        label=say(locale, "form_question_label"),
        kind="text",
        is_required=True,
        max_chars=_MAX_QUESTION,
        hint=say(locale, "example_failed"),
    )
    return _form("question", (asked,), locale)


def _reason(locale: Locale) -> Form:
    reason = Field(
        id="reason",
        label=say(locale, "form_reason_label"),
        kind="text",
        is_required=True,
        max_chars=_MAX_REASON,
        hint=say(locale, "form_reason_hint"),
    )
    return _form("reason", (reason,), locale)


def _form(name: str, fields: tuple[Field, ...], locale: Locale) -> Form:
    return Form(
        title=say(locale, f"form_{name}_title"),
        fields=fields,
        submit=say(locale, "form_submit"),
        cancel=say(locale, "form_cancel"),
    )
