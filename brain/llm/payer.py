"""For whom and for what a model is asked: set where a turn is answered, read where a call is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Whose budgets a call counts for."""

    turn_id: str = ""
    actor_id: str = ""
    channel: str = ""
    task: str = ""
    """The agent that asks."""


PAYER: ContextVar[Payer] = ContextVar("payer", default=Payer())  # noqa: B039  # frozen


@contextmanager
def paying(**changes: str) -> Iterator[None]:
    """Calls within, also those of tasks begun within, are paid for as now but for these fields of `Payer`."""
    token = PAYER.set(replace(PAYER.get(), **changes))
    try:
        yield
    finally:
        PAYER.reset(token)
