from __future__ import annotations

import pytest

from brain.agents.incidents import read_incidents


@pytest.mark.parametrize(
    "words",
    [
        "incidents",
        "which incidents are open?",
        "show me the open incidents",
        "list incidents",
        "what incidents are there right now?",
        "quais incidentes estão abertos?",
        "incidentes em aberto",
        "mostra os incidentes ativos",
        "há incidentes?",
        "lista os incidentes",
    ],
)
def test_the_list_is_asked_for(words: str) -> None:
    found = read_incidents(words)
    assert found is not None
    assert found[:2] == ("list", 0)
    assert found[2] == ("pt" if "incidente" in words else "en")


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ("acknowledge incident 12", "acknowledge"),
        ("ack incident #12", "acknowledge"),
        ("Please resolve the incident 12.", "resolve"),
        ("reconhecer incidente 12", "acknowledge"),
        ("assumo o incidente 12", "acknowledge"),
        ("encerra o incidente 12", "resolve"),
    ],
)
def test_a_step_names_its_incident(words: str, wish: str) -> None:
    found = read_incidents(words)
    assert found is not None
    assert found == (wish, 12, "pt" if "incidente" in words else "en")


@pytest.mark.parametrize(
    "words",
    [
        "has PAYROLL had incidents before?",
        "acknowledge PAYROLL",
        "o que aconteceu com o PAYROLL? já teve incidentes?",
        "do not acknowledge incident 12",
        "> acknowledge incident 12",
        "why did PAYROLL fail?",
        "acknowledge incident 12 and rerun PAYROLL",
        "a" * 5000,
        "list " * 1000,
    ],
)
def test_anything_else_is_not_about_them(words: str) -> None:
    assert read_incidents(words) is None
