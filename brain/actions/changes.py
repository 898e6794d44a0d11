"""Puts together what a change passes through, from the wish to the outcome."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.approval import Approval
from brain.actions.execution import Execution
from brain.actions.identities import Identities
from brain.actions.judge import Judge
from brain.actions.proposal import Proposals
from brain.actions.proposer import Proposer
from brain.actions.settings import ActionSettings
from observability.metrics import Metrics
from security.audit import AuditLog
from security.vault import Vault
from tws.engines import Engines
from tws.mirror.plans import Plans


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The stations of a change."""

    plans: Plans
    judge: Judge
    identities: Identities
    proposals: Proposals
    proposer: Proposer
    execution: Execution
    approval: Approval


def build_changes(
    engine: AsyncEngine,
    *,
    engines: Engines,
    settings: ActionSettings,
    vault: Vault,
    audit: AuditLog,
    metrics: Metrics,
    plans: Plans | None = None,
) -> Changes:
    """The stations over one database. Raises `RulesError` for a policy that cannot be used."""
    plans = plans or Plans(engine)
    tws = [engines.get(name).settings for name in engines.names]
    judge = Judge(settings.load_policy(), plans)
    identities = Identities(engine, vault=vault, engines=engines, audit=audit)
    proposals = Proposals(engine, lifetime=settings.proposal_lifetime)
    proposer = Proposer(
        engine,
        engines=engines,
        judge=judge,
        proposals=proposals,
        identities=identities,
        bulk_per_hour=settings.bulk_per_hour,
    )
    execution = Execution(
        engine,
        engines=engines,
        identities=identities,
        audit=audit,
        category=settings.category,
        patience_seconds=tws[0].read_back_patience.total_seconds(),
        interval_seconds=tws[0].read_back_interval.total_seconds(),
    )
    approval = Approval(
        engine,
        proposals=proposals,
        proposer=proposer,
        judge=judge,
        execution=execution,
        audit=audit,
        metrics=metrics,
        watch_for=settings.watch_for,
    )
    return Changes(
        plans=plans,
        judge=judge,
        identities=identities,
        proposals=proposals,
        proposer=proposer,
        execution=execution,
        approval=approval,
    )
