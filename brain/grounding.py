"""Keeps of a model's answer what the tools bear out. Pure; fails closed.

Every number, time, status and name of a sentence must stand in what a tool returned; where that is a table, in the
row of the name. Statuses and return codes are the plan's, whatever a log says of them. A sentence that says a change
was made stands only if a tool said so: nothing here changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from brain.claims import Foreign, Told, hides_trouble, origin_of
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
_CODE = re.compile(r"\b(?:rc|codes?|codigos?(?: de retorno)?)\b\D{0,12}?(-?\d+)")
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


def grounded(
    blocks: Iterable[Block], told: Sequence[Told], question: str, said_by: Mapping[Foreign, str]
) -> Grounded:
    """The blocks without the sentences that neither the tools bear out nor, for names, the question holds.

    What repeats a log or a document word for word is quoted, behind the words of `said_by`.
    """
    left_out: list[str] = []

    def keep(paragraph: Text) -> Text:
        spans, removed = _kept(paragraph.spans, told, question, said_by)
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
            case Code() if not _is_quoted(block.text, told):
                left_out.append(block.text)
            case _:
                kept.append(block)
    return Grounded(blocks=tuple(kept), left_out=tuple(left_out))


class Spoken:
    """Passes an answer on while it is made, sentence by sentence: those that stand as they are."""

    def __init__(
        self, told: Sequence[Told], question: str, on_sentence: Callable[[str], Awaitable[None]]
    ) -> None:
        """`told` may grow meanwhile."""
        self._told = told
        self._question = question
        self._on_sentence = on_sentence
        self._begun = ""

    async def __call__(self, piece: str) -> None:
        """Takes a piece; what is no whole sentence yet is held back, and for good if none follows."""
        *whole, self._begun = _ENDS.split(self._begun + piece)
        for sentence in whole:
            # Before any tool told anything there is nothing to say.
            if not self._told or origin_of(sentence, self._told):
                continue
            if is_supported(sentence, self._told, self._question):
                await self._on_sentence(sentence)


def is_supported(sentence: str, told: Sequence[Told], question: str) -> bool:
    """Whether everything in the sentence that can be looked up stands where it must."""
    words, sources = _CITED.sub("", sentence), [each.text for each in told]
    statuses = set(_STATUS.findall(words))
    names = {name for name in _NAME.findall(words) if name not in statuses | _COMMON}
    known = "\n".join((*sources, question))
    if not all(stands_in(name, known) for name in names):
        return False
    scope = "\n".join(_scope(names, sources))
    plan = "\n".join(_scope(names, [each.text for each in told if each.origin == "plan"]))
    numbers = set(_NUMBER.findall(_NAME.sub(" ", words)))
    if not numbers <= set(_NUMBER.findall(scope)) or hides_trouble(words, plan):
        return False
    if not all(stands_in(one, plan) for one in (*statuses, *_CODE.findall(fold(words)))):
        return False
    deed = _DEED.search(fold(words))
    is_told_as_done = deed is not None and _DONE.search(fold(words)) and not _NOT.search(fold(words))
    return not is_told_as_done or (
        deed is not None and stands_in(deed[0], fold(plan if names or statuses else scope))
    )


def _scope(names: Iterable[str], sources: Sequence[str]) -> Iterator[str]:
    """Of each source the rows of the names, where it has such rows, else all of it.

    What stands above a table, a total say, is not about one name alone.
    """
    wanted = list(names)
    for source in sources:
        lines = source.splitlines()
        rows = [line for line in lines if " | " in line and any(stands_in(name, line) for name in wanted)]
        others = [line for line in lines if " | " not in line] if len(wanted) > 1 else []
        yield "\n".join((*rows, *others)) if rows else source


def stands_in(token: str, text: str) -> bool:
    """Whether the text has the token, in any case and not as a part of a longer one."""
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(token)}(?![A-Za-z0-9_])", text, re.IGNORECASE) is not None


def _is_quoted(text: str, told: Sequence[Told]) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return all(any(line in each.text for each in told) for line in lines)


def _kept(
    spans: Sequence[Span], told: Sequence[Told], question: str, said_by: Mapping[Foreign, str]
) -> tuple[tuple[Span, ...], list[str]]:
    """The spans without the sentences that are not supported, and those sentences."""
    left: list[Span] = []
    removed: list[str] = []
    for match in _SENTENCE.finditer("".join(span.text for span in spans)):
        sentence = match[0].strip()
        if sentence and not is_supported(match[0], told, question):
            removed.append(sentence)
            continue
        origin = origin_of(sentence, told)
        if origin is None:
            left += _between(spans, match.start(), match.end())
        else:
            end = match.start() + len(match[0].rstrip())
            left += [Span(text=f"{said_by[origin]} “"), *_between(spans, match.start(), end), Span(text="” ")]
    is_blank = not "".join(span.text for span in left).strip()
    return () if is_blank else tuple(_joined(left)), removed


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one style as one."""
    for style, run in groupby(spans, key=lambda span: span.style):
        yield Span(text="".join(span.text for span in run), style=style)


def _between(spans: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    """What stands between two places, in its styles."""
    at = 0
    for span in spans:
        if text := span.text[max(start - at, 0) : max(end - at, 0)]:
            yield replace(span, text=text)
        at += len(span.text)
