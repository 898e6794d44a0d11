"""Files are read without holding up the process, in one that can be stopped."""

from __future__ import annotations

import asyncio
from io import BytesIO
from zipfile import ZipFile

import psutil
import pytest

from knowledge.errors import DocumentRejectedError
from knowledge.parse import Parsed, parse
from knowledge.reading import read
from tests.support.office import make_xlsx, make_zip
from tests.support.pdf import make_pdf
from tests.support.waiting import eventually

_SLOW = ("<p>" + "<i>" * 900 + "x</p>") * 2000
"""Deep enough to take minutes, not deep enough to be refused."""


async def _read(name: str, data: bytes, *, max_seconds: float = 60) -> Parsed:
    return await read(name, data, None, max_bytes=50_000_000, max_seconds=max_seconds)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("small.md", b"---\nreaders: group:sap\n---\n# A\n\ntext"),
        ("large.md", b"---\nlanguage: pt\n---\n# A\n\n" + (b"word " * 100 + b"\n\n") * 250),
        ("a.pdf", make_pdf(["First", "Second"])),
        ("a.xlsx", make_xlsx({"Jobs": [["Job", "RC"], ["PAYCALC", 8]]})),
    ],
)
async def test_every_way_of_reading_gives_the_same(name: str, data: bytes) -> None:
    assert await _read(name, data) == parse(name, data, max_bytes=50_000_000)


async def test_reasons_come_out_of_the_other_process() -> None:
    with pytest.raises(DocumentRejectedError, match="not a readable PDF"):
        await _read("a.pdf", b"%PDF-1.7\n" + bytes(range(256)))


async def test_a_file_that_takes_too_long_is_refused_and_its_process_stopped() -> None:
    with pytest.raises(DocumentRejectedError, match="longer than 1 seconds"):
        await _read("a.html", _SLOW.encode(), max_seconds=1)
    assert _readers() == []


async def test_a_cancelled_reading_leaves_no_process() -> None:
    task = asyncio.create_task(_read("a.html", _SLOW.encode()))
    await eventually(_are_reading)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _readers() == []


async def test_a_sheet_with_a_value_in_its_last_corner_is_refused() -> None:
    name = "xl/worksheets/sheet1.xml"
    with ZipFile(BytesIO(make_xlsx({"Jobs": [["Job"]]}))) as book:
        members = {member: book.read(member) for member in book.namelist()}
    corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    members[name] = members[name].replace(b"</sheetData>", corner)
    with pytest.raises(DocumentRejectedError, match=r"cells|memory"):
        await _read("a.xlsx", make_zip(members))


async def _are_reading() -> bool:
    return bool(_readers())


def _readers() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children() if "knowledge.reading" in " ".join(child.cmdline())
    ]
