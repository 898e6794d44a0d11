from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.breaker import Breaker, State

OUTAGE = ConnectionError("gone")
REFUSAL = PermissionError("no")


class HeldBackError(Exception):
    """Carries the seconds to wait."""


def is_outage(error: BaseException) -> bool | None:
    return error is OUTAGE if isinstance(error, OSError) else None


class Bench:
    """A breaker of three failures and ten seconds, with its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reported: list[State] = []
        self.breaker = Breaker(
            is_outage=is_outage,
            held_back=HeldBackError,
            failures=3,
            pause_seconds=10,
            report=self.reported.append,
            clock=lambda: self.now,
        )

    @property
    def state(self) -> State:
        return self.reported[-1]

    def ask(self, error: BaseException | None = None) -> bool:
        """Whether the request was let through."""
        was_asked = False
        with suppress(OSError, HeldBackError, asyncio.CancelledError), self.breaker.guard():
            was_asked = True
            if error is not None:
                raise error
        return was_asked


def test_it_opens_after_outages_in_a_row_and_tries_again_after_the_pause() -> None:
    bench = Bench()
    assert all(bench.ask(OUTAGE) for _ in range(3))
    assert bench.state is State.OPEN
    assert not bench.ask()
    bench.now = 9.9
    assert not bench.ask()
    bench.now = 10
    assert bench.ask()
    assert bench.reported == [State.CLOSED, State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_probe_that_fails_begins_another_pause() -> None:
    bench = Bench()
    for _ in range(3):
        bench.ask(OUTAGE)
    bench.now = 10
    assert bench.ask(OUTAGE)
    bench.now = 19
    assert not bench.ask()
    bench.now = 20
    assert bench.ask()


def test_only_one_request_tries_again() -> None:
    bench = Bench()
    for _ in range(3):
        bench.ask(OUTAGE)
    bench.now = 10
    with bench.breaker.guard():
        assert not bench.ask()
    assert bench.ask()


def test_a_cancelled_probe_leaves_the_next_one_to_try() -> None:
    bench = Bench()
    for _ in range(3):
        bench.ask(OUTAGE)
    bench.now = 10
    assert bench.ask(asyncio.CancelledError())
    assert bench.state is State.OPEN
    assert bench.ask()
    assert bench.state is State.CLOSED


def test_a_refusal_is_an_answer() -> None:
    bench = Bench()
    for _ in range(2):
        bench.ask(OUTAGE)
    bench.ask(REFUSAL)
    for _ in range(2):
        bench.ask(OUTAGE)
    assert bench.state is State.CLOSED


@given(st.lists(st.tuples(st.sampled_from([None, OUTAGE, REFUSAL]), st.floats(0, 12)), max_size=40))
def test_it_lets_through_exactly_what_it_should(steps: list[tuple[BaseException | None, float]]) -> None:
    bench, failures, opened_at = Bench(), 0, None
    for error, pause in steps:
        bench.now += pause
        is_through = opened_at is None or bench.now >= opened_at + 10
        assert bench.ask(error) is is_through
        if is_through and error is OUTAGE:
            failures += 1
            opened_at = bench.now if failures >= 3 else None
        elif is_through:
            failures, opened_at = 0, None


def test_a_wait_that_was_asked_for_is_kept_and_needs_no_probe() -> None:
    bench = Bench()
    bench.breaker.hold(5)
    bench.breaker.hold(2)
    with pytest.raises(HeldBackError, match=r"5\.0"), bench.breaker.guard():
        pytest.fail("it was let through")
    bench.now = 5
    with bench.breaker.guard():
        assert bench.ask()
    assert bench.reported == [State.CLOSED]
