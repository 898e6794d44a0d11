from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import DocumentRejectedError
from knowledge.parse import Parsed, parse
from tests.support.office import OLE, make_docx, make_xlsx, make_zip


def _parse(name: str, data: bytes) -> Parsed:
    return parse(name, data, max_bytes=1_000_000)


def _sections(parsed: Parsed) -> dict[str, str]:
    return {section.location: section.text for section in parsed.sections}


def test_a_word_file_keeps_its_headings_and_tables() -> None:
    paragraphs = [
        ("Title", "Payroll runbook"),
        ("Heading1", "After a full disk"),
        ("", "Rerun PAYCALC & tell the team."),
        ("Heading2", "Codes"),
    ]
    parsed = _parse("payroll.docx", make_docx(paragraphs, [["Code", "Means"], ["8", "disk full"]]))
    assert parsed.title == "Payroll runbook"
    assert _sections(parsed) == {
        "After a full disk": "Rerun PAYCALC & tell the team.",
        "After a full disk > Codes": "Code | Means\n8 | disk full",
    }


def test_a_row_of_a_sheet_can_be_understood_alone() -> None:
    rows = [["Night batch"], ["Job", "Owner", "RC"], ["PAYCALC", "Payroll", 8], ["GLPOST", None, 0.5]]
    parsed = _parse(
        "jobs.xlsx", make_xlsx({"Jobs": rows, "Calendars": [["Name", "Days"], ["WORK", "Mon–Fri"]]})
    )
    assert parsed.title == "jobs"
    assert _sections(parsed) == {
        "Jobs > rows 1–4": "Night batch\nJob: PAYCALC | Owner: Payroll | RC: 8\nJob: GLPOST | RC: 0.5",
        "Calendars > row 2": "Name: WORK | Days: Mon–Fri",
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_in_text_is_read_by_its_delimiter(delimiter: str) -> None:
    lines = (("Code", "Means"), ("AWSBHT001E", "disk full"), ("AWSBHT002E", '"a ""b"""'))
    text = "\n".join(delimiter.join(line) for line in lines)
    assert _sections(_parse("codes.csv", text.encode())) == {
        "rows 2–3": 'Code: AWSBHT001E | Means: disk full\nCode: AWSBHT002E | Means: a "b"'
    }


def test_rows_of_numbers_have_no_headings() -> None:
    assert _parse("a.csv", b"1,2\n3,4").sections[0].text == "1 | 2\n3 | 4"


def test_long_tables_become_sections_of_whole_rows() -> None:
    rows = "Name,Text\n" + "".join(f"J{number},{'x' * 300}\n" for number in range(10))
    sections = _parse("a.csv", rows.encode()).sections
    assert [section.location for section in sections] == ["rows 2–5", "rows 6–9", "rows 10–11"]
    assert all(line.startswith("Name: J") for section in sections for line in section.text.split("\n"))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.docx", OLE, "encrypted"),
        ("a.xlsx", OLE, "encrypted"),
        ("a.xls", OLE, "not a readable table"),
        ("a.docx", b"PK\x03\x04 text", "not a readable ZIP"),
        ("a.docx", make_zip({"x": "y"}), "not a readable DOCX"),
        ("a.xlsx", make_zip({"x": "y"}), "not a readable table"),
        ("a.docx", make_zip({"word/document.xml": bytes(11_000_000)}), "unpacks to more"),
        ("a.xlsx", make_xlsx({"Empty": []}), "no text"),
        ("a.zip", make_zip({"a.md": "text"}), "archive inside an archive"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_the_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejectedError, match=reason):
        _parse(name, data)


_CELL = st.text(st.characters(categories=["L", "P", "S"]), max_size=12)


@given(st.lists(st.lists(_CELL, min_size=2, max_size=4), min_size=1, max_size=8), st.sampled_from([",", ";"]))
def test_no_cell_of_a_table_is_lost(rows: list[list[str]], delimiter: str) -> None:
    lines = [["first", "second"], *rows]
    text = "\n".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    try:
        found = "\n".join(section.text for section in _parse("a.csv", text.encode()).sections)
    except DocumentRejectedError:
        found = ""
    assert [cell for row in rows for cell in row if cell not in found] == []
