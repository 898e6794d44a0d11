"""The parts of the brain on real PostgreSQL and a TWS master, with little patience."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.approval import Approval
from brain.actions.execution import Execution, Result
from brain.actions.policy import Action
from brain.actions.proposal import Proposal, Proposals
from brain.message import Channel, Locale, Verb
from brain.snapshots import PlanSnapshots
from brain.tables import EXECUTIONS
from brain.toolbox import Tools
from knowledge.embed import MiniLmEmbedder
from knowledge.search import Search
from knowledge.store import Store
from knowledge.words import Words
from observability.metrics import Metrics
from security.audit import AuditLog
from security.roles import Actor, Role
from security.tables import audit_log
from tests.support.simulator import PASSWORD
from tws.client import TwsClient
from tws.objects import Job, JobFilter
from tws.settings import TwsSettings
from tws.transport import open_session

__all__ = ["EMBEDDER", "OPERATOR", "SUPERVISOR", "VIEWER", "Parts", "accepted_by", "open_parts"]

VIEWER = Actor(actor_id="viewer", display_name="Vera", role=Role.VIEWER)
OPERATOR = Actor(actor_id="operator", display_name="Otto", role=Role.OPERATOR)
SUPERVISOR = Actor(actor_id="supervisor", display_name="Sue", role=Role.SUPERVISOR)

EMBEDDER = MiniLmEmbedder(threads=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One brain's tools and what they stored."""

    engine: AsyncEngine
    tws: TwsClient
    proposals: Proposals
    approval: Approval
    tools: Tools
    metrics: Metrics

    async def job(self, name: str, job_stream: str) -> Job:
        (found,) = (await self.tws.query_jobs(JobFilter(name=name, job_stream=job_stream))).jobs
        return await self.tws.job(found.id)

    async def propose(
        self, action: Action, job: Job, *, by: Actor = OPERATOR, locale: Locale = Locale.EN, reason: str = ""
    ) -> Proposal:
        toolbox = self.tools.for_turn(actor=by, channel=Channel.WEB, turn_id="t1")
        return await toolbox.propose(action, job, locale, reason=reason)

    async def decide(
        self, proposal: Proposal, verb: Verb = Verb.APPROVE, *, by: Actor = OPERATOR, reason: str = ""
    ) -> Result:
        return await self.approval.decide(
            proposal.id, verb, actor=by, channel="web", reason=reason, locale=Locale.EN
        )

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
            rows = await connection.execute(select(EXECUTIONS))
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
) -> AsyncIterator[Parts]:
    settings = TwsSettings(
        url=tws_url,
        username=user,
        password=SecretStr(PASSWORD),
        write=may_write,
        read_retries=0,
        read_timeout=timedelta(seconds=read_timeout_seconds),
    )
    async with open_session(settings) as session:
        metrics = Metrics()
        tws = TwsClient(settings, session, metrics)
        proposals = Proposals(engine, lifetime=lifetime)
        execution = Execution(engine, tws, patience_seconds=patience_seconds, interval_seconds=0.03)
        approval = Approval(
            engine,
            proposals=proposals,
            execution=execution,
            tws=tws,
            audit=AuditLog(),
            metrics=metrics,
            may_write=may_write,
        )
        tools = Tools(
            tws=tws,
            search=Search(engine, EMBEDDER, Words(Store(engine))),
            proposals=proposals,
            approval=approval,
            snapshots=PlanSnapshots(engine, engine_name=tws_url),
            second_person=frozenset({Action.CANCEL}),
            may_write=may_write,
        )
        yield Parts(
            engine=engine, tws=tws, proposals=proposals, approval=approval, tools=tools, metrics=metrics
        )


async def accepted_by(tws_url: str) -> list[dict[str, Any]]:
    """Every action that the simulator accepted, oldest first."""
    root = tws_url.removesuffix("/twsd/api/v2")
    headers = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{root}/sim/actions") as response,
    ):
        assert response.status == 200
        return list(await response.json())
