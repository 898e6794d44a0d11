"""Markdown to HTML, also where a machine made it from pages. Pure.

Such texts have all headings on the first level, fences that nobody closed, a table of contents, an index and
names in angle brackets that look like HTML. The table of contents says which headings are sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_TAGS = (
    "a|abbr|b|blockquote|br|caption|code|col|colgroup|dd|del|details|div|dl|dt|em|h[1-6]|hr|i|img|ins|kbd|li|ol|p|pre|s"
    "|samp|small|span|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var"
)
_NO_TAG = re.compile(rf"<(?!/?(?:{_TAGS})(?:\s[^<>]*)?/?>|!--)", re.IGNORECASE)
"""`<TWA_home>` is a name to fill in."""
_RULER = re.compile(r"^(?=(?:[ \t]*[-+*>][ \t]+){10})", re.MULTILINE)
"""So many list markers in a line are a ruler; as nested lists they would end the parser's patience and the text."""
_SYMBOL = re.compile(r"\$\s*(=|\\[a-zA-Z]+)\s*\$")
_SYMBOLS = {
    "=": "=",
    r"\equiv": "=",
    r"\coloneqq": ":=",
    r"\rightarrow": "→",
    r"\sim": "~",
    r"\star": "*",
    r"\S": "§",
}

_FLAT_FROM = 10
"""Headings from which on a text with nearly all of them on the first level has lost its levels."""
_NEARLY_ALL = 0.9
_LISTS_OF_PAGES = re.compile(
    r"(?:table of )?contents|index|sum[áa]rio|[íi]ndice|conte[úu]do|list of (?:figures|tables)|lista de (?:figuras|tabelas)",
    re.IGNORECASE,
)
_PAGE_NUMBER = re.compile(r"[\s.]+[ivxlcdm\d]*[\s.]*$", re.IGNORECASE)
_CHAPTER = re.compile(
    r"(?:part|chapter|appendix|parte|cap[íi]tulo|ap[êe]ndice|anexo)\s+(?:\d+|[IVX]+|[A-Z])\b[.:]?\s*",
    re.IGNORECASE,
)
_SMALL_SECTION = 100
"""Words below which a section also holds what follows under a heading that the contents do not list."""
_LONGEST_TITLE = 120

_RENDERER = MarkdownIt("commonmark").enable("table")


def to_html(stem: str, text: str) -> str:
    """The text as HTML; where levels were lost, with a title (what stands before the first heading, else the stem)."""
    text = _SYMBOL.sub(lambda match: _SYMBOLS.get(match[1], match[0]), _close_fences(text))
    tokens = _RENDERER.parse(_RULER.sub(r"\\", text))
    for piece in (*tokens, *(child for token in tokens for child in token.children or ())):
        if piece.type in {"html_block", "html_inline"}:
            piece.content = _NO_TAG.sub("&lt;", piece.content)
    head = ""
    listed, contents = _contents(tokens) if _is_flat(tokens) else (set(), range(0))
    if listed:
        head = f"<h1>{escape(_title(tokens) or stem)}</h1>"
        tokens = list(_leveled(tokens, listed, contents))
    return head + str(_RENDERER.renderer.render(tokens, _RENDERER.options, {}))


def _close_fences(text: str) -> str:
    """A fence that is opened again before it ends, or never ends, ends at its first blank line."""
    lines = text.split("\n")
    opened, mark = None, ""
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence is None or (opened is not None and not fence["mark"].startswith(mark)):
            continue
        if opened is None:
            opened, mark = number, fence["mark"]
        elif not fence["info"].strip():
            opened = None
        elif _close(lines, opened, number, mark):
            opened, mark = number, fence["mark"]
    if opened is not None:
        _close(lines, opened, len(lines), mark)
    return "\n".join(lines)


def _close(lines: list[str], start: int, end: int, mark: str) -> bool:
    blank = next((number for number in range(start, end) if not lines[number].strip()), None)
    if blank is not None:
        lines[blank] = mark
    return blank is not None


def _is_flat(tokens: Sequence[Token]) -> bool:
    tags = [token.tag for token in tokens if token.type == "heading_open"]
    return len(tags) >= _FLAT_FROM and tags.count("h1") >= _NEARLY_ALL * len(tags)


def _title(tokens: Sequence[Token]) -> str:
    first = next(place for place, token in enumerate(tokens) if token.type == "heading_open")
    title = " ".join(" ".join(_lines(token)) for token in tokens[:first])
    return " ".join(title.split()) if len(title) <= _LONGEST_TITLE else ""


def _contents(tokens: Sequence[Token]) -> tuple[set[str], range]:
    """Keys of the headings in the table of contents and the place of the table; nothing without one that ends."""
    listed: set[str] = set()
    start = None
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            name = tokens[place + 1].content
            if _LISTS_OF_PAGES.fullmatch(name):
                start = place if start is None else start
            elif start is not None and _key(name) in listed:
                return listed, range(start, place)
        elif start is not None:
            listed.update(filter(None, map(_key, _lines(token))))
    return set(), range(0)


def _leveled(tokens: Sequence[Token], listed: set[str], contents: range) -> Iterator[Token]:
    """Chapters on level 2, listed headings on 3, others on 4 or, where the section is small, as a line of it.

    Without the contents, lists of figures and index.
    """
    left, words, tag, is_list = set(listed), 0, "", False
    for place, token in enumerate(tokens):
        if place in contents:
            continue
        if token.type == "heading_open":
            name = tokens[place + 1]
            key = _key(name.content)
            is_list = bool(_LISTS_OF_PAGES.fullmatch(name.content)) or (is_list and key not in listed)
            is_chapter = _CHAPTER.match(name.content)
            tag = "h2" if is_chapter else "h3" if key in left else "h4" if words > _SMALL_SECTION else "p"
            left.discard(key)
            words = words if tag == "p" else 0
            if is_chapter and name.children and name.children[0].type == "text":
                name.children[0].content = _CHAPTER.sub("", name.children[0].content) or name.content
        if token.type in {"heading_open", "heading_close"}:
            token.tag = tag
        words += len(token.content.split())
        if not is_list:
            yield token


def _lines(token: Token) -> list[str]:
    return token.content.split("\n") if token.type == "inline" else []


def _key(heading: str) -> str:
    return re.sub(r"\W+", "", _PAGE_NUMBER.sub("", f"{heading} ")).casefold()
