"""HTML to sections: one for each heading, with lists, tables and code still recognisable as text. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from itertools import groupby, islice

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

from .documents import Section
from .errors import DocumentRejectedError

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LISTS = ("ul", "ol")
_TOGETHER = (*_LISTS, "dl", "table")
"""Elements whose blocks stand on neighbouring lines, with no blank line between."""
_CELLS = ("td", "th")
_WHOLE = frozenset({*_HEADINGS, "pre", "tr"})
"""Elements that are one block, whatever they wrap."""
_BLOCKS = frozenset(
    {*_HEADINGS, *_TOGETHER, "p", "pre", "li", "dt", "dd", "tr", "div", "section", "article", "main", "body"}
    | {"blockquote", "caption", "details", "summary", "figcaption", "header", "aside", "address", "hr"}
)
_NO_CONTENT = ("script", "style", "noscript", "template", "nav", "footer", "svg", "button")
_MAX_DEPTH = 1000
"""No page that was written to be read nests deeper; a hostile one would take minutes."""
_SPACE = re.compile(r"\s+")
_CODE_INDENT = "    "


def read_html(stem: str, html: str) -> tuple[str, list[Section]]:
    """The title (first `h1`, else `<title>`, else the stem) and the sections in reading order.

    A section's location is its heading path without the title. Lists keep their bullets or numbers, table
    cells are parted by ` | `, code is indented by four blanks. Raises `DocumentRejectedError` for absurdly
    deep nesting.
    """
    soup = BeautifulSoup(html, "html.parser")
    head = _flat(soup.find("title"))
    for element in soup([*_NO_CONTENT, "title"]):
        element.decompose()
    for element in soup("br"):
        element.replace_with("\n")
    title = _flat(soup.find("h1")) or head or stem
    path: list[tuple[int, str]] = []
    writer = _Writer()
    sections: list[Section] = []

    def close() -> None:
        names = [name for level, name in path if not (level == 1 and name == title)]
        sections.append(Section(location=" > ".join(names) or title, text=writer.take()))

    for block, texts in _blocks(soup):
        if block.name in _HEADINGS:
            close()
            level = int(block.name[1])
            path = [(above, name) for above, name in path if above < level]
            path.append((level, _squeeze("".join(texts))))
        else:
            writer.write(block, texts)
    close()
    return title, sections


def _blocks(soup: BeautifulSoup) -> Iterator[tuple[Tag, list[NavigableString]]]:
    """Runs of text under the same block element, in reading order."""
    texts = (item for item in soup.descendants if type(item) is NavigableString)
    for _, run in groupby(texts, key=lambda text: id(_block_of(text))):
        strings = list(run)
        yield _block_of(strings[0]), strings


def _block_of(text: NavigableString) -> Tag:
    parents = list(islice(text.parents, _MAX_DEPTH + 1))
    if len(parents) > _MAX_DEPTH:
        raise DocumentRejectedError(f"elements nested deeper than {_MAX_DEPTH}")
    whole = next((parent for parent in parents if parent.name in _WHOLE), None)
    return whole or next((parent for parent in parents if parent.name in _BLOCKS), parents[-1])


class _Writer:
    """Joins blocks to the text of one section."""

    def __init__(self) -> None:
        self._text = ""
        self._container: Tag | None = None
        self._marked: set[int] = set()
        self._numbers: dict[int, int] = {}

    def write(self, block: Tag, texts: list[NavigableString]) -> None:
        line = self._line(block, texts)
        if not line.strip():
            return
        around = [element for element in (block, *block.parents) if element.name in _TOGETHER]
        container = around[-1] if around else None
        is_same = container is not None and container is self._container
        self._text += ("\n" if is_same else "\n\n") * bool(self._text) + line
        self._container = container

    def take(self) -> str:
        text, self._text, self._container = self._text, "", None
        return text

    def _line(self, block: Tag, texts: list[NavigableString]) -> str:
        if block.name == "pre":
            code = "".join(texts).strip("\n")
            return "\n".join(_CODE_INDENT + line for line in code.split("\n"))
        if block.name == "tr":
            return _row(texts)
        text = _squeeze("".join(texts))
        item = block if block.name == "li" else _around(block, ("li",))
        if item is None or not text or id(item) in self._marked:
            return text
        self._marked.add(id(item))
        return self._marker(item) + text

    def _marker(self, item: Tag) -> str:
        """`- ` or `3. `, indented by two blanks a level."""
        lists = [parent for parent in item.parents if parent.name in _LISTS]
        indent = "  " * max(len(lists) - 1, 0)
        if not lists or lists[0].name == "ul":
            return f"{indent}- "
        start = str(lists[0].get("start", "1"))
        key = id(lists[0])
        self._numbers[key] = self._numbers.get(key, int(start) - 1 if start.isdecimal() else 0) + 1
        return f"{indent}{self._numbers[key]}. "


def _around(item: PageElement, names: Container[str]) -> Tag | None:
    """The nearest parent of such a name: what `find_parent` finds, in a third of the time."""
    return next((parent for parent in item.parents if parent.name in names), None)


def _row(texts: Iterable[NavigableString]) -> str:
    cells = groupby(texts, key=lambda text: id(_around(text, _CELLS)))
    return " | ".join(filter(None, (_squeeze("".join(run)) for _, run in cells)))


def _flat(element: Tag | None) -> str:
    return _squeeze(element.get_text()) if element else ""


def _squeeze(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
