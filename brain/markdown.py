"""A model's Markdown as blocks: paragraphs, lists, bold and code; everything else becomes its text.

Links lose their address and raw HTML stays literal, so nothing a model writes can run or leak.
"""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.token import Token

from brain.reply import Block, Bullets, Code, Span, SpanStyle, Text

_PARSER = MarkdownIt("commonmark", {"html": False})


def to_blocks(markdown: str) -> tuple[Block, ...]:
    """The blocks of the text; empty for blank text."""
    blocks: list[Block] = []
    items: list[Text] = []
    depth, numbered = 0, False
    for token in _PARSER.parse(markdown):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                numbered = numbered if depth else token.type == "ordered_list_open"
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
                if not depth and items:
                    blocks.append(Bullets(items=tuple(items), numbered=numbered))
                    items = []
            case "inline":
                paragraph = Text(spans=tuple(_spans(token.children or ())))
                (items if depth else blocks).append(paragraph)
            case "fence" | "code_block":
                blocks.append(Code(text=token.content.rstrip("\n")))
    return tuple(blocks)


def _spans(tokens: Iterable[Token]) -> Iterable[Span]:
    style: SpanStyle = "plain"
    for token in tokens:
        match token.type:
            case "strong_open":
                style = "strong"
            case "strong_close":
                style = "plain"
            case "code_inline":
                yield Span(token.content, "code")
            case "softbreak" | "hardbreak":
                yield Span(" ")
            case _ if token.content:
                yield Span(token.content, style)
