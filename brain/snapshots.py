"""The last overview of the plan that could be read, so that an answer can be given when TWS is away."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.tables import PLAN_SNAPSHOTS
from tws.objects import Job

_FRESH_SECONDS = 60
"""While questions come, the last known data is never much older than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedJob:
    """A job that had ended badly."""

    selection: str
    status: str
    return_code: int | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSnapshot:
    """How the plan looked."""

    taken_at: datetime
    counts: Mapping[str, int]
    """Jobs by common status."""
    failed: tuple[FailedJob, ...]


class PlanSnapshots:
    """Keeps the newest snapshot of an engine, for all replicas."""

    def __init__(self, engine: AsyncEngine, *, engine_name: str) -> None:
        self._engine = engine
        self._engine_name = engine_name
        self._kept_at = -math.inf

    @property
    def is_due(self) -> bool:
        """Whether this process has kept none for a while."""
        return time.monotonic() - self._kept_at > _FRESH_SECONDS

    async def keep(self, counts: Mapping[str, int], failed: tuple[Job, ...]) -> PlanSnapshot:
        """Makes a snapshot of what was just read and stores it."""
        snapshot = PlanSnapshot(
            taken_at=datetime.now(UTC), counts=counts, failed=tuple(_failed(job) for job in failed)
        )
        values = {
            "taken_at": snapshot.taken_at,
            "counts": dict(counts),
            "failed": [
                {
                    "selection": job.selection,
                    "status": job.status,
                    "return_code": job.return_code,
                    "ended_at": job.ended_at.isoformat() if job.ended_at else None,
                }
                for job in snapshot.failed
            ],
        }
        upsert = insert(PLAN_SNAPSHOTS).values(engine=self._engine_name, **values)
        upsert = upsert.on_conflict_do_update(index_elements=[PLAN_SNAPSHOTS.c.engine], set_=values)
        async with self._engine.begin() as connection:
            await connection.execute(upsert)
        self._kept_at = time.monotonic()
        return snapshot

    async def latest(self) -> PlanSnapshot | None:
        """The newest snapshot; None if there never was one."""
        query = select(PLAN_SNAPSHOTS).where(PLAN_SNAPSHOTS.c.engine == self._engine_name)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        return PlanSnapshot(
            taken_at=row["taken_at"],
            counts=row["counts"],
            failed=tuple(
                FailedJob(
                    selection=job["selection"],
                    status=job["status"],
                    return_code=job["return_code"],
                    ended_at=datetime.fromisoformat(job["ended_at"]) if job["ended_at"] else None,
                )
                for job in row["failed"]
            ),
        )


def _failed(job: Job) -> FailedJob:
    run = job.last_run
    return FailedJob(
        selection=job.selection,
        status=job.status,
        return_code=run.return_code if run else None,
        ended_at=run.ended_at if run else None,
    )
