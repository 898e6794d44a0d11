"""Kills what runs on a database at its n-th statement, as if the process had died there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class Killed(BaseException):
    """Nothing catches it, and nothing after it runs."""


@dataclass(slots=True)
class Death:
    """Whether it came to it."""

    statements: int = 0
    has_come: bool = False


@contextmanager
def killed_at(engine: AsyncEngine, statement: int) -> Iterator[Death]:
    """From its n-th statement on nothing reaches the database; what was open is rolled back."""
    death = Death()

    def die(*_: Any) -> None:
        death.statements += 1
        if death.statements >= statement:
            death.has_come = True
            raise Killed

    event.listen(engine.sync_engine, "before_cursor_execute", die)
    try:
        yield death
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", die)
