"""Keeps of a model's answer what the tools bear out. Pure; fails closed.

Every number, time, status and name of a sentence must stand in what a tool returned; where that is a table, in the
row of the name. A sentence that says a change was made stands only if a tool said so: nothing here changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from brain.reply import Block, Bullets, Code, Span, Text
from knowledge.terms import fold

_SENTENCE = re.compile(r"[^.!?;\n]*(?:[.!?;](?!\s|$)[^.!?;\n]*)*(?:[.!?;]+|\n|$)\s*")
"""A full stop inside a name or a number ends no sentence."""
_ENDS = re.compile(r"(?<=[.!?;]\s)|(?<=\n)")
_CITED = re.compile(r"\[\d{1,2}(?:\s*[,;]\s*\d{1,2})*\]")
_NUMBER = re.compile(r"(?<![\w#.-])-?\d+(?:[.,:/-]\d+)*(?![\w-])")
_NAME = re.compile(r"(?<![\w#.])(?=[\w#@./-]*[A-Z]{2})[A-Z][A-Z0-9_@]{2,}(?:[#./-][A-Z0-9_@]+)*(?![\w])")
_STATUS = re.compile(
    r"\b(?:ABEND|ABENP|ADD|BOUND|CANCL|CANCP|DONE|ERROR|EXEC|EXTRN|FAIL|FENCE|HOLD|INTRO|PEND|READY|SCHED|STUCK|SUCC|"
    r"SUCCP|SUPPR|USER|WAIT|WAITD|SUCCESSFUL|RUNNING|WAITING|HELD|BLOCKED|UNDECIDED|CANCELED)\b"
)
_COMMON = frozenset(
    {
        "TWS",
        "IWS",
        "HWA",
        "HCL",
        "IBM",
        "SQL",
        "API",
        "URL",
        "CPU",
        "JCL",
        "SLA",
        "FTA",
        "UTC",
        "BRT",
        "SECRET",
    }
)
"""Capitals that name nothing of the plan."""
_DEED = re.compile(
    r"\b(?:rerun|re-run|restarted|reran|cancell?ed|released|killed|submitted|resubmitted|confirmed|approved|unlinked|"
    r"reexecutad[oa]s?|reiniciad[oa]s?|cancelad[oa]s?|liberad[oa]s?|submetid[oa]s?|confirmad[oa]s?|aprovad[oa]s?|"
    r"reexecutei|reiniciei|cancelei|liberei|submeti|confirmei)\b"
)
_DONE = re.compile(r"\b(?:i|we|i've|was|were|been|is now|now|done|eu|ja|foi|foram|fui|agora|pronto|feito)\b")
_NOT = re.compile(
    r"\b(?:not|no|never|before|if|must|should|can|cannot|nao|nunca|antes|se|deve|pode|waits?|aguarda)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """What is left of an answer."""

    blocks: tuple[Block, ...]
    left_out: tuple[str, ...]
    """The sentences that nothing bears out, in order."""


def grounded(blocks: Iterable[Block], sources: Sequence[str], question: str) -> Grounded:
    """The blocks without the sentences that neither the sources bear out nor, for names, the question holds."""
    left_out: list[str] = []

    def keep(paragraph: Text) -> Text:
        spans, removed = _kept(paragraph.spans, sources, question)
        left_out.extend(removed)
        return replace(paragraph, spans=spans)

    kept: list[Block] = []
    for block in blocks:
        match block:
            case Text():
                paragraph = keep(block)
                kept += [paragraph] if paragraph.spans else []
            case Bullets():
                items = tuple(item for item in map(keep, block.items) if item.spans)
                kept += [replace(block, items=items)] if items else []
            case Code() if not _is_quoted(block.text, sources):
                left_out.append(block.text)
            case _:
                kept.append(block)
    return Grounded(blocks=tuple(kept), left_out=tuple(left_out))


class Spoken:
    """Passes an answer on while it is made, sentence by sentence, without those that nothing bears out."""

    def __init__(
        self, sources: Sequence[str], question: str, on_sentence: Callable[[str], Awaitable[None]]
    ) -> None:
        """`sources` may grow meanwhile."""
        self._sources = sources
        self._question = question
        self._on_sentence = on_sentence
        self._begun = ""

    async def __call__(self, piece: str) -> None:
        """Takes a piece; what is no whole sentence yet is held back, and for good if none follows."""
        *whole, self._begun = _ENDS.split(self._begun + piece)
        for sentence in whole:
            if is_supported(sentence, self._sources, self._question):
                await self._on_sentence(sentence)


def is_supported(sentence: str, sources: Sequence[str], question: str) -> bool:
    """Whether everything in the sentence that can be looked up stands where it must."""
    words = _CITED.sub("", sentence)
    statuses = set(_STATUS.findall(words))
    names = {name for name in _NAME.findall(words) if name not in statuses | _COMMON}
    known = "\n".join((*sources, question))
    if not all(_stands_in(name, known) for name in names):
        return False
    scope = "\n".join(_scope(names, sources))
    numbers = set(_NUMBER.findall(_NAME.sub(" ", words)))
    if not numbers <= set(_NUMBER.findall(scope)) or not all(_stands_in(one, scope) for one in statuses):
        return False
    deed = _DEED.search(fold(words))
    is_told_as_done = deed is not None and _DONE.search(fold(words)) and not _NOT.search(fold(words))
    return not is_told_as_done or (deed is not None and _stands_in(deed[0], fold(scope)))


def _scope(names: Iterable[str], sources: Sequence[str]) -> Iterator[str]:
    """Of each source the rows of the names, where it has such rows, else all of it.

    What stands above a table, a total say, is not about one name alone.
    """
    wanted = list(names)
    for source in sources:
        lines = source.splitlines()
        rows = [line for line in lines if " | " in line and any(_stands_in(name, line) for name in wanted)]
        others = [line for line in lines if " | " not in line] if len(wanted) > 1 else []
        yield "\n".join((*rows, *others)) if rows else source


def _stands_in(token: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(token)}(?![A-Za-z0-9_])", text, re.IGNORECASE) is not None


def _is_quoted(text: str, sources: Sequence[str]) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return all(any(line in source for source in sources) for line in lines)


def _kept(spans: Sequence[Span], sources: Sequence[str], question: str) -> tuple[tuple[Span, ...], list[str]]:
    """The spans without the sentences that are not supported, and those sentences."""
    whole = "".join(span.text for span in spans)
    removed = [
        match
        for match in _SENTENCE.finditer(whole)
        if match[0].strip() and not is_supported(match[0], sources, question)
    ]
    left: list[Span] = []
    start = 0
    for span in spans:
        text = "".join(
            letter
            for place, letter in enumerate(span.text, start)
            if not any(match.start() <= place < match.end() for match in removed)
        )
        start += len(span.text)
        left += [replace(span, text=text)] if text else []
    is_blank = not "".join(span.text for span in left).strip()
    return () if is_blank else tuple(left), [match[0].strip() for match in removed]
