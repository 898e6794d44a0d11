"""`Reply` as Block Kit; pure.

Words go into rich text, whose text elements are literal: nothing in them becomes mark-up, a link or a
mention, so no name has to be escaped. Only `text`, for notifications and screen readers, is mrkdwn.

Format: https://docs.slack.dev/reference/block-kit/blocks. Slack documents neither a limit for rich text nor
one for a whole message; its API refuses messages of about 13,000 characters, and of fewer when they are
split into many elements (https://github.com/slackapi/bolt-js/issues/2509 and 2867).
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from bots.shorten import Limits, fit
from brain import reply as answer
from brain.reply import Code, Reply, Span, Table, strong

from .inbound import REASON

_Json: TypeAlias = dict[str, Any]

_NOTE: Final = "… [shortened / abreviado: +{}]"
"""In both languages, since Slack does not say which one the reader's is."""
_NOTE_ROOM: Final = 40
"""Characters kept free for a note."""
_MAX_BLOCKS: Final = 50
_MAX_MESSAGE: Final = 12_000
"""Cost of all blocks; stays below what Slack was seen to refuse."""
_FOOT: Final = 2 * (_MAX_MESSAGE // _MAX_BLOCKS)
"""Kept free for the two blocks below an answer that can be rated."""
_MAX_TABLE: Final = _MAX_MESSAGE // 2
"""Cost of one table, which leaves room for words."""
_MAX_SECTION: Final = 3_000
"""Characters: documented for a section, kept for rich text too."""
_MAX_ITEM: Final = 1_400
"""Characters of a title, a label, a value or a quote: two of them fit a section."""
_MAX_QUOTE: Final = 160
_MAX_CONTEXT: Final = 10
_MAX_TEXT: Final = 4_000
"""Characters of `text`; chat.update refuses more."""
_MAX_BUTTONS: Final = 25
_MAX_LABEL: Final = 75
_MAX_VALUE: Final = 2_000
_MAX_COLUMNS: Final = 20
_MAX_CELL: Final = 200
"""Characters of a table cell: one long cell may not push the other rows out."""
_ELEMENT_COST: Final = 10
"""Characters that each element counts beside its text; Slack names no figure."""

_LIMITS: Final = Limits(
    budget=_MAX_MESSAGE - _FOOT,
    max_blocks=_MAX_BLOCKS // 2 - 1,
    max_items=99,  # a table has 100 rows, and its heading is one of them
    max_chars=_MAX_SECTION,
    items_note=_NOTE,
    chars_note=_NOTE,
)
_STYLES: Final[dict[str, _Json]] = {
    "plain": {},
    "strong": {"style": {"bold": True}},
    "code": {"style": {"code": True}},
}
_NOTICE_EMOJI: Final = {
    "info": "information_source",
    "good": "white_check_mark",
    "warning": "warning",
    "danger": "rotating_light",
}
_UNSAFE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, and those that reorder what stands beside them: a name may not dress up as another."""
_CUT_ESCAPE: Final = re.compile(r"&[a-z]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """What `chat.postMessage` and `chat.update` take."""

    text: str
    """mrkdwn, escaped; never empty."""
    blocks: list[_Json]


def to_slack(reply: Reply) -> SlackMessage:
    """The whole reply as one message within Slack's limits; what is shortened says so."""
    words = reply.plain_text.strip() or answer.to_plain(reply.blocks).strip() or "…"
    parts = [part for block in fit(_with_one_table(reply.blocks), _LIMITS, _size) for part in _parts(block)]
    buttons = (element for part in parts if part["type"] == "actions" for element in part["elements"])
    for number, button in enumerate(buttons, 1):  # ids are unique within a message
        button["action_id"] += f":{number}"
    blocks = parts or _section([Span(words)], max_chars=_MAX_SECTION)
    return SlackMessage(text=_clip_escaped(words, _MAX_TEXT), blocks=blocks)


def to_status(line: str) -> SlackMessage:
    """One line of progress."""
    words = line.strip() or "…"
    shown = _section([Span(f" {words}")], max_chars=_MAX_SECTION, emoji="hourglass_flowing_sand")
    return SlackMessage(text=_clip_escaped(words, _MAX_TEXT), blocks=shown)


def _with_one_table(blocks: Sequence[answer.Block]) -> list[answer.Block]:
    """A message may have one table; further ones become lines, as do those without columns."""
    tables = [place for place, block in enumerate(blocks) if isinstance(block, Table) and block.columns]
    return [
        _to_lines(block) if isinstance(block, Table) and place not in tables[:1] else block
        for place, block in enumerate(blocks)
    ]


def _to_lines(table: Table) -> Code:
    rows = (table.columns, *table.rows) if table.columns else ()
    return Code(text="\n".join(" | ".join(row) for row in rows), caption=table.title)


def _size(block: answer.Block) -> int:
    """What the block's parts cost; each takes its share of a message's blocks, so those never run out."""
    size = 0
    for part in _parts(block):
        cost, characters = _cost(part), _cost(part, each=0)
        if cost > _MAX_TABLE if part["type"] == "table" else characters > _MAX_SECTION:
            return _MAX_MESSAGE + 1
        size += max(cost, _MAX_MESSAGE // _MAX_BLOCKS)
    return size


def _cost(node: Any, *, each: int = _ELEMENT_COST) -> int:
    """The characters in it, and something for each element."""
    if isinstance(node, dict):
        own = len(node["text"]) if isinstance(node.get("text"), str) else 0
        return own + each + sum(_cost(value, each=each) for value in node.values())
    return sum(_cost(item, each=each) for item in node) if isinstance(node, list) else 0


def _parts(block: answer.Block) -> list[_Json]:
    """The blocks of Slack that show it; none for an empty one."""
    match block:
        case answer.Text():
            return _section(block.spans, max_chars=_MAX_SECTION)
        case answer.Bullets():
            items = [_section(item.spans) or _section([Span("–")]) for item in block.items]
            sections = [section for (part,) in items for section in part["elements"]]
            style = "ordered" if block.numbered else "bullet"
            return _rich_text("rich_text_list", sections, style=style)
        case answer.Facts():
            facts = [span for label, value in block.items for span in (strong(label), Span(f": {value}\n"))]
            return _section([strong(f"{block.title}\n"), *facts] if block.title else facts)
        case Table():
            return _table(block)
        case Code():
            lines = _runs([Span(inert(block.text).strip("\n"))], _MAX_SECTION)
            return [*_section([strong(block.caption)]), *_rich_text("rich_text_preformatted", lines)]
        case answer.Citations():
            cited = [_citation(number, item) for number, item in enumerate(block.items, 1)]
            rows = range(0, len(cited), _MAX_CONTEXT)
            return [{"type": "context", "elements": cited[row : row + _MAX_CONTEXT]} for row in rows]
        case answer.Buttons():
            return _buttons(block)
        case answer.Steps():
            steps = [Span("\n".join(map(answer.step_line, block.items)))]
            return _section(
                [*([strong(f"{block.title}\n")] if block.title else []), *steps], max_chars=_MAX_SECTION
            )
        case answer.Notice():
            words = [strong(f" {block.text}")]
            return _section(words, max_chars=_MAX_SECTION, emoji=_NOTICE_EMOJI[block.level])
        case _:
            assert_never(block)


def _section(spans: Iterable[Span], *, max_chars: int = _MAX_ITEM, emoji: str = "") -> list[_Json]:
    """The spans in one paragraph, each cut to `max_chars`; none where there is nothing to show."""
    sign = [{"type": "emoji", "name": emoji}] if emoji else []
    return _rich_text("rich_text_section", [*sign, *_runs(spans, max_chars)])


def _rich_text(kind: str, elements: list[_Json], **fields: str) -> list[_Json]:
    part = {"type": kind, "elements": elements, **fields}
    return [{"type": "rich_text", "elements": [part]}] if elements else []


def _runs(spans: Iterable[Span], max_chars: int) -> list[_Json]:
    return [
        {"type": "text", "text": _clip(inert(span.text), max_chars), **_STYLES[span.style]}
        for span in spans
        if span.text
    ]


def _citation(number: int, item: answer.Citation) -> _Json:
    """Small and grey, so that it does not outshine the answer that quotes it."""
    quote = item.quote if len(item.quote) <= _MAX_QUOTE else f"{item.quote[: _MAX_QUOTE - 1]}…"
    words = f"[{number}] {item.document_title} · {item.place}\n“{quote}”"
    return {"type": "plain_text", "text": _clip(inert(words), _MAX_ITEM), "emoji": False}


def _table(table: Table) -> list[_Json]:
    rows = [[_cell(value) for value in row[:_MAX_COLUMNS]] for row in (table.columns, *table.rows)]
    missing = len(table.columns) - _MAX_COLUMNS
    note = _section([Span(_NOTE.format(missing))]) if missing > 0 else []
    return [*_section([strong(table.title)]), {"type": "table", "rows": rows}, *note]


def _cell(value: str) -> _Json:
    # Slack refuses a cell without characters.
    return {"type": "raw_text", "text": _clip(inert(value).strip(), _MAX_CELL) or "–"}


def _buttons(block: answer.Buttons) -> list[_Json]:
    # A value cut short would say something else than the label promises.
    usable = [item for item in block.items if 0 < len(item.value) <= _MAX_VALUE]
    unusable = [item for item in block.items if item not in usable]
    elements = [_button(item) for item in usable]
    rows = range(0, len(elements), _MAX_BUTTONS)
    actions = [{"type": "actions", "elements": elements[row : row + _MAX_BUTTONS]} for row in rows]
    notes = [(answer.code(item.label), Span(f" {_NOTE.format(len(item.value))}")) for item in unusable]
    return [*actions, *(part for note in notes for part in _section(note))]


def _button(button: answer.Button) -> _Json:
    label = inert(button.label).strip() or "…"
    short = label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": short, "emoji": False},
        "action_id": f"{button.verb.value}:{REASON}" if button.asks_reason else button.verb.value,
        "value": button.value,
        **({} if button.style == "default" else {"style": button.style}),
    }


def inert(text: str) -> str:
    """The text with every control and bidirectional mark made visible as U+FFFD; tab and newline stay."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def _clip(text: str, max_chars: int) -> str:
    """The text, or its beginning and a note; at most `max_chars` long."""
    kept = max_chars - _NOTE_ROOM
    return text if len(text) <= max_chars else text[:kept] + _NOTE.format(len(text) - kept)


def _clip_escaped(text: str, max_chars: int) -> str:
    """The text as mrkdwn without mark-up, links or mentions; at most `max_chars` long once escaped."""
    text = inert(text)
    escaped = html.escape(text, quote=False)
    if len(escaped) <= max_chars:
        return escaped
    kept = _CUT_ESCAPE.sub("", escaped[: max_chars - _NOTE_ROOM])
    return kept + _NOTE.format(len(text) - len(html.unescape(kept)))
