"""What nothing is posted about for a while, because somebody said so. Each change is audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.tables import SILENCES
from security.audit import AuditEntry, AuditLog
from security.roles import Actor, Permission

from .desk import IncidentError
from .routes import About

LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is critical comes through."""

    id: int
    about: About
    until: datetime
    reason: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Silences:
    """Changes raise `IncidentError`: `forbidden`, `not_found`, `not_possible`. All raise SQLAlchemy's errors."""

    engine: AsyncEngine
    _: KW_ONLY
    audit: AuditLog

    async def active(self) -> Sequence[Silence]:
        """Those that last, the first to end first."""
        query = (
            select(SILENCES)
            .where(SILENCES.c.until > func.now(), SILENCES.c.ended_at.is_(None))
            .order_by(SILENCES.c.until)
        )
        async with self.engine.connect() as connection:
            return [_read(row) for row in (await connection.execute(query)).mappings()]

    async def begin(self, about: About, until: datetime, reason: str, *, by: Actor, channel: str) -> Silence:
        """Silences what the patterns match, until then and for at most a week."""
        patterns = about.model_dump(mode="json", exclude={"name"})
        if all(values == ["*"] for values in patterns.values()):
            raise IncidentError(
                "not_possible", "Say what is to be silenced: everything at once is not possible."
            )
        if not timedelta() < until - datetime.now(UTC) <= LONGEST:
            raise IncidentError("not_possible", "The end has to be in the future, within seven days.")
        values = {
            "about": patterns,
            "until": until.astimezone(UTC),
            "reason": reason,
            "created_by": by.actor_id,
        }
        async with self.engine.begin() as connection:
            made = await connection.execute(insert(SILENCES).values(**values).returning(SILENCES))
            silence = _read(made.mappings().one())
            await self._audit(connection, "silence_begin", silence, by, channel)
        return silence

    async def end(self, silence_id: int, *, by: Actor, channel: str) -> Silence:
        """Ends it before its time."""
        is_it = (
            (SILENCES.c.id == silence_id) & SILENCES.c.ended_at.is_(None) & (SILENCES.c.until > func.now())
        )
        ended = update(SILENCES).where(is_it).values(ended_at=func.now()).returning(SILENCES)
        async with self.engine.begin() as connection:
            row = (await connection.execute(ended)).mappings().one_or_none()
            if row is None:
                raise IncidentError("not_found", "There is no such silence that still lasts.")
            silence = _read(row)
            await self._audit(connection, "silence_end", silence, by, channel)
        return silence

    async def _audit(
        self, connection: AsyncConnection, action: str, silence: Silence, by: Actor, channel: str
    ) -> None:
        if not by.may(Permission.PROPOSE):
            raise IncidentError("forbidden", "Your role may look at silences, and not change them.")
        about = {
            key: value
            for key, value in silence.about.model_dump(mode="json", exclude={"name"}).items()
            if value != ["*"]
        }
        entry = AuditEntry(
            actor_id=by.actor_id,
            channel=channel,
            action=action,
            target=f"silence {silence.id}",
            phase="other",
            detail={"about": about, "until": silence.until.isoformat(), "reason": silence.reason},
        )
        await self.audit.append(connection, entry)


def _read(row: RowMapping) -> Silence:
    values = {name: row[name] for name in ("id", "until", "reason", "created_by", "created_at")}
    return Silence(about=About(name=f"silence {row['id']}", **row["about"]), **values)
