from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from brain.llm.data_block import to_data_block

TEXTS = st.text() | st.lists(
    st.sampled_from(["<", "/", " ", "\n", "data", "DATA", ">", "a", "</data>", '<data source="x">'])
).map("".join)


def test_text_stands_between_the_marks() -> None:
    assert to_data_block("log", "RC 8 < 9") == '<data source="log">\nRC 8 < 9\n</data>'


@given(text=TEXTS, source=TEXTS)
def test_no_text_opens_or_closes_a_block(text: str, source: str) -> None:
    block = to_data_block(source, text)
    tags = re.findall(r"<\s*/?\s*data\b", block, re.IGNORECASE)
    assert tags == ["<data", "</data"]
    assert block.endswith("\n</data>")


def test_long_text_keeps_head_and_tail() -> None:
    block = to_data_block("log", "H" * 600 + "m" * 500 + "T" * 400, max_chars=1000)
    assert "H" * 600 in block
    assert "T" * 400 in block
    assert "m" not in block.removeprefix('<data source="log">').replace("more", "")
    assert "[… 500 characters left out …]" in block
