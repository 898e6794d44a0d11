from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.entries import entries
from knowledge.terms import tokenize


@pytest.mark.parametrize(
    "text",
    [
        "STUCK\nThe stream was interrupted.",
        "- **STUCK**\n  The stream was interrupted.",
        "### `STUCK`",
        "STUCK:",
        "| STUCK | the stream was interrupted |",
        "State | 115 | STUCK | Job stuck",
    ],
)
def test_what_stands_alone_in_a_line_or_a_cell_is_an_entry(text: str) -> None:
    assert ("stuck",) in entries("", text)


@pytest.mark.parametrize(
    "text",
    [
        "The stream is STUCK.",
        "%ss STUCK",
        "state STUCK | no jobs start",
        "51 101 STUCK 105",
        "",
        "|||\n---|---",
    ],
)
def test_what_is_only_used_is_none(text: str) -> None:
    assert ("stuck",) not in entries("", text)


def test_a_heading_is_an_entry_with_all_its_words() -> None:
    assert entries("Return codes (conman)", "") == {tuple(tokenize("return codes conman"))}


@given(st.text("ab1 |\n-*:."))
def test_entries_are_words_of_the_text(text: str) -> None:
    assert {term for one in entries("", text) for term in one} <= set(tokenize(text.replace("|", " ")))
