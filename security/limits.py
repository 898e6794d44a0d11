"""Rate limits in Redis: a moving window per key."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_TIMEOUT = timedelta(milliseconds=200)
"""What a limit may cost a turn; an answer from Redis normally takes under a millisecond."""
_WARNING_INTERVAL = timedelta(minutes=1)

_Ask: TypeAlias = Callable[[RateLimitItem, str], Awaitable[bool]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDecision:
    """Whether to go on."""

    allowed: bool
    retry_after: timedelta | None = None
    """When refused: from now until the next one is allowed; never negative."""
    degraded: bool = False
    """Redis was away, so nothing was counted."""


class RateLimiter:
    """Counts hits. Fails open: without Redis, or when it is slow, everything is allowed and `degraded`."""

    def __init__(self, redis_url: str) -> None:
        # The deadline below is the only clock: redis-py's own retries would outlast it.
        self._pool = ConnectionPool.from_url(redis_url, retry=Retry(NoBackoff(), 0))
        # The pool holds the real address. This scheme makes `limits` use redis-py for every kind of address.
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            connection_pool=self._pool,  # type: ignore[arg-type]  # documented; the annotation lacks it
        )
        self._windows = MovingWindowRateLimiter(storage)
        self._warned_at = float("-inf")
        self._is_degraded = False

    async def hit(self, limit: str, key: str) -> LimitDecision:
        """Counts one hit of `key` against `limit`, such as `30/minute`; a refused hit does not count.

        The key names purpose and subject, e.g. `turn:ana`: equal limits with equal keys share a window.
        """
        return await self._ask(self._windows.hit, limit, key)

    async def peek(self, limit: str, key: str) -> LimitDecision:
        """What `hit` would say now, without counting: for a way in that can refuse before the turn counts."""
        return await self._ask(self._windows.test, limit, key)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._pool.aclose()

    async def _ask(self, ask: _Ask, limit: str, key: str) -> LimitDecision:
        window = parse(limit)
        wait = None
        try:
            async with asyncio.timeout(_TIMEOUT.total_seconds()):
                if not await ask(window, key):
                    stats = await self._windows.get_window_stats(window, key)
                    wait = timedelta(seconds=max(0.0, stats.reset_time - time.time()))
        except (RedisError, OSError, TimeoutError) as error:
            self._is_degraded = True
            if time.monotonic() - self._warned_at >= _WARNING_INTERVAL.total_seconds():
                self._warned_at = time.monotonic()
                log.warning("rate_limiter_away", error=type(error).__name__, allowed="everything")
            return LimitDecision(allowed=True, degraded=True)
        if self._is_degraded:
            self._is_degraded = False
            log.info("rate_limiter_recovered")
        return LimitDecision(allowed=wait is None, retry_after=wait)
