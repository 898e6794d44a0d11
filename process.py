"""The life of a process: it runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

import structlog

_log = structlog.get_logger(__name__)


async def until_stopped() -> None:
    """Waits for SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    await stopped.wait()
    _log.info("stopping")
