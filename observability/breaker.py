"""A circuit breaker: a far end that does not answer is left alone for a while, then one request tries again.

Written here because the libraries for it (pybreaker, aiobreaker, purgatory) are threads first, unmaintained, or bring
stores and listeners for three states and a counter.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum


class State(StrEnum):
    """Closed lets everything through, open nothing, half-open one request."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts the outages in a row of one far end, over all who ask it."""

    def __init__(
        self,
        *,
        is_outage: Callable[[BaseException], bool | None],
        held_back: Callable[[float], Exception],
        failures: int,
        pause_seconds: float,
        report: Callable[[State], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens after `failures` outages in a row; `report` hears of each new state, and of the first.

        `is_outage` tells an outage from a refusal, which is an answer, and from what says nothing about the far end
        (None). `held_back` makes the error for a request that is not let through, of the seconds until one will be.
        """
        self._is_outage = is_outage
        self._held_back = held_back
        self._most_failures = failures
        self._pause = pause_seconds
        self._report = report
        self._clock = clock
        self._failures = 0
        self._free_at = 0.0
        self._change(State.CLOSED)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around one request. Raises what `held_back` made instead of letting it go."""
        is_probe = self._admit()
        try:
            yield
        except BaseException as error:
            is_outage = self._is_outage(error)
            if is_outage:
                self._fail()
            elif is_outage is not None:
                self._succeed()
            elif is_probe:
                # Nobody knows how it would have ended: the next one tries instead.
                self._change(State.OPEN)
            raise
        self._succeed()

    def hold(self, seconds: float) -> None:
        """Lets nothing through for so long, because the far end asked for it."""
        self._free_at = max(self._free_at, self._clock() + seconds)

    def _admit(self) -> bool:
        """Whether this request is the one that tries again."""
        wait = self._free_at - self._clock()
        if self._state is State.HALF_OPEN or wait > 0:
            raise self._held_back(max(wait, 0.0))
        if self._state is State.CLOSED:
            return False
        self._change(State.HALF_OPEN)
        return True

    def _fail(self) -> None:
        self._failures += 1
        if self._state is State.HALF_OPEN or self._failures == self._most_failures:
            self.hold(self._pause)
            self._change(State.OPEN)

    def _succeed(self) -> None:
        self._failures = 0
        if self._state is not State.CLOSED:
            self._change(State.CLOSED)

    def _change(self, state: State) -> None:
        self._state = state
        self._report(state)
