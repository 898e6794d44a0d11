from __future__ import annotations

from collections import Counter

from brain.reply import Reply
from evals.case import load, scenario_of
from evals.judge import judge
from evals.report import FIGURES
from evals.truth import Expected, found, word
from tws.simulator.catalogue import scenario


def test_the_shipped_cases_are_many_in_both_languages_and_of_every_figure() -> None:
    cases = load()
    assert len({case.id for case in cases}) == len(cases) > 500
    languages = Counter(case.lang for case in cases)
    assert len(set(languages.values())) == 1
    for is_in in FIGURES.values():
        assert sum(map(is_in, cases)) >= 40
    assert len({case.messages for case in cases}) > 500


def test_the_cases_speak_of_scenarios_that_there_are() -> None:
    for name in {case.scenario for case in load()}:
        assert scenario(scenario_of(name)).streams


def test_a_word_is_no_part_of_another_or_of_a_time() -> None:
    assert found(word(8), "return code 8.")
    assert not found(word(8), "08:10, 18, 8:15, 10:8")
    assert found(word("PAYROLL"), "AGT_HR01#PAYDAILY.PAYROLL: ABEND")
    assert not found(word("PAY"), "PAY_BANK_FILE")


def test_precision_counts_only_where_nothing_is_missed() -> None:
    (case, *_) = (one for one in load() if one.kind == "diagnosis")
    reply = Reply(blocks=(), plain_text="It was the disk, or the moon.", agent="diagnosis")
    assert judge(case, Expected(named=("disk",)), reply).score == 1
    assert judge(case, Expected(named=("disk",), wrong=("moon",)), reply).score == 0.5
    assert judge(case, Expected(named=("tape",), wrong=("moon",)), reply).score == 0
