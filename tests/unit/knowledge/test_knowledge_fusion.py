from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evidence import Fused, Ranking, Way, fuse

_WEIGHTS: dict[Way, float] = {"identifier": 2.0, "words": 1.0, "vector": 1.0}
_RANKINGS = st.fixed_dictionaries(
    {
        way: st.dictionaries(st.integers(0, 20), st.floats(0.01, 10))
        for way in ("identifier", "words", "vector")
    }
)


def _fuse(rankings: dict[Way, Ranking]) -> list[Fused]:
    return fuse(rankings, _WEIGHTS)


def test_first_in_every_ranking_scores_one() -> None:
    best, other = _fuse({"identifier": {1: 1.0}, "words": {1: 9.0, 2: 3.0}, "vector": {2: 0.1, 1: 0.8}})
    assert best.chunk_id == 1
    assert best.score == pytest.approx(1)
    assert best.ways == {"identifier", "words", "vector"}
    assert other.ways == {"words", "vector"}


def test_a_name_beats_words_and_likeness_together() -> None:
    assert _fuse({"identifier": {1: 0.2}, "words": {2: 9.0}, "vector": {2: 0.9}})[0].chunk_id == 1


def test_a_ranking_that_is_away_does_not_lower_scores() -> None:
    assert _fuse({"identifier": {}, "words": {1: 5.0}, "vector": {}})[0].score == pytest.approx(1)


def test_equal_scores_share_a_rank() -> None:
    one, other = _fuse({"identifier": {1: 1.0, 2: 1.0}, "words": {}, "vector": {}})
    assert one.score == other.score


def test_a_wide_lead_in_one_ranking_outweighs_middling_places_in_two() -> None:
    words = {1: 9.0, 2: 0.5}
    likeness = {3: 0.5, 4: 0.49, 2: 0.48, 5: 0.47, 1: 0.3}
    assert _fuse({"identifier": {}, "words": words, "vector": likeness})[0].chunk_id == 1


def test_what_scores_nothing_is_not_found() -> None:
    assert _fuse({"identifier": {}, "words": {}, "vector": {1: 0.0, 2: -0.2}}) == []


def test_nothing_found_gives_nothing() -> None:
    assert _fuse({"identifier": {}, "words": {}, "vector": {}}) == []


@given(_RANKINGS)
def test_scores_are_between_zero_and_one_and_fall(rankings: dict[Way, Ranking]) -> None:
    fused = _fuse(rankings)
    scores = [item.score for item in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1.000001 for score in scores)
    assert {item.chunk_id for item in fused} == {key for ranking in rankings.values() for key in ranking}
