"""`Form` as a modal, and what was filled into it; pure.

Format: https://docs.slack.dev/reference/views/modal-views and
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slack_sdk.models.blocks import (
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bots.intake import storable
from brain.forms import Field, Form
from brain.message import Locale
from brain.phrases import say

from .render import inert

FORM: Final = "form"
"""`callback_id` of a modal that a button opened."""
QUESTION: Final = "ask_tws"
"""Of the shortcut, and of the modal that it opens."""
_MAX_TITLE: Final = 24
_MAX_LABEL: Final = 75
"""Kept for labels of fields too, which may have 2,000."""
_MAX_HINT: Final = 150
_MAX_INPUT: Final = 3_000
_MAX_VALUE: Final = 150
_MAX_OPTIONS: Final = 100


def to_modal(form: Form, *, callback_id: str, metadata: str = "") -> dict[str, Any]:
    """The form as a modal within Slack's limits; `metadata` comes back with what is filled in."""
    view = View(
        type="modal",
        callback_id=callback_id,
        title=_words(form.title, _MAX_TITLE),
        submit=_words(form.submit, _MAX_TITLE),
        close=_words(form.cancel, _MAX_TITLE),
        blocks=[_input(field) for field in form.fields],
        private_metadata=metadata,
    )
    modal: dict[str, Any] = view.to_dict()
    return modal


def to_notice(key: str, locale: Locale) -> dict[str, Any]:
    """A modal that says one sentence."""
    view = View(
        type="modal",
        title=_words("Resync", _MAX_TITLE),
        close=_words(say(locale, "form_cancel"), _MAX_TITLE),
        blocks=[SectionBlock(text=PlainTextObject(text=say(locale, key), emoji=False))],
    )
    notice: dict[str, Any] = view.to_dict()
    return notice


def read_fields(body: Mapping[str, Any], form: Form) -> dict[str, str]:
    """What was filled into each of the form's fields; what else the client sent is left out."""
    return {field.id: _value(body, field) for field in form.fields}


def missing(fields: Mapping[str, str], form: Form, locale: Locale) -> dict[str, str]:
    """The fields that must be filled in and are not, each with the sentence that says so."""
    sentence = say(locale, "form_missing")
    return {field.id: sentence for field in form.fields if field.is_required and not fields[field.id]}


def _value(body: Mapping[str, Any], field: Field) -> str:
    found: Any = body
    for name in ("view", "state", "values", field.id, field.id):
        found = found.get(name) if isinstance(found, Mapping) else None
    found = found if isinstance(found, Mapping) else {}
    if field.kind == "choice":
        option = found.get("selected_option")
        value = option.get("value") if isinstance(option, Mapping) else None
        return value if value in dict(field.options) else ""
    value = found.get("value")
    return storable(value).strip()[: field.max_chars] if isinstance(value, str) else ""


def _input(field: Field) -> InputBlock:
    return InputBlock(
        block_id=field.id,
        label=_words(field.label, _MAX_LABEL),
        hint=_words(field.hint, _MAX_HINT) if field.hint else None,
        optional=not field.is_required,
        element=_choice(field) if field.kind == "choice" else _typed(field),
    )


def _typed(field: Field) -> InputInteractiveElement:
    longest = min(field.max_chars, _MAX_INPUT)
    return PlainTextInputElement(
        action_id=field.id,
        multiline=field.kind == "text",
        initial_value=inert(field.value)[:longest] or None,
        max_length=longest,
    )


def _choice(field: Field) -> InputInteractiveElement:
    # A value cut short would be another one.
    options = [
        Option(value=value, text=_words(label, _MAX_LABEL))
        for value, label in field.options[:_MAX_OPTIONS]
        if 0 < len(value) <= _MAX_VALUE
    ]
    chosen = next((option for option in options if option.value == field.value), None)
    return StaticSelectElement(action_id=field.id, options=options, initial_option=chosen)


def _words(text: str, most: int) -> PlainTextObject:
    shown = inert(text).strip() or "…"
    return PlainTextObject(text=shown if len(shown) <= most else f"{shown[: most - 1]}…", emoji=False)
