"""Slack's limits on a message and how text is shortened to them, always visibly; pure.

Source: https://docs.slack.dev/reference/block-kit/blocks. Slack documents neither a limit for rich text nor
one for a whole message; its API refuses messages of about 13,000 characters, and of fewer when they are
split into many elements (https://github.com/slackapi/bolt-js/issues/2509 and 2867).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import ContextBlock, PlainTextObject

from brain.reply import Span

__all__ = [
    "MAX_BUTTONS",
    "MAX_BUTTON_LABEL",
    "MAX_BUTTON_VALUE",
    "MAX_SECTION",
    "MAX_TABLE",
    "MAX_TABLE_COLUMNS",
    "MAX_TABLE_ROWS",
    "MAX_TEXT",
    "NOTE_ROOM",
    "clip",
    "clip_escaped",
    "clip_spans",
    "cost",
    "fit",
    "inert",
    "left_out",
]

MAX_BLOCKS = 50
MAX_MESSAGE = 12_000
"""Cost of all blocks; stays below what Slack was seen to refuse."""
MAX_SECTION = 3_000
"""Characters: documented for a section, kept for rich text too."""
MAX_TEXT = 4_000
"""Characters of `text`; chat.update refuses more."""
MAX_BUTTONS = 25
MAX_BUTTON_LABEL = 75
MAX_BUTTON_VALUE = 2_000
MAX_TABLE = 6_000
"""Cost of one table: half of the message, so that a table leaves room for words."""
MAX_TABLE_ROWS = 100
MAX_TABLE_COLUMNS = 20
NOTE_ROOM = 40
"""Characters kept free for `left_out`."""

_ELEMENT_COST = 10
"""Characters that each element counts beside its text; Slack names no figure."""

_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, and those that reorder what stands beside them: a name may not dress up as another."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_CUT_ESCAPE = re.compile(r"&[a-z]*\Z")


def inert(text: str) -> str:
    """The text with every control and bidirectional mark made visible as U+FFFD; tab and newline stay."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def left_out(count: int) -> str:
    """The note that stands where something is missing, in both languages; at most `NOTE_ROOM` long."""
    return f"… [shortened / abreviado: +{count}]"


def clip(text: str, max_chars: int) -> str:
    """The text, or its beginning and a note; at most `max_chars` long, which is at least `NOTE_ROOM`."""
    if len(text) <= max_chars:
        return text
    kept = max_chars - NOTE_ROOM
    return text[:kept] + left_out(len(text) - kept)


def clip_spans(spans: Sequence[Span], max_chars: int) -> list[Span]:
    """The non-empty spans, made inert and cut together to `max_chars`."""
    safe = [Span(inert(span.text), span.style) for span in spans if span.text]
    total = sum(len(span.text) for span in safe)
    if total <= max_chars:
        return safe
    room = max_chars - NOTE_ROOM
    note = Span(left_out(total - room))
    kept: list[Span] = []
    for span in safe:
        kept.append(Span(span.text[:room], span.style))
        room -= len(kept[-1].text)
    return [*(span for span in kept if span.text), note]


def clip_escaped(text: str, max_chars: int) -> str:
    """The text as mrkdwn without mark-up, links or mentions; at most `max_chars` long once escaped."""
    text = inert(text)
    escaped = text.translate(_ESCAPES)
    if len(escaped) <= max_chars:
        return escaped
    kept = _CUT_ESCAPE.sub("", escaped[: max_chars - NOTE_ROOM])
    return kept + left_out(len(text) - len(html.unescape(kept)))


def cost(block: Any) -> int:
    """What a block counts towards `MAX_MESSAGE`: its characters and a little for each element."""
    if isinstance(block, dict):
        own = len(block["text"]) if isinstance(block.get("text"), str) else 0
        return own + _ELEMENT_COST + sum(cost(value) for value in block.values())
    if isinstance(block, list):
        return sum(cost(item) for item in block)
    return 0


def fit(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks that fit into one message, in order, and a note where the first ones are missing.

    Buttons have precedence, since without them nothing can be decided; of the rest a beginning is kept.
    """
    if len(blocks) <= MAX_BLOCKS and cost(list(blocks)) <= MAX_MESSAGE:
        return list(blocks)
    room, free = MAX_MESSAGE - cost(_note(len(blocks))), MAX_BLOCKS - 1
    kept: set[int] = set()
    for wants_buttons in (True, False):
        for number, block in enumerate(blocks):
            if (block["type"] == "actions") is not wants_buttons:
                continue
            if cost(block) > room or len(kept) == free:
                break
            room -= cost(block)
            kept.add(number)
    shown = [block for number, block in enumerate(blocks) if number in kept]
    missing = [number for number in range(len(blocks)) if number not in kept]
    return [*shown[: missing[0]], _note(len(missing)), *shown[missing[0] :]]


def _note(count: int) -> dict[str, Any]:
    return ContextBlock(elements=[PlainTextObject(text=left_out(count), emoji=False)]).to_dict()
