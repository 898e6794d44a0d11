"""Incidents without a plan, and a poster whose targets are mailboxes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.alerts import Alerts
from brain.incidents.incidents import Incident, create
from brain.incidents.poster import Poster
from brain.incidents.router import Router
from brain.incidents.routes import Routes
from brain.incidents.silences import Silences
from brain.message import Locale
from brain.turns.outbox import Outbox
from security.audit import AuditLog
from tests.support.turns import Mailbox, make_message


async def opened(
    engine: AsyncEngine, job: str, *, severity: str = "medium", workstation: str = "AGT1"
) -> Incident:
    """An incident of a failed job."""
    now = datetime.now(UTC)
    values = {
        "engine": "TWS",
        "trouble": f"job:{job}",
        "cause": "failed",
        "subject": f"{workstation}#PAY.{job}",
        "root": {"job": job, "job_stream": "PAY", "workstation": workstation, "folder": "/FIN"},
        "severity": severity,
        "first_seen": now,
        "last_seen": now,
    }
    async with engine.begin() as connection:
        return await create(connection, values)


@dataclass
class Told:
    """What each target has got."""

    engine: AsyncEngine
    rules: Routes
    people: dict[str, tuple[str, ...]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    boxes: dict[str, Mailbox] = field(default_factory=dict)

    @property
    def silences(self) -> Silences:
        return Silences(self.engine, audit=AuditLog())

    @property
    def poster(self) -> Poster:
        return Poster(
            self.engine,
            alerts=Alerts(self.engine),
            targets=self._target,
            router=self.router,
            locale=Locale.EN,
            zone=ZoneInfo("UTC"),
        )

    @property
    def router(self) -> Router:
        return Router(
            self.engine,
            routes=self.rules,
            silences=self.silences,
            reach=self._reach,
            clock=lambda: self.now,
        )

    async def round(self) -> None:
        """All that is to be posted now."""
        poster = self.poster
        hushed = await self.router.plan()
        await poster.post(hushed, true())
        await poster.post_lists(hushed, true())

    def words(self, target: str) -> list[str]:
        """What was posted there, each time its first line."""
        box = self.boxes.get(target, Mailbox())
        return [words.partition("\n")[0] for words in box.words]

    async def _reach(self, person: str) -> Collection[str]:
        return self.people.get(person, ())

    def _target(self, target: str) -> Outbox | None:
        return self.boxes.setdefault(target, Mailbox(has_ids=True))("", make_message(""))
