"""Where Resync may write without being asked: one reference for each conversation that it was in.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from .tables import TEAMS_CONVERSATIONS as _ROWS

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """The way into a conversation."""

    route: Mapping[str, str]
    is_dead: bool
    """Whether Teams has refused it since somebody last wrote there."""


class References:
    """Kept in PostgreSQL, so every process knows them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, tenant: str, conversation_id: str, route: Mapping[str, str]) -> None:
        """The conversation lives, and this way leads there. Never raises: the next answer says it again."""
        base = {**route, "conversation_id": conversation_id}
        base.pop("reply_to_id", None)
        row = insert(_ROWS).values(tenant=tenant, conversation_id=conversation_id, route=base)
        changes = {"route": base, "seen_at": func.now(), "dead_at": None}
        try:
            async with self._engine.begin() as connection:
                await connection.execute(
                    row.on_conflict_do_update(constraint=_ROWS.primary_key, set_=changes)
                )
        except (SQLAlchemyError, OSError) as error:
            _log.warning("teams_reference_not_kept", error=type(error).__name__)

    async def bury(self, tenant: str, conversation_id: str) -> None:
        """Nothing more is sent there until somebody writes there. Never raises: the next refusal says it again."""
        mine = (_ROWS.c.tenant == tenant) & (_ROWS.c.conversation_id == conversation_id)
        try:
            async with self._engine.begin() as connection:
                await connection.execute(update(_ROWS).where(mine).values(dead_at=func.now()))
        except (SQLAlchemyError, OSError) as error:
            _log.warning("teams_reference_not_buried", error=type(error).__name__)
        else:
            _log.info("teams_reference_buried", tenant=tenant, conversation_id=conversation_id)

    async def private(self, tenant: str, user_id: str) -> tuple[str, ...]:
        """Chats with this person alone that live. Raises SQLAlchemy's errors when the database is away."""
        is_theirs = (_ROWS.c.route["person"].astext == user_id) & (
            _ROWS.c.route["scope"].astext == "personal"
        )
        query = select(_ROWS.c.conversation_id).where(
            _ROWS.c.tenant == tenant, is_theirs, _ROWS.c.dead_at.is_(None)
        )
        async with self._engine.connect() as connection:
            return tuple((await connection.execute(query.order_by(_ROWS.c.conversation_id))).scalars())

    async def find(self, tenant: str, conversation_id: str) -> Known | None:
        """What is known of the conversation. Raises SQLAlchemy's errors when the database is away."""
        mine = (_ROWS.c.tenant == tenant) & (_ROWS.c.conversation_id == conversation_id)
        async with self._engine.connect() as connection:
            query = select(_ROWS.c.route, _ROWS.c.dead_at.is_not(None)).where(mine)
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Known(*row)
