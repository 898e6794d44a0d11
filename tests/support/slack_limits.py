"""What Slack refuses in a message, written from its documentation and not from our renderer.

Sources: https://docs.slack.dev/reference/block-kit/blocks, /block-elements and /composition-objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def check_blocks(blocks: Sequence[Json]) -> list[str]:
    """What is wrong with the blocks of one message; empty when Slack would take them."""
    return list(_check(blocks))


def texts_of(node: object) -> Iterator[str]:
    """Every text in the blocks, in order."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts_of(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from texts_of(item)


def check_view(view: Json, kind: str) -> list[str]:
    """What is wrong with a modal or a home."""
    problems = [] if view.get("type") == kind else [f"a view of type {view.get('type')}"]
    if kind == "modal":
        for name in ("title", "submit", "close"):
            if name in view:
                problems += _plain(name, view[name], 24)
        problems += [] if "title" in view else ["no title"]
        has_input = any(block["type"] == "input" for block in view["blocks"])
        problems += ["input without submit"] if has_input and "submit" not in view else []
    problems += _length("private_metadata", view.get("private_metadata", ""), 0, 3_000)
    problems += _length("callback_id", view.get("callback_id", ""), 0, 255)
    return [*problems, *_check(view["blocks"], most=100)]


def _check(blocks: Sequence[Json], most: int = 50) -> Iterator[str]:
    if len(blocks) > most:
        yield f"{len(blocks)} blocks"
    characters = sum(map(len, texts_of(blocks)))
    if characters > 12_000:
        yield f"{characters} characters in all"
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield "more than one table"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id used twice"
    for number, block in enumerate(blocks):
        rule = _RULES.get(block.get("type", ""))
        if rule is None:
            yield f"block {number}: unknown type {block.get('type')}"
        else:
            yield from (f"block {number}: {problem}" for problem in rule(block))


def _rich_text(block: Json) -> Iterator[str]:
    yield from _count(block, "elements", 1, None)
    for part in block["elements"]:
        match part["type"]:
            case "rich_text_list":
                if part.get("style") not in {"bullet", "ordered"}:
                    yield "list without style"
                yield from _count(part, "elements", 1, None)
                for item in part["elements"]:
                    if item["type"] != "rich_text_section":
                        yield f"{item['type']} in a list"
                    yield from _runs(item)
            case "rich_text_section" | "rich_text_quote" | "rich_text_preformatted":
                yield from _runs(part)
            case other:
                yield f"unknown rich text {other}"


def _runs(part: Json) -> Iterator[str]:
    yield from _count(part, "elements", 1, None)
    for run in part["elements"]:
        match run["type"]:
            case "text":
                yield from _length("text run", run["text"], 1, 3_000)
                if set(run.get("style") or {}) - {"bold", "italic", "strike", "code", "underline"}:
                    yield "unknown style"
                if part["type"] == "rich_text_preformatted" and run.get("style"):
                    yield "style in preformatted text"
            case "emoji":
                yield from _length("emoji", run["name"], 1, 100)
            case "user" | "usergroup" | "channel" | "broadcast" | "link" | "date" | "team" | "color":
                pass
            case other:
                yield f"unknown run {other}"


def _table(block: Json) -> Iterator[str]:
    yield from _count(block, "rows", 1, 100)
    if len({len(row) for row in block["rows"]}) > 1:
        yield "rows of different lengths"
    for row in block["rows"]:
        if not 1 <= len(row) <= 20:
            yield f"{len(row)} columns"
        for cell in row:
            if cell["type"] != "raw_text":
                yield f"cell of type {cell['type']}"
            yield from _length("cell", cell["text"], 1, 3_000)


def _actions(block: Json) -> Iterator[str]:
    yield from _count(block, "elements", 1, 25)
    ids = [element.get("action_id") for element in block["elements"]]
    if len(ids) != len(set(ids)):
        yield "action_id used twice"
    for element in block["elements"]:
        yield from _length("action_id", element.get("action_id", ""), 1, 255)
        if element["type"] != "button":
            yield f"unknown element {element['type']}"
            continue
        yield from _plain("button", element["text"], 75)
        yield from _length("value", element.get("value", ""), 0, 2_000)
        if element.get("style") not in {None, "primary", "danger"}:
            yield f"style {element['style']}"


def _section(block: Json) -> Iterator[str]:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        yield "section without text"
    if "text" in block:
        yield from _length("section", block["text"]["text"], 1, 3_000)
    if len(fields) > 10:
        yield f"{len(fields)} fields"
    for field in fields:
        yield from _length("field", field["text"], 1, 2_000)


def _header(block: Json) -> Iterator[str]:
    yield from _plain("header", block["text"], 150)


def _context(block: Json) -> Iterator[str]:
    yield from _count(block, "elements", 1, 10)
    for element in block["elements"]:
        if element["type"] not in {"plain_text", "mrkdwn"}:
            yield f"unknown element {element['type']}"
        yield from _length("context", element["text"], 1, 3_000)


def _input(block: Json) -> Iterator[str]:
    yield from _plain("label", block["label"], 2_000)
    element = block["element"]
    if element["type"] != "plain_text_input":
        yield f"unknown input {element['type']}"
    if element.get("max_length", 3_000) > 3_000:
        yield f"max_length {element['max_length']}"
    if "hint" in block:
        yield from _plain("hint", block["hint"], 2_000)
    if "placeholder" in element:
        yield from _plain("placeholder", element["placeholder"], 150)
    yield from _length("action_id", element.get("action_id", ""), 1, 255)


def _divider(_block: Json) -> Iterator[str]:
    yield from ()


def _plain(name: str, text: Json, most: int) -> Iterator[str]:
    if text["type"] != "plain_text":
        yield f"{name} is {text['type']}"
    yield from _length(name, text["text"], 1, most)


def _length(name: str, text: str, least: int, most: int) -> Iterator[str]:
    if not least <= len(text) <= most:
        yield f"{name} of {len(text)} characters"


def _count(node: Json, name: str, least: int, most: int | None) -> Iterator[str]:
    count = len(node.get(name, ()))
    if count < least or (most is not None and count > most):
        yield f"{count} {name}"


_RULES = {
    "actions": _actions,
    "context": _context,
    "divider": _divider,
    "header": _header,
    "input": _input,
    "rich_text": _rich_text,
    "section": _section,
    "table": _table,
}
