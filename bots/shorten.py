"""Makes a reply fit a channel's message, visibly: whatever is left out is counted in a note. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from brain.reply import (
    Block,
    Bullets,
    Buttons,
    Citations,
    Code,
    Facts,
    Notice,
    Span,
    Steps,
    Table,
    Text,
    text,
)

Size: TypeAlias = Callable[[Block], int]
"""What a block takes of the budget, in the channel's own measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a message of the channel holds."""

    budget: int
    """Of all blocks together, in the measure of `Size`."""
    max_blocks: int
    """Blocks that are tried when not all fit; so many notes, and one more, must fit half of the budget."""
    max_items: int
    """Rows or items of one block; more are not even measured."""
    max_chars: int
    """Likewise for the characters of a paragraph, a notice or a log."""
    items_note: str
    """Stands where items are missing; `{}` is their number."""
    chars_note: str
    """Likewise for characters."""

    def cap(self, block: Block) -> int:
        """The most of the block that is shown, in what `_length` counts."""
        return self.max_chars if isinstance(block, Text | Code | Notice) else self.max_items

    def note(self, block: Block, count: int) -> Text:
        """Says that so much of the block is missing."""
        is_text = isinstance(block, Text | Code | Notice)
        return text((self.chars_note if is_text else self.items_note).format(count))


def fit(blocks: Sequence[Block], limits: Limits, size: Size) -> list[Block]:
    """The blocks within the budget, in order.

    Buttons are served first, since without them nothing can be decided, and take at most half; the rest is
    shared so that long blocks give way to short ones. Every block that loses something ends in a note, or
    is a note.
    """
    sizes = [_measure(block, limits, size) for block in blocks]
    if sum(sizes) <= limits.budget:
        return list(blocks)
    if len(blocks) > limits.max_blocks:
        blocks = _first(blocks, limits)
        sizes = [_measure(block, limits, size) for block in blocks]
    return [
        piece
        for block, taken, share in zip(blocks, sizes, _shares(blocks, sizes, limits.budget), strict=True)
        for piece in ((block,) if taken <= share else _shorten(block, share, limits, size))
    ]


def _measure(block: Block, limits: Limits, size: Size) -> int:
    return limits.budget + 1 if _length(block) > limits.cap(block) else size(block)


def _first(blocks: Sequence[Block], limits: Limits) -> list[Block]:
    """As many blocks as are tried, buttons before others, and a note where the first ones are missing."""
    ranked = sorted(range(len(blocks)), key=lambda number: not isinstance(blocks[number], Buttons))
    kept, missing = sorted(ranked[: limits.max_blocks]), sorted(ranked[limits.max_blocks :])
    note = text(limits.items_note.format(len(missing)))
    before = sum(number < missing[0] for number in kept)
    shown = [blocks[number] for number in kept]
    return [*shown[:before], note, *shown[before:]]


def _shares(blocks: Sequence[Block], sizes: Sequence[int], budget: int) -> list[int]:
    """What each block may take."""
    of_buttons = [taken for block, taken in zip(blocks, sizes, strict=True) if isinstance(block, Buttons)]
    of_others = [taken for block, taken in zip(blocks, sizes, strict=True) if not isinstance(block, Buttons)]
    for_buttons = min(sum(of_buttons), budget // 2)
    buttons, others = _fair_share(of_buttons, for_buttons), _fair_share(of_others, budget - for_buttons)
    return [buttons if isinstance(block, Buttons) else others for block in blocks]


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


def _shorten(block: Block, share: int, limits: Limits, size: Size) -> tuple[Block, ...]:
    """As much of the block's beginning as fits, with a note; only the note where nothing fits."""
    length = _length(block)

    def cut(keep: int) -> tuple[Block, ...]:
        return _cut(block, keep), limits.note(block, length - keep)

    low, high = -1, min(length - 1, limits.cap(block))
    while low < high:
        middle = (low + high + 1) // 2
        if sum(map(size, cut(middle))) <= share:
            low = middle
        else:
            high = middle - 1
    return cut(low) if low >= 0 else (limits.note(block, max(length, 1)),)


def _length(block: Block) -> int:
    """Of what `_cut` counts: items, or characters."""
    match block:
        case Text():
            return sum(len(span.text) for span in block.spans)
        case Code() | Notice():
            return len(block.text)
        case Table():
            return len(block.rows)
        case Bullets() | Facts() | Citations() | Buttons() | Steps():
            return len(block.items)
        case _:
            assert_never(block)


def _cut(block: Block, keep: int) -> Block:
    """The first `keep` items or characters."""
    match block:
        case Text():
            return replace(block, spans=tuple(_first_chars(block.spans, keep)))
        case Code() | Notice():
            return replace(block, text=block.text[:keep])
        case Table():
            return replace(block, rows=block.rows[:keep])
        case Bullets():
            return replace(block, items=block.items[:keep])
        case Facts():
            return replace(block, items=block.items[:keep])
        case Citations():
            return replace(block, items=block.items[:keep])
        case Buttons():
            return replace(block, items=block.items[:keep])
        case Steps():
            return replace(block, items=block.items[:keep])
        case _:
            assert_never(block)


def _first_chars(spans: Iterable[Span], keep: int) -> Iterator[Span]:
    left = keep
    for span in spans:
        if left <= 0:
            return
        yield replace(span, text=span.text[:left])
        left -= len(span.text)
