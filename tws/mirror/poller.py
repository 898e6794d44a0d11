"""Keeps the mirror of one engine's plan: one process of all, elected by a lease."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from observability.metrics import Metrics
from tws import oql
from tws.actions import ObjectKind
from tws.errors import TwsError
from tws.objects import CommonStatus, JobStream

from . import partitions, statements
from .lease import Lease, LeaseLostError
from .settings import MirrorSettings
from .source import GraphSync, PlanSource
from .staging import Merged, Staging

_LEASE = timedelta(seconds=60)
"""Longer than the database takes to store a whole plan, as the lease cannot be renewed meanwhile."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)
_STREAMS_A_QUERY = 50
"""Their ids go into the URL twice, which servers cut at 8 KB."""
_GRAPH_ROWS = 5000
_SMALL = (ObjectKind.WORKSTATION, ObjectKind.RESOURCE, ObjectKind.PROMPT)
"""Kinds with so few objects that each poll reads all of them."""
_ALL = (ObjectKind.JOB, ObjectKind.JOB_STREAM, *_SMALL)
_ACTIVE = (
    CommonStatus.READY,
    CommonStatus.RUNNING,
    CommonStatus.HELD,
    CommonStatus.UNDECIDED,
    CommonStatus.CANCELED,
    CommonStatus.SUPPRESS,
)
"""Where a job may go on, or get to, without any counter of its stream telling."""

_log = structlog.get_logger(__name__)


class PlanChangedError(Exception):
    """Another plan began while this one was read; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the last poll saw, to tell what the next one has to read."""

    run_number: int | None
    whole_at: datetime
    """When everything was read last."""
    streams: dict[str, int]
    """Fingerprints by id."""
    active: dict[str, str]
    """Ids of the active jobs, with that of their stream."""


@dataclass(slots=True)
class Mirror:
    """Copies the plan into the `tws_*` tables; of several processes with the same engine, one does.

    At first, after a new plan began and every `full_interval` all of the plan is read; in between only the job
    streams and the jobs of those that moved. A poll is stored wholly or not at all.
    """

    engine: AsyncEngine
    _: KW_ONLY
    name: str
    """What Resync calls the engine."""
    source: PlanSource
    settings: MirrorSettings
    metrics: Metrics
    graph: GraphSync | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Dates what is read, in UTC."""
    lease_lifetime: timedelta = _LEASE
    _lease: Lease = field(init=False)
    _seen: _Seen | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _is_wanted: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._lease = Lease(self.engine, self.name, self.lease_lifetime)

    def start(self) -> None:
        """Begins to poll, unless the settings forbid it."""
        if self.settings.enabled:
            self._task = asyncio.create_task(self._run(), name=f"mirror-{self.name}")

    def read_again(self) -> None:
        """Polls before its time: something happened since the last poll."""
        self._is_wanted.set()

    async def aclose(self) -> None:
        """Stops and leaves the mirror to another process at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._lease.release()

    async def poll(self) -> Merged | None:
        """Reads and stores once; None while another process keeps the mirror.

        Raises the errors of `tws.errors`, `PlanChangedError`, `LeaseLostError` and those of the database; then
        nothing was stored.
        """
        before = self._lease.generation
        if not await self._lease.take():
            return None
        if self._lease.generation != before:
            self._seen = None
        began = time.monotonic()
        async with self._lease.kept():
            merged, is_whole = await self._poll()
        kind, rows = "whole" if is_whole else "changes", merged.written + merged.removed
        self.metrics.mirror_polled(engine=self.name, kind=kind, seconds=time.monotonic() - began, rows=rows)
        return merged

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self.poll()
                failures = 0
            except Exception as error:  # noqa: BLE001  # whatever an engine answers, the next poll may succeed
                failures += 1
                await self._report(error)
            pause = min(self.settings.poll_interval * 2 ** min(failures, 10), _LONGEST_PAUSE)
            least = pause if failures else min(_SHORTEST_PAUSE, pause)
            await asyncio.sleep(least.total_seconds())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_wanted.wait(), (pause - least).total_seconds())
            self._is_wanted.clear()

    async def _report(self, error: Exception) -> None:
        is_expected = isinstance(error, TwsError | PlanChangedError | LeaseLostError)
        failure = error.code if isinstance(error, TwsError) else type(error).__name__
        _log.warning("mirror_poll_failed", engine=self.name, error=failure, exc_info=not is_expected)
        self.metrics.mirror_failed(engine=self.name)
        try:
            await self._lease.report(failure)
        except (LeaseLostError, OSError, DBAPIError) as lost:
            _log.warning("mirror_failure_not_recorded", engine=self.name, error=type(lost).__name__)

    async def _poll(self) -> tuple[Merged, bool]:
        """Gives what changed, and whether everything was read."""
        read_at, info, seen = self.clock(), await self.source.plan_info(), self._seen
        oldest = read_at - self.settings.full_interval
        if seen and (seen.run_number != info.run_number or seen.whole_at <= oldest):
            seen = None
        if seen is None:
            await self._tend(read_at)
        whole_at = seen.whole_at if seen else read_at
        found = _Seen(run_number=info.run_number, whole_at=whole_at, streams={}, active={})
        async with Staging.opened(self.engine, self.name) as staging:
            await (self._read_changes(staging, seen, found) if seen else self._read_all(staging, found))
            for objects in await asyncio.gather(
                self.source.workstations(), self.source.resources(), self.source.prompts()
            ):
                await staging.add(objects)
            if (await self.source.plan_info()).run_number != info.run_number:
                raise PlanChangedError
            merged = await staging.merge(
                info=info, whole_kinds=_SMALL if seen else _ALL, read_at=read_at, guard=self._lease.fence
            )
        if seen is None:
            await self._tell_graph(read_at)
            _log.info("plan_mirrored", engine=self.name, written=merged.written, removed=merged.removed)
        # A stream that is gone left the plan; only a whole read tells what went with it.
        self._seen = None if seen and seen.streams.keys() - found.streams.keys() else found
        return merged, seen is None

    async def _read_all(self, staging: Staging, found: _Seen) -> None:
        async for streams in self.source.all_job_streams():
            await staging.add(streams)
            found.streams.update((stream.id, _fingerprint(stream)) for stream in streams)
        await self._read_jobs(staging, found)

    async def _read_changes(self, staging: Staging, seen: _Seen, found: _Seen) -> None:
        async for streams in self.source.all_job_streams(with_dependencies=False):
            found.streams.update((stream.id, _fingerprint(stream)) for stream in streams)
        await self._read_jobs(staging, found, oql.one_of(oql.Field.RUN_COMMON_STATUS, _ACTIVE))
        moved = {stream_id for stream_id, was in found.streams.items() if seen.streams.get(stream_id) != was}
        moved |= {stream_id for job_id, stream_id in seen.active.items() if job_id not in found.active}
        touched = moved & found.streams.keys()
        for some in _slices(touched):
            # What follows a stream that moved may still wait as before, but for less.
            follows = oql.one_of(oql.Field.PREDECESSOR_STREAM_ID, some)
            of_both = oql.Or((oql.one_of(oql.Field.ID, some), follows))
            async for streams in self.source.all_job_streams(of_both):
                await staging.add(streams)
                touched.update(stream.id for stream in streams)
            await self._read_jobs(staging, found, follows)
        for some in _slices(touched):
            await self._read_jobs(staging, found, oql.one_of(oql.Field.JOB_STREAM_ID, some))

    async def _read_jobs(self, staging: Staging, found: _Seen, *conditions: oql.Condition) -> None:
        async for jobs in self.source.all_jobs(*conditions):
            await staging.add(jobs)
            found.active.update((job.id, job.job_stream_id) for job in jobs if job.common_status in _ACTIVE)

    async def _tend(self, now: datetime) -> None:
        keep = timedelta(days=self.settings.history_days)
        values = {
            "engine": self.name,
            "oldest_change": now - keep,
            "oldest_run": now - timedelta(days=self.settings.run_days),
        }
        async with self.engine.begin() as connection:
            await self._lease.fence(connection)
            await partitions.tend(connection, now, keep)
            for statement in statements.PRUNE:
                await connection.execute(statement, values)

    async def _tell_graph(self, read_at: datetime) -> None:
        if self.graph is not None:
            nodes, edges = self._rows(statements.NODES), self._rows(statements.EDGES)
            oldest = read_at - timedelta(days=self.settings.run_days)
            await self.graph(f"plan:{self.name}", nodes, edges, self._lease.fence, read_at, oldest)

    async def _rows(self, query: TextClause) -> AsyncIterator[list[Any]]:
        async with self.engine.connect() as connection:
            rows = await connection.stream(query, {"engine": self.name})
            async for page in rows.partitions(_GRAPH_ROWS):
                yield [tuple(row) for row in page]


def _slices(stream_ids: set[str]) -> Iterator[list[str]]:
    ids = sorted(stream_ids)
    return (ids[start : start + _STREAMS_A_QUERY] for start in range(0, len(ids), _STREAMS_A_QUERY))


def _fingerprint(stream: JobStream) -> int:
    """Another number when anything about the stream but its dependencies is another."""
    return hash(replace(stream, dependencies=()))
