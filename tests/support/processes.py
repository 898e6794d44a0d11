"""The `resync` command as people run it: a process of its own that sees no settings but the given ones."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 90
"""A loaded machine imports slowly."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs until it is stopped."""

    process: asyncio.subprocess.Process

    async def line(self, start: str) -> str:
        """The rest of the next line that begins with `start`; fails when the command ends before."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_START_SECONDS):
            async for line in self.process.stdout:
                text = line.decode().strip()
                if text.startswith(start):
                    return text.removeprefix(start).strip()
        raise AssertionError(f"it ended before it said {start!r}; its errors are above")

    async def interrupt(self) -> int:
        """Ctrl-C as a terminal sends it, to the whole process group; gives the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        async with asyncio.timeout(40):
            return await self.process.wait()

    async def kill(self) -> None:
        """`kill -9` of this process alone: its children learn nothing from the signal."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def started(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Command]:
    """Runs `resync <arguments>` in the folder; kills what still runs when the context ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *arguments,
        cwd=folder,
        env=_environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Command(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def run(folder: Path, *arguments: str, typed: str = "", **settings: str) -> Finished:
    """Runs `resync <arguments>` to its end; `typed` is what a person types."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *arguments,
        cwd=folder,
        env=_environment(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Without a terminal the command reads passwords from its standard input.
        start_new_session=True,
    )
    async with asyncio.timeout(_START_SECONDS):
        output, errors = await process.communicate(typed.encode())
    assert process.returncode is not None
    return Finished(process.returncode, output.decode(), errors.decode())


def processes_of(data_dir: Path) -> set[str]:
    """Names of the processes that work in the folder or name it on their command line."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if str(data_dir) in " ".join((process.cwd(), *process.cmdline())):
                found.add(process.name())
    return found


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Ours without any `RESYNC_…`, and the given ones by the rest of their name."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
    given = {f"RESYNC_{name}": value for name, value in settings.items()}
    return inherited | given | {"PYTHONPATH": str(_ROOT), "COLUMNS": "200"}
