"""Word files and tables to sections. Blocking, without network."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from io import BytesIO, StringIO
from typing import Any

from .documents import Section
from .errors import DocumentRejectedError
from .outline import read_html

_DOCX_STYLES = "p[style-name='Title'] => h1:fresh"
_DELIMITERS = ",;\t|"
_SNIFFED = 20_000
"""Characters that tell how a table is written."""
_NUMBER = re.compile(r"[\d.,:/\s+%-]+")
_LARGEST_SHEET = 2_000_000
"""Cells, empty ones too: a value in the last corner makes a sheet of 17 thousand million."""
_SECTION_CHARACTERS = 1500
"""About what is embedded as one; a row is not torn."""


def read_docx(stem: str, data: bytes) -> tuple[str, list[Section]]:
    """As `read_html`, from paragraph styles; pictures are left out."""
    import mammoth  # noqa: PLC0415  # only who reads Word files pays for it

    try:
        html = mammoth.convert_to_html(
            BytesIO(data), style_map=_DOCX_STYLES, convert_image=lambda _image: [], external_file_access=False
        ).value
    except Exception as error:  # mammoth lets everything through that its XML and ZIP readers raise
        raise DocumentRejectedError(f"not a readable DOCX ({type(error).__name__})") from error
    return read_html(stem, html)


def read_workbook(stem: str, data: bytes) -> tuple[str, list[Section]]:
    """Sections of each sheet, as `_sections`."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415  # likewise

    sections: list[Section] = []
    try:
        with CalamineWorkbook.from_filelike(BytesIO(data)) as book:
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                if sheet.total_height * sheet.total_width > _LARGEST_SHEET:
                    raise DocumentRejectedError(f"a sheet has more than {_LARGEST_SHEET} cells")
                rows = sheet.to_python(skip_empty_area=False)
                sections += _sections(f"{name} > ", [[_shown(cell) for cell in row] for row in rows])
    except PasswordError as error:
        raise DocumentRejectedError("encrypted with a password") from error
    except CalamineError as error:
        raise DocumentRejectedError(f"not a readable table ({type(error).__name__})") from error
    return stem, sections


def read_csv(stem: str, text: str) -> tuple[str, list[Section]]:
    """Sections as `_sections`; the delimiter is found out."""
    try:
        delimiter = csv.Sniffer().sniff(text[:_SNIFFED], _DELIMITERS).delimiter
    except csv.Error:
        delimiter = csv.excel.delimiter
    try:
        # Its guess at quotes is wrong where few cells have any.
        rows = list(csv.reader(StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise DocumentRejectedError(f"not a readable table: {error}") from error
    return stem, list(_sections("", rows))


def _sections(place: str, rows: Sequence[Sequence[str]]) -> Iterator[Section]:
    """Rows in blocks, located `rows 2–9`; each row is a line `Heading: value | Heading: value`.

    The headings are the first row with several cells, if none of them is a number.
    """
    filled = [(number, [_flat(cell) for cell in row]) for number, row in enumerate(rows, 1)]
    head = next((place for place, (_, row) in enumerate(filled) if sum(map(bool, row)) > 1), len(filled))
    headings: list[str] = []
    if head < len(filled) and not any(map(_NUMBER.fullmatch, filled[head][1])):
        headings = filled.pop(head)[1]
    lines = [
        (number, line)
        for place, (number, row) in enumerate(filled)
        if (line := _line(headings if place >= head else (), row))
    ]
    for block in _blocks(lines):
        first, last = block[0][0], block[-1][0]
        rows_of = f"row {first}" if first == last else f"rows {first}–{last}"
        yield Section(location=f"{place}{rows_of}", text="\n".join(line for _, line in block))


def _line(headings: Sequence[str], row: Sequence[str]) -> str:
    names = [*headings, *([""] * (len(row) - len(headings)))]
    return " | ".join(
        f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell
    )


def _blocks(lines: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    block: list[tuple[int, str]] = []
    size = 0
    for line in lines:
        if block and size + len(line[1]) > _SECTION_CHARACTERS:
            yield block
            block, size = [], 0
        block.append(line)
        size += len(line[1])
    if block:
        yield block


def _flat(cell: str) -> str:
    return " ".join(cell.split())


def _shown(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
