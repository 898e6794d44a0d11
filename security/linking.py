"""How people show that a channel's user is them: a code from the page, said once in the channel."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import delete, func, insert, or_
from sqlalchemy.ext.asyncio import AsyncEngine

from .actors import ActorDirectory, DirectoryError
from .audit import AuditEntry, AuditLog
from .roles import Actor
from .tables import link_codes

_LIFETIME: Final = timedelta(minutes=10)
_SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that look alike."""
_LENGTH: Final = 10
_SAID: Final = re.compile(
    r"\s*(?:link|vincular|ligar)\s+([A-HJ-NP-Z2-9]{5})[\s-]?([A-HJ-NP-Z2-9]{5})\s*[.!]?\s*", re.IGNORECASE
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LinkCode:
    """To be said once, as `link ABCDE-FGHJK`."""

    code: str
    expires_at: datetime


def read_code(words: str) -> str | None:
    """The code in `link ABCDE-FGHJK`; None for other words."""
    said = _SAID.fullmatch(words[:100])
    return None if said is None else f"{said[1]}{said[2]}".upper()


@dataclass(frozen=True, slots=True)
class LinkCodes:
    """Kept as digests, and void once used. Raises SQLAlchemy's errors when the database is away."""

    engine: AsyncEngine
    directory: ActorDirectory
    audit: AuditLog

    async def issue(self, actor_id: str) -> LinkCode:
        """A code for the person; one that they got before is void from now on."""
        code = "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
        old = delete(link_codes).where(
            or_(link_codes.c.username == actor_id, link_codes.c.expires_at <= func.now())
        )
        new = insert(link_codes).values(
            code_hash=_digest(code), username=actor_id, expires_at=func.now() + _LIFETIME
        )
        async with self.engine.begin() as connection:
            await connection.execute(old)
            expires_at = (await connection.execute(new.returning(link_codes.c.expires_at))).scalar_one()
        return LinkCode(f"{code[:5]}-{code[5:]}", expires_at)

    async def redeem(self, code: str, channel: str, tenant: str, user_id: str) -> Actor | None:
        """Makes the channel's user the person who got the code; None for a code that is wrong, used or too old."""
        used = (
            delete(link_codes)
            .where(link_codes.c.code_hash == _digest(code), link_codes.c.expires_at > func.now())
            .returning(link_codes.c.username)
        )
        async with self.engine.begin() as connection:
            username = (await connection.execute(used)).scalar()
        actor = await self.directory.get(username) if username else None
        if actor is None:
            return None
        try:
            await self.directory.link(actor.actor_id, channel, tenant, user_id, linked_by="one-time code")
        except DirectoryError as error:
            _log.warning("link_refused", reason=str(error))
            return None
        async with self.engine.begin() as connection:
            entry = AuditEntry(
                actor_id=actor.actor_id,
                channel=channel,
                action="identity_link",
                target=f"{channel} {tenant} {user_id}",
                phase="other",
                detail={"by": "one-time code"},
            )
            await self.audit.append(connection, entry)
        return actor


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
