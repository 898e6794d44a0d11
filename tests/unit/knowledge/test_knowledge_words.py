from __future__ import annotations

import pytest

from knowledge.terms import fold, language, notions, synonyms, tokenize
from knowledge.words import WordIndex

_INDEX = WordIndex(
    [10, 20, 30],
    [
        "PAYROLL fails when the tablespace is full. Rerun the job.",
        "O job SFTP_BACEN falhou: chave recusada.",
        "Restart the agent when the workstation is unlinked.",
    ],
)


def _ids(question: str) -> list[int]:
    return [hit.chunk_id for hit in _INDEX.search(question, 10)]


def test_folding_removes_case_and_accents() -> None:
    assert fold("Reexecução NÃO") == "reexecucao nao"


@pytest.mark.parametrize(
    ("one", "other"),
    [("execuções", "execucao"), ("jobs failing", "job fails"), ("Estações", "estacao"), ("reruns", "rerun")],
)
def test_inflections_and_accents_do_not_matter(one: str, other: str) -> None:
    assert tokenize(one) == tokenize(other)


def test_function_words_of_both_languages_are_dropped() -> None:
    assert tokenize("why is the o que é de para with") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("por que o job PAYROLL falhou?", "pt"),
        ("why did the job fail?", "en"),
        ("AWSBDW002E", "en"),
        ("a estação está desligada", "pt"),
        ("", "en"),
    ],
)
def test_the_language_is_read_off_the_function_words(text: str, expected: str) -> None:
    assert language(text) == expected


def test_joined_names_are_kept_whole_and_in_parts() -> None:
    assert tokenize("SFTP_BACEN") == ["sftp_bacen", "sftp", "bacen"]
    assert tokenize("ORA-01653") == ["ora-01653", "ora", "01653"]


def test_the_glossary_joins_the_languages_both_ways() -> None:
    (failed,) = tokenize("failed")
    (falhou,) = tokenize("falhou")
    assert falhou in synonyms(failed)
    assert failed in synonyms(falhou)
    assert failed not in synonyms(failed)
    assert synonyms("xyzzy") == frozenset()


def test_the_glossary_is_small_and_each_line_joins_something() -> None:
    assert len(notions()) <= 60
    assert all(len(set(tokenize(notion))) > 1 for notion in notions())


def test_a_question_in_the_other_language_finds_the_text() -> None:
    assert _ids("estação desconectada")[0] == 30
    assert _ids("which key was refused?")[0] == 20


def test_the_word_itself_beats_its_synonym() -> None:
    index = WordIndex([1, 2], ["o job falhou", "the job failed"])
    assert [hit.chunk_id for hit in index.search("falhou", 2)] == [1, 2]
    assert [hit.chunk_id for hit in index.search("failed", 2)] == [2, 1]


def test_coverage_is_the_share_of_the_question_that_is_found() -> None:
    assert _INDEX.search("tablespace full", 1)[0].coverage == pytest.approx(1)
    partly = _INDEX.search("tablespace chocolate", 1)[0].coverage
    assert 0 < partly < 0.5


def test_a_question_without_known_words_finds_nothing() -> None:
    assert _ids("xyzzy plugh") == []
    assert _ids("") == []
    assert _ids("o que é isso?") == []


def test_only_allowed_chunks_are_found() -> None:
    assert [hit.chunk_id for hit in _INDEX.search("job", 10, allowed={20})] == [20]


def test_an_empty_index_finds_nothing() -> None:
    assert WordIndex([], []).search("anything", 5) == []


def test_texts_without_a_single_term_can_be_indexed() -> None:
    assert WordIndex([1], ["de para com"]).search("job", 5) == []
