from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.agents.language import Language, check_parts, detect_locale, fold, load
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


def language_file(folder: Path, **changes: object) -> Path:
    fields = {"telling": "der das", "negations": "nicht", "retractions": "halt", "links": "und"}
    fields |= {"pronouns": "er es", "all_words": "alle", "others": "ein eine"}
    file = folder / "de.yaml"
    file.write_text(json.dumps(fields | {"parts": {"why": "warum"}} | changes))  # JSON is YAML
    return file


def test_a_language_is_a_file(tmp_path: Path) -> None:
    language = load(language_file(tmp_path), Language)
    assert language.telling == {"der", "das"}
    assert language.parts == {"why": "warum"}
    assert {"nicht", "halt", "und", "er", "alle", "eine"} <= language.words


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"negations": False}, r"de\.yaml: [\s\S]*negations"),
        ({"parts": {"why": ["warum"]}}, r"de\.yaml: [\s\S]*parts\.why"),
        ({"negation": "nicht"}, r"de\.yaml: [\s\S]*negation\b"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load(language_file(tmp_path, **changes), Language)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "de.yaml"
    file.write_text("parts: {")
    with pytest.raises(ValueError, match=r"de\.yaml: "):
        load(file, Language)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, r"pt\.yaml: parts: missing why"),
        ({"why": "por que", "what": "que"}, r"en\.yaml: parts: missing what"),
        ({"why": "por {causa}"}, r"pt\.yaml: parts\.why: there is no part causa"),
    ],
)
def test_languages_have_the_same_parts(tmp_path: Path, parts: dict[str, str], message: str) -> None:
    languages = {
        EN: load(language_file(tmp_path), Language),
        PT: load(language_file(tmp_path, parts=parts), Language),
    }
    with pytest.raises(ValueError, match=message):
        check_parts(languages)
