"""Puts the answers of parts together as the answer of the whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from brain.agents.asked import Asked
from brain.reply import Block, Bullets, Button, Citation, Span, Text, code, strong, text
from brain.state import Draft, Memory

from .catalogue import CATALOGUE
from .task import Task

_REFERENCE = re.compile(r"\[(\d{1,3})\]")
_MESSAGE = re.compile(r"\b[A-Z]{2,}-?\d{3,}[A-Z]?\b")
_DIGITS = re.compile(r"\d+")
_BUTTONS = 4


def gathered(task: Task, parts: Sequence[Task], asked: Asked) -> Draft:
    """What the parts found, as one answer: by cause where it is about many objects, else in sections."""
    answered = [part for part in parts if part.draft is not None]
    blocks: tuple[Block, ...]
    citations: tuple[Citation, ...] = ()
    if task.each_of and len(answered) > 1:
        blocks = _by_cause(answered, asked)
    elif task.plan and CATALOGUE[task.plan].gather == "causes":
        blocks, citations = _in_sections([_headline(part) for part in answered], has_headings=False)
    else:
        blocks, citations = _in_sections(answered, has_headings=len(answered) > 1)
    drafts = [part.draft for part in answered if part.draft is not None]
    spoken_of = list(dict.fromkeys(name for draft in drafts if (name := draft.memory.get("selection"))))
    return Draft(
        agent="planner",
        blocks=blocks,
        citations=citations,
        buttons=_buttons(drafts, is_about_one=len(spoken_of) <= 1 and not task.each_of),
        degraded=frozenset().union(*(draft.degraded for draft in drafts)),
        memory=Memory(selection=spoken_of[-1]) if spoken_of else Memory(),
        found=tuple(dict.fromkeys(name for draft in drafts for name in draft.found)),
    )


def _buttons(drafts: Iterable[Draft], *, is_about_one: bool) -> tuple[Button, ...]:
    """The first buttons; of several objects each says which one it is for."""
    every = (
        button if is_about_one else _named(button, draft.memory.get("selection", ""))
        for draft in drafts
        for button in draft.buttons
    )
    return tuple(dict.fromkeys(every))[:_BUTTONS]


def _named(button: Button, selection: str) -> Button:
    name = selection.rpartition(".")[2]
    return button if name in button.label else replace(button, label=f"{button.label} {name}")


def _by_cause(parts: Sequence[Task], asked: Asked) -> tuple[Block, ...]:
    """Each cause once, after all objects that have it; the most frequent first."""
    alike: dict[str, list[Task]] = {}
    for part in parts:
        alike.setdefault(_kind_of(part), []).append(part)
    groups = sorted(alike.values(), key=lambda group: -len(group))
    sentence = asked.phrase("causes_found", count=strong(str(len(parts))), causes=strong(str(len(groups))))
    items = (
        text(strong(", ".join(part.title for part in group)), ": ", code(_cause(group[0], asked)))
        for group in groups
    )
    return sentence, Bullets(items=tuple(items))


def _kind_of(part: Task) -> str:
    """The message id of the cause, else its words without numbers: they differ from object to object."""
    cause = part.draft.cause if part.draft else ""
    found = _MESSAGE.search(cause)
    return found[0] if found else _DIGITS.sub("", cause)


def _cause(part: Task, asked: Asked) -> str:
    return (part.draft and part.draft.cause) or asked.say("cause_unknown")


def _headline(part: Task) -> Task:
    """A list cut to its first sentence: its objects are named with their causes."""
    draft = part.draft
    if draft is None or part.each_of or len(draft.found) <= 1:
        return part
    return replace(part, draft=replace(draft, blocks=draft.blocks[:1]))


def _in_sections(
    parts: Sequence[Task], *, has_headings: bool
) -> tuple[tuple[Block, ...], tuple[Citation, ...]]:
    blocks: list[Block] = []
    citations: list[Citation] = []
    for part in parts:
        assert part.draft is not None
        if has_headings:
            blocks.append(text(strong(part.title)))
        blocks += _renumbered(part.draft.blocks, len(citations))
        citations += part.draft.citations
    return tuple(blocks), tuple(citations)


def _renumbered(blocks: Iterable[Block], by: int) -> Iterable[Block]:
    """The blocks with the numbers of their sources raised."""
    for block in blocks:
        match block:
            case Text():
                yield _raised(block, by)
            case Bullets():
                yield replace(block, items=tuple(_raised(item, by) for item in block.items))
            case _:
                yield block


def _raised(paragraph: Text, by: int) -> Text:
    spans = (
        Span(_REFERENCE.sub(lambda found: f"[{int(found[1]) + by}]", span.text))
        if span.style == "plain"
        else span
        for span in paragraph.spans
    )
    return Text(spans=tuple(spans))
