"""One address of the API with all that routing, guarding and documenting it needs to know."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

from aiohttp import hdrs, web
from pydantic import BaseModel

from security.roles import Actor, Permission

from .models import Request, Running

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Responses: TypeAlias = Mapping[int, type[BaseModel] | None]
"""Successful answers by status; None has no body."""

ACTOR = web.RequestKey("actor", Actor)
"""The person behind the request; set for every endpoint that names a permission."""

_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method on a path; the OpenAPI document and the router are both made from these."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    """With `{name}` for parameters, which are ids: 1 to 64 letters, digits, `_` and `-`."""
    handle: Handler
    """The first line of its docstring is the summary that readers of the OpenAPI document see."""
    permission: Permission | None
    """What the caller must be allowed; None for everybody, signed in or not."""
    request: type[Request] | None
    responses: Responses
    problems: tuple[int, ...] = ()
    """Statuses of problem documents beyond those that follow from the other fields."""
    query: type[Request] | None = None
    """What may stand behind the `?`."""
    is_live: bool = False
    """Whether `Accept: text/event-stream` gets each change."""

    @property
    def tag(self) -> str:
        """The group in the document: the part of the path behind the version."""
        return self.path.split("/")[3]

    @property
    def streams(self) -> bool:
        """Whether `Accept: text/event-stream` gets events: changes, or those of a turn whose answer may have to wait."""
        return self.is_live or self.responses.get(HTTPStatus.ACCEPTED) is Running

    @property
    def is_idempotent(self) -> bool:
        """Whether it honours `Idempotency-Key`: every POST but those that answer with credentials."""
        return self.method == "POST" and self.permission is not None

    @property
    def errors(self) -> list[int]:
        """All statuses of problem documents, ascending."""
        implied = {
            # A token is read, and the database may be away, even where everybody may call.
            *(401, 500, 503),
            *((403,) if self.permission else ()),
            *((429,) if self.permission or self.request else ()),
            *((400, 413, 415, 422) if self.request else ()),
            *((404,) if self.parameters else ()),
            *((422,) if self.query else ()),
            *((409,) if self.is_idempotent else ()),
        }
        return sorted(implied.union(self.problems))

    @property
    def parameters(self) -> list[str]:
        """Names in the path, in order."""
        return _PARAMETER.findall(self.path)

    @property
    def route(self) -> str:
        """The path as the router takes it: whatever cannot be an id is not found."""
        return _PARAMETER.sub(r"{\1:[A-Za-z0-9_-]{1,64}}", self.path)


def json_response(
    answer: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The model as JSON; never cached, since every answer is somebody's own."""
    return web.Response(
        status=status,
        text=answer.model_dump_json(),
        content_type="application/json",
        headers={**(headers or {}), hdrs.CACHE_CONTROL: "no-store"},
    )
