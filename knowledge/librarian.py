"""Reads in the background what was handed in, and keeps folders, pages and vectors in step.

The queue only wakes; what is left to read is in the table of orders. What a killed process held frees itself,
and the sweep of any other takes it over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer import AsyncpgDriver, Queries, QueueManager
from pgqueuer.models import Job

from .documents import IngestReport, Properties
from .ingest import Ingest, Stamps, report
from .orders import ENTRYPOINT, Order, Orders
from .settings import KnowledgeSettings

_LOG = structlog.get_logger(__name__)

_SWEEP = timedelta(seconds=5)
"""How often forgotten orders are looked for, and how old they must be."""
_REBUILD = timedelta(minutes=1)
_AT_ONCE = 2
"""Orders read at the same time: a short one need not wait for a long one."""
_MOST_ATTEMPTS = 3
"""An order that so many processes died with is given up."""


class Librarian:
    """Runs until it is closed; any number of processes may run one."""

    def __init__(
        self,
        orders: Orders,
        ingest: Ingest,
        settings: KnowledgeSettings,
        *,
        dsn: str,
        sweep: timedelta = _SWEEP,
    ) -> None:
        self._orders = orders
        self._ingest = ingest
        self._settings = settings
        self._dsn = dsn
        self._sweep_every = sweep
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        """Sources with something to read, as far as this process has heard."""
        self._stamps: Stamps = {}
        self._pages_read_at = -float("inf")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to read."""
        rounds: Sequence[tuple[Callable[[], Awaitable[None]], float]] = (
            (self._listen, 1),
            (self._sweep, self._sweep_every.total_seconds()),
            (self.refresh, self._settings.folder_seconds),
            (self._rebuild, _REBUILD.total_seconds()),
            *[(self._work_off, 0.0)] * _AT_ONCE,
        )
        self._tasks = [asyncio.create_task(self._repeat(work, seconds)) for work, seconds in rounds]

    async def aclose(self) -> None:
        """Stops at once; what is not finished is left to others or to the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def refresh(self) -> None:
        """Brings the watched folders in step, and the pages when their time has come; one process of all does."""
        async with self._orders.hold("watched") as is_held:
            if not is_held:
                # the other process may store or remove what these stamps stand for
                self._stamps.clear()
                return
            for folder in self._settings.folders:
                await self._ingest.ingest_paths(
                    [folder.path],
                    properties=Properties(readers=folder.readers),
                    sync=True,
                    stamps=self._stamps,
                )
            if time.monotonic() - self._pages_read_at >= self._settings.page_minutes * 60:
                for page in self._settings.pages:
                    await self._ingest.ingest_paths([page.url], properties=Properties(readers=page.readers))
                self._pages_read_at = time.monotonic()

    async def _rebuild(self) -> None:
        """Embeds what has no vector: after a change of the model, or when it was away or another document's."""
        async with self._orders.hold("vectors") as is_held:
            if is_held:
                await self._ingest.vectors.rebuild()

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # whatever one document does, the next one is read
                _LOG.warning("librarian_interrupted", work=work.__qualname__, error=type(error).__name__)
            await asyncio.sleep(seconds)

    async def _listen(self) -> None:
        """Serves the queue on one connection until it breaks."""
        connection = await asyncpg.connect(self._dsn)
        try:
            manager = QueueManager(Queries(AsyncpgDriver(connection)))
            connection.add_termination_listener(lambda _connection: manager.shutdown.set())
            manager.entrypoint(ENTRYPOINT)(self._on_job)
            await manager.run(batch_size=1, max_concurrent_tasks=_AT_ONCE, shutdown_on_listener_failure=True)
        finally:
            await connection.close(timeout=2)

    async def _on_job(self, job: Job) -> None:
        assert job.payload is not None
        self._waiting.put_nowait(job.payload.decode())

    async def _sweep(self) -> None:
        if self._waiting.empty():
            for source in await self._orders.waiting(older_than=self._sweep_every):
                self._waiting.put_nowait(source)

    async def _work_off(self) -> None:
        """Reads what waits under the next source, unless somebody already does."""
        source = await self._waiting.get()
        async with self._orders.hold(f"source {source}") as is_held:
            while is_held and (order := await self._orders.take(source)) is not None:
                await self._orders.finish(order, await self._read(order))

    async def _read(self, order: Order) -> Sequence[IngestReport]:
        if order.attempts > _MOST_ATTEMPTS:
            return [report(order.source, "rejected", detail=f"given up after {_MOST_ATTEMPTS} attempts")]
        if order.data is None:
            return await self._ingest.ingest_page(order.source, properties=order.properties)
        return await self._ingest.ingest(
            order.source, order.data, media_type=order.media_type, properties=order.properties
        )
