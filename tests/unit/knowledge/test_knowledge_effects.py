from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.tuning import Effect, Judged, effects

_JUDGED = st.lists(st.builds(Judged, st.floats(0, 1), st.booleans()))


def test_a_threshold_answers_from_its_own_value_on() -> None:
    judged = [
        Judged(0.5, should_answer=True),
        Judged(0.5, should_answer=False),
        Judged(0.2, should_answer=True),
    ]
    low, high = effects(judged, [0.6, 0.5, 0.5])
    assert low == Effect(0.5, answered_right=1, answered_wrong=1, refused_right=0, refused_wrong=1)
    assert high == Effect(0.6, answered_right=0, answered_wrong=0, refused_right=1, refused_wrong=2)


@given(_JUDGED, st.lists(st.floats(0, 1), min_size=1))
def test_every_question_counts_once_and_a_higher_threshold_answers_fewer(
    judged: list[Judged], candidates: list[float]
) -> None:
    found = effects(judged, candidates)
    answered = [one.answered_right + one.answered_wrong for one in found]
    assert answered == sorted(answered, reverse=True)
    for one, count in zip(found, answered, strict=True):
        assert count + one.refused_right + one.refused_wrong == len(judged)
