"""Makes a reply fit a size, visibly: whatever is left out is counted in a note. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import compress
from operator import not_
from typing import Final, TypeAlias, assert_never

from brain.message import Locale
from brain.reply import Block, Bullets, Buttons, Citations, Code, Facts, Notice, Span, Table, Text, text

__all__ = ["Size", "fit"]

Size: TypeAlias = Callable[[Block], int]
"""How many bytes a block takes in the channel's own format."""

_MAX_BLOCKS: Final = 60
"""More are cut off; each of these can hold at least a note in 28 KB."""

_MAX_ITEMS: Final = 300
"""More rows or items than this fit no card, so they are not measured."""

_MAX_CHARS: Final = 28 * 1024
"""Likewise for characters."""

_ITEMS: Final = {Locale.EN: "… {} more", Locale.PT: "… mais {}"}
_CHARS: Final = {Locale.EN: "… {} more characters", Locale.PT: "… mais {} caracteres"}


def fit(blocks: Sequence[Block], budget: int, size: Size, locale: Locale) -> tuple[Block, ...]:
    """The blocks in at most `budget` bytes, in order.

    Buttons are served first and take at most half; the rest is shared so that long blocks give way to short
    ones. Every block that loses something ends in a note, or is a note.
    """
    kept = tuple(blocks[:_MAX_BLOCKS])
    if len(blocks) > _MAX_BLOCKS:
        kept = (*kept, _note(len(blocks) - _MAX_BLOCKS, _ITEMS, locale))
    sizes = [_measure(block, size, budget) for block in kept]
    if sum(sizes) <= budget:
        return kept
    return tuple(
        piece
        for block, taken, share in zip(kept, sizes, _shares(kept, sizes, budget), strict=True)
        for piece in ((block,) if taken <= share else _shorten(block, share, size, locale))
    )


def _shares(blocks: Sequence[Block], sizes: Sequence[int], budget: int) -> list[int]:
    """What each block may take."""
    is_button = [isinstance(block, Buttons) for block in blocks]
    of_buttons = list(compress(sizes, is_button))
    of_others = list(compress(sizes, map(not_, is_button)))
    for_buttons = min(sum(of_buttons), budget // 2)
    buttons, others = _fair_share(of_buttons, for_buttons), _fair_share(of_others, budget - for_buttons)
    return [buttons if it_is else others for it_is in is_button]


def _measure(block: Block, size: Size, budget: int) -> int:
    return budget + 1 if _length(block) > _cap(block) else size(block)


def _fair_share(sizes: Iterable[int], budget: int) -> int:
    """The most that one block may take: what short blocks leave over goes to the long ones."""
    left = budget
    ascending = sorted(sizes)
    for index, size in enumerate(ascending):
        share = left // (len(ascending) - index)
        if size > share:
            return share
        left -= size
    return budget


def _shorten(block: Block, share: int, size: Size, locale: Locale) -> tuple[Block, ...]:
    """As much of the block's beginning as fits, with a note; only the note where nothing fits."""
    low, high = -1, min(_length(block) - 1, _cap(block))
    while low < high:
        middle = (low + high + 1) // 2
        if sum(size(piece) for piece in _cut(block, middle, locale)) <= share:
            low = middle
        else:
            high = middle - 1
    return _cut(block, low, locale) if low >= 0 else (_note(max(_length(block), 1), _unit(block), locale),)


def _length(block: Block) -> int:
    """Of what `_cut` counts: items, or characters."""
    match block:
        case Text():
            return sum(len(span.text) for span in block.spans)
        case Code() | Notice():
            return len(block.text)
        case Table():
            return len(block.rows)
        case Bullets() | Facts() | Citations() | Buttons():
            return len(block.items)
        case _:
            assert_never(block)


def _cap(block: Block) -> int:
    return _MAX_CHARS if isinstance(block, Text | Code | Notice) else _MAX_ITEMS


def _unit(block: Block) -> dict[Locale, str]:
    return _CHARS if isinstance(block, Text | Code | Notice) else _ITEMS


def _cut(block: Block, keep: int, locale: Locale) -> tuple[Block, ...]:
    """The first `keep` items or characters and the note."""
    note = _note(_length(block) - keep, _unit(block), locale)
    match block:
        case Text():
            return replace(block, spans=tuple(_first_chars(block.spans, keep))), note
        case Code() | Notice():
            return replace(block, text=block.text[:keep]), note
        case Table():
            return replace(block, rows=block.rows[:keep]), note
        case Bullets():
            return replace(block, items=block.items[:keep]), note
        case Facts():
            return replace(block, items=block.items[:keep]), note
        case Citations():
            return replace(block, items=block.items[:keep]), note
        case Buttons():
            return replace(block, items=block.items[:keep]), note
        case _:
            assert_never(block)


def _first_chars(spans: Iterable[Span], keep: int) -> Iterable[Span]:
    left = keep
    for span in spans:
        if left <= 0:
            return
        yield replace(span, text=span.text[:left])
        left -= len(span.text)


def _note(count: int, unit: dict[Locale, str], locale: Locale) -> Text:
    return text(unit[locale].format(count))
