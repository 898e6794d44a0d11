"""Turns on real PostgreSQL and Redis, with a scripted brain and a mailbox for a channel."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from brain.actions.postings import Postings
from brain.actions.proposal import Proposals
from brain.message import Channel, Conversation, InboundMessage, Locale, Sender
from brain.reply import Reply, text
from brain.tables import TURNS
from brain.turns.inbox import Inbox
from brain.turns.ledger import Ledger, Turn
from brain.turns.outbox import Outbox, OutboxError, Outboxes
from brain.turns.runner import Answers, TurnRunner
from brain.turns.worker import Worker
from observability.metrics import Metrics
from observability.settings import ObservabilitySettings
from observability.tracing import Tracer
from security.actors import ActorDirectory
from security.audit import AuditLog
from security.limits import RateLimiter
from security.linking import LinkCodes
from security.passwords import Passwords
from security.roles import Actor, Role

_deliveries = itertools.count(1)


def make_message(words: str = "what failed?", *, conversation: str = "c1", **changes: Any) -> InboundMessage:
    """From the web user `ana` unless told otherwise; each with a delivery id of its own."""
    values: dict[str, Any] = {
        "delivery_id": f"d{next(_deliveries)}",
        "conversation": Conversation(channel=Channel.WEB, tenant="local", conversation_id=conversation),
        "sender": Sender(channel=Channel.WEB, tenant="local", user_id="ana"),
        "text": words,
        "received_at": datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
    }
    return InboundMessage(**(values | changes))


@dataclass
class Mailbox:
    """Every outbox of a channel: keeps what was sent, fails as often as it is told to."""

    sent: list[tuple[InboundMessage, Reply]] = field(default_factory=list)
    replaced: list[tuple[str, Reply]] = field(default_factory=list)
    errors: deque[Exception] = field(default_factory=deque)
    attempts: int = 0
    progress: list[str] = field(default_factory=list)
    deltas: list[str] = field(default_factory=list)
    has_ids: bool = False
    """Whether messages can be changed."""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, _turn_id: str, message: InboundMessage) -> Outbox:
        return _Outbox(self, message)

    def fail(self, times: int, *, retryable: bool) -> None:
        self.errors.extend(OutboxError("no way back", retryable=retryable) for _ in range(times))

    @property
    def words(self) -> list[str]:
        return [reply.plain_text for _, reply in self.sent]

    def keep(self, message: InboundMessage, reply: Reply) -> None:
        self.sent.append((message, reply))
        self._arrived.set()

    async def wait_for(self, count: int, *, seconds: float = 10) -> None:
        """Until so many replies were sent."""
        async with asyncio.timeout(seconds):
            while len(self.sent) < count:
                self._arrived.clear()
                await self._arrived.wait()


@dataclass
class _Outbox:
    mailbox: Mailbox
    message: InboundMessage

    async def progress(self, line: str) -> None:
        self.mailbox.progress.append(line)

    async def delta(self, piece: str) -> None:
        self.mailbox.deltas.append(piece)

    async def send(self, reply: Reply) -> str | None:
        self._may_fail()
        self.mailbox.keep(self.message, reply)
        return f"m{len(self.mailbox.sent)}" if self.mailbox.has_ids else None

    async def replace(self, message_id: str, reply: Reply) -> None:
        self._may_fail()
        self.mailbox.replaced.append((message_id, reply))

    def _may_fail(self) -> None:
        self.mailbox.attempts += 1
        if self.mailbox.errors:
            raise self.mailbox.errors.popleft()


@dataclass
class ScriptedAnswers:
    """Answers with the words of the message, after what the script does first."""

    turns: list[Turn] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    locales: list[Locale] = field(default_factory=list)
    degraded: list[frozenset[str]] = field(default_factory=list)
    before: Callable[[Turn], Any] | None = None
    """Called with the turn; awaited. May raise."""
    reply: Reply | None = None

    async def __call__(
        self, turn: Turn, actor: Actor, locale: Locale, _outbox: Outbox, degraded: frozenset[str]
    ) -> Reply:
        self.turns.append(turn)
        self.actors.append(actor)
        self.locales.append(locale)
        self.degraded.append(degraded)
        if self.before is not None:
            await self.before(turn)
        said = turn.message.text
        return self.reply or Reply(blocks=(text(said),), plain_text=said, agent="status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Everything that takes, runs and delivers turns in one process."""

    engine: AsyncEngine
    dsn: str
    inbox: Inbox
    ledger: Ledger
    runner: TurnRunner
    actors: ActorDirectory
    mailbox: Mailbox
    metrics: Metrics
    postings: Postings

    async def say(self, words: str = "what failed?", **changes: Any) -> str:
        """Accepts a message; the turn's id."""
        return (await self.inbox.accept(make_message(words, **changes))).turn_id

    async def run_next(self, message: InboundMessage) -> Turn:
        """Accepts the message and runs its turn here and now."""
        await self.inbox.accept(message)
        turn = await self.ledger.take_next(message.order_key)
        assert turn is not None
        await self.runner.run(turn)
        return turn

    async def row(self, turn_id: str) -> dict[str, Any]:
        async with self.engine.connect() as connection:
            found = await connection.execute(select(TURNS).where(TURNS.c.turn_id == turn_id))
            return dict(found.mappings().one())

    @asynccontextmanager
    async def working(
        self, *, concurrency: int = 4, grace_seconds: float = 5, sweep_seconds: float = 0.1
    ) -> AsyncIterator[Worker]:
        """A worker, stopped in the end. PostgreSQL knows its queue's connection as `queue`."""
        worker = Worker(
            ledger=self.ledger,
            runner=self.runner,
            dsn=f"{self.dsn}{'&' if '?' in self.dsn else '?'}application_name=queue",
            concurrency=concurrency,
            inbox=self.inbox,
            sweep=timedelta(seconds=sweep_seconds),
        )
        worker.start()
        try:
            yield worker
        finally:
            await worker.stop(timedelta(seconds=grace_seconds))


@asynccontextmanager
async def open_turns(
    engine: AsyncEngine,
    dsn: str,
    redis_url: str,
    answers: Answers,
    *,
    limit: str = "100000/minute",
    deadline_seconds: float = 10,
    locale: Locale = Locale.EN,
    channels: tuple[Channel, ...] = (Channel.WEB, Channel.SLACK, Channel.WEBHOOK),
) -> AsyncIterator[Turns]:
    """With the viewer `ana` in the directory."""
    locks = create_async_engine(engine.url, pool_size=8)
    limiter = RateLimiter(redis_url)
    mailbox, metrics = Mailbox(), Metrics()
    outboxes: Outboxes = dict.fromkeys(channels, mailbox)
    ledger = Ledger(engine, locks)
    actors = ActorDirectory(engine, Passwords(10))
    await actors.add("ana", "Ana", Role.VIEWER, None)
    postings = Postings(
        engine,
        outboxes=outboxes,
        proposals=Proposals(engine, lifetime=timedelta(minutes=15)),
        actors=actors,
        zone=ZoneInfo("UTC"),
    )
    runner = TurnRunner(
        ledger=ledger,
        outboxes=outboxes,
        answers=answers,
        actors=actors,
        links=LinkCodes(engine, actors, AuditLog()),
        limiter=limiter,
        limit=limit,
        metrics=metrics,
        tracer=Tracer(ObservabilitySettings(), str),
        locale=locale,
        deadline=timedelta(seconds=deadline_seconds),
        delivery_pauses=(timedelta(milliseconds=5),) * 3,
        postings=postings,
    )
    try:
        yield Turns(
            engine=engine,
            dsn=dsn,
            inbox=Inbox(engine, metrics),
            ledger=ledger,
            runner=runner,
            actors=actors,
            mailbox=mailbox,
            metrics=metrics,
            postings=postings,
        )
    finally:
        await limiter.aclose()
        await locks.dispose()
