from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.personal_data import PERSONAL_DATA

_ROUND_IT = st.sampled_from(
    ["{}", "is {}.", "cpf:{}", "id={};", "1,{},2", '"{}"', "({})", "FOLHA_{}.pdf", "x-{} y", "{}\n", "é{}"]
)


def found(text: str) -> list[tuple[str, str]]:
    return [
        (kind.name, match[0])
        for kind in PERSONAL_DATA
        for match in kind.pattern.finditer(text)
        if kind.is_real(match[0])
    ]


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def with_check_digits(base: str, weights: list[int]) -> str:
    """As Receita Federal tells it: from the left, 11 minus the remainder, 0 for 10 and 11."""
    for skipped in (1, 0):
        total = sum((ord(char) - 48) * weight for char, weight in zip(base, weights[skipped:], strict=True))
        base += str((11 - total % 11) % 11 % 10)
    return base


@given(digits(9).filter(lambda base: len(set(base)) > 1), _ROUND_IT)
def test_a_cpf_is_found_with_and_without_its_signs(base: str, form: str) -> None:
    cpf = with_check_digits(base, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
    signed = f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}"
    assert ("CPF", cpf) in found(form.format(cpf))
    assert ("CPF", signed) in found(form.format(signed))


@given(
    st.text("0123456789ABCXYZ", min_size=12, max_size=12).filter(lambda base: len(set(base)) > 1), _ROUND_IT
)
def test_a_cnpj_is_found_also_one_with_letters(base: str, form: str) -> None:
    cnpj = with_check_digits(base, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
    signed = f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"
    assert ("CNPJ", signed) in found(form.format(signed))


@given(digits(11))
def test_wrong_check_digits_make_no_cpf(number: str) -> None:
    is_right = with_check_digits(number[:9], [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == number
    assert bool(found(number)) is (is_right and len(set(number)) > 1)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("EMAIL", "ana.souza+tws@folha.empresa.com.br"),
        ("EMAIL", "ANA@EMPRESA.COM"),
        ("EMAIL", "josé@example.org"),
        ("CNPJ", "11222333000181"),
        ("CNPJ", "12.ABC.345/01DE-35"),
        ("IBAN", "PT50000201231234567890154"),
        ("IBAN", "PT50 0002 0123 1234 5678 9015 4"),
        ("IBAN", "ES91 2100 0418 4502 0005 1332"),
        ("IBAN", "BR1800360305000010009795493C1"),
        ("IBAN", "GB82WEST12345698765432"),
        ("CARD", "4111 1111 1111 1111"),
        ("CARD", "4111111111111111"),
        ("CARD", "5555-5555-5555-4444"),
        ("CARD", "3782 822463 10005"),
        ("CARD", "2223003122003222"),
        ("PHONE", "+55 11 98765-4321"),
        ("PHONE", "+55 (11) 3456-7890"),
        ("PHONE", "+351912345678"),
        ("PHONE", "(11) 98765-4321"),
        ("PHONE", "(11)987654321"),
        ("PHONE", "(11) 3456-7890"),
        ("PHONE", "11 98765-4321"),
        ("PHONE", "(212) 555-0123"),
        ("PHONE", "212-555-0123"),
    ],
)
def test_each_kind_is_found_in_a_sentence(kind: str, value: str) -> None:
    assert found(f"call {value}, RC 8") == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "PT50000201231234567890155",
        "111.111.111-11",
        "0.52998224725",
        "AGT_HR01#PAY@BATCH.JOB",
        "sj @#@.PAY@+state=abend",
        "10:15-11:45, 2020-2026, 1234-5678",
        "15:00:43 +1000 2026-11-23 10:00:00",
        "Mon Nov 23 15:00:43 +0000 2026",
        "550e8400-e29b-41d4-a716-446655440000",
        "10.0.0.5 and 192.168.100.200:31116",
        "1763910043123 1763910043123456 1763910043123456789",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(text) == []


@given(
    st.one_of(
        st.from_regex(r"[A-Z]{3,8}[A-Z0-9_#.]{0,30}", fullmatch=True),
        st.from_regex(r"AWS[A-Z]{3}[0-9]{3}[EIW]", fullmatch=True),
        st.datetimes(datetime(1999, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001  printed without zone
            lambda when: when.strftime("%Y%m%d%H%M%S")
        ),
        st.datetimes(datetime(1999, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
            lambda when: when.isoformat(timespec="milliseconds")
        ),
        st.integers(0, 9_999_999_999).map(lambda number: f"RC {number}"),
        st.integers(0, 99_999).map(lambda number: f"#J{number}"),
        st.uuids().map(str),
    ),
    st.sampled_from(["{}", "AGT#{}", "{} ABEND RC 8", "job={};"]),
)
def test_names_ids_codes_times_and_runs_are_left_alone(word: str, form: str) -> None:
    assert found(form.format(word)) == []
