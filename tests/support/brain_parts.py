"""The parts of the brain on real PostgreSQL and a TWS master, with little patience."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.approval import Approval, Press, Result
from brain.actions.changes import build_changes
from brain.actions.identities import Identities
from brain.actions.policy_file import DEFAULT_POLICY
from brain.actions.proposal import Proposal, Proposals
from brain.actions.proposer import Refusal
from brain.actions.settings import ActionSettings
from brain.actions.watch import Watch
from brain.incidents.desk import Desk
from brain.incidents.incidents import Incidents
from brain.incidents.shifts import Shifts
from brain.llm.budget import Budget
from brain.llm.calls import ModelCalls
from brain.llm.settings import BudgetSettings
from brain.message import Channel, Locale, Verb
from brain.ratings import Ratings
from brain.snapshots import PlanSnapshots
from brain.tables import EXECUTIONS
from brain.toolbox import Toolbox, Tools
from brain.turns.inbox import Inbox
from knowledge.cache import AnswerCache
from knowledge.embed import OnnxEmbedder
from knowledge.library import open_library
from knowledge.relations import Relations
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.translate import FastTranslator
from knowledge.vectors import VectorIndex
from knowledge.words import Words
from observability.metrics import Metrics
from security.audit import AuditLog
from security.roles import Actor, Role
from security.tables import audit_log
from security.vault import Vault
from tests.support.simulator import PASSWORD
from tws.actions import Action, Change, PlanObject, kind_of
from tws.cache import CachedReads
from tws.client import TwsClient
from tws.engines import Engines
from tws.mirror.plans import Plans
from tws.objects import Job, JobFilter
from tws.settings import TwsSettings
from tws.transport import open_session

ENGINE = "TWS"

VIEWER = Actor(actor_id="viewer", display_name="Vera", role=Role.VIEWER)
OPERATOR = Actor(actor_id="operator", display_name="Otto", role=Role.OPERATOR)
SUPERVISOR = Actor(actor_id="supervisor", display_name="Sue", role=Role.SUPERVISOR)

_AT_ONCE = timedelta(microseconds=1)
"""For no time: what a test changes is to be seen at once."""

EMBEDDER = OnnxEmbedder(threads=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One brain's tools and what they stored."""

    engine: AsyncEngine
    tws: TwsClient
    proposals: Proposals
    approval: Approval
    identities: Identities
    watch: Watch
    tools: Tools
    metrics: Metrics

    async def job(self, name: str, job_stream: str) -> Job:
        (found,) = (await self.tws.query_jobs(JobFilter(name=name, job_stream=job_stream))).jobs
        return await self.tws.job(found.id)

    def toolbox(self, by: Actor = OPERATOR, turn_id: str = "t1") -> Toolbox:
        return self.tools.for_turn(actor=by, channel=Channel.WEB, turn_id=turn_id)

    async def propose(
        self,
        action: Action,
        target: PlanObject,
        *,
        by: Actor = OPERATOR,
        locale: Locale = Locale.EN,
        reason: str = "",
        ticket: str = "",
        **arguments: str | int | bool,
    ) -> Proposal:
        """A proposal; a refusal fails the test."""
        proposed = await self.toolbox(by).propose(
            change_of(action, target, **arguments), locale, reason=reason, ticket=ticket
        )
        assert isinstance(proposed, Proposal), proposed.detail
        return proposed

    async def refuse(self, action: Action, target: PlanObject, *, by: Actor = OPERATOR) -> Refusal:
        """The refusal; a proposal fails the test."""
        refused = await self.toolbox(by).propose(change_of(action, target), Locale.EN)
        assert isinstance(refused, Refusal)
        return refused

    async def decide(
        self,
        proposal: Proposal,
        verb: Verb = Verb.APPROVE,
        *,
        by: Actor = OPERATOR,
        reason: str = "",
        channel: str = "web",
        turn_id: str = "t1",
    ) -> Result:
        press = Press(verb=verb, actor=by, channel=channel, turn_id=turn_id, locale=Locale.EN, reason=reason)
        return await self.approval.decide(proposal.id, press)

    async def stored(self, proposal: Proposal) -> Proposal:
        """The proposal as its row is now."""
        found = await self.proposals.get(proposal.id)
        assert found is not None
        return found

    async def audited(self) -> list[tuple[str, str, str]]:
        """Actor, action and phase of every audit row, in order; the chain must hold."""
        assert (await AuditLog().verify(self.engine)).intact
        query = select(audit_log.c.actor_id, audit_log.c.action, audit_log.c.phase).order_by(audit_log.c.seq)
        async with self.engine.connect() as connection:
            return [(row.actor_id, row.action, row.phase) for row in await connection.execute(query)]

    async def audit_details(self) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(audit_log.c.detail).order_by(audit_log.c.seq))
            return list(rows.scalars())

    async def executions(self) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            order = (EXECUTIONS.c.proposal_id, EXECUTIONS.c.position)
            rows = await connection.execute(select(EXECUTIONS).order_by(*order))
            return [dict(row) for row in rows.mappings()]


@asynccontextmanager
async def open_parts(
    engine: AsyncEngine,
    tws_url: str,
    *,
    user: str = "resync",
    lifetime: timedelta = timedelta(minutes=15),
    patience_seconds: float = 3.0,
    may_write: bool = True,
    read_timeout_seconds: float = 20,
    policy: Path = DEFAULT_POLICY,
    bulk_per_hour: int = 50,
    watch_for: timedelta = timedelta(minutes=30),
    lease: timedelta = timedelta(minutes=2),
) -> AsyncIterator[Parts]:
    settings = TwsSettings(
        url=tws_url,
        username=user,
        password=SecretStr(PASSWORD),
        write=may_write,
        read_retries=0,
        read_timeout=timedelta(seconds=read_timeout_seconds),
        read_back_patience=timedelta(seconds=patience_seconds),
        read_back_interval=timedelta(seconds=0.03),
        breaker_pause=timedelta(milliseconds=50),
        fresh_for=_AT_ONCE,
        stale_while_revalidate=_AT_ONCE,
    )
    async with open_session(settings) as session:
        metrics, audit = Metrics(), AuditLog()
        tws = TwsClient(settings, session, metrics)
        engines = Engines({ENGINE: tws}, default=ENGINE)
        changes = build_changes(
            engine,
            engines=engines,
            settings=ActionSettings(
                policy=policy,
                proposal_lifetime=lifetime,
                bulk_per_hour=bulk_per_hour,
                watch_for=watch_for,
            ),
            vault=Vault(["k" * 32]),
            audit=audit,
            metrics=metrics,
            plans=Plans(engine, fresh_for=timedelta()),
        )
        tools = Tools(
            engines=engines,
            reads={ENGINE: CachedReads(tws)},
            search=Search(engine, VectorIndex(engine, EMBEDDER), Words(Store(engine)), FastTranslator()),
            answers=AnswerCache(engine, EMBEDDER, KnowledgeSettings()),
            proposals=changes.proposals,
            proposer=changes.proposer,
            judge=changes.judge,
            plans=changes.plans,
            relations=Relations(engine),
            approval=changes.approval,
            snapshots={ENGINE: PlanSnapshots(engine, engine_name=tws_url)},
            desk=Desk(incidents=Incidents(engine), audit=audit),
            shifts=Shifts(engine, plans=changes.plans, engines=engines.names),
            ratings=Ratings(
                inbox=Inbox(engine, metrics),
                book=open_library(engine, KnowledgeSettings()).feedback,
                model_calls=ModelCalls(engine, Budget(BudgetSettings(), ZoneInfo("UTC"))),
            ),
        )
        yield Parts(
            engine=engine,
            tws=tws,
            proposals=changes.proposals,
            approval=changes.approval,
            identities=changes.identities,
            watch=Watch(
                engine,
                approval=changes.approval,
                proposals=changes.proposals,
                inbox=Inbox(engine, metrics),
                lease=lease,
            ),
            tools=tools,
            metrics=metrics,
        )


def change_of(action: Action, target: PlanObject, **arguments: str | int | bool) -> Change:
    selection = getattr(target, "selection", "") or getattr(target, "name", "")
    return Change(
        action=action, kind=kind_of(target), object_id=target.id, selection=selection, arguments=arguments
    )


async def accepted_by(tws_url: str) -> list[dict[str, Any]]:
    """Every action that the simulator accepted, oldest first."""
    async with _control(tws_url) as session, session.get("/sim/actions") as response:
        assert response.status == 200
        return list(await response.json())


async def break_next_change(tws_url: str, effect: str, *, seconds: float = 0) -> None:
    """The next change meets the fault, by its name in `tws.simulator.faults`, and no later one does."""
    async with _control(tws_url) as session:
        await session.delete("/sim/faults")
        for method in ("PUT", "POST", "PATCH"):
            fault = {"effect": effect, "method": method, "path": "*/plan/*", "seconds": seconds}
            async with session.post("/sim/faults", json=fault) as response:
                assert response.status == 200, await response.text()


async def skip(tws_url: str, *, seconds: float) -> None:
    """Lets simulated time pass at once."""
    async with (
        _control(tws_url) as session,
        session.post("/sim/clock", json={"seconds": seconds}) as response,
    ):
        assert response.status == 200, await response.text()


def _control(tws_url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        tws_url.removesuffix("/twsd/api/v2"),
        headers={"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)},
    )
