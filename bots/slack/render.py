"""`Reply` as Block Kit; pure.

Words go into rich text, whose text elements are literal: nothing in them becomes mark-up, a link or a
mention, so no name has to be escaped. Only `text`, for notifications and screen readers, is mrkdwn.

Format: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    PlainTextObject,
    RawTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextPreformattedElement,
    RichTextSectionElement,
    TableBlock,
)
from slack_sdk.models.blocks import Block as SlackBlock

from brain.reply import (
    Block,
    Bullets,
    Button,
    Buttons,
    Citations,
    Code,
    Facts,
    Notice,
    Reply,
    Span,
    Table,
    Text,
    code,
    strong,
    to_plain,
)

from .limits import (
    MAX_BUTTON_LABEL,
    MAX_BUTTON_VALUE,
    MAX_BUTTONS,
    MAX_SECTION,
    MAX_TABLE,
    MAX_TABLE_COLUMNS,
    MAX_TABLE_ROWS,
    MAX_TEXT,
    NOTE_ROOM,
    clip,
    clip_escaped,
    clip_spans,
    cost,
    fit,
    inert,
    left_out,
)

__all__ = ["SlackMessage", "to_slack", "to_status"]

_STYLES: Final[dict[str, dict[str, bool] | None]] = {
    "plain": None,
    "strong": {"bold": True},
    "code": {"code": True},
}
_NOTICE_EMOJI: Final = {
    "info": "information_source",
    "good": "white_check_mark",
    "warning": "warning",
    "danger": "rotating_light",
}
_MAX_CELL = 200
"""Characters of a table cell: one long cell may not push the other rows out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """What `chat.postMessage` and `chat.update` take."""

    text: str
    """mrkdwn, escaped; never empty."""
    blocks: list[dict[str, Any]]


def to_slack(reply: Reply) -> SlackMessage:
    """The whole reply as one message within Slack's limits; what is shortened says so."""
    words = reply.plain_text.strip() or to_plain(reply.blocks).strip() or "…"
    blocks = _Renderer().render(reply.blocks) or _section([Span(words)])
    return SlackMessage(text=clip_escaped(words, MAX_TEXT), blocks=fit([block.to_dict() for block in blocks]))


def to_status(line: str) -> SlackMessage:
    """One line of progress."""
    words = line.strip() or "…"
    element = [RichTextElementParts.Emoji(name="hourglass_flowing_sand"), *_runs([Span(f" {words}")])]
    block = RichTextBlock(elements=[RichTextSectionElement(elements=element)])
    return SlackMessage(text=clip_escaped(words, MAX_TEXT), blocks=[block.to_dict()])


class _Renderer:
    """Renders the blocks of one message: it counts buttons and knows whether the one table is used up."""

    def __init__(self) -> None:
        self._buttons = 0
        self._has_table = False

    def render(self, blocks: Sequence[Block]) -> list[SlackBlock]:
        return [rendered for block in blocks for rendered in self._block(block)]

    def _block(self, block: Block) -> list[SlackBlock]:
        match block:
            case Text():
                return _section(block.spans)
            case Bullets():
                return _bullets(block)
            case Facts():
                return _facts(block)
            case Table():
                return self._table(block)
            case Code():
                return _code(block)
            case Citations():
                return _citations(block)
            case Buttons():
                return self._buttons_block(block)
            case Notice():
                return _notice(block)
            case _:
                assert_never(block)

    def _table(self, table: Table) -> list[SlackBlock]:
        title = _section([strong(table.title)])
        if self._has_table or not table.columns:  # a message may have one table
            lines = [" | ".join(row) for row in (table.columns, *table.rows)]
            return [*title, *_code(Code(text="\n".join(lines)))]
        self._has_table = True
        rows = _rows(table)
        missing = len(table.rows) + 1 - len(rows) + max(0, len(table.columns) - MAX_TABLE_COLUMNS)
        note = _section([Span(left_out(missing))]) if missing else []
        return [*title, TableBlock(rows=rows), *note]

    def _buttons_block(self, block: Buttons) -> list[SlackBlock]:
        usable = [item for item in block.items if 0 < len(item.value) <= MAX_BUTTON_VALUE]
        # A value cut short would say something else than the label promises.
        unusable = [item for item in block.items if item not in usable]
        elements = [self._button(item) for item in usable]
        actions = [
            ActionsBlock(elements=elements[start : start + MAX_BUTTONS])
            for start in range(0, len(elements), MAX_BUTTONS)
        ]
        notes = [_section([code(item.label), Span(f" {left_out(len(item.value))}")]) for item in unusable]
        return [*actions, *(block for note in notes for block in note)]

    def _button(self, button: Button) -> ButtonElement:
        label = inert(button.label).strip() or "…"
        if len(label) > MAX_BUTTON_LABEL:
            label = f"{label[: MAX_BUTTON_LABEL - 1]}…"
        self._buttons += 1
        return ButtonElement(
            text=PlainTextObject(text=label, emoji=False),
            action_id=f"{button.verb}:{self._buttons}",
            value=button.value,
            style=None if button.style == "default" else button.style,
        )


def _section(spans: Sequence[Span]) -> list[SlackBlock]:
    runs = _runs(spans)
    return [RichTextBlock(elements=[RichTextSectionElement(elements=runs)])] if runs else []


def _runs(spans: Sequence[Span]) -> list[RichTextElement]:
    return [
        RichTextElementParts.Text(text=span.text, style=_STYLES[span.style])
        for span in clip_spans(spans, MAX_SECTION)
    ]


def _bullets(block: Bullets) -> list[SlackBlock]:
    items = [RichTextSectionElement(elements=_runs(spans)) for spans in _items(block)]
    style = "ordered" if block.numbered else "bullet"
    return [RichTextBlock(elements=[RichTextListElement(elements=items, style=style)])] if items else []


def _items(block: Bullets) -> Iterator[Sequence[Span]]:
    room = MAX_SECTION - NOTE_ROOM
    for number, item in enumerate(block.items):
        if room < NOTE_ROOM:
            yield [Span(left_out(len(block.items) - number))]
            return
        spans = clip_spans(item.spans, room) or [Span("–")]
        room -= sum(len(span.text) for span in spans)
        yield spans


def _facts(block: Facts) -> list[SlackBlock]:
    title = [strong(f"{block.title}\n")] if block.title else []
    lines = [span for label, value in block.items for span in (strong(label), Span(f": {value}\n"))]
    return _section([*title, *lines])


def _code(block: Code) -> list[SlackBlock]:
    caption = _section([strong(block.caption)])
    lines = inert(block.text).strip("\n")
    if not lines:
        return caption
    quoted = RichTextElementParts.Text(text=clip(lines, MAX_SECTION))
    return [*caption, RichTextBlock(elements=[RichTextPreformattedElement(elements=[quoted])])]


def _citations(block: Citations) -> list[SlackBlock]:
    return _section(
        [
            span
            for number, item in enumerate(block.items, 1)
            for span in (
                strong(f"[{number}] {item.document_title}"),
                Span(f" · {item.location}\n“{item.quote}”\n"),
            )
        ]
    )


def _notice(block: Notice) -> list[SlackBlock]:
    emoji = RichTextElementParts.Emoji(name=_NOTICE_EMOJI[block.level])
    words = _runs([strong(f" {block.text}")])
    return [RichTextBlock(elements=[RichTextSectionElement(elements=[emoji, *words])])]


def _rows(table: Table) -> list[list[RawTextObject]]:
    """The heading and as many rows as fit."""
    rows: list[list[RawTextObject]] = []
    room = MAX_TABLE
    for row in (table.columns, *table.rows)[:MAX_TABLE_ROWS]:
        cells = [_cell(value) for value in row[:MAX_TABLE_COLUMNS]]
        room -= sum(cost(cell.to_dict()) for cell in cells)
        if room < 0:
            break
        rows.append(cells)
    return rows


def _cell(value: str) -> RawTextObject:
    # Slack refuses a cell without characters.
    return RawTextObject(text=clip(inert(value).strip(), _MAX_CELL) or "–")
