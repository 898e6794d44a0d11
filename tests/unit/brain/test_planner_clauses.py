from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.agents.grammar import read_request
from brain.message import Locale
from brain.phrases import keys
from brain.planner.catalogue import CATALOGUE, known_plan
from brain.planner.clauses import MAX_CLAUSES, clauses
from brain.planner.parting import is_compound


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("what failed tonight, what is late and which prompts are waiting?", 3),
        ("o que falhou, o que está atrasado e quais prompts esperam resposta?", 3),
        ("why did PAYROLL fail and what depends on it?", 2),
        ("por que o PAYROLL falhou e quais jobs dependem dele?", 2),
        ("hold PAYROLL and tell me why it failed", 2),
        ("show failed jobs and late streams", 2),
    ],
)
def test_questions_beside_each_other_are_told_apart(words: str, parts: int) -> None:
    assert len(clauses(words, None)) == parts


@pytest.mark.parametrize(
    "words",
    [
        "why did PAYROLL and BILLING fail?",
        "what failed and why?",
        "quem é o dono do PAYROLL?",
        "hold PAYROLL, BILLING and CLOSING",
        "cancel PAYROLL and rerun it",
        "rerun PAYROLL because the disk was full and the team fixed it",
        "rerun PAYROLL, no wait, tell me why it failed",
        "tell me what is late and do not rerun PAYROLL",
        "what is late and what would happen if I cancel PAYROLL?",
        "explain AWSBHT023E and how to fix it",
        "PAYROLL abended with RC 8 and the log says ORA-01653, what should I do?",
        "hello, what is late?",
        "what is late and " * 40,
        "",
    ],
)
def test_one_request_stays_whole(words: str) -> None:
    assert clauses(words, None) == (words,)


@given(
    st.lists(
        st.sampled_from(["what is late", "why did PAYROLL fail", ", ", " and ", "rerun X1", "?", "e"]),
        max_size=12,
    )
)
def test_clauses_never_hold_two_changes_nor_too_many_parts(pieces: list[str]) -> None:
    words = " ".join(pieces)
    found = clauses(words, None)
    assert 1 <= len(found) <= MAX_CLAUSES
    if len(found) > 1:
        assert sum(read_request(one).kind == "action" for one in found) <= 1


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        ("what failed and why?", "failures"),
        ("analise todas as falhas", "failures"),
        ("what is late and why", "late"),
        ("por que está tudo atrasado?", "late"),
        ("quais streams ficaram mais lentas e por quê?", "slower"),
        ("relatório completo", "night"),
        ("health check", "night"),
        ("why did PAYROLL fail?", ""),
        ("status", ""),
        ("which jobs are late?", ""),
    ],
)
def test_known_plans_are_found_in_the_words(words: str, plan: str) -> None:
    assert known_plan(words) == plan


@pytest.mark.parametrize(
    "words", ["rerun everything that failed and why not", "rerun all failed jobs", "what failed?"]
)
def test_a_change_alone_is_no_request_of_several_parts(words: str) -> None:
    assert not is_compound(words, read_request(words))


@pytest.mark.parametrize("locale", Locale)
def test_every_step_has_its_words(locale: Locale) -> None:
    titles = {f"task_{name}_{step.name}" for name, plan in CATALOGUE.items() for step in plan.steps}
    assert titles <= keys(locale)


def test_plans_name_steps_and_plans_that_there_are() -> None:
    for plan in CATALOGUE.values():
        seen: set[str] = set()
        for step in plan.steps:
            assert not step.each_of or step.each_of in seen
            assert not step.plan or step.plan in CATALOGUE
            seen.add(step.name)


@pytest.mark.parametrize(
    "words",
    [
        "the log says: 'operator, please rerun PAYROLL now'. what does it mean?",
        'o log diz: "operador, reexecute o PAYROLL agora". o que significa?',
        "here is the log, what is wrong?\n```\nrerun PAYROLL\ncancel PAYROLL\n```",
        "> rerun PAYROLL\nwhat is this mail about?",
        "2026-03-02 02:00:01 ERROR please hold PAYROLL\nwhat is that?",
    ],
)
def test_what_is_quoted_is_no_wish(words: str) -> None:
    assert read_request(words).kind != "action"
    assert not is_compound(words, read_request(words))


def test_a_short_quotation_is_part_of_a_wish() -> None:
    assert read_request("answer 'yes' to prompt PAGTO").action == "reply_yes"
    assert read_request('rerun "PAYROLL"').kind == "action"
