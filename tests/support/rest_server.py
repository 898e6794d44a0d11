"""The REST API on a port, with everything real but the brain: a script answers the turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bots.problems import problem_middleware
from bots.rest.idempotency import forget_documents
from bots.rest.outbox import WebOutboxes
from bots.rest.routes import RestRoutes
from bots.rest.settings import RestSettings
from brain.actions.identities import Identities
from brain.actions.postings import Postings
from brain.actions.proposal import Proposals
from brain.incidents.alerts import Alerts
from brain.incidents.board import Board
from brain.incidents.desk import Desk
from brain.incidents.incidents import Incidents
from brain.incidents.router import Router
from brain.incidents.routes import Routes
from brain.incidents.shifts import Shifts
from brain.incidents.silences import Silences
from brain.llm.budget import Budget
from brain.llm.calls import ModelCalls
from brain.llm.settings import BudgetSettings
from brain.message import Channel, Locale, Verb
from brain.reply import (
    Citation,
    Citations,
    DecisionOutcome,
    DecisionState,
    ProposalView,
    Reply,
    strong,
    text,
)
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from brain.turns.ledger import Ledger, Turn
from brain.turns.outbox import Outbox
from brain.turns.runner import TurnRunner
from brain.turns.withdrawal import withdraw
from brain.turns.worker import Worker
from knowledge.documents import Reader
from knowledge.librarian import Librarian
from knowledge.library import open_library
from knowledge.orders import Orders
from knowledge.settings import KnowledgeSettings
from observability.health import HealthChecks
from observability.metrics import Metrics
from observability.settings import ObservabilitySettings
from observability.tracing import Tracer
from security.actors import ActorDirectory
from security.audit import AuditLog
from security.limits import RateLimiter
from security.linking import LinkCodes
from security.passwords import Passwords
from security.roles import Actor, Role
from security.tokens import Tokens
from security.vault import Vault
from tws.client import TwsClient
from tws.engines import Engines
from tws.mirror.plans import Plans
from tws.settings import TwsSettings
from tws.transport import open_session

PASSWORD = "correct horse battery staple"
AGENTS = ("diagnosis", "knowledge", "status")
VIEW = ProposalView(
    id="0123456789abcdef0123456789abcdef",
    action="rerun",
    target="MASTER#PAYROLL.PAYCALC",
    consequences=("PAYCALC runs again on PAY01.", "3 jobs wait for it."),
    requires="self",
    expires_at=datetime(2026, 3, 2, 3, 15, tzinfo=UTC),
)


@dataclass
class ScriptedBrain:
    """Echoes what it is told, with a citation; remembers the turns; thinks for as long as it is told to."""

    turns: list[Turn] = field(default_factory=list)
    outcome: DecisionState | None = "confirmed"
    proposal: ProposalView | None = None
    thinks_seconds: float = 0
    reply: Reply | None = None
    """Said to every message instead."""

    async def answer(
        self, turn: Turn, actor: Actor, _locale: Locale, outbox: Outbox, away: frozenset[str]
    ) -> Reply:
        self.turns.append(turn)
        await outbox.progress("reading the plan")
        await outbox.delta("You said ")
        await asyncio.sleep(self.thinks_seconds)
        button = turn.message.button
        if button is not None and button.verb is not Verb.SAY:
            outcome = self.outcome and DecisionOutcome(
                proposal_id=button.value, state=self.outcome, detail=f"{button.verb} by {actor.actor_id}"
            )
            return Reply(blocks=(), plain_text="the decision", agent="decision", outcome=outcome)
        if self.reply is not None:
            return self.reply
        said = turn.message.text
        citation = Citation(document_id="d1", document_title="Runbook", location="Restart", quote="Rerun it.")
        return Reply(
            blocks=(text("You said ", strong(said)), Citations(items=(citation,))),
            plain_text=f"You said {said}",
            agent=turn.message.agent or "status",
            proposal=self.proposal,
            degraded=tuple(sorted(away)),
        )


@dataclass(frozen=True, kw_only=True)
class RestServer:
    """A running server and a client for it."""

    client: aiohttp.ClientSession
    url: str
    brain: ScriptedBrain
    directory: ActorDirectory
    proposals: Proposals
    events: TurnEvents
    inbox: Inbox
    routes: RestRoutes

    async def sign_in(self, username: str) -> dict[str, str]:
        """The headers of a signed-in person."""
        body = {"username": username, "password": PASSWORD}
        async with self.client.post("/api/v1/auth/login", json=body) as response:
            assert response.status == 200, await response.text()
            return {"Authorization": f"Bearer {(await response.json())['access_token']}"}


async def _nowhere(_person: str) -> tuple[str, ...]:
    return ()


@asynccontextmanager
async def rest_server(
    engine: AsyncEngine,
    dsn: str,
    redis_url: str,
    *,
    settings: RestSettings | None = None,
    person_rate: str = "1000/minute",
    login_rate: str = "1000/minute",
    works: bool = True,
    port: int = 0,
    tws_url: str = "http://127.0.0.1:1",
    knowledge: KnowledgeSettings | None = None,
    rules: Routes | None = None,
) -> AsyncIterator[RestServer]:
    """Serves with four people, one of each role, named after it; `works=False` leaves all turns waiting.

    By itself no TWS answers. Nobody has been counted by a limit yet.
    """
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
    directory = ActorDirectory(engine, Passwords(rounds=4))
    for role in Role:
        await directory.add(role.value, role.value.title(), role, PASSWORD, replace=True)
    brain = ScriptedBrain()
    events = TurnEvents(engine, dsn)
    events.start()
    limiter = RateLimiter(redis_url)
    metrics = Metrics()
    inbox = Inbox(engine, metrics)
    proposals = Proposals(engine, lifetime=timedelta(minutes=15))
    locks = create_async_engine(engine.url)
    ledger = Ledger(engine, locks)
    tracer = Tracer(ObservabilitySettings(), str)
    runner = TurnRunner(
        ledger=ledger,
        outboxes={Channel.WEB: WebOutboxes(events)},
        answers=brain.answer,
        actors=directory,
        links=LinkCodes(engine, directory, AuditLog()),
        limiter=limiter,
        limit=person_rate,
        metrics=metrics,
        tracer=tracer,
        locale=Locale.EN,
        deadline=timedelta(seconds=30),
        postings=Postings(engine, outboxes={}, proposals=proposals, actors=directory, zone=ZoneInfo("UTC")),
    )
    worker = Worker(ledger=ledger, runner=runner, dsn=dsn, concurrency=8, inbox=inbox)
    tws_settings = TwsSettings(url=tws_url, username="resync", password=SecretStr(PASSWORD), read_retries=0)
    tws_session = open_session(tws_settings)
    tws = TwsClient(tws_settings, tws_session, metrics)
    knowledge = knowledge or KnowledgeSettings()
    library = open_library(engine, knowledge, on_removed=(withdraw, forget_documents))
    store = library.store
    librarian = Librarian(Orders(engine), library.ingest, knowledge, dsn=dsn, sweep=timedelta(seconds=0.5))

    async def stats() -> dict[str, object]:
        return {
            "turns": await ledger.stats(),
            "proposals": await proposals.stats(),
            "documents": len(await store.list(Reader(None))),
            "queue_oldest_seconds": (await ledger.oldest_age()).total_seconds(),
        }

    routes = RestRoutes(
        settings=settings or RestSettings(),
        version="1.2.3",
        engine=engine,
        inbox=inbox,
        events=events,
        proposals=proposals,
        identities=Identities(
            engine,
            vault=Vault(["k" * 32]),
            engines=Engines({tws.name: tws}, default=tws.name),
            audit=AuditLog(),
        ),
        agents=AGENTS,
        engines=(tws.name,),
        directory=directory,
        tokens=Tokens(
            engine,
            secret="q7T-vW2xK9_mB4nZ8rL1sD6fH3jP5aYc0eUg",
            access_lifetime=timedelta(minutes=5),
            refresh_lifetime=timedelta(hours=1),
        ),
        limiter=limiter,
        login_rate=login_rate,
        person_rate=person_rate,
        search=library.search,
        store=store,
        feedback=library.feedback,
        model_calls=ModelCalls(engine, Budget(BudgetSettings(), ZoneInfo("UTC"))),
        health=_health(engine),
        stats=stats,
        desk=Desk(incidents=Incidents(engine), audit=AuditLog()),
        alerts=Alerts(engine),
        shifts=Shifts(engine, plans=Plans(engine), engines=(tws.name,)),
        router=Router(
            engine, routes=rules or Routes(), silences=Silences(engine, audit=AuditLog()), reach=_nowhere
        ),
        board=Board(engine, alerts=Alerts(engine), plans=Plans(engine), engines=(tws.name,)),
        links=LinkCodes(engine, directory, AuditLog()),
        zone=ZoneInfo("UTC"),
    )
    app = web.Application(middlewares=[problem_middleware])
    routes.register(app)
    # As in production; aiohttp's own test server cancels handlers whose client has left.
    site_runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=1)
    await site_runner.setup()
    await web.TCPSite(site_runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{site_runner.addresses[0][1]}/"
    if works:
        worker.start()
        librarian.start()
    try:
        async with aiohttp.ClientSession(url) as client:
            yield RestServer(
                client=client,
                url=url,
                brain=brain,
                directory=directory,
                proposals=proposals,
                events=events,
                inbox=inbox,
                routes=routes,
            )
    finally:
        await asyncio.gather(worker.stop(timedelta(seconds=5)), librarian.aclose())
        await site_runner.cleanup()
        await events.aclose()
        await limiter.aclose()
        await tws_session.close()
        await tracer.aclose()
        await locks.dispose()


def _health(engine: AsyncEngine) -> HealthChecks:
    async def database() -> str:
        async with engine.connect():
            return "PostgreSQL"

    checks = HealthChecks()
    checks.add("database", database)
    return checks


async def events_of(response: aiohttp.ClientResponse) -> list[dict[str, object]]:
    """All events of a stream, with parsed data; comments appear as `{"comment": …}`."""
    assert response.content_type == "text/event-stream"
    events: list[dict[str, object]] = []
    for frame in (await response.text()).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.splitlines())
        if "" in fields:
            events.append({"comment": fields[""]})
        elif fields:
            events.append({**fields, "data": json.loads(fields["data"])})
    return events
