"""Opens everything the product consists of, in order, and closes it in reverse. The only constructor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import aiohttp
import structlog
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.changes import build_changes
from brain.actions.identities import Identities
from brain.actions.postings import Postings
from brain.actions.proposal import Proposals
from brain.actions.watch import Watch
from brain.cases import CaseMaker
from brain.conversations import Conversations
from brain.graph import Brain
from brain.incidents.alerts import Alerts
from brain.incidents.board import Board
from brain.incidents.desk import Desk
from brain.incidents.folder import Folder
from brain.incidents.incidents import Incidents
from brain.incidents.poster import Poster
from brain.incidents.rota import Rota
from brain.incidents.router import Router
from brain.incidents.shifts import Shifts
from brain.incidents.silences import Silences
from brain.llm.budget import Budget
from brain.llm.calls import ModelCalls
from brain.llm.factory import open_loops
from brain.llm.metered import Metered
from brain.planner.graph import Planner
from brain.ratings import Ratings
from brain.retention import Retention
from brain.snapshots import PlanSnapshots
from brain.toolbox import Tools
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from brain.turns.ledger import Ledger
from brain.turns.runner import TurnRunner
from brain.turns.worker import Worker
from channels import open_channels
from database import Database, data_dir, open_database, open_engine, open_vault
from embedded import embedded_valkey
from knowledge.documents import Reader
from knowledge.graph import KnowledgeGraph
from knowledge.librarian import Librarian
from knowledge.orders import Orders
from knowledge.relations import Relations
from observability.health import HealthChecks
from observability.metrics import Metrics
from observability.tracing import Tracer
from security.limits import RateLimiter
from security.linking import LinkCodes
from security.masking import mask_secrets
from security.secret_files import load_or_create_secret
from security.tokens import Tokens
from settings import Settings
from tws.cache import CachedReads
from tws.engines import Engines, open_engines
from tws.mirror.poller import Mirror

if TYPE_CHECKING:
    from bots.slack.workspaces import Installed
    from bots.teams.routes import TeamsChannel

_CHANNEL_SECONDS = 10.0
"""Longest call to a channel's service; the turn runner tries an answer again after it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The running product."""

    settings: Settings
    database: Database
    inbox: Inbox
    events: TurnEvents
    ledger: Ledger
    worker: Worker
    brain: Brain
    rounds: Sequence[Watch | Postings | Librarian | CaseMaker | Retention | Mirror | Folder | Poster | Rota]
    """What works in the background by itself."""
    model_calls: ModelCalls
    alerts: Alerts
    desk: Desk
    shifts: Shifts
    router: Router
    board: Board
    links: LinkCodes
    proposals: Proposals
    identities: Identities
    tokens: Tokens
    limiter: RateLimiter
    health: HealthChecks
    metrics: Metrics
    slack: Installed | None
    teams: TeamsChannel | None

    def start(self) -> None:
        """Begins to work off turns, and everything else that is done in the background."""
        self.worker.start()
        for one in self.rounds:
            one.start()

    async def stop(self) -> None:
        """Ends the work in the background; turns that are under way get their time."""
        await asyncio.gather(*(one.aclose() for one in self.rounds))
        await self.worker.stop(self.settings.turns.drain)

    async def stats(self) -> dict[str, object]:
        """Figures for administrators."""
        turns, proposals, documents, age = await asyncio.gather(
            self.ledger.stats(),
            self.proposals.stats(),
            self.database.library.store.list(Reader(None)),
            self.ledger.oldest_age(),
        )
        return {
            "turns": turns,
            "proposals": proposals,
            "documents": len(documents),
            "queue_oldest_seconds": age.total_seconds(),
        }


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Everything; nothing runs in the background before `Services.start()`."""
    assert settings.engines, "checked by settings.unsafe"
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        engine, library = database.engine, database.library
        redis_url = (
            settings.redis_url.get_secret_value()
            if settings.redis_url is not None
            else await stack.enter_async_context(embedded_valkey(data_dir(settings)))
        )
        limiter = RateLimiter(redis_url)
        stack.push_async_callback(limiter.aclose)
        metrics = Metrics()
        tracer = Tracer(settings.observability, lambda value: str(mask_secrets(value)))
        stack.push_async_callback(tracer.aclose)
        web_session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CHANNEL_SECONDS))
        )
        engines = await stack.enter_async_context(open_engines(settings.engines, metrics))
        inbox = Inbox(engine, metrics)
        events = TurnEvents(engine, database.dsn)
        events.start()
        stack.push_async_callback(events.aclose)
        vault = open_vault(settings)
        changes = build_changes(
            engine,
            engines=engines,
            settings=settings.actions,
            vault=vault,
            audit=database.audit,
            metrics=metrics,
        )
        zone = ZoneInfo(settings.turns.timezone)
        model_calls = ModelCalls(engine, Budget(settings.llm.budget, zone))
        reads = {name: CachedReads(engines.get(name)) for name in engines.names}
        for known in reads.values():
            stack.push_async_callback(known.aclose)
        tools = Tools(
            engines=engines,
            reads=reads,
            search=library.search,
            answers=library.answers,
            proposals=changes.proposals,
            proposer=changes.proposer,
            judge=changes.judge,
            plans=changes.plans,
            relations=Relations(engine),
            approval=changes.approval,
            snapshots={name: PlanSnapshots(engine, engine_name=name) for name in engines.names},
            desk=(desk := Desk(incidents=Incidents(engine), audit=database.audit)),
            ratings=Ratings(inbox=inbox, book=library.feedback, model_calls=model_calls),
            shifts=(shifts := Shifts(engine, plans=changes.plans, engines=engines.names)),
        )
        saver = await stack.enter_async_context(_checkpointer(database.dsn))
        conversations = Conversations(engine, saver, database.audit)
        meter = partial(Metered, settings=settings.llm, calls=model_calls, tracer=tracer)
        brain = Brain(
            tools=tools,
            conversations=conversations,
            loops=await stack.enter_async_context(open_loops(settings.llm, metrics, meter)),
            planner=Planner(settings.planner),
            zone=zone,
        )

        channels = open_channels(settings, web_session, engine, vault=vault, inbox=inbox, events=events)
        at_once = settings.turns.concurrency
        locks = open_engine(database.dsn, pool_size=at_once, max_overflow=at_once)
        stack.push_async_callback(locks.dispose)
        ledger = Ledger(engine, locks)
        postings = Postings(
            engine, outboxes=channels.outboxes, proposals=changes.proposals, actors=database.actors, zone=zone
        )
        links = LinkCodes(engine, database.actors, database.audit)
        runner = TurnRunner(
            ledger=ledger,
            outboxes=channels.outboxes,
            answers=brain.answer,
            actors=database.actors,
            links=links,
            limiter=limiter,
            limit=settings.security.person_rate,
            metrics=metrics,
            tracer=tracer,
            locale=settings.turns.locale,
            deadline=settings.turns.deadline,
            postings=postings,
        )
        worker = Worker(
            ledger=ledger,
            runner=runner,
            dsn=database.dsn,
            concurrency=settings.turns.concurrency,
            inbox=inbox,
        )
        mirrors = [
            Mirror(
                engine,
                name=name,
                source=engines.get(name),
                settings=settings.mirror,
                metrics=metrics,
                graph=KnowledgeGraph(engine).replace_source,
            )
            for name in engines.names
        ]
        by_name = {mirror.name: mirror for mirror in mirrors}
        folder = Folder(
            engine,
            plans=changes.plans,
            engines=engines.names,
            inbox=inbox,
            settings=settings.incidents,
            read_again=lambda name: by_name[name].read_again(),
        )
        alerts = Alerts(engine)
        silences = Silences(engine, audit=database.audit)

        async def reach(person: str) -> Sequence[str]:
            return await channels.places_of(await database.actors.identities(person))

        by_source = {name: source.notify for name, source in settings.webhook.sources.items()}
        router = Router(
            engine, routes=settings.incidents.load_routes(by_source), silences=silences, reach=reach
        )
        poster = Poster(
            engine,
            alerts=alerts,
            targets=channels.target,
            router=router,
            locale=settings.turns.locale,
            zone=zone,
        )
        rota = Rota(
            engine,
            shifts=shifts,
            times=settings.incidents.handover_at,
            targets=channels.target,
            notify=settings.incidents.notify,
            locale=settings.turns.locale,
            zone=zone,
        )
        yield Services(
            settings=settings,
            database=database,
            inbox=inbox,
            alerts=alerts,
            desk=desk,
            shifts=shifts,
            router=router,
            links=links,
            board=Board(engine, alerts=alerts, plans=changes.plans, engines=engines.names),
            events=events,
            ledger=ledger,
            worker=worker,
            brain=brain,
            rounds=[
                postings,
                Watch(
                    engine,
                    approval=changes.approval,
                    proposals=changes.proposals,
                    inbox=inbox,
                    lease=changes.execution.lease,
                ),
                Librarian(Orders(engine), library.ingest, settings.knowledge, dsn=database.dsn),
                CaseMaker(
                    engine, engines=engines, plans=changes.plans, store=library.store, ingest=library.ingest
                ),
                Retention(
                    engine, conversations, settings.retention, keep_sent_days=settings.llm.keep_sent_days
                ),
                *mirrors,
                folder,
                poster,
                rota,
            ],
            model_calls=model_calls,
            proposals=changes.proposals,
            identities=changes.identities,
            tokens=_tokens(settings, engine),
            limiter=limiter,
            health=_health(engine, redis_url, engines, stack),
            metrics=metrics,
            slack=channels.slack,
            teams=channels.teams,
        )


def _tokens(settings: Settings, engine: AsyncEngine) -> Tokens:
    given, kept = settings.security.jwt_secret, data_dir(settings) / "jwt.secret"
    secret = load_or_create_secret(kept) if given is None else given.get_secret_value()
    return Tokens(
        engine,
        secret=secret,
        access_lifetime=timedelta(minutes=settings.security.access_token_minutes),
        refresh_lifetime=timedelta(hours=settings.security.login_hours),
    )


def _health(engine: AsyncEngine, redis_url: str, engines: Engines, stack: AsyncExitStack) -> HealthChecks:
    redis = Redis.from_url(redis_url)
    stack.push_async_callback(redis.aclose)

    async def database() -> str:
        async with engine.connect() as connection:
            version = await connection.execute(text("SHOW server_version"))
            return f"PostgreSQL {version.scalar()}"

    async def cache() -> str:
        await redis.ping()
        return ""

    def scheduler(name: str) -> Callable[[], Awaitable[str]]:
        async def check() -> str:
            return (await engines.get(name).engine_info()).version

        return check

    checks = HealthChecks()
    checks.add("database", database)
    checks.add("redis", cache, required=False)
    for name in engines.names:
        is_default = engines.get(name) is engines.default
        checks.add("tws" if is_default else f"tws:{name}", scheduler(name), required=False)
    return checks


@asynccontextmanager
async def _checkpointer(dsn: str) -> AsyncIterator[AsyncPostgresSaver]:
    """LangGraph's saver on a pool that checks a connection before it hands it out."""
    pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=10,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        check=AsyncConnectionPool.check_connection,
        timeout=10,
    )
    async with pool:
        yield AsyncPostgresSaver(pool)
