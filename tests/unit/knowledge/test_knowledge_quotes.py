from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from knowledge.answer import answer
from tests.support.passages import make_passage

_TODAY = date(2026, 5, 1)
_REFERENCE = """AWSBDW002E The job could not be launched.
**Explanation:** The user is not defined. The job goes nowhere.
System action
The job goes to FAIL.
**Operator response:** Define the user, then rerun the job.

AWSBDW003E Something else.
Explanation: Something else is wrong."""
_TABLE = """These are for the agent:
Option | Default | Meaning
retrylink | 600 | Seconds between two tries to link
syslocal | 0 | Where messages go"""
_STEPS = """Never restart it during the backup.

Look first:
- at the log
- at the screen

To restart the agent:
1. Stop the agent.
   Wait a minute.
2. Start the agent.

10 minutes later look again."""


def _texts(question: str, *passages: object) -> list[str]:
    return [found.text for found in answer(question, passages, _TODAY)]  # type: ignore[arg-type]  # passages


def test_a_message_id_is_answered_with_meaning_and_response_but_not_the_system_action() -> None:
    assert _texts("what does AWSBDW002E mean?", make_passage(text=_REFERENCE)) == [
        "AWSBDW002E The job could not be launched.",
        "**Explanation:** The user is not defined. The job goes nowhere.",
        "**Operator response:** Define the user, then rerun the job.",
    ]
    assert _texts("AWSBDW003E?", make_passage(text=_REFERENCE))[1] == "Explanation: Something else is wrong."


def test_labels_in_the_middle_of_a_paragraph_are_found_in_both_languages() -> None:
    text = (
        "CTB0042E O fechamento parou. Causa: há lançamentos abertos. Ação do operador: avise a contabilidade."
    )
    assert _texts("o que significa CTB0042E?", make_passage(text=text)) == [
        "CTB0042E O fechamento parou.",
        "Causa: há lançamentos abertos.",
        "Ação do operador: avise a contabilidade.",
    ]


def test_a_question_how_gets_the_numbered_list_of_the_whole_section() -> None:
    passage = make_passage(text="1. Stop the agent.", section=_STEPS, location="Agents")
    (found,) = answer("como faço para reiniciar o agente?", [passage], _TODAY)
    assert found.is_steps
    assert found.text == "1. Stop the agent.\n   Wait a minute.\n2. Start the agent."
    assert found.text in _STEPS


def test_a_question_which_gets_the_row_of_the_table() -> None:
    assert _texts("which option sets the default of retrylink?", make_passage(text=_TABLE)) == [
        "retrylink | 600 | Seconds between two tries to link"
    ]


def test_what_was_quoted_and_what_hardly_fits_is_left_out() -> None:
    best = make_passage(text="PAYROLL needs the tax table of the year.")
    copy = make_passage(document_id="d2", text="PAYROLL needs the tax table of the year!")
    poor = make_passage(document_id="d3", text="The year has twelve months.")
    assert _texts("what does PAYROLL need of the tax table?", best, copy, poor) == [best.text]


def test_what_is_out_of_date_comes_last() -> None:
    old = make_passage(text="PAYROLL waits for the old file of Monday.", valid_to=date(2026, 4, 30))
    new = make_passage(document_id="d2", text="PAYROLL waits for the message of the bank.")
    assert _texts("what does PAYROLL wait for?", old, new)[0] == new.text


@given(
    st.lists(st.text(st.sampled_from("aB1.|: \n-éAWS02E"), max_size=300), max_size=4),
    st.sampled_from(["how do I a?", "what does AWS02E mean?", "which option a?", "B"]),
)
def test_every_quotation_is_verbatim_and_of_its_own_passage(texts: list[str], question: str) -> None:
    passages = [make_passage(document_id=str(number), text=text) for number, text in enumerate(texts)]
    found = answer(question, passages, _TODAY)
    assert len(found) <= 3
    for quoted in found:
        assert quoted.text.strip()
        assert quoted.text in quoted.passage.section
