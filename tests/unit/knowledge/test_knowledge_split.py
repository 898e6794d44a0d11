from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import Section
from knowledge.split import split

_TEXTS = st.text(st.sampled_from("ab. :\n-1"), max_size=3000)


def _texts(text: str) -> list[str]:
    return [chunk.text for chunk in split("T", [Section(location="L", text=text)])]


def _without_blanks(text: str) -> str:
    return "".join(text.split())


@given(st.lists(_TEXTS, max_size=4))
def test_chunks_cover_the_document_in_order(texts: list[str]) -> None:
    sections = [Section(location=str(index), text=text) for index, text in enumerate(texts)]
    chunks = split("T", sections)
    assert _without_blanks("".join(chunk.text for chunk in chunks)) == _without_blanks("".join(texts))
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert [int(chunk.location) for chunk in chunks] == sorted(int(chunk.location) for chunk in chunks)


@given(_TEXTS | st.text(max_size=3000))
def test_no_chunk_is_empty_or_too_large(text: str) -> None:
    assert all(0 < len(piece.split()) <= 180 for piece in _texts(text))


def test_a_small_section_is_one_chunk() -> None:
    assert _texts("One paragraph.\n\n- a\n- b") == ["One paragraph.\n\n- a\n- b"]


def test_cuts_fall_between_paragraphs_first() -> None:
    first, second = "one " * 99 + "end.", "two " * 99 + "end."
    assert _texts(f"{first}\n\n{second}") == [first, second]


def test_a_list_that_fits_is_not_cut() -> None:
    steps = "\n".join(f"{number}. step {'word ' * 20}done" for number in range(1, 7))
    assert _texts("before " * 100 + "\n\n" + steps)[1] == steps


def test_code_with_blank_lines_is_not_cut_there() -> None:
    code = "    first\n\n    second"
    assert _texts("before " * 179 + "\n\n" + code)[1] == code


def test_a_long_list_is_cut_between_items() -> None:
    pieces = _texts("\n".join(f"- item {number} {'word ' * 30}" for number in range(20)))
    assert len(pieces) > 1
    assert all(piece.startswith("- item") for piece in pieces)


def test_a_long_sentence_is_cut_between_words() -> None:
    pieces = _texts("word " * 500)
    assert {word for piece in pieces for word in piece.split()} == {"word"}


def test_encoded_data_without_blanks_is_cut_too() -> None:
    pieces = _texts("x" * 20_000)
    assert "".join(pieces) == "x" * 20_000
    assert len(pieces) > 1


def test_headings_lend_their_identifiers_to_every_chunk() -> None:
    (chunk,) = split("PAYROLL: RC 8", [Section(location="ORA-01653", text="extend PAY_DATA")])
    assert chunk.identifiers == {"PAYROLL", "RC 8", "ORA-01653", "PAY_DATA"}
