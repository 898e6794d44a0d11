"""Proposals: a change that waits for a decision, bound to the state it was made for."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.policy import Action, Requirement
from brain.message import Locale
from brain.reply import ProposalView
from brain.tables import PROPOSALS
from tws.objects import Job

__all__ = ["Proposal", "Proposals", "Target", "move", "state_digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The job a proposal is about, as it was when it was proposed."""

    job_id: str
    selection: str
    name: str
    run_id: str | None
    attempt: int
    was_held: bool
    had_dependencies: bool
    """Whether any were open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A row of the proposals."""

    id: str
    turn_id: str
    action: Action
    target: Target
    consequences: tuple[str, ...]
    requires: Requirement
    digest: str
    locale: Locale
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    detail: str

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision (it may have expired unnoticed)."""
        return self.state == "open"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in {"open", "approved"}

    @property
    def view(self) -> ProposalView:
        """What the reader sees."""
        return ProposalView(
            id=self.id,
            action=self.action,
            target=self.target.selection,
            consequences=self.consequences,
            requires=self.requires,
            expires_at=self.expires_at,
        )


def state_digest(action: Action, job: Job) -> str:
    """Binds an approval to what the approver saw: another state, another digest."""
    last = job.last_run
    parts = (
        action,
        job.id,
        job.status,
        str(job.canceled),
        str(job.priority),
        last.id if last else "",
        str(last.attempt) if last else "",
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


class Proposals:
    """Stores proposals and moves their state; every move is a compare-and-set."""

    def __init__(self, engine: AsyncEngine, *, lifetime: timedelta) -> None:
        self._engine = engine
        self._lifetime = lifetime

    async def create(
        self,
        *,
        turn_id: str,
        action: Action,
        job: Job,
        consequences: tuple[str, ...],
        requires: Requirement,
        locale: Locale,
        proposed_by: str,
        reason: str,
    ) -> Proposal:
        """Stores a new open proposal."""
        last = job.last_run
        target = {
            "job_id": job.id,
            "selection": job.selection,
            "name": job.name,
            "run_id": last.id if last else None,
            "attempt": last.attempt if last else 0,
            "was_held": job.priority == 0,
            "had_dependencies": any(not item.satisfied for item in job.dependencies),
        }
        values = {
            "id": uuid.uuid4().hex,
            "turn_id": turn_id,
            "action": action,
            "target": target,
            "consequences": list(consequences),
            "requires": requires,
            "digest": state_digest(action, job),
            "locale": locale,
            "proposed_by": proposed_by,
            "reason": reason,
            "expires_at": datetime.now(UTC) + self._lifetime,
        }
        async with self._engine.begin() as connection:
            row = (
                await connection.execute(insert(PROPOSALS).values(**values).returning(PROPOSALS))
            ).mappings()
            return _read(row.one())

    async def get(self, proposal_id: str) -> Proposal | None:
        """One proposal, None if there is no such id."""
        async with self._engine.connect() as connection:
            found = await connection.execute(select(PROPOSALS).where(PROPOSALS.c.id == proposal_id))
            row = found.mappings().one_or_none()
        return None if row is None else _read(row)

    async def stats(self) -> dict[str, int]:
        """How many proposals are in each state."""
        query = select(PROPOSALS.c.state, func.count()).group_by(PROPOSALS.c.state)
        async with self._engine.connect() as connection:
            return {str(state): count for state, count in await connection.execute(query)}


async def move(
    connection: AsyncConnection, proposal_id: str, *, expected: str, state: str, **values: object
) -> bool:
    """Changes the state if it is still the expected one; tells whether it was."""
    moved = await connection.execute(
        update(PROPOSALS)
        .where(PROPOSALS.c.id == proposal_id, PROPOSALS.c.state == expected)
        .values(state=state, **values)
    )
    return moved.rowcount == 1


def _read(row: RowMapping) -> Proposal:
    return Proposal(
        **{
            **row,
            "action": Action(row["action"]),
            "target": Target(**row["target"]),
            "consequences": tuple(row["consequences"]),
            "locale": Locale(row["locale"]),
        }
    )
