"""The audit log: append-only, each row sealed with the hash of the one before it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .tables import audit_log

_GENESIS = "0" * 64
"""What the first row has for the hash of the row before it."""
_CHAIN_LOCK = 0x7265_7379_6E63_0001
"""Key of the advisory lock that puts appends in one line; any number that nobody else in the database uses."""

AuditDetail: TypeAlias = str | int | bool | Sequence["AuditDetail"] | Mapping[str, "AuditDetail"] | None
"""JSON without floats: PostgreSQL gives some back in another notation, and the hash would no longer match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that somebody did, or is about to do."""

    actor_id: str
    channel: str
    action: str
    """A verb: `rerun`, `approve`, `login`, …"""
    target: str
    """What it was done to, as its owner writes it: `WKS#STREAM.JOB`, a proposal id, a user name."""
    phase: Literal["before", "after", "other"]
    """Before and after a change; `other` for what changes nothing outside."""
    detail: Mapping[str, AuditDetail] = field(default_factory=dict)
    """Never secrets. NUL characters are refused by the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What `AuditLog.verify` found."""

    rows: int
    """Good rows, counted from the first."""
    head: str
    """Hash of the last good row. Kept elsewhere, it also shows whether the end was cut off later."""
    first_broken: int | None
    """`seq` of the first row that was changed, added or is missing; None when the chain holds."""

    @property
    def intact(self) -> bool:
        """Whether the chain holds."""
        return self.first_broken is None


class AuditLog:
    """Writes and checks the chain.

    A row's hash is SHA-256 over its canonical JSON (all columns but the hash, keys sorted, ASCII, no spaces).
    """

    async def append(self, connection: AsyncConnection, entry: AuditEntry) -> int:
        """Adds the entry in the caller's transaction and returns its `seq`, from 1 without gaps.

        Appends wait for each other until commit, so keep that transaction short. Fails closed: after an error
        (the database's own, or `ValueError` for a detail that does not survive storage) what was to be recorded
        must not be done. Needs READ COMMITTED, the default; under a stricter level a concurrent append makes
        this one fail instead of forking the chain.
        """
        await connection.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
        last = await connection.execute(
            select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)
        )
        seq, prev_hash = last.one_or_none() or (0, _GENESIS)
        row = {
            "seq": seq + 1,
            "at": datetime.now(UTC),
            "actor_id": entry.actor_id,
            "channel": entry.channel,
            "action": entry.action,
            "target": entry.target,
            "phase": entry.phase,
            "detail": dict(entry.detail),
            "prev_hash": prev_hash,
        }
        seal = _seal(row)
        stored = await connection.execute(insert(audit_log).values(**row, hash=seal).returning(*audit_log.c))
        if _seal(stored.mappings().one()) != seal:
            raise ValueError("the database does not give the audit entry back as it was")
        return seq + 1

    async def verify(self, engine: AsyncEngine) -> AuditVerdict:
        """Reads the whole chain, in constant memory, up to the first row that breaks it."""
        seq, head = 0, _GENESIS
        async with engine.connect() as connection:
            rows = await connection.stream(select(audit_log).order_by(audit_log.c.seq))
            async for row in rows.mappings():
                if row["seq"] != seq + 1 or row["prev_hash"] != head or row["hash"] != _seal(row):
                    return AuditVerdict(rows=seq, head=head, first_broken=seq + 1)
                seq, head = row["seq"], row["hash"]
        return AuditVerdict(rows=seq, head=head, first_broken=None)


def _seal(row: Mapping[str, Any] | RowMapping) -> str:
    columns = {name: value for name, value in row.items() if name != "hash"}
    columns["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
