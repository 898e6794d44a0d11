"""Decisions on proposals: who may, once, bound to the state that was shown.

A proposal is a row and every move of its state a compare-and-set, so the first valid decision wins whatever channel or
replica it comes from, and a worker that takes over a dead one's turn finds out where things stand from the rows alone.
"""

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, cast

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.execution import Execution
from brain.actions.judge import Judge
from brain.actions.policy import Requirement, why_not
from brain.actions.proposal import Proposal, Proposals, move, state_digest
from brain.actions.proposer import Proposer
from brain.actions.readback import facts
from brain.message import Locale, Verb
from brain.phrases import say
from brain.reply import DecisionState
from brain.tables import EXECUTIONS
from observability.metrics import Metrics
from security.audit import AuditDetail, AuditEntry, AuditLog
from security.roles import Actor, Permission
from tws.actions import Change
from tws.errors import TwsNotFoundError

_Phase: TypeAlias = Literal["before", "other"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A decision as it came in."""

    verb: Verb
    actor: Actor
    channel: str
    turn_id: str
    locale: Locale
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a proposal, in words for the reader."""

    state: DecisionState
    detail: str
    fresh: Proposal | None = None
    """A new proposal to decide on: the old one was void, or left changes undone."""
    is_private: bool = False
    """Only for whoever pressed: the proposal is as it was."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Takes decisions and carries out what was approved."""

    engine: AsyncEngine
    _: KW_ONLY
    proposals: Proposals
    proposer: Proposer
    judge: Judge
    execution: Execution
    audit: AuditLog
    metrics: Metrics
    watch_for: timedelta
    """How long an outcome that is unknown is looked for."""

    async def decide(self, proposal_id: str, press: Press) -> Result:
        """Approves, rejects or tells what became of the proposal.

        A decision on a decided proposal changes nothing and returns what became of it. Raises `TwsUnreachableError`
        when the plan cannot be read: then nothing is decided.
        """
        proposal = await self.proposals.get(proposal_id)
        if proposal is None:
            return Result(state="refused", detail=say(press.locale, "proposal_unknown"), is_private=True)
        if press.verb is Verb.REPORT and proposal.is_open:
            return Result(state="refused", detail=say(press.locale, "proposal_undecided"))
        if press.verb is Verb.REPORT:
            return await self._tell(proposal, press.locale, is_report=True)
        refusal = await self._refusal(proposal, press)
        if refusal is not None:
            async with self.engine.begin() as connection:
                await self._append(connection, proposal, press, "other", {"refused": refusal})
            return Result(state="refused", detail=refusal, is_private=True)
        if proposal.is_open:
            settled = await self._decide_open(proposal, press)
            if settled is not None:
                return settled
            proposal = await self._current(proposal_id)
        if proposal.is_final or press.verb is Verb.REJECT:
            return await self._tell(proposal, press.locale)
        # The first of many is a trial: the rest follows without holding up the turn.
        await self.execution.run(proposal, press.channel, most=1)
        await self._conclude(proposal)
        return await self._tell(await self._current(proposal_id), press.locale, is_report=True)

    async def follow_up(self, proposal_id: str) -> bool:
        """Goes on with what is under way, or looks once more; tells whether there is an outcome to report."""
        proposal = await self._current(proposal_id)
        if proposal.state == "approved":
            await self.execution.run(proposal, "watch")
        else:
            await self.execution.look(proposal, "watch")
        await self._conclude(proposal, is_watched=True)
        proposal = await self._current(proposal_id)
        if proposal.state != "unknown":
            return True
        waited = datetime.now(UTC) - (proposal.decided_at or proposal.proposed_at)
        if waited > self.watch_for:
            minutes = round(self.watch_for.total_seconds() / 60)
            detail = say(proposal.locale, "watch_ended", minutes=minutes)
            async with self.engine.begin() as connection:
                await move(connection, proposal_id, expected="unknown", state="unknown", detail=detail)
            return True
        # Soon at first, and then less and less often.
        pause = min(max(waited / 4, timedelta(seconds=2)), timedelta(minutes=2))
        await self.proposals.set_due(proposal_id, pause)
        return False

    async def _refusal(self, proposal: Proposal, press: Press) -> str | None:
        if press.verb is Verb.REJECT:
            may_reject = press.actor.may(Permission.PROPOSE)
            return None if may_reject else say(press.locale, "refused_not_permitted")
        if not self.proposer.may_write(proposal.engine):
            return say(press.locale, "read_only")
        decision = await self.judge.decide(press.actor.role, proposal.engine, proposal.items)
        asked = Requirement.FOUR_EYES if proposal.requires == "second_person" else Requirement.SELF_CONFIRM
        key = why_not(press.actor, decision, requires=asked, proposed_by=proposal.proposed_by)
        return None if key is None else say(press.locale, key)

    async def _decide_open(self, proposal: Proposal, press: Press) -> Result | None:
        """Settles what is not to be carried out; None once it is approved, or decided by somebody else."""
        locale = press.locale
        if proposal.expires_at <= datetime.now(UTC):
            return await self._settle_open(proposal, press, "expired", say(locale, "proposal_expired"))
        if press.verb is Verb.REJECT:
            key = "proposal_rejected_because" if press.reason else "proposal_rejected"
            detail = say(locale, key, person=press.actor.display_name, reason=press.reason)
            return await self._settle_open(proposal, press, "rejected", detail)
        void = await self._why_void(proposal, locale)
        if void is not None:
            return await self._settle_open(proposal, press, "refused", void, again=proposal.changes)
        refused = await self._approve(proposal, press)
        return None if refused is None else await self._settle_open(proposal, press, "refused", refused)

    async def _why_void(self, proposal: Proposal, locale: Locale) -> str | None:
        """Why the approval would no longer be for what was shown; None if nothing changed."""
        try:
            items, run_number = await self.proposer.look(proposal.engine, proposal.changes)
        except TwsNotFoundError as error:
            return say(locale, "proposal_gone", reason=str(error))
        if state_digest(items, run_number) == proposal.digest:
            return None
        for now, was in zip(items, proposal.items, strict=True):
            if now.before is not None and state_digest([now], None) != state_digest([was], None):
                seen = facts(now.before)
                return say(locale, "proposal_void", job=now.change.selection, status=seen)
        return say(locale, "proposal_of_other_plan", number=run_number)

    async def _approve(self, proposal: Proposal, press: Press) -> str | None:
        """Approval, the right to execute once and the audit rows, or none of them; why not, where a cap forbids it."""
        async with self.engine.begin() as connection:
            if len(proposal.items) > 1:
                # One at a time for each person, or two approvals at once would both find room under the cap.
                key = func.hashtextextended(f"bulk:{proposal.proposed_by}", 0)
                await connection.execute(select(func.pg_advisory_xact_lock(key)))
                left = await self.proposer.bulk_left(proposal.proposed_by, connection)
                if len(proposal.items) > left:
                    return say(press.locale, "bulk_cap", count=len(proposal.items), left=left)
            won = await move(
                connection,
                proposal.id,
                expected="open",
                state="approved",
                decided_by=press.actor.actor_id,
                decided_at=func.now(),
                decided_turn=press.turn_id,
                reason=press.reason or proposal.reason,
                due_at=func.now() + self.execution.lease,
            )
            if won:
                rows = [{"proposal_id": proposal.id, "position": n} for n in range(len(proposal.items))]
                await connection.execute(insert(EXECUTIONS), rows)
                await self._append(
                    connection, proposal, press, "before", {"reason": press.reason or proposal.reason}
                )
        return None

    async def _settle_open(
        self,
        proposal: Proposal,
        press: Press,
        state: DecisionState,
        detail: str,
        *,
        again: tuple[Change, ...] = (),
    ) -> Result | None:
        """Ends what nobody approved; None if somebody else decided first: theirs stands."""
        async with self.engine.begin() as connection:
            won = await move(
                connection,
                proposal.id,
                expected="open",
                state=state,
                detail=detail,
                decided_by=press.actor.actor_id,
                decided_at=func.now(),
                decided_turn=press.turn_id,
                reason=press.reason,
            )
            if won:
                why: dict[str, AuditDetail] = {"state": state, "detail": detail, "reason": press.reason}
                await self._append(connection, proposal, press, "other", why)
        if not won:
            return None
        self._count(proposal, state)
        return Result(state=state, detail=detail, fresh=await self._propose_again(proposal, again))

    async def _conclude(self, proposal: Proposal, *, is_watched: bool = False) -> None:
        """Sums up the changes once none waits any more; what is left to do or to watch becomes due."""
        rows = await self.execution.rows(proposal.id)
        if any(row["state"] == "waiting" for row in rows):
            await self.proposals.set_due(proposal.id, timedelta())
            return
        undone = [proposal.changes[row["position"]] for row in rows if row["state"] == "skipped"]
        made = sum(row["state"] == "confirmed" for row in rows)
        bad = next((row for row in rows if row["state"] not in {"confirmed", "skipped"}), None)
        state = bad["state"] if bad else "different" if undone else "confirmed"
        detail = (bad or rows[0])["detail"]
        if len(rows) > 1:
            summary = say(proposal.locale, "bulk_result", made=made, count=len(rows), undone=len(undone))
            detail = f"{summary} {detail}" if bad else summary
        # The watch forgets it only after the report; a turn reports by itself.
        due = {} if is_watched else {"due_at": func.now() if state == "unknown" else None}
        async with self.engine.begin() as connection:
            won = await move(
                connection, proposal.id, expected=proposal.state, state=state, detail=detail, **due
            )
        if won and state != proposal.state:
            self._count(proposal, state)
            if proposal.state == "approved":
                await self._propose_again(proposal, tuple(undone))

    async def _propose_again(self, proposal: Proposal, changes: tuple[Change, ...]) -> Proposal | None:
        """A fresh proposal for what was not done, if it can still be done."""
        if not changes:
            return None
        try:
            fresh = await self.proposer.propose(changes, proposal.wish())
        except TwsNotFoundError:
            return None
        return fresh if isinstance(fresh, Proposal) else None

    async def _current(self, proposal_id: str) -> Proposal:
        return cast("Proposal", await self.proposals.get(proposal_id))

    async def _tell(self, proposal: Proposal, locale: Locale, *, is_report: bool = False) -> Result:
        """How the proposal stands; unless it is a report, that nothing was done again."""
        if proposal.state == "approved":
            rows = await self.execution.rows(proposal.id)
            key = "bulk_in_progress" if len(rows) > 1 else "proposal_in_progress"
            made = sum(row["state"] == "confirmed" for row in rows)
            return Result(state="running", detail=say(locale, key, made=made, count=len(rows)))
        detail = proposal.detail
        if not is_report:
            detail = say(locale, "proposal_decided", person=proposal.decided_by or "", detail=detail)
        fresh = await self.proposals.in_place_of(proposal.id)
        return Result(state=cast("DecisionState", proposal.state), detail=detail, fresh=fresh)

    def _count(self, proposal: Proposal, state: str) -> None:
        self.metrics.proposal_settled(action=proposal.action, state=state)
        _log.info("proposal_settled", proposal_id=proposal.id, state=state)

    async def _append(
        self,
        connection: AsyncConnection,
        proposal: Proposal,
        press: Press,
        phase: _Phase,
        detail: dict[str, AuditDetail],
    ) -> None:
        """One row for each object, so that the log can be read by object."""
        for change in proposal.changes:
            entry = AuditEntry(
                actor_id=press.actor.actor_id,
                channel=press.channel,
                action=proposal.action,
                target=change.selection,
                phase=phase,
                detail={
                    "proposal_id": proposal.id,
                    "engine": proposal.engine,
                    "requested_by": proposal.proposed_by,
                    "rule": proposal.rule,
                    "identity": proposal.identity,
                    "ticket": proposal.ticket,
                    "arguments": dict(change.arguments),
                    **detail,
                },
            )
            await self.audit.append(connection, entry)
