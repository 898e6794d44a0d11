from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from brain.llm.data_block import shorten_data, to_data_block

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


@given(st.lists(st.text("ab @.", max_size=80), min_size=60, max_size=90))
def test_only_whole_lines_are_left_out(lines: list[str]) -> None:
    shown = to_data_block("log", "\n".join(lines), max_chars=1000).split("\n")[1:-1]
    assert {line for line in shown if not line.startswith("[… ")} <= set(lines)


def test_only_data_is_shortened_and_telling_lines_stay() -> None:
    log = "\n".join(
        ["started", *["copying"] * 500, "ORA-01653: unable to extend", *["copying"] * 500, "ended"]
    )
    text = f"{'why ' * 1000}\n{to_data_block('log', log)}\nAnswer now."
    short = shorten_data(text)
    assert short.startswith("why " * 1000)
    assert short.endswith("ended\n</data>\nAnswer now.")
    assert "\nORA-01653: unable to extend\n" in short
    assert len(short) < 4000 + 2200
    assert shorten_data(to_data_block("log", "RC 8")) == to_data_block("log", "RC 8")
