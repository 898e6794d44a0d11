"""Decisions on proposals: who may, once, bound to the state that was shown.

A proposal is a row and every move of its state a compare-and-set, so the first valid decision wins
whatever channel or replica it comes from, and a worker that takes over a dead one's turn finds out where
things stand from the rows alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, TypeAlias, cast

import structlog
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.execution import Execution, Result
from brain.actions.policy import why_not
from brain.actions.proposal import Proposal, Proposals, move, state_digest
from brain.message import Locale, Verb
from brain.phrases import say
from brain.reply import DecisionState
from brain.tables import EXECUTIONS
from observability.metrics import Metrics
from security.audit import AuditEntry, AuditLog
from security.roles import Actor, Permission
from tws.client import TwsClient

__all__ = ["Approval"]

_Phase: TypeAlias = Literal["before", "after", "other"]

_log = structlog.get_logger(__name__)


class Approval:
    """Takes decisions and carries out what was approved."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        proposals: Proposals,
        execution: Execution,
        tws: TwsClient,
        audit: AuditLog,
        metrics: Metrics,
        may_write: bool,
    ) -> None:
        self._engine = engine
        self._proposals = proposals
        self._execution = execution
        self._tws = tws
        self._audit = audit
        self._metrics = metrics
        self._may_write = may_write

    async def decide(
        self, proposal_id: str, verb: Verb, *, actor: Actor, channel: str, reason: str, locale: Locale
    ) -> Result:
        """Approves or rejects; the result says what became of the proposal, in words for the reader.

        A decision on a decided proposal changes nothing and returns what became of it. Raises
        `TwsUnreachableError` when the plan cannot be read: then nothing is decided.
        """
        proposal = await self._proposals.get(proposal_id)
        if proposal is None:
            return Result(state="refused", detail=say(locale, "proposal_unknown"))
        refusal = self._refusal(proposal, verb, actor, locale)
        if refusal is not None:
            await self._record(proposal, actor, channel, detail={"refused": refusal})
            return Result(state="refused", detail=refusal)
        if proposal.is_open and proposal.expires_at <= datetime.now(UTC):
            return await self._settle(proposal, actor, channel, "expired", say(locale, "proposal_expired"))
        if proposal.is_open and verb is Verb.REJECT:
            detail = say(locale, "proposal_rejected", person=actor.display_name)
            return await self._settle(proposal, actor, channel, "rejected", detail, reason=reason)
        if proposal.is_open:
            changed = await self._changed_since(proposal, locale)
            if changed is not None:
                return await self._settle(proposal, actor, channel, "refused", changed)
            await self._approve(proposal, actor, channel, reason)
            proposal = cast("Proposal", await self._proposals.get(proposal_id))
        if proposal.is_final or verb is Verb.REJECT:
            return _already(proposal, locale)
        return await self._carry_out(proposal, actor, channel)

    def _refusal(self, proposal: Proposal, verb: Verb, actor: Actor, locale: Locale) -> str | None:
        if verb is Verb.REJECT:
            return None if actor.may(Permission.PROPOSE) else say(locale, "refused_not_permitted")
        if not self._may_write:
            return say(locale, "read_only")
        key = why_not(actor, requires=proposal.requires, proposed_by=proposal.proposed_by)
        return None if key is None else say(locale, key)

    async def _changed_since(self, proposal: Proposal, locale: Locale) -> str | None:
        """Why the approval would no longer be for what was shown; None if nothing changed."""
        job = await self._tws.job(proposal.target.job_id)
        if state_digest(proposal.action, job) == proposal.digest:
            return None
        return say(locale, "proposal_void", job=job.selection, status=job.status)

    async def _approve(self, proposal: Proposal, actor: Actor, channel: str, reason: str) -> None:
        """Approval, the right to execute once and the audit row, or none of them."""
        async with self._engine.begin() as connection:
            won = await move(
                connection,
                proposal.id,
                expected="open",
                state="approved",
                decided_by=actor.actor_id,
                decided_at=func.now(),
                reason=reason or proposal.reason,
            )
            if won:
                await connection.execute(insert(EXECUTIONS).values(proposal_id=proposal.id))
                await self._append(connection, proposal, actor, channel, "before", {"reason": reason})

    async def _carry_out(self, proposal: Proposal, actor: Actor, channel: str) -> Result:
        result = await self._execution.run(proposal)
        return await self._settle(
            proposal, actor, channel, result.state, result.detail, expected="approved", phase="after"
        )

    async def _settle(
        self,
        proposal: Proposal,
        actor: Actor,
        channel: str,
        state: DecisionState,
        detail: str,
        *,
        expected: str = "open",
        phase: _Phase = "other",
        reason: str = "",
    ) -> Result:
        """Writes the end of the story; if somebody else wrote it first, theirs stands."""
        values: dict[str, object] = {"detail": detail}
        if expected == "open":
            values |= {"decided_by": actor.actor_id, "decided_at": func.now(), "reason": reason}
        async with self._engine.begin() as connection:
            won = await move(connection, proposal.id, expected=expected, state=state, **values)
            if won:
                await self._append(
                    connection, proposal, actor, channel, phase, {"state": state, "detail": detail}
                )
        if won:
            self._metrics.proposal_settled(action=proposal.action, state=state)
            _log.info("proposal_settled", proposal_id=proposal.id, state=state, actor_id=actor.actor_id)
            return Result(state=state, detail=detail)
        current = cast("Proposal", await self._proposals.get(proposal.id))
        return _already(current, proposal.locale)

    async def _record(
        self, proposal: Proposal, actor: Actor, channel: str, *, detail: dict[str, str]
    ) -> None:
        async with self._engine.begin() as connection:
            await self._append(connection, proposal, actor, channel, "other", detail)

    async def _append(
        self,
        connection: AsyncConnection,
        proposal: Proposal,
        actor: Actor,
        channel: str,
        phase: _Phase,
        detail: dict[str, str],
    ) -> None:
        entry = AuditEntry(
            actor_id=actor.actor_id,
            channel=channel,
            action=proposal.action,
            target=proposal.target.selection,
            phase=phase,
            detail={"proposal_id": proposal.id, **detail},
        )
        await self._audit.append(connection, entry)


def _already(proposal: Proposal, locale: Locale) -> Result:
    """A decision that came too late: what became of the proposal, and that nothing was done again."""
    if not proposal.is_final:
        return Result(state="unknown", detail=say(locale, "proposal_in_progress"))
    detail = say(locale, "proposal_decided", person=proposal.decided_by or "", detail=proposal.detail)
    return Result(state=cast("DecisionState", proposal.state), detail=detail)
