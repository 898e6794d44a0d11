"""What is read off a document: names with their kinds, messages, owners, procedures and fixes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import Section
from knowledge.links import Fact, facts_of
from knowledge.split import split

_RUNBOOK = {
    "Symptom": "Job PAYROLL of stream PAYDAILY on AGT_HR01 ends with RC 8. The log shows `ORA-01653`.",
    "Steps": "1. Look at AGT_HR01#PAYDAILY.PAYROLL.\n2. Rerun it.",
    "Whom to call": "Database Services for the space. Nobody else.",
}


def _facts(title: str, sections: dict[str, str]) -> tuple[Fact, ...]:
    return facts_of(title, split(title, [Section(location=at, text=words) for at, words in sections.items()]))


def _said(title: str, sections: dict[str, str]) -> set[tuple[str, str, str, str]]:
    """Name, relation, target and place."""
    return {(fact.start[1], fact.relation, fact.target[1], fact.evidence) for fact in _facts(title, sections)}


def test_a_runbook_is_about_what_its_title_names_and_names_the_rest() -> None:
    title = "PAYROLL (PAYDAILY): RC 8, AWSBHT023E"
    facts = {(fact.relation, fact.target): fact.evidence for fact in _facts(title, _RUNBOOK)}
    for about in (
        ("job", "PAYROLL"),
        ("job_stream", "PAYDAILY"),
        ("message", "AWSBHT023E"),
        ("code", "RC 8"),
    ):
        assert facts["about", about] == "Symptom"
    assert facts["names", ("name", "AGT_HR01")] == "Symptom"
    assert facts["names", ("message", "ORA-01653")] == "Symptom"
    assert facts["names", ("job", "AGT_HR01#PAYDAILY.PAYROLL")] == "Steps"


def test_what_a_section_says_is_about_the_names_of_its_heading_else_of_the_title() -> None:
    said = _said("PAYROLL", _RUNBOOK | {"INVEST_01": "Owner: Finance"})
    assert ("PAYROLL", "escalates_to", "Database Services for the space", "Whom to call") in said
    assert ("PAYROLL", "handled_by", "PAYROLL: Steps", "Steps") in said
    assert ("INVEST_01", "owned_by", "Finance", "INVEST_01") in said
    assert ("PAYROLL", "owned_by", "Finance", "INVEST_01") not in said


@pytest.mark.parametrize(
    ("words", "relation", "team"),
    [
        ("Owner: HR Systems", "owned_by", "HR Systems"),
        ("**Owner:** the HR Systems team.", "owned_by", "HR Systems team"),
        ("- Responsável: Sistemas RH", "owned_by", "Sistemas RH"),
        ("Owner / Dono: HR", "owned_by", "HR"),
        ("Owner | HR Systems", "owned_by", "HR Systems"),
        ("PAYROLL is owned by HR Systems, since 2019.", "owned_by", "HR Systems"),
        ("O responsável é a equipe de RH.", "owned_by", "equipe de RH"),
        ("If it fails twice, escalate to the DBA on call.", "escalates_to", "DBA on call"),
        ("Se falhar, escalar para o plantão DBA.", "escalates_to", "plantão DBA"),
        ("Fix / Solução: rerun", "fixed_by", "rerun"),
    ],
)
def test_owners_and_contacts_are_read_in_both_languages(words: str, relation: str, team: str) -> None:
    assert ("PAYROLL", relation, team, "General") in _said("PAYROLL", {"General": words})


def test_a_table_of_owners_gives_each_its_own() -> None:
    table = "Job | Stream | Owner\nPAYROLL | PAYDAILY | HR\nINVEST_01 | INVEST | Finance\nshort | row"
    said = _said("Contacts", {"Table": table})
    owners = {(name, team) for name, relation, team, _ in said if relation == "owned_by"}
    assert owners == {
        ("PAYROLL", "HR"),
        ("PAYDAILY", "HR"),
        ("INVEST_01", "Finance"),
        ("INVEST", "Finance"),
    }


def test_a_message_at_the_start_of_a_line_is_what_a_section_explains() -> None:
    said = _said("Messages", {"Batchman": "AWSBHT001E The job cannot be launched; see AWSBDW002E."})
    assert ("Messages", "about", "AWSBHT001E", "Batchman") in said
    assert ("Messages", "names", "AWSBDW002E", "Batchman") in said


@pytest.mark.parametrize(
    "words", ["THE JOB FAILED AND WAS STOPPED BY NOBODY", "the job is done", "ABEND or SUCC"]
)
def test_shouted_text_and_words_of_the_product_are_no_names(words: str) -> None:
    assert _said("Notes", {"General": words}) == set()


_NAMES = st.from_regex(r"[A-Z][A-Z0-9]{2,9}_[A-Z0-9]{1,9}", fullmatch=True)
_WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60
)


@given(_WORDS, st.lists(st.tuples(_WORDS, _WORDS), max_size=4))
def test_any_text_is_read_and_each_fact_given_once(title: str, sections: list[tuple[str, str]]) -> None:
    pieces = split(title, [Section(location=at, text=words) for at, words in sections])
    facts = facts_of(title, pieces)
    assert len({(fact.start, fact.relation, fact.target) for fact in facts}) == len(facts)
    assert {fact.evidence for fact in facts} <= {at for at, _ in sections}


@given(_NAMES, st.sampled_from(["job", "tarefa", "rotina"]), _WORDS)
def test_a_name_survives_whatever_stands_around_it(name: str, noun: str, words: str) -> None:
    said = {fact.target for fact in _facts("Notes", {"General": f"{words}\nO {noun} {name} parou.\n{words}"})}
    assert ("job", name) in said


def test_a_text_of_megabytes_is_read() -> None:
    words = "Job PAYROLL_A of AGT1#S.J | Owner: HR * _ | - \n\n" * 40_000
    assert {fact.target for fact in _facts("Notes", {"General": words})} >= {("job", "PAYROLL_A")}
