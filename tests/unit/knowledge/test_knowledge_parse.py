from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from knowledge.errors import DocumentRejectedError
from knowledge.parse import Parsed, parse
from tests.support.pdf import encrypt, make_pdf


def _parse(name: str, data: bytes | str, media_type: str | None = None) -> Parsed:
    content = data.encode() if isinstance(data, str) else data
    return parse(name, content, media_type=media_type, max_bytes=100_000, max_pages=3)


def _sections(parsed: Parsed) -> dict[str, str]:
    return {section.location: section.text for section in parsed.sections}


def test_markdown_gives_a_section_per_heading_with_its_path() -> None:
    parsed = _parse(
        "a.md", "# PAYROLL\n\nIntro *here*.\n\n## Steps\n\nOne.\n\n### Deep\n\nTwo.\n\n## End\n\nThree."
    )
    assert parsed.title == "PAYROLL"
    assert parsed.media_type == "text/markdown"
    assert _sections(parsed) == {
        "PAYROLL": "Intro here.",
        "Steps": "One.",
        "Steps > Deep": "Two.",
        "End": "Three.",
    }


def test_lists_code_and_tables_stay_recognisable() -> None:
    source = '3. stop\n4. start\n   - soft\n\n```\nconman "sc"\n\nexit\n```\n\n| RC | means |\n|---|---|\n| 8 | full |\n'
    (section,) = _parse("a.md", source).sections
    assert section.text == (
        '3. stop\n4. start\n  - soft\n\n    conman "sc"\n\n    exit\n\nRC | means\n8 | full'
    )


def test_front_matter_and_comments_are_no_text() -> None:
    (section,) = _parse("a.md", "---\nowner: x\n---\nbody <!-- hidden --> ends").sections
    assert section.text == "body ends"


def test_html_drops_what_nobody_reads() -> None:
    html = (
        "<html><head><title>Guide</title><style>p{}</style></head><body><nav>menu</nav>"
        "<script>evil()</script><h2>Restart &amp; more</h2><p>Use<br><b>conman</b>.</p><footer>foot</footer>"
    )
    parsed = _parse("a.html", html)
    assert parsed.title == "Guide"
    assert _sections(parsed) == {"Restart & more": "Use conman."}


@pytest.mark.parametrize(
    "html", ["<p>text", "<p><b>text</i></p></div>", "<<p>text", "text</body>", "<p a='>text"]
)
def test_malformed_html_still_gives_its_text(html: str) -> None:
    assert "text" in _parse("a.html", html).sections[0].text


def test_hostile_nesting_is_rejected_quickly() -> None:
    with pytest.raises(DocumentRejectedError, match="nested"):
        _parse("a.html", "<b>x" * 5000)


def test_plain_text_is_located_by_lines() -> None:
    lines = [f"line {number}" if number % 50 else "" for number in range(1, 101)]
    parsed = _parse("notes.txt", "\r\n".join(lines))
    assert parsed.title == "notes"
    assert [section.location for section in parsed.sections] == ["1–50", "51–100"]
    assert parsed.sections[1].text.startswith("line 51\nline 52")


def test_pdf_is_located_by_pages() -> None:
    parsed = _parse("manual.pdf", make_pdf(["First page", "Second page"]))
    assert parsed.media_type == "application/pdf"
    assert _sections(parsed) == {"page 1": "First page", "page 2": "Second page"}
    assert [section.page for section in parsed.sections] == [1, 2]


def test_pages_are_located_by_bookmarks_where_there_are_any() -> None:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(make_pdf(["Cover", "Intro", "Steps"]))))
    chapter = writer.add_outline_item(title="Restart", page_number=1)
    writer.add_outline_item(title="After a full disk", page_number=2, parent=chapter)
    file = BytesIO()
    writer.write(file)
    parsed = _parse("manual.pdf", file.getvalue())
    assert _sections(parsed) == {
        "page 1": "Cover",
        "Restart": "Intro",
        "Restart > After a full disk": "Steps",
    }


def test_content_tells_a_pdf_under_another_name() -> None:
    assert _parse("manual.txt", make_pdf(["text"])).media_type == "application/pdf"


def test_pdf_with_an_empty_user_password_is_read() -> None:
    assert _sections(_parse("a.pdf", encrypt(make_pdf(["text"]), ""))) == {"page 1": "text"}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", encrypt(make_pdf(["text"]), "secret"), "encrypted"),
        ("a.pdf", make_pdf(["text"])[:150], "not a readable PDF"),
        ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)), "not a readable PDF"),
        ("a.pdf", b"just text", "named as PDF"),
        ("a.pdf", make_pdf(["a", "b", "c", "d"]), "more than 3 pages"),
        ("a.pdf", make_pdf([""]), "no text"),
        ("a.md", b"", "no text"),
        ("a.html", b"<script>x()</script>", "no text"),
        ("a.txt", b"x" * 100_001, "larger than 100000 bytes"),
        ("a.txt", b"MZ\x00\x01", "binary"),
        ("a.txt", b"\x81\x8d", "encoding"),
        ("a.doc", b"text", "unknown type .doc"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_the_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejectedError, match=reason):
        _parse(name, data)


@pytest.mark.parametrize(
    ("name", "media_type", "data", "expected"),
    [
        ("README", None, "plain", "text/plain"),
        ("page", None, "<!DOCTYPE html><p>x", "text/html"),
        ("upload", "text/markdown; charset=utf-8", "# x\n\ny", "text/markdown"),
        ("a.md", "application/octet-stream", "# x\n\ny", "text/markdown"),
        ("job.out", "text/plain", "x", "text/plain"),
    ],
)
def test_type_comes_from_name_declaration_or_content(
    name: str, media_type: str | None, data: str, expected: str
) -> None:
    assert _parse(name, data, media_type).media_type == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_portuguese_text_is_read_in_usual_encodings(encoding: str) -> None:
    assert _parse("a.txt", "Reexecução não é automática".encode(encoding)).sections[0].text == (
        "Reexecução não é automática"
    )


@given(st.binary(max_size=2000), st.sampled_from(["a.md", "a.html", "a.txt", "a.pdf", "a"]))
def test_any_bytes_are_read_or_rejected(data: bytes, name: str) -> None:
    try:
        parsed = _parse(name, data)
    except DocumentRejectedError:
        return
    assert parsed.title
    assert all(section.text and "\x00" not in section.text for section in parsed.sections)
    "".join(section.text for section in parsed.sections).encode()
