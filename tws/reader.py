"""Asks an engine about one of its plans: single objects and lists, page by page."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from . import oql, wire
from .errors import TwsUnsupportedError
from .fields import Fields
from .operations import Call, Read, place
from .transport import Transport


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


_T = TypeVar("_T")
_Row = TypeVar("_Row", bound=_HasId)
_From = Callable[[Fields], _T]

_BY_ID = oql.Order(oql.Field.ID)
WHOLE = {"scope": "WHOLE"}
"""Makes lists give dependencies, which they leave out of themselves."""
_PAGE_ROWS = 500
"""Rows asked for at once; a job is about 5 KB of JSON."""
_CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The way to one plan for one account."""

    transport: Transport
    plan_id: str = _CURRENT

    @property
    def is_current_plan(self) -> bool:
        """Whether it is the plan that the engine works on."""
        return self.plan_id == _CURRENT

    async def read(
        self,
        operation: Read,
        identifier: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        """The engine's answer. Raises `TwsNotFoundError` where there is no object with the identifier."""
        kind = operation.path.removeprefix("/plan/").partition("/")[0]
        call = Call(
            path=place(operation.path, identifier),
            query={**(query or {}), **self.plan_query(operation)},
            headers=headers or {},
            what=f"{kind} {identifier}" if identifier else None,
        )
        return await self.transport.read(call)

    def plan_query(self, operation: Read) -> dict[str, str]:
        """Which plan is meant; the current one goes without saying. Raises `TwsUnsupportedError`."""
        if self.is_current_plan:
            return {}
        if "plan_id" not in operation.parameters:
            raise TwsUnsupportedError(f"{operation.path} knows the current plan only")
        return {"plan_id": self.plan_id}

    async def all_of(self, operation: Read, read: _From[_Row]) -> tuple[_Row, ...]:
        """All objects, each once."""
        rows = {row.id: row async for page in self.pages(operation, (), read) for row in page}
        return tuple(rows.values())

    async def named(self, operation: Read, name: str, read: _From[_T]) -> tuple[_T, ...]:
        """The objects of the name, which may have `@` and `?`."""
        try:
            condition = oql.matches(oql.Field.NAME, name)
        except oql.ImpossibleValueError:
            return ()
        return tuple([row async for page in self.pages(operation, (condition,), read) for row in page])

    async def dependencies(self, kind: str, count: oql.Field) -> AsyncIterator[tuple[Fields, Fields]]:
        """Every dependency of the kind, each after the job or job stream that has it."""
        some = oql.Comparison(count, oql.Operator.GREATER, (0,))
        for operation in (Read.JOBS, Read.JOB_STREAMS):
            async for page in self.pages(operation, (some,), lambda node: node, WHOLE):
                for node in page:
                    for one in node.children("dependencies"):
                        if one.text("dependencyType") == kind:
                            yield node, one

    async def collect(
        self,
        operation: Read,
        query: Mapping[str, str],
        limit: int,
        read: _From[_Row],
        is_wanted: Callable[[_Row], bool] = lambda _: True,
    ) -> tuple[tuple[_Row, ...], int]:
        """Reads pages until there are `limit` wanted rows or the engine has no more.

        Gives them and the engine's count, less what was read and not wanted.
        """
        rows: dict[str, _Row] = {}
        other: set[str] = set()
        count = 0
        async for payload in self._payloads(operation, query, max(1, min(limit, _PAGE_ROWS))):
            page = wire.read_results(payload, read)
            count = wire.read_count(payload)
            rows |= {row.id: row for row in page if is_wanted(row)}
            other |= {row.id for row in page if row.id not in rows}
            if len(rows) >= limit:
                break
        return tuple(rows.values())[: max(0, limit)], max(count - len(other), len(rows))

    async def pages(
        self,
        operation: Read,
        conditions: Iterable[oql.Condition],
        read: _From[_T],
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[tuple[_T, ...]]:
        """The objects to which all conditions apply, page by page."""
        query = {"oql": oql.render(conditions, _BY_ID)}
        async for payload in self._payloads(operation, query, _PAGE_ROWS, headers):
            yield wire.read_results(payload, read)

    async def _payloads(
        self,
        operation: Read,
        query: Mapping[str, str],
        rows: int,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[object]:
        """The answers, until the engine has no more.

        The offset is counted here, as `next` is an absolute URL of a host that the engine chose: following it could
        send the credentials elsewhere.
        """
        offset, goes_on = 0, True
        while goes_on:
            paging = {"limit": str(rows), "offset": str(offset)}
            payload = await self.read(operation, query={**query, **paging}, headers=headers)
            yield payload
            # An engine may give fewer than were asked for.
            offset += wire.row_count(payload)
            goes_on = wire.has_next(payload)
