"""A request as specialists get it, for what asks nothing of the plan."""

from __future__ import annotations

from typing import cast
from zoneinfo import ZoneInfo

from brain.agents.asked import Asked
from brain.agents.grammar import Request
from brain.message import Locale
from brain.state import Memory
from brain.toolbox import Toolbox


async def _unheard(_line: str) -> None:
    """Nobody listens."""


ASKED = Asked(
    tools=cast("Toolbox", None),  # nothing is asked of it here
    request=Request(kind="unknown"),
    memory=Memory(),
    locale=Locale.EN,
    zone=ZoneInfo("America/Sao_Paulo"),
    progress=_unheard,
)
