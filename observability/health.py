"""Whether the parts that Resync stands on are there."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

import structlog

HealthCheck: TypeAlias = Callable[[], Awaitable[str]]
"""Returns a few words about the part, such as its version; raises when the part is away."""

log = structlog.get_logger(__name__)


class HealthStatus(StrEnum):
    """How a part, or the whole, is."""

    OK = "ok"
    DEGRADED = "degraded"
    """The whole works without an optional part."""
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """One part."""

    status: HealthStatus
    """Never `DEGRADED`."""
    latency_ms: float
    detail: str
    """What the check said, or the kind of its error; messages go to the log, they may name hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """All parts at one moment."""

    status: HealthStatus
    """`DOWN` if a required part is, else `DEGRADED` if any is."""
    parts: Mapping[str, PartHealth]


class HealthChecks:
    """Named checks, run together, each within the same time."""

    def __init__(self, timeout: timedelta = timedelta(seconds=2)) -> None:
        self._timeout = timeout
        self._required: dict[str, HealthCheck] = {}
        self._optional: dict[str, HealthCheck] = {}

    def add(self, name: str, check: HealthCheck, *, required: bool = True) -> None:
        """Adds a part; without a required one Resync cannot answer at all."""
        (self._required if required else self._optional)[name] = check

    async def report(self) -> HealthReport:
        """Runs all checks; takes as long as the slowest one, never longer than the timeout."""
        checks = self._required | self._optional
        results = await asyncio.gather(*(self._run(name, check) for name, check in checks.items()))
        parts = dict(zip(checks, results, strict=True))
        down = {name for name, part in parts.items() if part.status is HealthStatus.DOWN}
        status = HealthStatus.OK
        if down:
            status = HealthStatus.DOWN if down & self._required.keys() else HealthStatus.DEGRADED
        return HealthReport(status=status, parts=parts)

    async def _run(self, name: str, check: HealthCheck) -> PartHealth:
        start = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                detail, status = await check(), HealthStatus.OK
        except Exception as error:  # noqa: BLE001  # whatever a part raises, it is away
            detail, status = type(error).__name__, HealthStatus.DOWN
            log.warning("part_is_down", part=name, error=error)
        return PartHealth(
            status=status, latency_ms=round((time.perf_counter() - start) * 1000, 1), detail=detail
        )
