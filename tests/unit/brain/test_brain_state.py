"""What a release understands of a memory that any release stored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.state import Memory, understood

_WHOLE = Memory(
    locale="pt", engine="TWS", selection="A#B.C", candidates=["A"], sentences=["rerun A"], unfinished="x"
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_a_memory_of_this_release_stays_as_it_is() -> None:
    assert understood(dict(_WHOLE)) == _WHOLE
    assert understood({}) == {}


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        (None, {}),
        (["locale", "en"], {}),
        ({"locale": "de", "engine": "TWS"}, {"engine": "TWS"}),
        ({"engine": 7, "selection": None, "unfinished": True}, {}),
        ({"candidates": [1], "sentences": ["a"]}, {"sentences": ["a"]}),
        ({"of the future": 1, "locale": "en"}, {"locale": "en"}),
    ],
)
def test_what_is_unknown_or_of_another_type_is_dropped(stored: object, kept: dict[str, Any]) -> None:
    assert understood(stored) == kept


@given(st.dictionaries(st.sampled_from([*_WHOLE, "other"]), _JSON) | _JSON)
def test_whatever_was_stored_gives_a_memory(stored: object) -> None:
    memory = understood(stored)
    assert memory.keys() <= _WHOLE.keys()
    assert understood(memory) == memory
