"""Requests that may be repeated: the same `Idempotency-Key` of the same person has one effect and one answer.

After https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from aiohttp import hdrs, web
from sqlalchemy import ColumnElement, Executable, Text, and_, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bots.problems import ProblemError
from brain.message import delivery_digest

from .endpoint import ACTOR
from .tables import IDEMPOTENCY_KEYS as KEYS

HEADER: Final = "Idempotency-Key"
_SHAPE: Final = re.compile(r"[\x21-\x7e]{1,255}")
_KEEP_FOR: Final = timedelta(hours=24)
"""As long as a client may reasonably repeat a request."""
_IN_FLIGHT_FOR: Final = timedelta(minutes=5)
"""After this a request that never finished (its process died) no longer blocks its key."""
_JOINED: Final = 202
"""Stored for a key that names a turn: the turn keeps the answer, the row only the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """One key of one person on one path, and what was asked under it."""

    actor_id: str
    path: str
    key: str
    fingerprint: str

    @property
    def row(self) -> ColumnElement[bool]:
        return and_(KEYS.c.actor_id == self.actor_id, KEYS.c.path == self.path, KEYS.c.key == self.key)


class IdempotencyKeys:
    """Remembers keys in PostgreSQL for a while; without the header every request is a new one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def delivery_id(self, request: web.Request, content: bytes) -> str:
        """The delivery id of a message: the same key and content join the same turn.

        Raises `ProblemError` 400 for a malformed key, 422 when the key came with other content before.
        """
        slot = _slot(request, content)
        if slot is None:
            return uuid.uuid4().hex
        await self._claim(slot, status=_JOINED)
        return delivery_digest(slot.actor_id, slot.path, slot.key, slot.fingerprint)

    async def once(
        self, request: web.Request, content: bytes, produce: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """The JSON answer of the first request under this key; an error is not kept, so a retry may succeed.

        Raises `ProblemError` 400 for a malformed key, 422 when the key came with other content before, 409
        while the first request still runs.
        """
        slot = _slot(request, content)
        if slot is None:
            return await produce()
        if not await self._claim(slot, status=None):
            return await self._replay(slot)
        try:
            response = await produce()
        except BaseException:
            await self._execute(delete(KEYS).where(slot.row))
            raise
        await self._execute(update(KEYS).where(slot.row).values(status=response.status, body=response.body))
        return response

    async def _claim(self, slot: _Slot, *, status: int | None) -> bool:
        """Whether the key is new; raises `ProblemError` when it was used for something else."""
        primary_key = (KEYS.c.actor_id, KEYS.c.path, KEYS.c.key)
        # Two requests that clean up at once take different rows, so they cannot deadlock.
        over = select(*primary_key).where(_is_over()).with_for_update(skip_locked=True)
        claim = (
            insert(KEYS).values(**asdict(slot), status=status).on_conflict_do_nothing().returning(KEYS.c.key)
        )
        async with self._engine.begin() as connection:
            await connection.execute(delete(KEYS).where(tuple_(*primary_key).in_(over)))
            if (await connection.execute(claim)).scalar() is not None:
                return True
            earlier = (await connection.execute(select(KEYS.c.fingerprint).where(slot.row))).scalar()
        # None: the first request failed a moment ago and took its row away.
        if earlier not in {slot.fingerprint, None}:
            detail = f"This {HEADER} came with another request before; use a new one."
            raise ProblemError(422, "idempotency_key_reused", detail)
        return False

    async def _replay(self, slot: _Slot) -> web.Response:
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(KEYS.c.status, KEYS.c.body).where(slot.row))).one_or_none()
        if row is None or row.status is None:
            detail = f"A request with this {HEADER} is still running."
            raise ProblemError(409, "request_in_flight", detail, headers={hdrs.RETRY_AFTER: "1"})
        return web.Response(
            status=row.status,
            body=row.body,
            content_type="application/json",
            charset="utf-8",
            headers={"Idempotency-Replayed": "true"},
        )

    async def _execute(self, statement: Executable) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(statement)


async def forget_documents(connection: AsyncConnection, document_ids: Sequence[uuid.UUID]) -> None:
    """Drops the answers that name documents which are being removed; a repeated request gets a new one."""
    for document_id in document_ids:
        names_it = func.convert_from(KEYS.c.body, "UTF8", type_=Text).contains(str(document_id))
        await connection.execute(delete(KEYS).where(names_it))


def _is_over() -> ColumnElement[bool]:
    is_stuck = and_(KEYS.c.status.is_(None), KEYS.c.created_at < func.now() - _IN_FLIGHT_FOR)
    return or_(KEYS.c.created_at < func.now() - _KEEP_FOR, is_stuck)


def _slot(request: web.Request, content: bytes) -> _Slot | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _SHAPE.fullmatch(key):
        detail = f"{HEADER} is 1 to 255 visible ASCII characters."
        raise ProblemError(400, "idempotency_key_malformed", detail)
    return _Slot(
        actor_id=request[ACTOR].actor_id,
        path=request.path,
        key=key,
        fingerprint=hashlib.sha256(content).hexdigest(),
    )
