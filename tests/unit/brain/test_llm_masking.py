from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.llm.masking import Masks, Restored, each_text, kinds_of
from security.masking import mask_text

_KINDS = kinds_of({"BADGE": "BR-[0-9]{6}", "ONE_DIGIT": "[0-9]"})
_VALUES = ["ana@example.com", "bob@example.org", "529.982.247-25", "4111 1111 1111 1111", "BR-123456", "7"]
_SCRAPS = [
    "[", "]", "[EMAIL_1]", "[EMAIL_2]", "[LITERAL_1]", "[SECRET]", "[BADGE_", "EMAIL_1]", "_1]", "[A", "\\", " ", "\n",
    "#", "=", "password=", "hunter2",
]  # fmt: skip
_TEXTS = st.text() | st.lists(st.sampled_from(_VALUES + _SCRAPS)).map("".join)


@given(_TEXTS)
def test_what_is_hidden_comes_back_byte_exact_but_for_secrets(text: str) -> None:
    masks = Masks(_KINDS)
    assert masks.restore(masks.hide(text)) == mask_text(text, "[SECRET]")


@given(st.text("abcxyz@.[]_123 EMAIL"))
def test_a_text_without_secrets_comes_back_whole(text: str) -> None:
    masks = Masks(kinds_of({}))
    assert masks.restore(masks.hide(text)) == text


@given(st.lists(_TEXTS, min_size=1, max_size=6))
def test_a_conversation_that_grows_keeps_its_placeholders(texts: list[str]) -> None:
    whole, begun = Masks(_KINDS), Masks(_KINDS)
    told = [whole.hide(text) for text in texts]
    assert [begun.hide(text) for text in texts[:-1]] == told[:-1]


@given(_TEXTS, st.lists(st.integers(0, 200)))
def test_pieces_add_up_to_the_restored_text_and_show_no_half_placeholder(text: str, cuts: list[int]) -> None:
    masks = Masks(_KINDS)
    hidden = masks.hide(text)
    places = sorted({0, len(hidden), *(min(cut, len(hidden)) for cut in cuts)})
    stream = Restored(masks)
    shown = [stream.add(hidden[start:end]) for start, end in pairwise(places)]
    assert "".join(shown) + stream.rest() == masks.restore(hidden)


def test_a_placeholder_in_pieces_is_held_back_until_it_is_whole() -> None:
    masks = Masks(_KINDS)
    masks.hide("ana@example.com")
    stream = Restored(masks)
    assert [stream.add(piece) for piece in ("Ask [EM", "AIL_", "1", "] now [", "1] [EMAIL_")] == [
        "Ask ",
        "",
        "",
        "ana@example.com now ",
        "[1] ",
    ]
    assert stream.rest() == "[EMAIL_"


def test_the_same_value_has_the_same_placeholder_everywhere() -> None:
    masks = Masks(kinds_of({}))
    assert masks.hide("ana@example.com, bob@example.org") == "[EMAIL_1], [EMAIL_2]"
    assert each_text({"to": ["ana@example.com", 1, None], "n": {"x": "bob@example.org"}}, masks.hide) == {
        "to": ["[EMAIL_1]", 1, None],
        "n": {"x": "[EMAIL_2]"},
    }


def test_an_invented_placeholder_stays_and_a_literal_one_is_not_ours() -> None:
    masks = Masks(kinds_of({}))
    assert masks.hide("[EMAIL_1] is not ana@example.com") == "[LITERAL_1] is not [EMAIL_1]"
    assert masks.restore("[EMAIL_1] [EMAIL_9] [LITERAL_1]") == "ana@example.com [EMAIL_9] [EMAIL_1]"


@pytest.mark.parametrize(
    "secret",
    [
        "password=hunter2",
        "postgresql://app:hunter2@db/pay",
        "Bearer hunter2.x.y",
        "sqlplus scott/hunter2@PAY",
    ],
)
def test_a_secret_never_comes_back(secret: str) -> None:
    masks = Masks(kinds_of({}))
    hidden = masks.hide(f"RC 8 after {secret}")
    assert "hunter2" not in hidden + masks.restore(hidden)
    assert "[SECRET]" in masks.restore(hidden)


@given(st.text(alphabet="ABEND RC8#_.-:", max_size=60))
def test_what_operators_live_by_is_not_touched(text: str) -> None:
    hidden = Masks(kinds_of({})).hide(f"AWSBHT023E AGT1#PAYDAILY.PAYROLL 2026-11-23T02:10:00Z RC 8 {text}")
    assert hidden.startswith("AWSBHT023E AGT1#PAYDAILY.PAYROLL 2026-11-23T02:10:00Z RC 8 ")


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("[", "is no regular expression"),
        ("x?", "matches the empty text"),
        ("a+b", "repeats without a limit"),
        ("a{3,}", "repeats without a limit"),
        ("a{1,101}", "repeats without a limit"),
        ("(?:a{1,3}b){1,9}", "repeats a group"),
        (r"(a)\1", r"uses \\1"),
        ("(?P<a>b)(?P=a)", "uses"),
        ("(a|a)" * 12 + "b", "can match in 4096 ways"),
        ("a{1,99}a{1,99}b", "can match in 9801 ways"),
        ("x" * 201, "longer than 200"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=rf"llm\.mask_patterns\.BADGE.* {complaint}"):
        kinds_of({"BADGE": pattern})


@pytest.mark.parametrize("name", ["badge", "EMAIL", "LITERAL", "SECRET", "A B", "", "X" * 40])
def test_a_name_that_is_taken_or_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the name must be"):
        kinds_of({name: "BR-[0-9]{6}"})


@pytest.mark.parametrize(
    "pattern",
    [r"\bM\d{6}\b", r"(?i:badge) ?[a-z]{1,30}", r"[+*{]\{\d{2}\+", "(?P<no>BR|PT)-[0-9]{6,8}", "(?=M)M{2}"],
)
def test_ordinary_patterns_can_be_used(pattern: str) -> None:
    assert re.compile(pattern) in {kind.pattern for kind in kinds_of({"BADGE": pattern})}
