from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.agents.language import detect_locale, fold
from brain.message import Locale

EN, PT = Locale.EN, Locale.PT


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Why did PAYROLL fail?", EN),
        ("why did the job run on AGT01", EN),
        ("WHY DID THE JOB FAIL", EN),
        ("I already did", EN),
        ("please rerun PAYROLL", EN),
        ("por que o PAYROLL falhou", PT),
        ("POR QUE O JOB FALHOU", PT),
        ("situação do PAYROLL", PT),
        ("cancela o PAYROLL", PT),
        ("o que está atrasado?", PT),
        ("nao", PT),
        ("PAYROLL", None),
        ("status PAYROLL", None),
        ("OS_LOAD", None),
        ("AWSBHT023E", None),
        ("", None),
        ("12 34 ??", None),
    ],
)
def test_the_language_is_read_off_the_words(text: str, locale: Locale | None) -> None:
    assert detect_locale(text, None) is locale


def test_the_hint_counts_only_where_the_text_says_nothing() -> None:
    assert detect_locale("PAYROLL", PT) is PT
    assert detect_locale("PAYROLL", EN) is EN
    assert detect_locale("why did it fail", PT) is EN


def test_folding_drops_accents_and_case() -> None:
    assert fold("Situação ÀS três") == "situacao as tres"


@given(st.text())
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)
