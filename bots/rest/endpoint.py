"""One address of the API with all that routing, guarding and documenting it needs to know."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aiohttp import web
from pydantic import BaseModel

from security.roles import Actor, Permission

__all__ = ["ACTOR", "Endpoint", "Handler"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACTOR = web.RequestKey("actor", Actor)
"""The person behind the request; set for every endpoint that names a permission."""

_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A method on a path; the OpenAPI document and the router are both made from these."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    """With `{name}` for parameters, which are ids: 1 to 64 letters, digits, `_` and `-`."""
    handle: Handler
    summary: str
    tag: str
    permission: Permission | None
    """What the caller must be allowed; None for everybody, signed in or not."""
    responses: Mapping[int, type[BaseModel] | None]
    """Successful answers by status; None has no body."""
    problems: tuple[int, ...] = ()
    """Statuses of problem documents beyond those that follow from the other fields."""
    request: type[BaseModel] | None = None
    media_type: str = "application/json"
    """Of the request."""
    streams: bool = False
    """Whether `Accept: text/event-stream` gets the turn's events."""
    idempotent: bool = False
    """Whether it honours `Idempotency-Key`."""
    errors: tuple[int, ...] = field(init=False)
    """All statuses of problem documents, ascending."""

    def __post_init__(self) -> None:
        implied = {
            *((401, 403, 429) if self.permission else ()),
            *((400, 413, 415, 422) if self.request else ()),
            *((404,) if self.parameters else ()),
            *((400, 409, 422) if self.idempotent else ()),
            500,
        }
        object.__setattr__(self, "errors", tuple(sorted(implied | set(self.problems))))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the path, in order."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def route(self) -> str:
        """The path as the router takes it: whatever cannot be an id is not found."""
        return _PARAMETER.sub(r"{\1:[A-Za-z0-9_-]{1,64}}", self.path)
