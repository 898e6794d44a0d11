"""Where proposals are shown, in every channel: a decision made in one place takes the buttons away in all others.

A posting is a row with the state that it shows, so any process finds out which ones are behind, also after a crash.
"""

import asyncio
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import RowMapping, Text, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Proposal, Proposals
from brain.message import Channel, Conversation, InboundMessage, Locale, Sender
from brain.phrases import phrase, say
from brain.reply import DecisionOutcome, DecisionState, Notice, Reply, code, strong, to_plain
from brain.tables import POSTING_MOVES, POSTINGS, PROPOSALS, TURNS
from brain.times import clock
from brain.turns.outbox import OutboxError, Outboxes
from security.actors import ActorDirectory

_ROUND = timedelta(seconds=0.5)
_AT_ONCE = 16
_MAX_TRIES = 8
"""After so many failures, each twice as long after the last, the posting stays as it is."""
_NOW = case(
    ((PROPOSALS.c.state == "open") & (PROPOSALS.c.expires_at <= func.now()), "expired"),
    else_=PROPOSALS.c.state,
)
"""What a posting ought to show."""
_PRESSED = (
    select(TURNS.c.message["button"]["message_id"].astext)
    .where(TURNS.c.turn_id == PROPOSALS.c.decided_turn, TURNS.c.channel == POSTINGS.c.channel)
    .correlate(PROPOSALS, POSTINGS)
    .scalar_subquery()
)
"""The message whose button was pressed: the turn itself shows the outcome there."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Postings:
    """Remembers where proposals are shown, and runs beside the worker to keep those places up to date."""

    engine: AsyncEngine
    _: KW_ONLY
    outboxes: Outboxes
    proposals: Proposals
    actors: ActorDirectory
    zone: ZoneInfo
    interval: timedelta = _ROUND
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def record(self, message: InboundMessage, proposal_id: str, message_id: str | None) -> None:
        """The proposal is shown by this message of the channel, where `message.route` leads; None: by none."""
        if message_id is None:
            return
        where = message.conversation
        posted = insert(POSTINGS).values(
            proposal_id=proposal_id,
            channel=where.channel,
            tenant=where.tenant,
            conversation_id=where.conversation_id,
            message_id=message_id,
            route=dict(message.route),
        )
        async with self.engine.begin() as connection:
            await connection.execute(posted.on_conflict_do_nothing())

    def start(self) -> None:
        """Begins to look."""
        self._task = asyncio.create_task(self._run(), name="postings")

    async def aclose(self) -> None:
        """Stops looking; the next process that looks shows the rest."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def round(self) -> int:
        """Brings postings that are behind up to date and says how many that were.

        Their rows are locked meanwhile: no other process shows the same, and a crash leaves nothing to undo.
        """
        query = (
            select(POSTINGS, _NOW.cast(Text).label("state"), _PRESSED.label("pressed"))
            .join(PROPOSALS, PROPOSALS.c.id == POSTINGS.c.proposal_id)
            .where(
                POSTINGS.c.shown.in_(POSTING_MOVES), POSTINGS.c.shown != _NOW, POSTINGS.c.due_at <= func.now()
            )
            .order_by(POSTINGS.c.due_at)
            .limit(_AT_ONCE)
            .with_for_update(of=POSTINGS, skip_locked=True)
        )
        async with self.engine.begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
            shown = await asyncio.gather(*map(self._show, rows))
            for row, is_shown in zip(rows, shown, strict=True):
                pause = timedelta(seconds=2 ** row["tries"])
                after = (
                    {"shown": row["state"], "tries": 0}
                    if is_shown
                    else {"tries": row["tries"] + 1, "due_at": func.now() + pause}
                )
                key = POSTINGS.c.id == row["id"]
                await connection.execute(update(POSTINGS).where(key).values(**after))
        return len(rows)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except (OSError, DBAPIError) as error:
                _log.warning("postings_round_failed", error=type(error).__name__)
            await asyncio.sleep(self.interval.total_seconds())

    async def _show(self, row: RowMapping) -> bool:
        """Whether nothing is left to do for the posting's present state."""
        make_outbox = self.outboxes.get(Channel(row["channel"]))
        proposal = await self.proposals.get(row["proposal_id"])
        if row["pressed"] == row["message_id"] or make_outbox is None or proposal is None:
            return True
        place = _place(row, proposal.locale)
        try:
            reply = await self._reply(proposal, row["state"])
            await make_outbox("", place).replace(row["message_id"], reply)
        except OutboxError as error:
            _log.warning("posting_not_updated", proposal_id=proposal.id, reason=str(error))
            return not error.retryable or row["tries"] >= _MAX_TRIES
        return True

    async def _reply(self, proposal: Proposal, state: str) -> Reply:
        """What became of the proposal, without buttons: who decided what and when."""
        locale = proposal.locale
        shown = cast("DecisionState", "running" if state == "approved" else state)
        detail = proposal.detail
        if state == "expired":
            detail = say(locale, "proposal_expired")
        elif state == "approved":
            detail = say(locale, "proposal_under_way")
        person = await self.actors.get(proposal.decided_by or "")
        title = phrase(
            locale,
            "decided_at" if proposal.decided_by else "undecided",
            action=strong(say(locale, f"button_{proposal.action}")),
            job=code(proposal.selection),
            person=person.display_name if person else proposal.decided_by or "",
            time=clock(proposal.decided_at, self.zone, now=datetime.now(UTC)),
        )
        notice = Notice(text=f"{say(locale, f'state_{shown}')} {detail}")
        return Reply(
            blocks=(title, notice),
            plain_text=to_plain((title, notice)),
            agent="action",
            outcome=DecisionOutcome(proposal_id=proposal.id, state=shown, detail=detail),
        )


def _place(row: RowMapping, locale: Locale) -> InboundMessage:
    """A message that nobody sent, for its way back."""
    channel, tenant = Channel(row["channel"]), row["tenant"]
    return InboundMessage(
        delivery_id="",
        conversation=Conversation(channel=channel, tenant=tenant, conversation_id=row["conversation_id"]),
        sender=Sender(channel=channel, tenant=tenant, user_id=""),
        text="",
        received_at=row["posted_at"],
        locale=locale,
        route=row["route"],
    )
