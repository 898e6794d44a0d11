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
    assert found == (wish, 12, "pt" if "incidente" in words else "en", "")


@pytest.mark.parametrize(
    ("words", "wish", "detail"),
    [
        ("assign incident 12 to ana.souza", "assign", "ana.souza"),
        ("please give the incident #12 to me", "assign", "me"),
        ("atribua o incidente 12 a @rui", "assign", "rui"),
        ("passe o incidente 12 para mim.", "assign", "mim"),
        ("silence incident 12 for 2 hours", "silence", "120"),
        ("mute incident 12 for 30m", "silence", "30"),
        ("silencie o incidente 12 por 45 minutos", "silence", "45"),
        ("silenciar incidente 12 por 2h", "silence", "120"),
    ],
)
def test_a_change_says_to_whom_or_for_how_long(words: str, wish: str, detail: str) -> None:
    assert read_incidents(words) == (wish, 12, "pt" if "incidente" in words else "en", detail)


@pytest.mark.parametrize(
    "words",
    [
        "assign incident 12 to ana and rerun PAYROLL",
        "silence incident 12 for ever",
        "silence PAYROLL",
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


@pytest.mark.parametrize(
    ("words", "hours", "locale"),
    [
        ("shift handover", 8, "en"),
        ("Handover", 8, "en"),
        ("please give me the shift handover of the last 12 hours", 12, "en"),
        ("handover for the last 24h", 24, "en"),
        ("what happened in the last shift?", 8, "en"),
        ("handover of 99 hours", 72, "en"),
        ("handover of the last 0 hours", 1, "en"),
        ("passagem de turno", 8, "pt"),
        ("faça a passagem de turno das últimas 12 horas", 12, "pt"),
        ("o que aconteceu no turno?", 8, "pt"),
        ("o que houve neste turno", 8, "pt"),
        ("relatório do turno", 8, "pt"),
    ],
)
def test_the_handover_is_asked_for(words: str, hours: int, locale: str) -> None:
    assert read_incidents(words) == ("handover", hours, locale, "")


@pytest.mark.parametrize(
    "words",
    [
        "did PAYROLL fail in the last shift?",
        "why did HANDOVER fail?",
        "rerun HANDOVER",
        "troca de turno do job X",
    ],
)
def test_what_only_mentions_a_shift_is_no_handover(words: str) -> None:
    assert read_incidents(words) is None
