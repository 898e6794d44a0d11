from __future__ import annotations

import pytest

from brain.agents.grammar.tokens import Selection, read_selection, read_tokens


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("AGT01#PAYDAILY.PAYROLL", Selection(workstation="AGT01", job_stream="PAYDAILY", job="PAYROLL")),
        (
            "AGT01#PAYDAILY(0900 02/19/26).PAYROLL",
            Selection(workstation="AGT01", job_stream="PAYDAILY", job="PAYROLL"),
        ),
        (
            "/FIN/AGT01#/FIN/PAYDAILY.PAYROLL",
            Selection(workstation="AGT01", job_stream="PAYDAILY", job="PAYROLL"),
        ),
        ("AGT01#PAYDAILY", Selection(workstation="AGT01", job_stream="PAYDAILY")),
        ("PAYDAILY.PAYROLL", Selection(job_stream="PAYDAILY", job="PAYROLL")),
        ("PAYROLL", Selection(job="PAYROLL")),
        ("@#@.PAY*", Selection(job="PAY@")),
        ("@#@.@", Selection()),
        ("AGT01#4711", Selection(workstation="AGT01")),
        ("", Selection()),
    ],
)
def test_a_selection_has_its_fields(text: str, selection: Selection) -> None:
    assert read_selection(text) == selection


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("rerun PAYROLL?", [("rerun", "word"), ("PAYROLL", "name")]),
        ("AGT01#PAYDAILY.PAYROLL.", [("AGT01#PAYDAILY.PAYROLL", "name")]),
        ("PAYDAILY.PAYROLL, ok", [("PAYDAILY.PAYROLL", "name"), ("ok", "word")]),
        ("pay_daily Pay2", [("pay_daily", "name"), ("Pay2", "word")]),
        ("awsbht001e rc=8 exit code 137", [("AWSBHT001E", "message"), ("RC 8", "code"), ("RC 137", "code")]),
        ("código de retorno -1", [("RC -1", "code")]),
        ("HOLD hold", [("HOLD", "word"), ("hold", "word")]),
        ("a@b.example https://x/Y_Z#A.B", [("a@b.example", "word")]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_words_names_and_identifiers(text: str, kinds: list[tuple[str, str]]) -> None:
    tokens = read_tokens(text, {"hold", "ok"})
    assert [(token.text, token.kind) for token in tokens] == kinds


def test_sentences_and_clauses_are_counted() -> None:
    tokens = read_tokens("one two, three. four\nfive; six", ())
    assert [(token.sentence, token.clause) for token in tokens] == [
        (0, 0),
        (0, 0),
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
    ]


def test_an_apostrophe_joins_a_negation() -> None:
    assert [token.word for token in read_tokens("don't don’t", ())] == ["dont", "dont"]
