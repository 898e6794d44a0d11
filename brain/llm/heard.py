"""Whether anything of an answer was passed on already: then it cannot be begun anew, and it is billed."""

from __future__ import annotations

from .model import OnDelta


class Heard:
    """Passes the pieces of an answer on."""

    def __init__(self, on_delta: OnDelta) -> None:
        self._on_delta = on_delta
        self.anything = False

    async def __call__(self, piece: str) -> None:
        """Takes one; is what a model calls with each."""
        self.anything = True
        await self._on_delta(piece)
