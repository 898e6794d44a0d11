"""What goes wrong on purpose: the next so many requests that match are answered or carried out badly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from fnmatch import fnmatchcase

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field


class Effect(StrEnum):
    """What happens to a request."""

    NOTHING = "nothing"
    """Answered with 200; the plan stays as it is."""
    LATE = "late"
    """The change comes so many simulated seconds later."""
    OTHER = "other"
    """Another object of the kind is changed, the answer names the one that was meant."""
    DROP = "drop"
    """The connection breaks after the change was accepted."""
    ERROR = "error"
    """500, nothing is done."""
    DENIED = "denied"
    """401, nothing is done."""
    SLOW = "slow"
    """The answer takes so many real seconds."""
    TRUNCATE = "truncate"
    """The answer's text ends in the middle."""


class Fault(BaseModel):
    """One rule of the control API."""

    model_config = ConfigDict(extra="forbid")

    effect: Effect
    method: str = "*"
    """With `*` for any."""
    path: str = "*"
    """With `*` for any characters, e.g. `*/action/rerun`."""
    times: int = Field(default=1, ge=1)
    """How many requests it still meets."""
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Of `late` and `slow`."""


FAULT = web.RequestKey("fault", Fault)
"""What goes wrong on purpose with a request, where something does."""


class Faults:
    """The rules, oldest first; each request meets at most one."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def take(self, method: str, path: str) -> Fault | None:
        """The rule that a request meets, used up by one."""
        for rule in self.rules:
            if fnmatchcase(method, rule.method) and fnmatchcase(path, rule.path):
                rule.times -= 1
                if not rule.times:
                    self.rules.remove(rule)
                return rule
        return None


async def suffer(
    fault: Fault, request: web.Request, answer: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The answer that the fault leaves. Changes that go wrong are the business of who makes them."""
    match fault.effect:
        case Effect.ERROR:
            return web.Response(status=500, text="SRVE0777E: Exception thrown by application class")
        case Effect.DENIED:
            return web.Response(
                status=401, text="<html><body>Error 401</body></html>", content_type="text/html"
            )
        case Effect.SLOW:
            await asyncio.sleep(fault.seconds)
    found = await answer()
    if fault.effect is Effect.DROP and request.transport:
        request.transport.abort()
    if fault.effect is Effect.TRUNCATE and isinstance(found, web.Response) and found.text:
        return web.Response(
            status=found.status, text=found.text[: len(found.text) // 2], content_type=found.content_type
        )
    return found
