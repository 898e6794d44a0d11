from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from knowledge.signature import classes, is_negated, is_of_moment, kind_of, question_data, signature
from knowledge.terms import fold
from tests.support.question_pairs import PARAPHRASES, hostile_pairs

_NAME = st.from_regex(r"[A-Z]{3,8}_[A-Z0-9]{1,6}", fullmatch=True)
_ASKED = st.sampled_from(
    (
        "how do I rerun {}?",
        "what does {} mean?",
        "can I hold {} before 10:30?",
        "como libero o {}?",
        "por que o {} falhou?",
    )
)


@given(_ASKED, _NAME)
def test_case_blanks_and_politeness_make_no_difference(question: str, name: str) -> None:
    asked = question.format(name)
    for same in (
        asked.upper(),
        f"  {asked}  ",
        f"Please, {asked}",
        f"oi, {asked}!!",
        asked.replace(" ", "   "),
    ):
        assert signature(same) == signature(asked)


@given(_ASKED, _NAME, _NAME)
def test_another_name_is_another_question(question: str, one: str, other: str) -> None:
    assume(one != other)
    assert signature(question.format(one)) != signature(question.format(other))


@given(_ASKED, _NAME, st.data())
def test_a_word_more_that_is_not_known_makes_another_question(
    question: str, name: str, data: st.DataObject
) -> None:
    words = question.format(name).split(" ")
    place = data.draw(st.integers(0, len(words)))
    word = data.draw(
        st.sampled_from(["not", "never", "sem", "não", "yesterday", "2026-01-05", "windows", "xyzzy", "7"])
    )
    assert signature(" ".join([*words[:place], word, *words[place:]])) != signature(question.format(name))


@given(st.text(max_size=200))
def test_any_text_has_one_signature(text: str) -> None:
    assert signature(text) == signature(text)
    assert signature(text).split(" ")[0] in {"how", "meaning", "where", "why", "other"}


def test_no_hostile_pair_has_one_signature() -> None:
    assert [pair for pair in hostile_pairs() if signature(pair[0]) == signature(pair[1])] == []


def test_most_paraphrases_have() -> None:
    pairs = [pair for group in PARAPHRASES for pair in combinations(group, 2)]
    assert sum(signature(one) == signature(other) for one, other in pairs) > len(pairs) / 2


def test_no_word_is_of_two_classes_or_means_nothing_elsewhere() -> None:
    words = [fold(word) for line in question_data()["classes"].values() for word in set(line.split())]
    silent = set(question_data()["fillers"].split()) | set(question_data()["negations"].split())
    assert sorted(word for word in words if words.count(word) > 1) == []
    assert silent.isdisjoint(words)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("how do I restart it?", "how"),
        ("what should I do about AWSBDW002E?", "how"),
        ("o que eu faço quando enche?", "how"),
        ("como mudo o limite?", "how"),
        ("what does AWSBDW002E mean?", "meaning"),
        ("o que é um prompt?", "meaning"),
        ("which option controls it?", "where"),
        ("qual é o parâmetro?", "where"),
        ("onde fica o localopts?", "where"),
        ("who owns PAYROLL?", "other"),
    ],
)
def test_the_kind_of_a_question_is_read_off_its_words(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_negation_and_classes_are_those_of_both_languages() -> None:
    assert is_negated("Don’t rerun it")
    assert is_negated("o job roda sem calendário")
    assert not is_negated("o limite está no arquivo do agente")
    assert classes("segure o job") <= classes("hold the job")
    assert classes("hold it") != classes("release it")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("did the FECHAMENTO end yesterday?", True),
        ("quantos jobs estão em abend agora?", True),
        ("como vejo o plano de ontem?", False),
        ("what does READY mean?", False),
    ],
)
def test_questions_of_the_moment_ask_for_no_procedure(question: str, *, expected: bool) -> None:
    assert is_of_moment(question) is expected
