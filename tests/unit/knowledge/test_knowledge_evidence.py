from __future__ import annotations

import pytest

from knowledge.evidence import Evidence, NameHits
from knowledge.words import WordHit

_ALIKE, _UNLIKE = 0.6, 0.2


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (
            Evidence(names=NameHits(), words=[WordHit(1, 5.0, 0.6)], likeness={1: _UNLIKE}, is_foreign=False),
            True,
        ),
        (
            Evidence(names=NameHits(), words=[WordHit(1, 5.0, 0.4)], likeness={1: _UNLIKE}, is_foreign=False),
            False,
        ),
        (
            Evidence(names=NameHits(), words=[WordHit(1, 5.0, 0.4)], likeness={1: _UNLIKE}, is_foreign=True),
            True,
        ),
        (
            Evidence(names=NameHits(), words=[WordHit(1, 5.0, 0.2)], likeness={1: _ALIKE}, is_foreign=True),
            False,
        ),
        (Evidence(names=NameHits(), words=[], likeness={1: _ALIKE}, is_foreign=False), True),
        (
            Evidence(names=NameHits(asks_by_name=True), words=[], likeness={1: _ALIKE}, is_foreign=False),
            False,
        ),
        (
            Evidence(names=NameHits(), words=[WordHit(2, 5.0, 1.0)], likeness={2: 1.0}, is_foreign=False),
            False,
        ),
        (
            Evidence(
                names=NameHits(ranking={1: 1.0}, told={1}, asks_by_name=True),
                words=[],
                likeness={},
                is_foreign=False,
            ),
            True,
        ),
        (
            Evidence(names=NameHits(ranking={1: 1.0}), words=[], likeness={}, is_foreign=False),
            False,
        ),
    ],
    ids=[
        "most words",
        "few words",
        "fewer words suffice in a foreign language",
        "likeness is not believed in a foreign language",
        "alike",
        "alike but without the name that was asked for",
        "evidence for another chunk",
        "the name",
        "only a return code",
    ],
)
def test_a_chunk_answers_when_something_specific_agrees(evidence: Evidence, expected: bool) -> None:  # noqa: FBT001  # a table's column
    assert evidence.answers(1) is expected


def test_likeness_counts_less_in_a_foreign_language() -> None:
    words, likeness = [WordHit(1, 5.0, 0.5)], {2: 0.9}

    def scores(*, is_foreign: bool) -> list[float]:
        evidence = Evidence(names=NameHits(), words=words, likeness=likeness, is_foreign=is_foreign)
        return [round(item.score, 2) for item in evidence.ranked()]

    assert scores(is_foreign=False) == [0.5, 0.5]
    assert scores(is_foreign=True) == [0.59, 0.41]
