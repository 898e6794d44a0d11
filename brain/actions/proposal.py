"""Proposals: changes that wait for a decision, bound to the state they were made for."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.policy import Decision, Identity, Requirement
from brain.message import Locale
from brain.reply import ProposalView
from brain.tables import EXECUTIONS, PROPOSALS
from security.roles import Role
from tws.actions import Action, Change, ObjectKind, PlanObject
from tws.objects import Job, JobStream

Requires: TypeAlias = Literal["self", "second_person"]

_NAMED = 3
"""How many objects a title names before the rest is counted."""
_RELEASES = frozenset({Action.RELEASE, Action.RELEASE_DEPENDENCIES})
_OWNER = ("status", "canceled", "is_cancel_pending", "priority")
_BOUND: Mapping[ObjectKind, tuple[str, ...]] = {
    ObjectKind.JOB: _OWNER,
    ObjectKind.JOB_STREAM: (*_OWNER, "limit"),
    ObjectKind.WORKSTATION: ("is_linked", "is_running", "limit", "fence"),
    ObjectKind.PROMPT: ("status", "number"),
    ObjectKind.RESOURCE: ("quantity",),
}
"""What of an object's state a decision is about; what moves by itself all the time is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change of a proposal, and its object as it was then; None for a submission."""

    change: Change
    before: PlanObject | None


_ITEMS: TypeAdapter[tuple[Item, ...]] = TypeAdapter(tuple[Item, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants something, and why; the fields are columns of the proposals."""

    turn_id: str
    engine: str
    locale: Locale
    proposed_by: str
    proposer_role: Role
    reason: str = ""
    ticket: str = ""
    replaces: str | None = None
    """The proposal whose place the new one takes: that one was void, or stopped before its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Wish):
    """A row of the proposals."""

    id: str
    action: Action
    items: tuple[Item, ...]
    consequences: tuple[str, ...]
    requires: Requires
    rule: str
    """Of the policy."""
    identity: Identity
    digest: str
    proposed_at: datetime
    expires_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    decided_turn: str
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
        again = {field.name: getattr(self, field.name) for field in fields(Wish)}
        return Wish(**again | {"replaces": self.id})


def state_digest(items: Sequence[Item], run_number: int | None) -> str:
    """Binds an approval to what the approver saw: another state, other arguments or another plan, another digest."""
    bound: list[object] = [run_number]
    for change, before in ((item.change, item.before) for item in items):
        state = [getattr(before, name) for name in _BOUND[change.kind]] if before else []
        if isinstance(before, Job) and before.last_run:
            state += [before.last_run.id, before.last_run.attempt]
        if isinstance(before, Job | JobStream) and change.action in _RELEASES:
            state += sorted(item.target for item in before.dependencies if not item.satisfied)
        bound.append([change.action, change.kind, change.object_id, sorted(change.arguments.items()), state])
    return hashlib.sha256(json.dumps(bound).encode()).hexdigest()


class Proposals:
    """Stores proposals and moves their state; every move is a compare-and-set."""

    def __init__(self, engine: AsyncEngine, *, lifetime: timedelta) -> None:
        self._engine = engine
        self._lifetime = lifetime

    async def create(
        self,
        wish: Wish,
        items: tuple[Item, ...],
        decision: Decision,
        *,
        digest: str,
        consequences: tuple[str, ...],
    ) -> Proposal:
        """Stores a new open proposal; all items have the same action."""
        values = asdict(wish) | {
            "id": uuid.uuid4().hex,
            "action": items[0].change.action,
            "items": _ITEMS.dump_python(items, mode="json"),
            "consequences": list(consequences),
            "requires": "second_person" if decision.requirement is Requirement.FOUR_EYES else "self",
            "rule": decision.rule,
            "identity": decision.identity,
            "digest": digest,
            "expires_at": datetime.now(UTC) + self._lifetime,
        }
        store = insert(PROPOSALS).values(**values).returning(PROPOSALS)
        async with self._engine.begin() as connection:
            return _read((await connection.execute(store)).mappings().one())

    async def get(self, proposal_id: str) -> Proposal | None:
        """One proposal, None if there is no such id."""
        return await self._one(PROPOSALS.c.id == proposal_id)

    async def waiting(self) -> list[Proposal]:
        """Those that can still be decided, the oldest first; at most a hundred."""
        is_waiting = (PROPOSALS.c.state == "open") & (PROPOSALS.c.expires_at > func.now())
        query = select(PROPOSALS).where(is_waiting).order_by(PROPOSALS.c.proposed_at).limit(100)
        async with self._engine.connect() as connection:
            return [_read(row) for row in (await connection.execute(query)).mappings()]

    async def in_place_of(self, proposal_id: str) -> Proposal | None:
        """The open proposal that took the place of this one."""
        return await self._one(PROPOSALS.c.replaces == proposal_id, PROPOSALS.c.state == "open")

    async def _one(self, *where: ColumnElement[bool]) -> Proposal | None:
        query = select(PROPOSALS).where(*where).order_by(PROPOSALS.c.proposed_at.desc()).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _read(row)

    async def set_due(self, proposal_id: str, pause: timedelta | None) -> None:
        """Has the watch look after the proposal after the pause, or no more."""
        due_at = None if pause is None else func.now() + pause
        change = update(PROPOSALS).where(PROPOSALS.c.id == proposal_id).values(due_at=due_at)
        async with self._engine.begin() as connection:
            await connection.execute(change)

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
