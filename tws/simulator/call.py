"""One request to the REST API, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from . import filters, refusals
from .bodies import parsed
from .engine import Engine
from .master import Master
from .orders import Kind, Verb
from .rights import CALLER
from .routes import INTEGERS, Operation

_SCOPE = re.compile(
    "(WHOLE(_NO_JOB_DEFINITIONS(_AND_NO_DEPENDENCIES)?|_NO_DEPENDENCIES)?|SELF_SERVICE_CATALOG)?"
)
"""Values of the header `scope`."""

_T = TypeVar("_T")
_B = TypeVar("_B", bound=BaseModel)


class Call:
    """What a handler needs to know of its request. Everything that cannot be read is refused with 400 or 415."""

    def __init__(self, request: web.Request, operation: Operation, master: Master) -> None:
        self.request, self.operation, self._master = request, operation, master
        self.caller = request[CALLER]
        self.id = request.match_info.get(operation.id_field, "")
        """The id in the path; empty without one."""
        for name in INTEGERS.intersection(operation.query).intersection(request.query):
            if not re.fullmatch(r"-?[0-9]{1,9}", request.query[name]):
                raise refusals.wrong(f"The parameter {name} is not a number.")

    @property
    def engine(self) -> Engine:
        """The engine of the plan that is meant, brought to the present. Raises 400, 404; OutageError."""
        plan_id = self.text("plan_id") or "current"
        engine = self._master.engine_of(plan_id)
        if engine is None:
            raise self.missing(plan_id)
        return engine

    @property
    def kind(self) -> Kind:
        """What the operation is about."""
        assert self.operation.kind is not None
        return self.operation.kind

    @property
    def verb(self) -> Verb:
        """What the operation does."""
        assert self.operation.verb is not None
        return self.operation.verb

    @property
    def wants_dependencies(self) -> bool:
        """Whether lists shall give dependencies."""
        scope = self.request.headers.get("scope", "")
        if not _SCOPE.fullmatch(scope):
            raise refusals.wrong(f'The scope "{scope}" is not known.')
        return scope in ("WHOLE", "WHOLE_NO_JOB_DEFINITIONS")

    def text(self, name: str) -> str:
        """A query parameter; empty where it is missing."""
        return self.request.query.get(name, "")

    def number(self, name: str) -> int:
        """A query parameter that must be there."""
        if name not in self.request.query:
            raise refusals.wrong(f"The parameter {name} is missing.")
        return int(self.request.query[name])

    def count(self, name: str, default: int) -> int:
        """A query parameter that is at least 0."""
        found = self.number(name) if name in self.request.query else default
        if found < 0:
            raise refusals.wrong(f"The parameter {name} is below 0.")
        return found

    def query(self) -> filters.Query:
        """What the filters of the request say."""
        selection = self.text("plan_filter") or self.text("model_filter")
        try:
            query = filters.parse(self.text("oql"))
            if not selection:
                return query
            return query.where(selection, filters.select(self.operation.kind or "", selection))
        except filters.OqlSyntaxError as problem:
            raise refusals.wrong(f"OQL_FILTER_SYNTAX_ERROR {problem}") from None
        except filters.SelectionError as problem:
            raise refusals.wrong(f"The filter {problem} is not valid.") from None

    def known(self, objects: Mapping[str, _T]) -> _T:
        """The object of the id in the path. Raises 404, or 500 where an action was given a composite key."""
        if self.id in objects:
            return objects[self.id]
        if self.operation.verb and any(_key(one) == self.id for one in objects.values()):
            raise refusals.incomplete_key()
        raise self.missing(self.id)

    def missing(self, object_id: str) -> web.HTTPError:
        """Nothing has that id: 404 where the vendor's document has it, and 400 for lists and submissions."""
        is_400 = not self.id or self.operation.verb is Verb.SUBMIT
        return refusals.not_found(object_id, web.HTTPBadRequest if is_400 else web.HTTPNotFound)

    async def body(self, form: type[_B]) -> _B:
        """The body; an empty one stands for an empty object where the operation does not need any."""
        content = await self.request.read()
        if not content and not self.operation.needs_body:
            return parsed(form, b"{}")
        if self.request.content_type not in ("application/json", "application/merge-patch+json"):
            raise refusals.refusal(web.HTTPUnsupportedMediaType, "The body must be JSON.")
        return parsed(form, content)


def _key(one: Any) -> str | None:
    return getattr(getattr(one, "plan", None), "key", None)
