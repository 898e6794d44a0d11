from __future__ import annotations

import pytest

from brain.agents.grammar.patterns import compile_pattern, correct, words_of

PARTS = {"why": "(why|por que)", "ask": "{why} [on earth]"}


@pytest.mark.parametrize(
    ("pattern", "line", "fits"),
    [
        ("{ask} did", " why did it", True),
        ("{ask} did", " por que on earth did", True),
        ("{ask} did", " why on did", False),
        ("^ why", " so why", False),
        ("why ... fail", " why did the job fail", True),
        ("why ... fail", " why" + " x" * 13 + " fail", False),
        ("why ... fail", " why did it failover", False),
        ("cancel*", " cancelled", True),
        ("cancel $", " cancel it", False),
        ("<n> (fails|ends)", " <n> ends", True),
    ],
)
def test_a_pattern_fits_whole_words(pattern: str, line: str, *, fits: bool) -> None:
    assert bool(compile_pattern(pattern, PARTS).search(line)) is fits


def test_the_words_of_patterns_are_those_that_stand_in_them_whole() -> None:
    assert words_of(["{ask} ... re-run cancel* <n> $"], PARTS) == {
        "why",
        "por",
        "que",
        "on",
        "earth",
        "re-run",
    }


KNOWN = {"c": frozenset({"cancel", "cancela", "cat"}), "r": frozenset({"rerun"})}


@pytest.mark.parametrize(
    ("word", "corrected"),
    [
        ("cancle", "cancel"),
        ("cancell", "cancell"),  # as near to cancela
        ("cansela", "cancela"),
        ("rerunn", "rerun"),
        ("rern", "rern"),  # too short
        ("reruns2", "reruns2"),
        ("cancela", "cancela"),
        ("bancel", "bancel"),  # another first letter
        ("canned", "canned"),
    ],
)
def test_one_slip_is_put_right_where_there_is_one_way(word: str, corrected: str) -> None:
    assert correct(word, KNOWN) == corrected


def test_an_unknown_part_is_an_error_that_names_the_pattern() -> None:
    with pytest.raises(ValueError, match=r"no part 'wen' .*\^ \{wen\}"):
        compile_pattern("^ {wen} did", PARTS)
