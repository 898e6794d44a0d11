"""What the engine's audit trail is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tws.justification import Justification


def test_reason_category_and_ticket_have_headers_of_their_own() -> None:
    headers = Justification(reason="late", category="incident", ticket="INC-1").headers()
    assert headers == {
        "Justification-Category": "incident",
        "Justification-Description": "late",
        "Justification-Ticket-Num": "INC-1",
    }


def test_each_is_cut_to_what_the_engine_stores() -> None:
    long = "x" * 600
    headers = Justification(reason=long, category=long, ticket=long).headers()
    assert [len(value) for value in headers.values()] == [128, 512, 128]


def test_a_reason_is_plain_ascii_on_one_line() -> None:
    headers = Justification(reason="Não há\r\nX-Evil: 1 – \x00ação").headers()
    assert headers["Justification-Description"] == "Nao ha X-Evil: 1 ? acao"


def test_what_is_empty_is_left_out() -> None:
    assert Justification(reason=" ").headers() == {"Justification-Category": "resync"}


@given(st.text(max_size=700), st.text(max_size=200), st.text(max_size=200))
def test_any_text_fits_a_header(reason: str, category: str, ticket: str) -> None:
    headers = Justification(reason=reason, category=category, ticket=ticket).headers()
    for value in headers.values():
        assert value == value.strip()
        assert value.isascii()
        assert value.isprintable()
        assert len(value) <= 512
