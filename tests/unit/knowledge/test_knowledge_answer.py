from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.answer import quote

_PASSAGE = """The job ends in ABEND with RC 8. The log shows ORA-01653 for the tablespace PAY_DATA.

1. Ask Database Services to extend the tablespace.
2. Wait for their confirmation.
3. Rerun the job once.
4. Check the successors."""


def test_the_sentence_that_shares_most_is_quoted_with_what_follows() -> None:
    assert quote(_PASSAGE, "who extends the tablespace?") == (
        "1. Ask Database Services to extend the tablespace.\n2. Wait for their confirmation.\n3. Rerun the job once."
    )


def test_an_identifier_outweighs_words() -> None:
    assert quote(_PASSAGE, "does ORA-1653 mean that I wait for confirmation?").startswith(
        "The log shows ORA-01653"
    )


def test_what_goes_before_fills_the_room_at_the_end() -> None:
    assert quote(_PASSAGE, "and the successors?") == (
        "2. Wait for their confirmation.\n3. Rerun the job once.\n4. Check the successors."
    )


def test_a_portuguese_question_finds_the_english_sentence() -> None:
    assert "3. Rerun the job once." in quote(_PASSAGE, "posso reexecutar?")


def test_a_question_that_shares_nothing_gets_the_beginning() -> None:
    assert quote(_PASSAGE, "xyzzy").startswith("The job ends in ABEND")


def test_a_blank_passage_gives_nothing() -> None:
    assert quote(" \n ", "why?") == ""


def test_a_sentence_that_is_too_long_is_cut_at_a_blank() -> None:
    cut = quote("word " * 200, "word")
    assert cut.endswith("word")
    assert 380 <= len(cut) <= 400


@given(st.text(st.sampled_from("ab .!?\n1-é"), max_size=1500), st.text(max_size=50))
def test_a_quotation_is_a_short_verbatim_part(passage: str, question: str) -> None:
    quoted = quote(passage, question)
    assert quoted in passage
    assert len(quoted) <= 400
    assert bool(quoted) == bool(passage.strip())
    assert quoted == quoted.strip()
