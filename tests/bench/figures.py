"""What was measured, as the table that `docs/bench.md` shows."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of one kind of request, and of the least that could stand in its place, measured in turn."""

    name: str
    seconds: Sequence[float]
    baseline: Sequence[float]
    goal: str
    """`p95 < 50` or `median < 150`, in milliseconds."""

    @property
    def row(self) -> str:
        median, p95 = _median(self.seconds), _p95(self.seconds)
        ratio = median / _median(self.baseline)
        kind, _, limit = self.goal.split()
        is_met = (p95 if kind == "p95" else median) < float(limit)
        return (
            f"| {self.name} | {median:.1f} ms | {p95:.1f} ms | {_median(self.baseline):.1f} ms | {ratio:.1f} |"
            f" {self.goal} ms | {_verdict(is_met=is_met)} |"
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the server process, in bytes."""

    name: str
    resident: int

    @property
    def row(self) -> str:
        megabytes = self.resident / 1e6
        return f"| {self.name} | {megabytes:.0f} MB | < 400 MB | {_verdict(is_met=megabytes < 400)} |"


def report(times: Sequence[Times], memory: Sequence[Memory], *, pause: float, load: float) -> str:
    """A Markdown page."""
    count = len(times[0].seconds)
    return f"""# Times and memory

Written by `make bench` on {_machine()}; load before the run {load:.1f}.

PostgreSQL, Valkey, the simulated TWS and the fake Slack and Teams ran on the same machine, the server with its
worker in one process.

{count} requests of each kind, {pause:.1f} s apart. The baseline was measured in the same run, in turn with the
requests: for an acknowledgement a bare aiohttp handler that inserts one row with asyncpg, for the status turn the
one query of the plan that it needs, sent to the simulated TWS directly. The ratio is that of the medians.

| Request | median | p95 | baseline | ratio | goal | met |
|---|---|---|---|---|---|---|
{chr(10).join(one.row for one in times)}

| Resident memory of `resync serve` | | goal | met |
|---|---|---|---|
{chr(10).join(one.row for one in memory)}
"""


def _median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


def _p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def _verdict(*, is_met: bool) -> str:
    return "yes" if is_met else "no"


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    processor = " ".join(sorted(models)) or platform.machine()
    return f"{os.cpu_count()} cores ({processor}), {platform.system()}, Python {platform.python_version()}"
