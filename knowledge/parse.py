"""File contents to a title and sections. Blocking, without network.

Markdown, plain text, HTML, PDF, Word files, and tables of spreadsheets and CSV.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import yaml

from .archive import check_zip
from .documents import Properties, Section
from .errors import DocumentRejectedError
from .markdown import to_html
from .office import read_csv, read_docx, read_workbook
from .outline import read_html
from .properties import read_properties

if TYPE_CHECKING:
    from pypdf import PdfReader

_MARKDOWN, _PLAIN, _HTML, _PDF = "text/markdown", "text/plain", "text/html", "application/pdf"
_CSV, _SHEET = "text/csv", "application/vnd.ms-excel"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"

ARCHIVE = ".zip"

SUFFIXES = {
    f".{suffix}": kind
    for kind, suffixes in {
        _MARKDOWN: "md markdown",
        _PLAIN: "txt log",
        _HTML: "html htm xhtml",
        _PDF: "pdf",
        _DOCX: "docx",
        _CSV: "csv tsv",
        _XLSX: "xlsx xlsm",
        _SHEET: "xls xlsb",
        _ODS: "ods",
    }.items()
    for suffix in suffixes.split()
}
"""Media type by the end of the name, lower case; a folder's other files are no documents."""

_PDF_MARK = b"%PDF-"
_PDF_MARK_WITHIN = 1024
"""Readers accept junk before the mark within the first kilobyte."""
_ZIP_MARK = b"PK\x03\x04"
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Of old office files, and of new ones with a password."""
_ZIPPED = frozenset({_DOCX, _XLSX, _ODS})
_UNPACKED = 10
"""Times the largest document: what an office file may unpack to."""
_HTML_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<yaml>.{0,10000}?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
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
    properties: Properties = field(default_factory=Properties)
    """What it declares itself."""


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
    front: Mapping[str, Any] = {}
    if kind in _BINARY:
        if kind in _ZIPPED and data.startswith(_OLE_MARK):
            raise DocumentRejectedError("encrypted with a password")
        if data.startswith(_ZIP_MARK):
            check_zip(data, max_bytes=_UNPACKED * max_bytes)
        title, sections = _BINARY[kind](stem, data) if kind != _PDF else _read_pdf(stem, data, max_pages)
    else:
        text = _decode(data)
        if kind == _MARKDOWN:
            front, text = _split_front_matter(text)
        title, sections = _TEXTUAL[kind](stem, text)
    cleaned = [
        Section(location=_clean(item.location), text=_clean(item.text), page=item.page) for item in sections
    ]
    kept = tuple(section for section in cleaned if section.text)
    if not kept:
        raise DocumentRejectedError("no text in it")
    title = _clean(" ".join(str(front.get("title") or title).split())) or stem
    return Parsed(title=title, media_type=kind, sections=kept, properties=read_properties(front))


def is_binary(name: str, data: bytes) -> bool:
    """Whether reading it runs a library on a format that can be hostile."""
    return _PDF_MARK in data[:_PDF_MARK_WITHIN] or SUFFIXES.get(_suffix(name)) in _BINARY


def _detect(name: str, data: bytes, media_type: str | None) -> str:
    if _PDF_MARK in data[:_PDF_MARK_WITHIN]:
        return _PDF
    suffix = _suffix(name)
    declared = (media_type or "").partition(";")[0].strip().lower()
    kind = SUFFIXES.get(suffix) or (declared if declared in SUFFIXES.values() else None)
    if kind == _PDF:
        raise DocumentRejectedError("named as PDF but is none")
    if kind:
        return kind
    if suffix == ARCHIVE:
        raise DocumentRejectedError("an archive inside an archive")
    if suffix and not declared.startswith("text/"):
        raise DocumentRejectedError(f"unknown type {suffix}")
    return _HTML if _HTML_START.match(_decode(data)) else _PLAIN


def _suffix(name: str) -> str:
    """The end of the name; an address has none, as its server says what it is."""
    member = name.rpartition("!/")[2]
    return "" if "://" in member else PurePath(member).suffix.lower()


def _split_front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    """What stands between the lines of dashes at the top, and the rest.

    Not YAML: rejected, since nobody knows then who may read the document. Text between two rulers is text.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    try:
        front = yaml.safe_load(match["yaml"])
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentRejectedError(f"its front matter is not YAML ({type(error).__name__})") from error
    return (front, text[match.end() :]) if isinstance(front, dict) else ({}, text)


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
    return read_html(stem, to_html(stem, text))


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


def _read_pdf(stem: str, data: bytes, max_pages: int = _MAX_PAGES) -> tuple[str, list[Section]]:
    try:
        title, sections = _extract_pdf(data, max_pages)
    except DocumentRejectedError:
        raise
    except Exception as error:  # pypdf documents that broken files raise anything
        raise DocumentRejectedError(f"not a readable PDF ({type(error).__name__})") from error
    return title or stem, sections


def _extract_pdf(data: bytes, max_pages: int) -> tuple[str | None, list[Section]]:
    """A section a page, located by its bookmarks, else by its number."""
    from pypdf import PdfReader  # noqa: PLC0415  # 15 MB that most servers never need

    reader = PdfReader(BytesIO(data))
    # many manuals are encrypted with an empty user password, only to forbid printing
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentRejectedError("encrypted with a password")
    if len(reader.pages) > max_pages:
        raise DocumentRejectedError(f"more than {max_pages} pages")
    places = dict(_bookmarks(reader, reader.outline, ()))
    sections: list[Section] = []
    location = ""
    for number, page in enumerate(reader.pages, 1):
        location = places.get(number, location)
        sections.append(Section(location=location or f"page {number}", text=page.extract_text(), page=number))
    return reader.metadata.title if reader.metadata else None, sections


def _bookmarks(reader: PdfReader, outline: list[Any], path: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Page and heading path of each bookmark; a list holds those below the one before it."""
    above = path
    for item in outline:
        if isinstance(item, list):
            yield from _bookmarks(reader, item, above)
        elif (page := reader.get_destination_page_number(item)) is not None:
            above = (*path, str(item.title).strip())
            yield page + 1, " > ".join(above)


def _clean(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", _TRAILING_BLANKS.sub("", _CONTROL.sub("", text))).strip("\n")


_TEXTUAL: Mapping[str, Callable[[str, str], tuple[str, list[Section]]]] = {
    _MARKDOWN: _read_markdown,
    _PLAIN: _read_plain,
    _HTML: read_html,
    _CSV: read_csv,
}
_BINARY: Mapping[str, Callable[[str, bytes], tuple[str, list[Section]]]] = {
    _PDF: _read_pdf,
    _DOCX: read_docx,
    **dict.fromkeys((_XLSX, _SHEET, _ODS), read_workbook),
}
