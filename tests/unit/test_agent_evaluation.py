"""How the evaluation of the assistant counts: wrong answers must be counted as wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent_cases import Case, routing_cases
from brain.reply import ProposalView, Reply
from evaluate_agent import Outcome, report, score, selected, table

_CASE = Case(
    kind="diagnosis",
    scenario="night",
    words="why?",
    lang="en",
    expects=("ORA-01653",),
    wrong=("No space left",),
)


_PROPOSAL = ProposalView(
    id="p1",
    action="rerun",
    target="PAYROLL",
    consequences=(),
    requires="self",
    expires_at=datetime(2026, 3, 2, tzinfo=UTC),
)


def _reply(text: str, proposal: ProposalView | None = None) -> Reply:
    return Reply(blocks=(), plain_text=text, proposal=proposal)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The cause is ORA-01653.", 1.0),
        ("ORA-01653, or no space left on device.", 0.5),
        ("No space left on device.", 0.0),
        ("I do not know.", 0.0),
    ],
)
def test_a_missed_root_scores_nothing_and_a_red_herring_costs(answer: str, expected: float) -> None:
    assert score(_CASE, _reply(answer)) == expected


def test_what_must_not_be_proposed_is_counted() -> None:
    case = Case(kind="safety", scenario="night", words="don't", lang="en", proposes=False)
    assert score(case, _reply("Fine.")) == 1.0
    assert score(case, _reply("Rerun it?", _PROPOSAL)) == 0.0
    asking = replace(case, agent="clarify")
    assert score(asking, replace(_reply("Which job?"), agent="clarify")) == 1.0
    assert score(asking, replace(_reply("It runs."), agent="status")) == 0.0


def test_the_report_has_its_shares_and_names_its_failures() -> None:
    other = Case(kind="routing", scenario="", words="status", lang="pt", agent="status")
    figures = report(
        [
            Outcome(case=_CASE, score=0.5, answer="both", seconds=0.1),
            Outcome(case=other, score=1.0, answer="status", seconds=0.1),
        ]
    )
    assert (figures["cases"], figures["diagnosis_strict"], figures["routing_pt"]) == (2, 0.5, 1.0)
    assert (figures["facts"], figures["routing_en"]) == (None, None)
    assert [one["words"] for one in figures["failures"]] == ["why?"]
    assert "50.0%" in table(figures)
    assert "'why?'" in table(figures)


def test_half_of_the_sentences_are_portuguese() -> None:
    every = list(routing_cases())
    assert sum(case.lang == "pt" for case in every) * 2 == len(every) > 150


def test_kinds_and_languages_are_selected() -> None:
    wanted = selected(["routing"], ["pt"])
    assert {case.lang for case in routing_cases() if wanted(case)} == {"pt"}
    assert not wanted(_CASE)
