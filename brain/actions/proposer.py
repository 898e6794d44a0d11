"""From a wish to a proposal, or to the reason why there can be none; nothing is changed here."""

import asyncio
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.consequences import sentences
from brain.actions.identities import Identities
from brain.actions.judge import Judge
from brain.actions.policy import Decision, Requirement
from brain.actions.proposal import Item, Proposal, Proposals, Wish, bulk_used, state_digest
from brain.actions.readback import facts
from brain.message import Locale
from brain.phrases import say
from security.roles import ROLE_PERMISSIONS, Permission
from tws.actions import VALUES, Action, Change, is_legal, legal_actions
from tws.engines import Engines
from tws.impact import consequences
from tws.objects import Job, JobStream
from tws.plan import Plan

_READS = 8
"""Objects that are read at the same time."""
_TOLD = 10
"""How many of many jobs have their consequences told."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something is not proposed, in words for the reader."""

    detail: str
    legal: tuple[Action, ...] = ()
    """What is possible instead, where it is the object's state that forbids it."""


@dataclass(frozen=True, slots=True)
class Proposer:
    """Checks a wish against the plan, the policy and the caps, and stores what passes as a proposal."""

    engine: AsyncEngine
    _: KW_ONLY
    engines: Engines
    judge: Judge
    proposals: Proposals
    identities: Identities
    bulk_per_hour: int

    def may_write(self, engine: str) -> bool:
        """Whether the plan of that engine is changed at all."""
        return self.engines.get(engine).settings.write

    async def look(self, engine: str, changes: Sequence[Change]) -> tuple[tuple[Item, ...], int | None]:
        """The changes with their objects as they are now, and the plan's run number; never from a cache.

        Raises the errors of `tws.errors`.
        """
        client, gate = self.engines.get(engine), asyncio.Semaphore(_READS)

        async def read(change: Change) -> Item:
            if change.action is Action.SUBMIT:
                return Item(change=change, before=None)
            async with gate:
                return Item(change=change, before=await client.read_object(change.kind, change.object_id))

        info, items = await asyncio.gather(client.plan_info(), asyncio.gather(*map(read, changes)))
        return tuple(items), info.run_number

    async def propose(self, changes: Sequence[Change], wish: Wish, origin: str = "") -> Proposal | Refusal:
        """Stores a proposal for one change, or for the same action on many objects.

        `origin` says in whose text the name was read; whoever approves is told so before all else.
        """
        if Permission.PROPOSE not in ROLE_PERMISSIONS[wish.proposer_role]:
            return Refusal(detail=say(wish.locale, "refused_not_permitted"))
        if not self.may_write(wish.engine):
            return Refusal(detail=say(wish.locale, "read_only"))
        items, run_number = await self.look(wish.engine, changes)
        decision = await self.judge.decide(wish.proposer_role, wish.engine, items)
        refusal = await self._not_allowed(decision, len(items), wish) or _illegal(items, wish.locale)
        if refusal is not None:
            return refusal
        plan = await self.judge.plan(wish.engine)
        # On a large plan this takes a moment, in which others are served.
        told = await asyncio.to_thread(_tell, items, plan, wish.locale)
        taken_from = (say(wish.locale, f"taken_from_{origin}"),) if origin else ()
        return await self.proposals.create(
            wish,
            items,
            decision,
            digest=state_digest(items, run_number),
            consequences=(*taken_from, *told),
        )

    async def bulk_left(self, actor_id: str, connection: AsyncConnection) -> int:
        """How many changes of many at once the person may still make within the hour."""
        used = await bulk_used(connection, actor_id, since=datetime.now(UTC) - _HOUR)
        return max(0, self.bulk_per_hour - used)

    async def _not_allowed(self, decision: Decision, count: int, wish: Wish) -> Refusal | None:
        if decision.requirement is Requirement.DENIED:
            key = "refused_by_rule" if decision.rule else "refused_without_rule"
            return Refusal(detail=say(wish.locale, key, rule=decision.rule))
        if decision.identity == "own" and not await self.identities.account(wish.proposed_by, wish.engine):
            return Refusal(detail=say(wish.locale, "identity_missing", engine=wish.engine))
        if count == 1:
            return None
        async with self.engine.connect() as connection:
            left = await self.bulk_left(wish.proposed_by, connection)
        return Refusal(detail=say(wish.locale, "bulk_cap", count=count, left=left)) if count > left else None


def _illegal(items: tuple[Item, ...], locale: Locale) -> Refusal | None:
    for change, before in ((item.change, item.before) for item in items):
        if before is None:
            continue
        value = VALUES.get(change.action)
        if value and getattr(before, value) == change.arguments[value]:
            return Refusal(
                detail=say(locale, "nothing_to_change", object=change.selection, seen=facts(before))
            )
        if not is_legal(change.action, before):
            legal = legal_actions(before)
            detail = say(
                locale,
                "illegal_action",
                action=say(locale, f"button_{change.action}"),
                job=change.selection,
                status=before.status if isinstance(before, Job | JobStream) else facts(before),
                legal=", ".join(say(locale, f"button_{action}") for action in legal) or "–",
            )
            return Refusal(detail=detail, legal=legal)
    return None


def _tell(items: tuple[Item, ...], plan: Plan | None, locale: Locale) -> tuple[str, ...]:
    """The consequences of each change on the plan with the objects as they are now."""
    first = items[0].change.selection
    trial = [say(locale, "bulk_effect", count=len(items), first=first)] if len(items) > 1 else []
    if plan is None:
        return (*trial, say(locale, "consequences_unknown"))
    fresh = plan.replaced(*(item.before for item in items if item.before is not None))
    now = datetime.now(UTC)
    told = [sentences(consequences(fresh, item.change, now), locale) for item in items[:_TOLD]]
    # Of one change everything is told, of many the most important of each.
    return told[0] if len(items) == 1 else (*trial, *(line for lines in told for line in lines[:1]))
