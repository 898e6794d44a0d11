"""Starts the TWS simulator on a free loopback port, for any test that needs a master."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tws.simulator.server import SimulatorSettings, serve

PASSWORD = "correct horse"
"""Of every user."""

USERS = {
    "viewer": (PASSWORD, "viewer"),
    "operator": (PASSWORD, "operator"),
    "supervisor": (PASSWORD, "supervisor"),
    "admin": (PASSWORD, "admin"),
    "resync": (PASSWORD, "service"),
}

API_KEYS = {"key-of-resync": ("resync", "service"), "key-of-viewer": ("viewer", "viewer")}


class SteppingClock:
    """A clock that stands still until it is told to go on, so that no test sleeps."""

    def __init__(self, now: datetime = datetime(2025, 11, 22, 9, 0, 30, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def step(self, **span: float) -> None:
        """Goes on by a timedelta's arguments, e.g. `seconds=5`."""
        self.now += timedelta(**span)


@asynccontextmanager
async def running_simulator(
    data_dir: Path | None = None,
    *,
    apply_delay: tuple[float, float] = (0.05, 0.1),
    clock: Callable[[], datetime] | None = None,
    **settings: Any,
) -> AsyncIterator[str]:
    """Gives the URL of the REST API, e.g. `http://127.0.0.1:40123/twsd/api/v2`.

    Users are `USERS`, API keys `API_KEYS`. Without a clock it runs in real time. `settings` are further fields of
    `SimulatorSettings`.
    """
    chosen = SimulatorSettings(port=0, data_dir=data_dir, apply_delay=apply_delay, **settings)
    clocks = {} if clock is None else {"clock": clock}
    async with serve(chosen, USERS, api_keys=API_KEYS, **clocks) as url:
        yield url
