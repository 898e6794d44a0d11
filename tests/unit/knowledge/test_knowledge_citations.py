from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.citations import supported_claims

_SOURCES = (
    """PAYROLL runbook, ORA-01653:
PAYROLL ends with RC 8 when the tablespace PAY_DATA is full. Do not rerun PAYROLL before Database Services has
extended the tablespace by 20 GB.""",
    "Escalation, Night:\nIf Database Services do not answer within 15 minutes, call the supervisor.",
)
_TRUE = (
    ("PAYROLL ends with RC 8 when the tablespace PAY_DATA is full", 1),
    ("Do not rerun PAYROLL before Database Services has extended the tablespace by 20 GB", 1),
    ("If Database Services do not answer within 15 minutes, call the supervisor", 2),
    ("O PAYROLL termina com RC 8 quando o tablespace PAY_DATA está cheio", 1),
)


@pytest.mark.parametrize(
    "claim",
    [
        "PAYROLL ends with RC 8.",
        "PAYROLL ends with RC 8 [3].",
        "PAYROLL ends with RC 8 [0].",
        "PAYROLL ends with RC 12 when the tablespace PAY_DATA is full [1].",
        "PAYROLX ends with RC 8 when the tablespace PAY_DATA is full [1].",
        "PAYROLL ends with RC 8 when the tablespace PAY_DATA is not full [1].",
        "Rerun PAYROLL before Database Services has extended the tablespace by 20 GB [1].",
        "Do not cancel PAYROLL before Database Services has extended the tablespace by 20 GB [1].",
        "Do not rerun PAYROLL before Database Services has extended the tablespace by 2 GB [1].",
        "If Database Services do not answer within 15 minutes, call Marta Lima [2].",
        "If Database Services do not answer within 15 minutes, call the supervisor [1].",
        "Bananas are yellow and bend [1].",
        "[1]",
        "- [1][2]",
        "",
    ],
)
def test_what_the_cited_passages_do_not_bear_out_is_removed(claim: str) -> None:
    assert supported_claims(claim, _SOURCES) == ()


@pytest.mark.parametrize(("words", "number"), _TRUE)
@pytest.mark.parametrize("form", ["{} [{}].", "{}. [{}]", "- {} [{}]", "1. {} [{}].", "**{}** [{}]"])
def test_what_they_say_stays_however_it_is_cited(words: str, number: int, form: str) -> None:
    (claim,) = supported_claims(form.format(words, number), _SOURCES)
    assert claim.cited == (number,)
    assert words in claim.text
    assert "[" not in claim.text


def test_each_sentence_stands_for_itself() -> None:
    answer = "PAYROLL ends with RC 8 [1]. It is Tuesday [1]. If nobody answers within 15 minutes, do not call the supervisor [2]."
    assert [claim.text for claim in supported_claims(answer, _SOURCES)][:1] == ["PAYROLL ends with RC 8."]


@given(st.sampled_from(_TRUE), st.integers(100, 10**6), st.data())
def test_a_number_or_a_name_from_nowhere_takes_the_sentence_away(
    said: tuple[str, int], number: int, data: st.DataObject
) -> None:
    words = said[0].split(" ")
    place = data.draw(st.integers(1, len(words)))
    strange = data.draw(st.sampled_from([str(number), f"JOB_{number}", "NEVERHEARD", "Unheard"]))
    changed = " ".join([*words[:place], strange, *words[place:]])
    assert supported_claims(f"{changed} [{said[1]}].", _SOURCES) == ()


@given(
    st.text(st.sampled_from("PAYROL RC8[]12.\n-não don't"), max_size=200),
    st.lists(st.text(max_size=80), max_size=3),
)
def test_whatever_is_written_only_existing_passages_are_cited(answer: str, sources: list[str]) -> None:
    for claim in supported_claims(answer, sources):
        assert claim.cited
        assert all(1 <= number <= len(sources) for number in claim.cited)
        cited = " ".join(sources[number - 1] for number in claim.cited)
        assert set(re.findall(r"\d+", claim.text)) <= set(re.findall(r"\d+", cited))
