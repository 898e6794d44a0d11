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
def test_what_stands_alone_or_beside_a_description_is_an_entry(text: str) -> None:
    assert "stuck" in entries(text)


@pytest.mark.parametrize(
    "text",
    [
        "The stream is STUCK.",
        "%ss STUCK",
        "Schedule MYMST | #TESTSKE | 00:29 | 10 | STUCK",
        "51 101 STUCK 105",
        "",
        "|||\n---|---",
    ],
)
def test_what_is_only_used_is_none(text: str) -> None:
    assert "stuck" not in entries(text)


@given(st.text("ab1 |\n-*:."))
def test_entries_are_words_of_the_text(text: str) -> None:
    assert entries(text) <= set(tokenize(text.replace("|", " ")))
