"""Takes turns off the queue: one at a time for each order key, many keys at once.

The queue only wakes; which turns are left to do is in the ledger. A worker that dies frees its locks, and
the sweep of any other (or its own next start) takes over what it left.
"""

import asyncio
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer import AsyncpgDriver, Queries, QueueManager
from pgqueuer.models import Job
from sqlalchemy.exc import DBAPIError

from brain.turns.connection import CONNECTION_LOST
from brain.turns.inbox import ENTRYPOINT, Inbox
from brain.turns.ledger import Ledger
from brain.turns.runner import TurnRunner

_SWEEP = timedelta(seconds=2)
"""How often forgotten turns are looked for, and how old they must be."""
_RECONNECT = timedelta(seconds=1)
_PAUSE, _PAUSES = 0.05, 20
"""Seconds, and how often a turn waits so long at most while a burst of messages is being stored."""

_log = structlog.get_logger(__name__)


class Worker:
    """Runs turns until it is stopped."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        runner: TurnRunner,
        dsn: str,
        concurrency: int,
        inbox: Inbox,
        sweep: timedelta = _SWEEP,
    ) -> None:
        self._ledger = ledger
        self._runner = runner
        self._dsn = dsn
        self._concurrency = concurrency
        self._inbox = inbox
        self._sweep_every = sweep
        self._active: set[str] = set()
        """Keys being worked off here."""
        self._running = 0
        self._stopping = asyncio.Event()
        self._manager: QueueManager | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self) -> None:
        """Begins to take turns."""
        self._tasks = [
            asyncio.create_task(self._consume(), name="queue"),
            asyncio.create_task(self._sweep(), name="sweep"),
        ]

    async def stop(self, grace: timedelta) -> None:
        """Takes no more turns and waits for the running ones, at most `grace`; the rest is left to others."""
        self._stopping.set()
        if self._manager is not None:
            self._manager.shutdown.set()
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("turns_left_running", keys=len(self._active))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _consume(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._listen()
            except CONNECTION_LOST as error:
                _log.warning("queue_connection_lost", error=type(error).__name__)
            await asyncio.sleep(_RECONNECT.total_seconds())

    async def _listen(self) -> None:
        """Serves the queue on one connection until it breaks or the worker stops."""
        connection = await asyncpg.connect(self._dsn)
        try:
            manager = QueueManager(Queries(AsyncpgDriver(connection)))
            connection.add_termination_listener(lambda _connection: manager.shutdown.set())
            manager.entrypoint(ENTRYPOINT)(self._on_job)
            self._manager = manager
            await manager.run(
                batch_size=max(1, self._concurrency // 2),
                max_concurrent_tasks=self._concurrency,
                shutdown_on_listener_failure=True,
            )
        finally:
            self._manager = None
            await connection.close(timeout=2)

    async def _on_job(self, job: Job) -> None:
        assert job.payload is not None
        # Channels give up after seconds, people do not: a burst is acknowledged before it is answered.
        for _ in range(_PAUSES):
            if not self._inbox.is_pressed:
                break
            await asyncio.sleep(_PAUSE)
        await self._work_off(job.payload.decode())

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                keys = await self._ledger.unfinished_keys(older_than=self._sweep_every)
                free = [key for key in keys if key not in self._active]
                for key in free[: self._concurrency - len(self._active)]:
                    self._tasks.append(asyncio.create_task(self._work_off(key), name=f"sweep-{key}"))
            except (OSError, DBAPIError) as error:
                _log.warning("sweep_failed", error=type(error).__name__)
            self._tasks = [task for task in self._tasks if not task.done()]
            await asyncio.sleep(self._sweep_every.total_seconds())

    async def _work_off(self, key: str) -> None:
        """Runs the key's next turn, unless somebody is at one; those behind it wait like everybody's."""
        if key in self._active:
            return
        self._active.add(key)
        self._running += 1
        self._idle.clear()
        try:
            try:
                is_held = await self._run_next(key)
            finally:
                self._active.discard(key)
            if is_held:
                # Only now: who is woken for the key meanwhile, here or in another process, passes it over.
                await self._ledger.put_last(key)
        except (OSError, DBAPIError) as error:
            _log.warning("turn_interrupted", order_key=key, error=type(error).__name__)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _run_next(self, key: str) -> bool:
        """False if another process is at the key."""
        async with self._ledger.hold(key) as is_held:
            turn = await self._ledger.take_next(key) if is_held and not self._stopping.is_set() else None
            if turn is not None:
                await self._runner.run(turn)
            return is_held
