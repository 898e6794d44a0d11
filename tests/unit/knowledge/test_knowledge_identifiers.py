from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.terms import extract, is_generic, proper_nouns


@pytest.mark.parametrize(
    "text",
    [
        "ended with RC 8",
        "ended with rc=8",
        "rc:8",
        "Return code 8",
        "return code of 8",
        "return code is 8",
        "exit code 08",
        "código de retorno 8",
        "codigo de retorno: 8",
        "Código de saída = 8",
        "retorno 8",
    ],
)
def test_return_codes_have_one_form(text: str) -> None:
    assert "RC 8" in extract(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("message AWSBHT001E and awsbdw002e", {"AWSBHT001E", "AWSBDW002E"}),
        ("o que é CTB0042E?", {"CTB0042E"}),
        ("EQQE026I or AWKALM104E", {"EQQE026I", "AWKALM104E"}),
        ("ora-1653 in PAY_DATA", {"ORA-01653", "PAY_DATA"}),
        ("SQL0911N and HR-9001", {"SQL0911N", "HR-9001"}),
        ("job sftp_bacen on AGT_FIN01", {"SFTP_BACEN", "AGT_FIN01"}),
        ("FTA1#PAYDAILY.PAYROLL", {"FTA1#PAYDAILY", "PAYROLL", "FTA1", "PAYDAILY"}),
        ("the file localopts.txt or fato_vendas.bad", {"LOCALOPTS.TXT", "FATO_VENDAS.BAD", "FATO_VENDAS"}),
        ("planman deploy -scratch, not --from", {"-SCRATCH", "--FROM"}),
        ("set enCarryForward to yes", {"ENCARRYFORWARD"}),
        ("no names here, only words: a-b, e.g. 12 and TWS", set()),
    ],
)
def test_names_are_found_and_upper_cased(text: str, expected: set[str]) -> None:
    assert extract(text) & (expected or extract(text)) == expected


def test_plain_text_has_no_identifiers() -> None:
    assert extract("The job waits - and nobody knows why. See e.g. the log (page 3).") == frozenset()


def test_shouting_makes_no_names() -> None:
    assert extract("POR QUE O JOB FALHOU HOJE") == frozenset()
    assert "PAY_DATA" in extract("POR QUE O PAY_DATA ENCHEU HOJE")


def test_a_name_alone_is_a_name() -> None:
    assert extract("PAYROLL") == {"PAYROLL"}


def test_only_return_codes_are_generic() -> None:
    assert is_generic("RC 8")
    assert not is_generic("ORA-01653")


@given(st.text(max_size=300))
def test_identifiers_are_upper_case_whatever_the_text(text: str) -> None:
    assert all(name and name == name.upper() for name in extract(text))


def test_products_have_a_capital_inside_a_sentence() -> None:
    assert proper_nouns("Which Zowe command? The one of Grafana, on Friday") == ["Zowe", "Grafana"]
    assert proper_nouns("Restart it. Then wait for AWSBHT001E") == []
