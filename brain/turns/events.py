"""What a running turn shows: progress, pieces of the answer and the answer, readable by any process.

Events are rows, so a client that reconnects misses none and a worker elsewhere can write them; NOTIFY
only wakes the readers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, TypeAlias

__all__ = ["EventKind", "TurnEvent", "TurnEvents"]

EventKind: TypeAlias = Literal["progress", "delta", "reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEvent:
    """One event of a turn, in order of `number` from 1."""

    turn_id: str
    number: int
    kind: EventKind
    data: str
    """A line for `progress`, a piece of text for `delta`, a `Reply` as JSON for `reply` (always last)."""


class TurnEvents(Protocol):
    async def publish(self, turn_id: str, kind: EventKind, data: str) -> None: ...

    def follow(self, turn_id: str, *, patience: timedelta) -> AsyncIterator[TurnEvent]:
        """All events from the first; ends after `reply`. Raises TimeoutError after `patience` without it."""
        ...
