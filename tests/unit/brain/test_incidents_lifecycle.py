from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from brain.incidents.lifecycle import ACTIVE, State, Step, after

_STEPS = st.sampled_from(get_args(Step))


@given(st.lists(_STEPS))
def test_every_walk_stays_within_the_states_and_closes_for_good(steps: list[Step]) -> None:
    state: State = "open"
    for step in steps:
        was, then = state, after(state, step)
        if then is None:
            continue
        assert was != "closed"
        assert then != was
        assert (then == "closed") == (step == "close")
        state = then
    assert state in get_args(State)


def test_only_what_is_resolved_can_be_closed() -> None:
    assert {state for state in get_args(State) if after(state, "close")} == {"resolved"}
    assert all(after(state, "resolve") == "resolved" for state in ACTIVE)
