"""Portuguese as it is typed in a chat."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.spelling import spelled_out, term_spans


def _no(_word: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("usuario nao autorizado", "usuário não autorizado"),
        ("execucoes da maquina", "execuções da máquina"),
        ("esta estacao", "esta estação"),
        ("pq o job tá parado?", "porque o job está parado?"),
        ("15 em 15 mintuos", "15 em 15 minutos"),
        ("o AWSBEH021E nao saiu do SFTP_BACEN", "o AWSBEH021E não saiu do SFTP_BACEN"),
    ],
)
def test_accents_and_slips_are_mended(typed: str, meant: str) -> None:
    assert spelled_out(typed, _no) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "acessar o servidor",
        "resetar e linkar",
        "o conman no FTA",
        "Colombia",
        "conman -n",
        "/opt/usuario/n.log",
    ],
)
def test_what_the_word_list_does_not_know_stays(typed: str) -> None:
    assert spelled_out(typed, _no) == typed


def test_words_of_documents_stay() -> None:
    assert spelled_out("mintuos", {"mintuos"}.__contains__) == "mintuos"


def test_words_of_the_trade_have_their_english() -> None:
    assert list(term_spans("a estação e o banco")) == [(2, 9, "workstation"), (14, 19, "database")]


@given(st.text(max_size=60))
def test_nothing_but_words_is_touched(text: str) -> None:
    mended = spelled_out(text, _no)

    def others(written: str) -> list[str]:
        return [one for one in written if not one.isalpha() and not one.isspace()]

    assert others(mended) == others(text)
