"""What a restarted simulator needs to come back to the same state: how the plan began, and what was done to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from .orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHeader:
    """First line of the journal. All later plans follow from the first one."""

    scenario: str
    jobs: int | None
    seed: int
    run_number: int
    start: datetime
    """Simulated start of the first plan."""
    created_at: datetime
    """Real time at which the plan was made; simulated and real time were the same then."""
    speed: float
    """Simulated seconds in a real second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Simulated time that was passed over."""

    seconds: float


Entry = Order | Skip
_HEADERS: TypeAdapter[PlanHeader] = TypeAdapter(PlanHeader)
_ENTRIES: TypeAdapter[Entry] = TypeAdapter(Entry)


class Journal:
    """A file of JSON lines: the header, then one line for each entry.

    Writes block on purpose: an order is on disk before it is answered, and orders lie in the file in the
    order they were accepted in.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "plan.jsonl"

    def read(self) -> tuple[PlanHeader, list[Entry]] | None:
        """The header and the entries, oldest first; None where no plan was made yet.

        A last line without its end was torn by a crash and never answered: it is cut off.
        """
        if not self._path.exists():
            return None
        content = self._path.read_bytes()
        complete = content[: content.rfind(b"\n") + 1]
        if len(complete) < len(content):
            os.truncate(self._path, len(complete))
        lines = complete.splitlines()
        if not lines:
            return None
        return _HEADERS.validate_json(lines[0]), [_ENTRIES.validate_json(line) for line in lines[1:]]

    def begin(self, header: PlanHeader) -> None:
        """Replaces the plan by another one, without entries."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            _write(file, _HEADERS.dump_json(header))
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def append(self, entry: Entry) -> None:
        """Keeps the entry; it is on disk when this returns."""
        with self._path.open("ab") as file:
            _write(file, _ENTRIES.dump_json(entry))


def _write(file: BinaryIO, line: bytes) -> None:
    file.write(line + b"\n")
    file.flush()
    os.fsync(file.fileno())
