"""Who keeps the mirror of an engine: one process at a time, by a row in PostgreSQL and by its clock."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import structlog
from sqlalchemy import case, func, literal, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tws.tables import LEASES

_log = structlog.get_logger(__name__)


class LeaseLostError(Exception):
    """Another process keeps the mirror now; nothing was written."""


class Lease:
    """The right to write one engine's mirror; it ends by itself when its owner stops renewing it."""

    def __init__(self, engine: AsyncEngine, name: str, lifetime: timedelta) -> None:
        self._engine = engine
        self._name = name
        self._renewal_seconds = lifetime.total_seconds() / 3
        self._lasts_until = func.now() + literal(lifetime)
        self._owner = f"{socket.gethostname()}/{uuid4()}"
        self.generation: int | None = None
        """Of the last lease taken here; it stays the same while no other process has had it."""

    async def take(self) -> bool:
        """Takes the lease, or renews it; False while it is another process's."""
        values = {"owner": self._owner, "expires_at": self._lasts_until}
        first = insert(LEASES).values(engine=self._name, generation=1, **values)
        is_mine = LEASES.c.owner == self._owner
        taken = first.on_conflict_do_update(
            index_elements=[LEASES.c.engine],
            set_=values | {"generation": LEASES.c.generation + case((is_mine, 0), else_=1)},
            where=is_mine | (LEASES.c.expires_at < func.now()),
        ).returning(LEASES.c.generation)
        async with self._engine.begin() as connection:
            generation: int | None = (await connection.execute(taken)).scalar()
        self.generation = generation
        return generation is not None

    async def fence(self, connection: AsyncConnection) -> None:
        """Lets the transaction write, and nobody take the lease until its end. Raises `LeaseLostError`.

        What was taken over while this process stood still has another generation.
        """
        await self._update(connection, expires_at=self._lasts_until)

    async def report(self, failure: str) -> None:
        """Records why the mirror cannot be kept up, until something is written again. Raises `LeaseLostError`."""
        since = func.coalesce(LEASES.c.failing_since, func.now())
        async with self._engine.begin() as connection:
            await self._update(connection, failing_since=since, failure=failure)

    async def release(self) -> None:
        """Leaves the lease to others at once, if it is this process's."""
        try:
            async with self._engine.begin() as connection:
                await self._update(connection, expires_at=func.now() - timedelta(seconds=1))
        except (LeaseLostError, DBAPIError, OSError) as error:
            _log.info("mirror_lease_not_released", engine=self._name, error=type(error).__name__)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renews the lease meanwhile; whether that succeeded shows when it is needed, in `fence`."""
        renewals = asyncio.create_task(self._renew(), name=f"mirror-lease-{self._name}")
        try:
            yield
        finally:
            renewals.cancel()
            await asyncio.gather(renewals, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._renewal_seconds)
            try:
                async with self._engine.begin() as connection:
                    await self.fence(connection)
            except (LeaseLostError, DBAPIError, OSError) as error:
                _log.warning("mirror_lease_not_renewed", engine=self._name, error=type(error).__name__)

    async def _update(self, connection: AsyncConnection, **values: object) -> None:
        mine = (LEASES.c.engine == self._name) & (LEASES.c.generation == self.generation)
        if (await connection.execute(update(LEASES).where(mine).values(**values))).rowcount != 1:
            raise LeaseLostError(self._name)
