from __future__ import annotations

import math

import pytest

from knowledge.baselines import PlainWords, fused_by_rank
from knowledge.measures import mean_figures


def test_the_best_order_has_every_figure_at_a_hundred() -> None:
    figures = mean_figures([({"a": 2, "b": 1}, ["a", "b", "x"])])
    assert figures == {"ndcg_at_10": 100, "recall_at_10": 100, "mrr": 100, "right_first": 100}


def test_a_better_grade_further_down_costs_gain() -> None:
    figures = mean_figures([({"a": 2, "b": 1}, ["b", "a"])])
    expected = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert figures["ndcg_at_10"] == pytest.approx(100 * expected, abs=0.01)
    assert figures["right_first"] == 100


def test_only_the_first_ten_count() -> None:
    others = [f"x{number}" for number in range(10)]
    assert set(mean_figures([({"a": 1}, [*others, "a"])]).values()) == {0}
    assert mean_figures([({"a": 1}, [*others[:9], "a"])])["mrr"] == 10


def test_figures_are_means_over_questions() -> None:
    figures = mean_figures([({"a": 1}, ["a"]), ({"a": 1}, []), ({"a": 1}, ["x", "a"]), ({"a": 1}, ["x"])])
    assert (figures["mrr"], figures["recall_at_10"], figures["right_first"]) == (37.5, 50, 25)


def test_fusion_by_rank_prefers_what_both_found() -> None:
    assert fused_by_rank(["a", "b", "c"], ["d", "b"]) == ["b", "a", "d", "c"]


def test_plain_words_take_the_language_of_the_documents() -> None:
    words = PlainWords({"pt": ("", "o arquivo das execuções que falharam"), "x": ("", "uma receita de bolo")})
    assert words.search("execução") == ["pt"]
    assert words.search("de que a uma") == []
