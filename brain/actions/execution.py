"""Makes each approved change at most once and reads the plan back.

The rows in `executions` are written with the approval. `sent_at` is set just before the request leaves: whoever sets
it makes the call, everybody else (another worker after a crash) only reads back. So a change is never repeated, and
the report comes from the plan whatever died in between.
"""

import asyncio
import time
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.actions.identities import Identities
from brain.actions.proposal import Item, Proposal, state_digest
from brain.actions.readback import Observation, facts, observe, seen_as
from brain.phrases import say
from brain.tables import EXECUTIONS, PROPOSALS
from security.audit import AuditEntry, AuditLog
from tws.client import TwsClient
from tws.engines import Engines
from tws.errors import TwsError, TwsProtocolError, TwsUnreachableError
from tws.justification import Justification

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What became of one change."""

    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class Execution:
    """Carries out approved proposals."""

    engine: AsyncEngine
    _: KW_ONLY
    engines: Engines
    identities: Identities
    audit: AuditLog
    category: str
    patience_seconds: float
    """How long the plan is read for the effect of one change."""
    interval_seconds: float

    @property
    def lease(self) -> timedelta:
        """How long nobody else takes up a proposal that is under way."""
        return timedelta(seconds=2 * self.patience_seconds + 60)

    async def rows(self, proposal_id: str) -> list[RowMapping]:
        """What became of each change, in order; `waiting` are those that are still to be made."""
        query = (
            select(EXECUTIONS).where(EXECUTIONS.c.proposal_id == proposal_id).order_by(EXECUTIONS.c.position)
        )
        async with self.engine.connect() as connection:
            return list((await connection.execute(query)).mappings())

    async def run(self, proposal: Proposal, channel: str, *, most: int | None = None) -> None:
        """Makes the changes one after the other, `most` of them, each once the plan confirmed the one before.

        After the first that the plan did not confirm the rest is skipped. Changes that were begun before are not
        begun again.
        """
        for position, row in enumerate((await self.rows(proposal.id))[:most]):
            state = row["state"]
            if state == "waiting":
                found = await self._make(proposal, position)
                state = await self._finish(proposal, position, found, channel, expected="waiting")
            if state != "confirmed":
                await self._skip_after(proposal.id, position)
                return

    async def look(self, proposal: Proposal, channel: str) -> None:
        """Looks once more at changes of which the plan has shown nothing yet."""
        for row in await self.rows(proposal.id):
            if row["state"] == "unknown":
                seen = await self._observe(proposal, row)
                if seen is not None and seen.state != "pending":
                    selection = proposal.changes[row["position"]].selection
                    found = _Found(state=seen.state, detail=seen.describe(selection, proposal.locale))
                    await self._finish(proposal, row["position"], found, channel, expected="unknown")

    async def _make(self, proposal: Proposal, position: int) -> _Found:
        refusal = await self._why_not_now(proposal, proposal.items[position])
        if await self._begin(proposal.id, position):
            refusal = refusal or await self._send(proposal, position)
            if refusal is not None:
                return _Found(state="refused", detail=refusal)
        return await self._read_back(proposal, position)

    async def _why_not_now(self, proposal: Proposal, item: Item) -> str | None:
        """Why the change is no longer what was approved: time may have passed since, with others or a crash."""
        if item.before is None:
            return None
        change, locale = item.change, proposal.locale
        try:
            now = await self.engines.get(proposal.engine).read_object(change.kind, change.object_id)
        except TwsError as error:
            return say(locale, "not_sent", reason=str(error))
        if state_digest([Item(change=change, before=now)], None) == state_digest([item], None):
            return None
        return say(locale, "changed_meanwhile", object=change.selection, seen=facts(now))

    async def _begin(self, proposal_id: str, position: int) -> bool:
        """Takes the one chance to send; False if somebody had it before."""
        under_way = PROPOSALS.c.state == "approved"
        keep = update(PROPOSALS).where(PROPOSALS.c.id == proposal_id, under_way)
        async with self.engine.begin() as connection:
            await connection.execute(keep.values(due_at=func.now() + self.lease))
            unsent = EXECUTIONS.c.sent_at.is_(None)
            return await _set(connection, proposal_id, position, unsent, sent_at=func.now())

    async def _send(self, proposal: Proposal, position: int) -> str | None:
        """Calls TWS once; returns why not, if the engine certainly did nothing."""
        change, locale = proposal.changes[position], proposal.locale
        try:
            client = await self._client(proposal)
            if client is None:
                return say(locale, "identity_missing", engine=proposal.engine)
            echo = await client.carry_out(change, self._justify(proposal))
        except TwsUnreachableError as error:
            await self._note(proposal.id, position, str(error))
            # If it was sent, perhaps it happened: only the plan can tell.
            return None if error.was_sent else say(locale, "not_sent", reason=str(error))
        except TwsProtocolError as error:
            # It answered something unreadable: what it did is for the plan to tell.
            await self._note(proposal.id, position, str(error))
            return None
        except TwsError as error:
            await self._note(proposal.id, position, str(error))
            return say(locale, "engine_refused", reason=str(error))
        await self._note(proposal.id, position, "accepted", echoed_id=echo)
        return None

    async def _client(self, proposal: Proposal) -> TwsClient | None:
        """The engine under the account that the policy asks for; None if that was unlinked since."""
        client = self.engines.get(proposal.engine)
        if proposal.identity == "service":
            return client
        credentials = await self.identities.credentials(proposal.proposed_by, proposal.engine)
        return None if credentials is None else client.acting_as(credentials)

    def _justify(self, proposal: Proposal) -> Justification:
        people = f"approved by {proposal.decided_by}, requested by {proposal.proposed_by}"
        reason = f"{proposal.reason or 'Resync'} ({people}, proposal {proposal.id})"
        return Justification(reason=reason, category=self.category, ticket=proposal.ticket)

    async def _note(self, proposal_id: str, position: int, answer: str, *, echoed_id: str = "") -> None:
        async with self.engine.begin() as connection:
            values = {"answered_at": func.now(), "answer": answer, "echoed_id": echoed_id}
            await _set(connection, proposal_id, position, **values)

    async def _read_back(self, proposal: Proposal, position: int) -> _Found:
        """Polls the plan until it shows the change, shows something else, or patience ends."""
        deadline = time.monotonic() + self.patience_seconds
        detail = say(proposal.locale, "seen_no_answer")
        while True:
            row = (await self.rows(proposal.id))[position]
            seen = await self._observe(proposal, row)
            if seen is not None:
                detail = seen.describe(proposal.changes[position].selection, proposal.locale)
                if seen.state != "pending":
                    return _Found(state=seen.state, detail=detail)
            if time.monotonic() >= deadline:
                return _Found(state="unknown", detail=detail)
            await asyncio.sleep(self.interval_seconds)

    async def _observe(self, proposal: Proposal, row: RowMapping) -> Observation | None:
        """What the plan shows now; None if it cannot be read, or nobody knows what a submission made."""
        item = proposal.items[row["position"]]
        object_id = row["echoed_id"] if item.before is None else item.change.object_id
        if not object_id:
            return None
        try:
            now = await self.engines.get(proposal.engine).read_object(seen_as(item.change), object_id)
        except TwsError as error:
            _log.warning("read_back_failed", proposal_id=proposal.id, code=error.code)
            return None
        return observe(item.change, item.before, now)

    async def _finish(
        self, proposal: Proposal, position: int, found: _Found, channel: str, *, expected: str
    ) -> str:
        """Writes what became of the change, with its audit row; what somebody wrote first stands."""
        entry = AuditEntry(
            actor_id=proposal.decided_by or "",
            channel=channel,
            action=proposal.action,
            target=proposal.changes[position].selection,
            phase="after",
            detail={"proposal_id": proposal.id, "state": found.state, "detail": found.detail},
        )
        async with self.engine.begin() as connection:
            before = EXECUTIONS.c.state == expected
            values = {"state": found.state, "detail": found.detail}
            if await _set(connection, proposal.id, position, before, **values):
                await self.audit.append(connection, entry)
                return found.state
        return str((await self.rows(proposal.id))[position]["state"])

    async def _skip_after(self, proposal_id: str, position: int) -> None:
        unbegun = (EXECUTIONS.c.state == "waiting") & EXECUTIONS.c.sent_at.is_(None)
        rest = (EXECUTIONS.c.proposal_id == proposal_id) & (EXECUTIONS.c.position > position)
        async with self.engine.begin() as connection:
            await connection.execute(update(EXECUTIONS).where(rest, unbegun).values(state="skipped"))


async def _set(
    connection: AsyncConnection,
    proposal_id: str,
    position: int,
    *only_if: ColumnElement[bool],
    **values: object,
) -> bool:
    """Changes one row, if it is as expected; tells whether it was."""
    row = (EXECUTIONS.c.proposal_id == proposal_id, EXECUTIONS.c.position == position)
    changed = await connection.execute(update(EXECUTIONS).where(*row, *only_if).values(**values))
    return changed.rowcount == 1
