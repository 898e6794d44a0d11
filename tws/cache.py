"""Answers to questions, given again while they are fresh enough, always with their age.

Written here because caches in libraries know lifetimes, but neither `stale-while-revalidate` nor whose error it is when
a shared request fails.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from .client import TwsClient
from .errors import TwsError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MOST = 256
"""Answers that are kept; a page of jobs may be a few MB."""


@dataclass(frozen=True, slots=True)
class Known(Generic[_T]):
    """An answer and when it was true."""

    value: _T
    as_of: datetime
    """When the engine was asked, in UTC."""

    def age(self, now: datetime) -> timedelta:
        """How old it is; never below zero, whatever the clocks say."""
        return max(now - self.as_of, timedelta())


class CachedReads:
    """Reads of one engine for one account. For answers to questions only: actions and their checks ask `TwsClient`.

    The two spans of `TwsSettings` mean what RFC 9111 and RFC 5861 call fresh and `stale-while-revalidate`. Those who ask the same at the same time share one request.
    """

    def __init__(
        self, client: TwsClient, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._clock = clock
        self._answers: OrderedDict[Hashable, Known[Any]] = OrderedDict()
        self._reads: dict[Hashable, asyncio.Task[Known[Any]]] = {}

    async def ask(
        self,
        read: Callable[Concatenate[TwsClient, _P], Awaitable[_T]],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Known[_T]:
        """The answer of a read, e.g. `ask(TwsClient.query_jobs, JobFilter(name="PAY@"))`.

        Raises the errors of `tws.errors`, and ValueError for the method that changes the plan.
        """
        if read is TwsClient.carry_out:
            raise ValueError("a change is never answered from memory")
        key = (read, args, frozenset(kwargs.items()))
        settings, known = self._client.settings, self._answers.get(key)
        age = known.age(self._clock()) if known else timedelta.max
        if known and age < settings.fresh_for:
            return known
        task = self._reads.get(key)
        if task is None:
            # By its name, as an engine that speaks V1 has a method of its own.
            method = getattr(self._client, read.__name__)
            task = asyncio.create_task(self._refresh(key, lambda: method(*args, **kwargs)))
            self._reads[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        if known and age < settings.stale_while_revalidate:
            return known
        # Others may wait for the same: nobody's cancellation ends it.
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Drops every answer: something was changed."""
        self._answers.clear()

    async def aclose(self) -> None:
        """Stops what is being read."""
        tasks = tuple(self._reads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _refresh(self, key: Hashable, read: Callable[[], Awaitable[Any]]) -> Known[Any]:
        as_of = self._clock()
        try:
            known = self._answers[key] = Known(await read(), as_of)
        except TwsError:
            # The next one who asks must hear of it.
            self._answers.pop(key, None)
            raise
        self._answers.move_to_end(key)
        if len(self._answers) > _MOST:
            self._answers.popitem(last=False)
        return known

    def _forget(self, key: Hashable, task: asyncio.Task[Known[Any]]) -> None:
        del self._reads[key]
        if not task.cancelled():
            # Looked at, so that an error that nobody waits for is no warning.
            task.exception()
