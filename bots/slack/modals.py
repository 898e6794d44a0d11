"""`Form` as a modal, and what was written into it; pure.

Format: https://docs.slack.dev/reference/views/modal-views and
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from bots.intake import storable
from brain.forms import Form
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


def to_modal(form: Form, *, callback_id: str, metadata: str = "") -> dict[str, Any]:
    """The form as a modal within Slack's limits; `metadata` comes back with what is written into it."""
    asked = InputBlock(
        block_id=form.id,
        label=_words(form.label, _MAX_LABEL),
        hint=_words(form.hint, _MAX_HINT),
        element=PlainTextInputElement(
            action_id=form.id, multiline=True, max_length=min(form.max_chars, _MAX_INPUT)
        ),
    )
    view = View(
        type="modal",
        callback_id=callback_id,
        title=_words(form.title, _MAX_TITLE),
        submit=_words(form.submit, _MAX_TITLE),
        close=_words(form.cancel, _MAX_TITLE),
        blocks=[asked],
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


def read_text(body: Mapping[str, Any], form: Form) -> str:
    """What was written into the form, empty if nothing; what else the client sent is left out."""
    found: Any = body
    for name in ("view", "state", "values", form.id, form.id, "value"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return storable(found).strip()[: form.max_chars] if isinstance(found, str) else ""


def ask_again(form: Form, locale: Locale) -> dict[str, Any]:
    """What Slack is told where nothing was written: the modal stays and says so."""
    return {"response_action": "errors", "errors": {form.id: say(locale, "form_missing")}}


def _words(text: str, most: int) -> PlainTextObject:
    shown = inert(text).strip() or "…"
    return PlainTextObject(text=shown if len(shown) <= most else f"{shown[: most - 1]}…", emoji=False)
