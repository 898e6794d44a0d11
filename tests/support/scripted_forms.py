"""Forms of all kinds, as slow or as broken as a test wishes."""

from __future__ import annotations

import asyncio

from brain.form_book import FormBook
from brain.forms import Field, Form, FormKind
from brain.message import Conversation, Locale


class ScriptedForms:
    """Has the real form where a reason is asked for; the others are made for the tests."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.delay_seconds = 0.0
        self.opened: list[tuple[FormKind, Conversation, Locale]] = []

    async def open(self, kind: FormKind, *, conversation: Conversation, locale: Locale) -> Form:
        self.opened.append((kind, conversation, locale))
        await asyncio.sleep(self.delay_seconds)
        if self.error is not None:
            raise self.error
        if kind == "reason":
            return await FormBook().open(kind, conversation=conversation, locale=locale)
        options = (("en", "English"), ("pt", "<!channel> Português"))
        choice = Field(id="locale", label="*Language*", kind="choice", value="pt", options=options)
        free = Field(id="note", label="Note", max_chars=20, value="as it was")
        return Form(title=f"The form of {kind}", fields=(choice, free), submit="Save", cancel="Close")
