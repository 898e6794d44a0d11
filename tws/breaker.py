"""A circuit breaker: an engine that does not answer is left alone for a while, then one request tries again.

Written here because the libraries for it (pybreaker, aiobreaker, purgatory) are threads first, unmaintained, or bring
stores and listeners for three states and a counter.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from .errors import TwsError, TwsHeldBackError, TwsUnreachableError


class State(StrEnum):
    """Closed lets everything through, open nothing, half-open one request."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts the outages in a row of one engine, over all accounts. A refusal is an answer, not an outage."""

    def __init__(
        self,
        name: str,
        *,
        failures: int,
        pause_seconds: float,
        report: Callable[[State], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens after `failures` outages in a row; `report` hears of each new state, and of the first."""
        self._name = name
        self._most_failures = failures
        self._pause = pause_seconds
        self._report = report
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._change(State.CLOSED)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around one request. Raises `TwsHeldBackError` instead of letting it go."""
        is_probe = self._state is not State.CLOSED
        if is_probe:
            self._admit_probe()
        try:
            yield
        except TwsUnreachableError:
            self._fail()
            raise
        except TwsError:
            self._succeed()
            raise
        except BaseException:
            # Nobody knows how it would have ended: the next one tries instead.
            if is_probe:
                self._change(State.OPEN)
            raise
        self._succeed()

    def _admit_probe(self) -> None:
        wait = self._opened_at + self._pause - self._clock()
        if self._state is State.HALF_OPEN or wait > 0:
            raise TwsHeldBackError(self._name, f"it was away; asked again in {max(wait, 0.0):.0f} s")
        self._change(State.HALF_OPEN)

    def _fail(self) -> None:
        self._failures += 1
        if self._state is State.HALF_OPEN or self._failures == self._most_failures:
            self._opened_at = self._clock()
            self._change(State.OPEN)

    def _succeed(self) -> None:
        self._failures = 0
        if self._state is not State.CLOSED:
            self._change(State.CLOSED)

    def _change(self, state: State) -> None:
        self._state = state
        self._report(state)
