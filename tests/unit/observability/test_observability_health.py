from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from observability.health import HealthCheck, HealthChecks, HealthStatus

_TIMEOUT = timedelta(milliseconds=100)


async def _works() -> str:
    return "PostgreSQL 18.6"


async def _fails() -> str:
    raise ConnectionRefusedError("db.internal:5432")


async def _hangs() -> str:
    await asyncio.Event().wait()
    return "never"


@pytest.mark.parametrize(
    ("required", "optional", "status"),
    [
        (_works, _works, HealthStatus.OK),
        (_works, _fails, HealthStatus.DEGRADED),
        (_works, _hangs, HealthStatus.DEGRADED),
        (_fails, _works, HealthStatus.DOWN),
        (_hangs, _fails, HealthStatus.DOWN),
    ],
)
async def test_the_whole_is_down_with_a_required_part_and_degraded_with_an_optional_one(
    required: HealthCheck, optional: HealthCheck, status: HealthStatus
) -> None:
    checks = HealthChecks(_TIMEOUT)
    checks.add("database", required)
    checks.add("redis", optional, required=False)
    assert (await checks.report()).status is status


async def test_a_part_says_what_it_is_or_what_kind_of_error_it_had() -> None:
    checks = HealthChecks(_TIMEOUT)
    for name, check in (("good", _works), ("bad", _fails), ("slow", _hangs)):
        checks.add(name, check)
    parts = (await checks.report()).parts
    assert {name: (part.status, part.detail) for name, part in parts.items()} == {
        "good": (HealthStatus.OK, "PostgreSQL 18.6"),
        "bad": (HealthStatus.DOWN, "ConnectionRefusedError"),
        "slow": (HealthStatus.DOWN, "TimeoutError"),
    }
    assert parts["slow"].latency_ms >= 100 > parts["good"].latency_ms


async def test_checks_run_together() -> None:
    all_begun = asyncio.Barrier(10)

    async def waits_for_the_others() -> str:
        await all_begun.wait()
        return "begun"

    checks = HealthChecks(timedelta(seconds=30))
    for number in range(10):
        checks.add(f"part{number}", waits_for_the_others)
    assert (await checks.report()).status is HealthStatus.OK


async def test_nothing_to_check_is_ok() -> None:
    assert (await HealthChecks(_TIMEOUT).report()).status is HealthStatus.OK
