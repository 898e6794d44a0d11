from __future__ import annotations

import pytest

from brain.agents.grammar.tokens import read_tokens


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("rerun PAYROLL?", [("rerun", "word"), ("PAYROLL", "name")]),
        ("AGT01#PAYDAILY.PAYROLL.", [("AGT01#PAYDAILY.PAYROLL", "name")]),
        ("AGT01#P.@;state=abend,fail.", [("AGT01#P.@;state=abend,fail", "name")]),
        ("P.@~priority=0;HOLD", [("P.@~priority=0", "name"), ("HOLD", "word")]),
        ("AGT01#0A.B;schedid, ok", [("AGT01#0A.B;schedid", "name"), ("ok", "word")]),
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
