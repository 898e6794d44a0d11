"""Makes an approved change at most once and reads the plan back.

The row in `executions` is written with the approval. `sent_at` is set just before the request leaves:
whoever sets it makes the call, everybody else (another worker after a crash) only reads back. So a change
is never repeated, and the report comes from the plan whatever died in between.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import assert_never

import structlog
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.policy import Action
from brain.actions.proposal import Proposal
from brain.actions.readback import observe
from brain.phrases import say
from brain.reply import DecisionState
from brain.tables import EXECUTIONS
from tws.client import TwsClient
from tws.errors import TwsError, TwsProtocolError, TwsUnreachableError

__all__ = ["Execution", "Result"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an execution ended."""

    state: DecisionState
    detail: str


class Execution:
    """Carries out approved proposals."""

    def __init__(
        self,
        engine: AsyncEngine,
        tws: TwsClient,
        *,
        patience_seconds: float,
        interval_seconds: float,
    ) -> None:
        self._engine = engine
        self._tws = tws
        self._patience = patience_seconds
        self._interval = interval_seconds

    async def run(self, proposal: Proposal) -> Result:
        """Makes the change unless it was begun before, then waits until the plan shows it."""
        if await self._begin(proposal.id):
            refusal = await self._send(proposal)
            if refusal is not None:
                return refusal
        return await self._read_back(proposal)

    async def _begin(self, proposal_id: str) -> bool:
        """Takes the one chance to send; False if somebody had it before."""
        take = (
            update(EXECUTIONS)
            .where(EXECUTIONS.c.proposal_id == proposal_id, EXECUTIONS.c.sent_at.is_(None))
            .values(sent_at=func.now())
        )
        async with self._engine.begin() as connection:
            return (await connection.execute(take)).rowcount == 1

    async def _send(self, proposal: Proposal) -> Result | None:
        """Calls TWS once; returns the end of the story if the engine certainly did nothing."""
        try:
            await self._call(proposal)
        except TwsUnreachableError as error:
            await self._note(proposal.id, str(error))
            if error.was_sent:
                # Perhaps it happened: only the plan can tell.
                return None
            return Result(state="refused", detail=say(proposal.locale, "not_sent", reason=str(error)))
        except TwsProtocolError as error:
            # It answered something unreadable: what it did is for the plan to tell.
            await self._note(proposal.id, str(error))
            return None
        except TwsError as error:
            await self._note(proposal.id, str(error))
            return Result(state="refused", detail=say(proposal.locale, "engine_refused", reason=str(error)))
        await self._note(proposal.id, "accepted")
        return None

    async def _call(self, proposal: Proposal) -> None:
        target = proposal.target
        why = (
            f"{proposal.reason or 'Resync'} (approved by {proposal.decided_by},"
            f" requested by {proposal.proposed_by}, proposal {proposal.id})"
        )
        match proposal.action:
            case Action.RERUN:
                assert target.run_id is not None, "a job without a run is never offered for rerun"
                await self._tws.rerun(target.run_id, why)
            case Action.HOLD:
                await self._tws.hold(target.job_id, why)
            case Action.RELEASE:
                await self._tws.release(target.job_id, why)
            case Action.CANCEL:
                await self._tws.cancel(target.job_id, why)
            case _:
                assert_never(proposal.action)

    async def _note(self, proposal_id: str, answer: str) -> None:
        note = (
            update(EXECUTIONS)
            .where(EXECUTIONS.c.proposal_id == proposal_id)
            .values(answered_at=func.now(), answer=answer)
        )
        async with self._engine.begin() as connection:
            await connection.execute(note)

    async def _read_back(self, proposal: Proposal) -> Result:
        """Polls the plan until it shows the change, shows something else, or patience ends."""
        deadline = time.monotonic() + self._patience
        seen = say(proposal.locale, "seen_no_answer")
        while True:
            try:
                job = await self._tws.job(proposal.target.job_id)
            except TwsError as error:
                _log.warning("read_back_failed", proposal_id=proposal.id, code=error.code)
            else:
                observation = observe(proposal.action, proposal.target, job, proposal.locale)
                if observation.state != "pending":
                    return Result(state=observation.state, detail=observation.detail)
                seen = observation.detail
            if time.monotonic() >= deadline:
                return Result(state="unknown", detail=seen)
            await asyncio.sleep(self._interval)
