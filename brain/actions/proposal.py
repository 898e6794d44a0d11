"""Proposals: changes that wait for a decision, bound to the state they were made for."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.policy import Identity
from brain.message import Locale
from brain.reply import ProposalView
from brain.tables import EXECUTIONS, PROPOSALS
from security.roles import Role
from tws.actions import Action, Change, PlanObject
from tws.objects import Job, JobStream, Prompt, Resource, Workstation

__all__ = ["Item", "Proposal", "Proposals", "Requires", "Wish", "bulk_used", "move", "state_digest"]

Requires: TypeAlias = Literal["self", "second_person"]

_NAMED = 3
"""How many objects a title names before the rest is counted."""
_RELEASES = frozenset({Action.RELEASE, Action.RELEASE_DEPENDENCIES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change of a proposal, and its object as it was then; None for a submission."""

    change: Change
    before: PlanObject | None


_ITEMS: TypeAdapter[tuple[Item, ...]] = TypeAdapter(tuple[Item, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants something, and why."""

    actor_id: str
    role: Role
    turn_id: str
    locale: Locale
    engine: str
    reason: str = ""
    ticket: str = ""
    replaces: str | None = None
    """The proposal whose place the new one takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A row of the proposals."""

    id: str
    turn_id: str
    engine: str
    action: Action
    items: tuple[Item, ...]
    consequences: tuple[str, ...]
    requires: Requires
    rule: str
    """Of the policy."""
    identity: Identity
    digest: str
    locale: Locale
    proposed_by: str
    proposer_role: Role
    proposed_at: datetime
    expires_at: datetime
    replaces: str | None
    state: str
    decided_by: str | None
    decided_at: datetime | None
    decided_turn: str
    reason: str
    ticket: str
    detail: str
    due_at: datetime | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """One, or one each for many jobs; the first of them is the trial."""
        return tuple(item.change for item in self.items)

    @property
    def selection(self) -> str:
        """The objects as conman writes them, at most a few."""
        names = [change.selection for change in self.changes]
        hidden = len(names) - _NAMED
        return ", ".join(names[:_NAMED]) + (f" +{hidden}" if hidden > 0 else "")

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision (it may have expired unnoticed)."""
        return self.state == "open"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be done; of an unknown outcome the plan may tell more later."""
        return self.state not in {"open", "approved"}

    @property
    def view(self) -> ProposalView:
        """What the reader sees."""
        return ProposalView(
            id=self.id,
            action=self.action,
            target=self.selection,
            consequences=self.consequences,
            requires=self.requires,
            expires_at=self.expires_at,
            targets=tuple(change.selection for change in self.changes),
            arguments={name: str(value) for name, value in self.changes[0].arguments.items()},
            ticket=self.ticket,
            rule=self.rule,
        )

    def wish(self) -> Wish:
        """The same wish again, for a fresh proposal in place of this one."""
        return Wish(
            actor_id=self.proposed_by,
            role=self.proposer_role,
            turn_id=self.turn_id,
            locale=self.locale,
            engine=self.engine,
            reason=self.reason,
            ticket=self.ticket,
            replaces=self.id,
        )


def state_digest(items: Sequence[Item], run_number: int | None) -> str:
    """Binds an approval to what the approver saw: another state, other arguments or another plan, another digest."""
    bound = [
        [
            item.change.action,
            item.change.kind,
            item.change.object_id,
            sorted(item.change.arguments.items()),
            _state(item.change.action, item.before),
        ]
        for item in items
    ]
    return hashlib.sha256(json.dumps([run_number, bound]).encode()).hexdigest()


def _state(action: Action, target: PlanObject | None) -> list[object]:
    """What of the object's state a decision is about; what moves by itself all the time is left out."""
    match target:
        case Job() | JobStream():
            kept = [item.target for item in target.dependencies if not item.satisfied]
            last = target.last_run if isinstance(target, Job) else None
            return [
                target.status,
                target.canceled,
                target.is_cancel_pending,
                target.priority,
                target.limit if isinstance(target, JobStream) else None,
                [last.id, last.attempt] if last else None,
                sorted(kept) if action in _RELEASES else None,
            ]
        case Workstation():
            return [target.is_linked, target.is_running, target.limit, target.fence]
        case Prompt():
            return [target.status, target.number]
        case Resource():
            return [target.quantity]
        case None:
            return []


class Proposals:
    """Stores proposals and moves their state; every move is a compare-and-set."""

    def __init__(self, engine: AsyncEngine, *, lifetime: timedelta) -> None:
        self._engine = engine
        self._lifetime = lifetime

    async def create(
        self,
        wish: Wish,
        items: tuple[Item, ...],
        *,
        digest: str,
        consequences: tuple[str, ...],
        requires: Requires,
        rule: str,
        identity: Identity,
    ) -> Proposal:
        """Stores a new open proposal; all items have the same action."""
        values = {
            "id": uuid.uuid4().hex,
            "turn_id": wish.turn_id,
            "engine": wish.engine,
            "action": items[0].change.action,
            "items": _ITEMS.dump_python(items, mode="json"),
            "consequences": list(consequences),
            "requires": requires,
            "rule": rule,
            "identity": identity,
            "digest": digest,
            "locale": wish.locale,
            "proposed_by": wish.actor_id,
            "proposer_role": wish.role,
            "reason": wish.reason,
            "ticket": wish.ticket,
            "replaces": wish.replaces,
            "expires_at": datetime.now(UTC) + self._lifetime,
        }
        async with self._engine.begin() as connection:
            row = (
                await connection.execute(insert(PROPOSALS).values(**values).returning(PROPOSALS))
            ).mappings()
            return _read(row.one())

    async def get(self, proposal_id: str) -> Proposal | None:
        """One proposal, None if there is no such id."""
        return await self._one(PROPOSALS.c.id == proposal_id)

    async def in_place_of(self, proposal_id: str) -> Proposal | None:
        """The open proposal that took the place of this one."""
        return await self._one(PROPOSALS.c.replaces == proposal_id, PROPOSALS.c.state == "open")

    async def _one(self, *where: ColumnElement[bool]) -> Proposal | None:
        query = select(PROPOSALS).where(*where).order_by(PROPOSALS.c.proposed_at.desc()).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _read(row)

    async def stats(self) -> dict[str, int]:
        """How many proposals are in each state."""
        query = select(PROPOSALS.c.state, func.count()).group_by(PROPOSALS.c.state)
        async with self._engine.connect() as connection:
            return {str(state): count for state, count in await connection.execute(query)}


async def bulk_used(connection: AsyncConnection, actor_id: str, *, since: datetime) -> int:
    """How many changes of many at once, asked for by the person, were approved since then."""
    query = (
        select(func.count())
        .select_from(EXECUTIONS.join(PROPOSALS, PROPOSALS.c.id == EXECUTIONS.c.proposal_id))
        .where(
            PROPOSALS.c.proposed_by == actor_id,
            func.jsonb_array_length(PROPOSALS.c["items"]) > 1,
            EXECUTIONS.c.approved_at >= since,
            EXECUTIONS.c.state != "skipped",
        )
    )
    return (await connection.execute(query)).scalar_one()


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
            "items": _ITEMS.validate_python(row["items"]),
            "consequences": tuple(row["consequences"]),
            "locale": Locale(row["locale"]),
            "proposer_role": Role(row["proposer_role"]),
        }
    )
