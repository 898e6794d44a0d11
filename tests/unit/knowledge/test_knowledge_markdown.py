from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.parse import parse

_MANUAL = """IBM® Workload Scheduler

Administration

# Note

An edition.

# Contents

About this publication. ix

# Chapter 1. Options 13

Setting global options. 13
Global options - summary. 15

# Appendix A. Notices 90

# List of Figures

Figure 1: A network. 55

# About this publication

What it is.

# Chapter 1. Options

You can set options.

# Setting global options

Manages the options.

# Authorization

You need DISPLAY.

# Syntax

optman {words}

# Arguments

-u is for usage.

# Global options - summary

All of them.

# Appendix A. Notices

Legal.

# Index

options 13
"""


def _sections(text: str, name: str = "manual.md") -> dict[str, str]:
    return {
        section.location: section.text for section in parse(name, text.encode(), max_bytes=10**6).sections
    }


def test_a_manual_without_levels_gets_them_from_its_contents() -> None:
    parsed = parse("manual.md", _MANUAL.format(words="word " * 100).encode(), max_bytes=10**6)
    assert parsed.title == "IBM® Workload Scheduler Administration"
    assert [section.location for section in parsed.sections][1:] == [
        "About this publication",
        "Options",
        "Options > Setting global options",
        "Options > Setting global options > Arguments",
        "Options > Global options - summary",
        "Notices",
    ]


def test_small_unlisted_headings_stay_with_the_section_before() -> None:
    sections = _sections(_MANUAL.format(words="show"))
    assert sections["Options > Setting global options"] == (
        "Manages the options.\n\nAuthorization\n\nYou need DISPLAY.\n\nSyntax\n\noptman show\n\nArguments\n\n-u is for usage."
    )


def test_contents_lists_of_figures_and_index_are_no_text() -> None:
    text = "\n".join(_sections(_MANUAL.format(words="show")).values())
    assert "Figure 1" not in text
    assert "options 13" not in text
    assert "13" not in text


def test_levels_that_are_there_stay_as_they_are() -> None:
    text = "# Guide\n\n## Contents\n\nOne. 1\n\n" + "".join(
        f"## S{number}\n\ntext\n\n" for number in range(12)
    )
    assert list(_sections(text)) == ["Contents", *(f"S{number}" for number in range(12))]


def test_an_unclosed_fence_swallows_a_paragraph_at_most() -> None:
    text = "# A\n\n```sh\nconman sc\n\nwords\n\n# B\n\n```sh\nstart\n```\n\nmore\n\n# C\n\n```\nlast\n\nend"
    assert _sections(text) == {
        "A": "    conman sc\n\nwords",
        "B": "    start\n\nmore",
        "C": "    last\n\nend",
    }


def test_closed_fences_keep_their_blank_lines_and_inner_marks() -> None:
    text = "````md\n```sh\n\nx\n```\n````\n\n~~~\n```\n\ny\n~~~"
    assert _sections(text)["manual"] == "    ```sh\n\n    x\n    ```\n\n    ```\n\n    y"


def test_names_in_angle_brackets_are_text_and_tags_are_not() -> None:
    text = (
        "<TWA_home>/logs\n\nuse <host> and <b>bold</b>\n\n<table><tr><td>a</td><td><br/>b</td></tr></table>"
    )
    assert _sections(text)["manual"] == "<TWA_home>/logs\n\nuse <host> and bold\n\na | b"


def test_symbols_of_formulas_are_characters() -> None:
    assert _sections(r"opens $\equiv$ x $=$ y $\rightarrow$ z, costs $5 and $6")["manual"] == (
        "opens = x = y → z, costs $5 and $6"
    )


def test_a_ruler_of_plus_signs_does_not_end_the_text() -> None:
    assert "after" in _sections("before\n\n" + "+ " * 40 + "\n\nafter")["manual"]


@given(
    st.lists(
        st.sampled_from(["# H", "```", "```sh", "~~~", "text", "", "> q", "- i", "<x>", "| a |"]), max_size=40
    )
)
def test_text_outlives_any_order_of_marks(lines: list[str]) -> None:
    marked = [f"{line}{number}" if line == "text" else line for number, line in enumerate(lines)]
    parsed = parse("manual.md", "\n".join(["start", *marked]).encode(), max_bytes=10_000)
    text = "\n".join(section.text for section in parsed.sections)
    assert [line for line in marked if line.startswith("text") and line not in text] == []
