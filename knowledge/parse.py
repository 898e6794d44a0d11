"""File contents to a title and sections: Markdown, plain text, HTML and PDF. Blocking, without network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

from markdown_it import MarkdownIt

from .documents import Section
from .errors import DocumentRejectedError
from .outline import read_html

__all__ = ["SUFFIXES", "Parsed", "parse"]

_MARKDOWN, _PLAIN, _HTML, _PDF = "text/markdown", "text/plain", "text/html", "application/pdf"

SUFFIXES = {
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".txt": _PLAIN,
    ".log": _PLAIN,
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".pdf": _PDF,
}
"""Media type by the end of the name, lower case; a folder's other files are no documents."""

_PDF_MARK = b"%PDF-"
_PDF_MARK_WITHIN = 1024
"""Readers accept junk before the mark within the first kilobyte."""
_HTML_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
"""What PostgreSQL cannot store (NUL, lone surrogates) or nobody can see."""
_TRAILING_BLANKS = re.compile(r"[ \t]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
_MAX_PAGES = 3000
"""Of a PDF: its bytes alone do not bound the time that reading it takes."""
_LINES_PER_SECTION = 40
"""Plain text has no headings; pieces of about a screen make citations that can be looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A file that could be read."""

    title: str
    media_type: str
    sections: tuple[Section, ...]
    """In reading order, none empty, at least one."""


def parse(
    name: str, data: bytes, *, media_type: str | None = None, max_bytes: int, max_pages: int = _MAX_PAGES
) -> Parsed:
    """Reads a file.

    The type comes from the content where it is unmistakable (PDF), else from the name, else from
    `media_type`, else from the content. Raises `DocumentRejectedError` for what is empty, too large,
    encrypted, broken, binary or of an unknown type.
    """
    if len(data) > max_bytes:
        raise DocumentRejectedError(f"larger than {max_bytes} bytes")
    kind = _detect(name, data, media_type)
    stem = PurePath(name).stem or name
    if kind == _PDF:
        title, sections = _read_pdf(stem, data, max_pages)
    else:
        title, sections = _READERS[kind](stem, _decode(data))
    cleaned = [Section(location=_clean(item.location), text=_clean(item.text)) for item in sections]
    kept = tuple(section for section in cleaned if section.text)
    if not kept:
        raise DocumentRejectedError("no text in it")
    return Parsed(title=_clean(title) or stem, media_type=kind, sections=kept)


def _detect(name: str, data: bytes, media_type: str | None) -> str:
    if _PDF_MARK in data[:_PDF_MARK_WITHIN]:
        return _PDF
    suffix = PurePath(name).suffix.lower()
    declared = (media_type or "").partition(";")[0].strip().lower()
    kind = SUFFIXES.get(suffix) or (declared if declared in SUFFIXES.values() else None)
    if kind == _PDF:
        raise DocumentRejectedError("named as PDF but is none")
    if kind:
        return kind
    if suffix and not declared.startswith("text/"):
        raise DocumentRejectedError(f"unknown type {suffix}")
    return _HTML if _HTML_START.match(_decode(data)) else _PLAIN


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data:
        raise DocumentRejectedError("binary, not text")
    else:
        # what is not UTF-8 on a Brazilian file server is Windows-1252
        encodings = ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise DocumentRejectedError("text in an unknown encoding")


def _read_markdown(stem: str, text: str) -> tuple[str, list[Section]]:
    renderer = MarkdownIt("commonmark").enable("table")
    return read_html(stem, renderer.render(_FRONT_MATTER.sub("", text)))


def _read_plain(stem: str, text: str) -> tuple[str, list[Section]]:
    sections: list[Section] = []
    lines = text.split("\n")
    start = 0
    for end in range(1, len(lines) + 1):
        is_break = end - start >= _LINES_PER_SECTION and not lines[end - 1].strip()
        if is_break or end == len(lines):
            location = f"{start + 1}–{end}"
            sections.append(Section(location=location, text="\n".join(lines[start:end])))
            start = end
    return stem, sections


def _read_pdf(stem: str, data: bytes, max_pages: int) -> tuple[str, list[Section]]:
    try:
        title, pages = _extract_pdf(data, max_pages)
    except DocumentRejectedError:
        raise
    except Exception as error:  # pypdf documents that broken files raise anything
        raise DocumentRejectedError(f"not a readable PDF ({type(error).__name__})") from error
    return title or stem, [
        Section(location=f"page {number}", text=text) for number, text in enumerate(pages, 1)
    ]


def _extract_pdf(data: bytes, max_pages: int) -> tuple[str | None, list[str]]:
    from pypdf import PdfReader  # noqa: PLC0415  # 15 MB that most servers never need

    reader = PdfReader(BytesIO(data))
    # many manuals are encrypted with an empty user password, only to forbid printing
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentRejectedError("encrypted with a password")
    if len(reader.pages) > max_pages:
        raise DocumentRejectedError(f"more than {max_pages} pages")
    title = reader.metadata.title if reader.metadata else None
    return title, [page.extract_text() for page in reader.pages]


def _clean(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", _TRAILING_BLANKS.sub("", _CONTROL.sub("", text))).strip("\n")


_READERS: dict[str, Callable[[str, str], tuple[str, list[Section]]]] = {
    _MARKDOWN: _read_markdown,
    _PLAIN: _read_plain,
    _HTML: read_html,
}
