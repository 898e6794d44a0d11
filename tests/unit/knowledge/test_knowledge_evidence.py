from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evidence import Evidence, Scale, confidence

_NOTHING = Evidence(
    words=0.0,
    titles=0.0,
    likeness=0.0,
    cosine=0.0,
    coverage=0.0,
    together=0.0,
    entries=0.0,
    name=0.0,
    is_told=False,
    lacks_name=False,
    is_compared=True,
)
_SCORES = st.lists(st.floats(0, 50, width=32), min_size=1, max_size=60)


@pytest.mark.parametrize(
    "better",
    [{"words": 1.0}, {"titles": 1.0}, {"likeness": 1.0}, {"entries": 0.5}, {"name": 0.5}, {"weight": 1.25}],
    ids=lambda better: next(iter(better)),
)
def test_whatever_speaks_for_a_section_lets_it_rise(better: dict[str, float]) -> None:
    assert replace(_NOTHING, **better).merit > _NOTHING.merit  # type: ignore[arg-type]  # a table's row


def test_what_is_outdated_falls() -> None:
    assert replace(_NOTHING, is_outdated=True).merit < _NOTHING.merit


def test_a_name_outweighs_a_good_place_among_words_or_likeness() -> None:
    named = replace(_NOTHING, name=1.0)
    assert named.merit > replace(_NOTHING, words=1.5).merit
    assert named.merit > replace(_NOTHING, likeness=1.5).merit


def test_likeness_counts_less_in_a_language_that_the_model_does_not_know() -> None:
    alike = replace(_NOTHING, likeness=3.0)
    assert alike.merit > replace(alike, is_compared=False).merit > _NOTHING.merit


@given(_SCORES)
def test_places_keep_the_order_of_scores(scores: list[float]) -> None:
    scale = Scale.of(np.array(scores, dtype=np.float32))
    places = [scale.place(score) for score in sorted(scores)]
    assert places == sorted(places)


@pytest.mark.parametrize("scores", [[], [2.0], [2.0, 2.0, 2.0]])
def test_where_all_are_alike_nobody_stands_out(scores: list[float]) -> None:
    assert Scale.of(np.array(scores, dtype=np.float32)).place(2.0) == 0.0


def test_a_sample_gives_about_the_scale_of_all() -> None:
    scores = np.random.default_rng(7).normal(0.2, 0.1, 40_000).astype(np.float32)
    whole, sampled = Scale.of(scores), Scale.of(scores[:4000], share=0.1)
    assert sampled.mean == pytest.approx(whole.mean, abs=0.02)
    assert sampled.place(0.6) == pytest.approx(whole.place(0.6), rel=0.35)


def test_confidence_grows_with_each_proof_and_falls_without_the_name_that_was_asked_for() -> None:
    weak = replace(_NOTHING, coverage=0.3, cosine=0.3)
    assert 0 < confidence(_NOTHING) < confidence(weak) < confidence(replace(weak, coverage=0.9)) < 1
    assert (
        confidence(replace(weak, is_told=True))
        > confidence(weak)
        > confidence(replace(weak, lacks_name=True))
    )


def test_likeness_is_no_proof_in_a_language_that_the_model_does_not_know() -> None:
    alike = replace(_NOTHING, cosine=0.9)
    assert confidence(replace(alike, is_compared=False)) < confidence(alike)


def test_what_no_document_names_and_what_is_of_today_is_doubted() -> None:
    likely = replace(_NOTHING, coverage=0.6, cosine=0.5)
    assert confidence(likely, has_unknown=True) < confidence(likely)
    assert confidence(likely, is_of_moment=True) < confidence(likely)
