from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest

from knowledge.documents import Language, Reader
from knowledge.entries import entries
from knowledge.store import SectionRow
from knowledge.terms import fold, language, notions, synonyms, tokenize, written_out
from knowledge.words import Closeness, WordIndex

_DOCUMENT = UUID(int=1)


def _index(texts: Sequence[str], notions: Sequence[str] = (), **readers: Sequence[str]) -> WordIndex:
    """An index of sections 0, 1, … of one document each; readers by number, as `_2=["role:admin"]`."""
    vocabulary: dict[str, int] = {}
    tokens = [[vocabulary.setdefault(term, len(vocabulary)) for term in tokenize(text)] for text in texts]
    rows = [
        SectionRow(number, UUID(int=number), 0, language(text), readers.get(f"_{number}", []))
        for number, text in enumerate(texts)
    ]
    return WordIndex(rows, [([], terms) for terms in tokens], vocabulary, notions)


_INDEX = _index(
    [
        "PAYROLL fails when the tablespace is full. Rerun the job.",
        "O job SFTP_BACEN falhou: chave recusada.",
        "Restart the agent when the workstation is unlinked.",
    ]
)


def _found(question: str, index: WordIndex = _INDEX) -> list[int]:
    """The numbers of the sections with a word of the question, best first."""
    terms = tokenize(question)
    words = index.scores({"en": terms, "pt": terms}).words
    return [int(place) for place in np.argsort(-words, kind="stable") if words[place] > 0]


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [("why can't I stop it", "stop"), ("don’t FTAs and the agent's DMs link", "FTA agent DM link")],
)
def test_contractions_and_plurals_of_acronyms_leave_no_letters_behind(text: str, expected: str) -> None:
    assert tokenize(text) == tokenize(expected)


def test_abbreviations_of_the_trade_are_written_out_but_no_part_of_a_name() -> None:
    assert written_out("ss of all FTAs.") == "ss showschedules of all FTAs fault-tolerant agent."
    assert written_out("/opt/fta/ss.sh fta_1 fta#SS -dm") == "/opt/fta/ss.sh fta_1 fta#SS -dm"


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
    assert _found("estação desconectada")[0] == 2
    assert _found("which key was refused?")[0] == 1


def test_the_word_itself_beats_its_synonym() -> None:
    index = _index(["o job falhou", "the job failed"])
    assert _found("falhou", index) == [0, 1]
    assert _found("failed", index) == [1, 0]


def test_a_site_adds_notions() -> None:
    assert _found("faturamento") == []
    assert _found("faturamento", _index(["billing runs at nine"], ["faturamento billing"])) == [0]


def test_each_document_is_compared_with_the_question_in_its_language() -> None:
    index = _index(["the workstation is away", "a chave foi recusada e o envio parou"])
    scores = index.scores({"en": tokenize("workstation"), "pt": tokenize("envio")})
    assert list(scores.words > 0) == [True, True]
    assert list(index.scores({"en": tokenize("envio"), "pt": tokenize("workstation")}).words > 0) == [
        False,
        False,
    ]


def test_coverage_is_the_share_of_the_question_that_is_found() -> None:
    def coverage(question: str) -> float:
        terms = tokenize(question)
        return float(_INDEX.scores({"en": terms, "pt": terms}).coverage[0])

    assert coverage("tablespace full") == pytest.approx(1)
    assert 0 < coverage("tablespace chocolate") < 0.5


def test_a_question_without_known_words_finds_nothing() -> None:
    assert _found("xyzzy plugh") == []
    assert _found("") == []
    assert _found("o que é isso?") == []


def test_a_section_is_allowed_to_its_readers_only() -> None:
    index = _index(["one", "two", "three"], _1=["role:admin"], _2=["group:sap", "role:operator"])
    allowed = index.allowed(Reader(frozenset({"role:viewer", "role:operator"})), None)
    assert allowed.tolist() == [True, False, True]
    assert index.allowed(Reader(None), None).all()
    assert index.allowed(Reader(None), [UUID(int=2)]).tolist() == [False, False, True]


@pytest.mark.parametrize("texts", [[], ["de para com"]], ids=["no section", "no term"])
def test_an_empty_index_finds_nothing(texts: list[str]) -> None:
    assert _found("job", _index(texts)) == []


def _closeness(index: WordIndex, questions: dict[Language, list[str]], *texts: str) -> Closeness:
    """With the entries of these texts, which stand under the heading "Heading"."""
    described = [entries("Heading", text) for text in texts] or [set()] * len(index.keys)
    return index.closeness(dict(zip(index.keys, described, strict=True)), questions)


def test_neighbours_of_the_question_count_where_they_are_neighbours() -> None:
    index = _index(["restart the agent now", "the agent waits, then restart it", "agent", "nothing of it"])
    terms = tokenize("restart agent")
    apart = _closeness(index, {"en": terms, "pt": terms}).pairs
    assert apart[0] > apart[1] > apart[2] == apart[3] == 0


def test_neighbours_are_those_of_the_documents_language() -> None:
    index = _index(["the agent was restarted", "o agente foi reiniciado e não parou"])
    close = _closeness(index, {"en": tokenize("agent restarted"), "pt": tokenize("agente reiniciado")})
    assert close.pairs.min() > 0
    assert close.together.tolist() == [1, 1]


def test_neighbours_never_reach_into_the_next_section() -> None:
    index = _index(["start of the queue", "manager of the domain"])
    terms = tokenize("queue manager")
    assert list(_closeness(index, {"en": terms, "pt": terms}).pairs) == [0, 0]


def test_words_are_together_within_a_window() -> None:
    words = " ".join(f"word{number}" for number in range(28))
    index = _index([f"restart {words} agent", f"restart {words} more agent", "no restart", "queue"])
    terms = tokenize("agent restart Grafana")
    one, other, half, none = index.closeness(
        dict.fromkeys(index.keys, ()), {"en": terms, "pt": terms}
    ).together
    assert (one, none) == (1, 0)
    assert half < other < one


def test_words_are_together_in_one_section_only() -> None:
    index = _index(["queue of work", "manager of domains"])
    terms = tokenize("queue manager")
    assert _closeness(index, {"en": terms, "pt": terms}).together.tolist() == [
        0.5,
        0.5,
    ]


def test_a_section_that_describes_a_word_is_told_from_those_that_mention_it() -> None:
    texts = [
        "STUCK\nIt was interrupted.",
        "- STUCK: | no jobs start",
        "the stream is STUCK",
        "STUCK jobs\nmore",
    ]
    terms = tokenize("job stream shows STUCK")
    found = _closeness(_index(texts), {"en": terms, "pt": terms}, *texts).entries
    assert found[0] == found[1] > found[2] == found[3] == 0


@pytest.mark.parametrize(("question", "share"), [("return codes of conman", 1), ("return codes", 0)])
def test_a_heading_counts_where_the_question_has_all_its_words(question: str, share: float) -> None:
    index, terms = _index(["codes"]), tokenize(question)
    described = {key: entries("Return codes (conman)", "") for key in index.keys}
    assert list(index.closeness(described, {"en": terms, "pt": terms}).entries) == [share]


def test_words_are_known_in_any_inflection() -> None:
    assert _INDEX.knows("tablespaces")
    assert not _INDEX.knows("Grafana")
