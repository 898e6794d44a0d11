"""One night of the simulator, seen from inside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache

from tws.simulator.engine import Engine
from tws.simulator.orders import Action, Order
from tws.simulator.plan import Plan, generate
from tws.simulator.runs import JobState, StreamState
from tws.simulator.wire import dependencies_json, job_json, stream_json

START = datetime(2025, 11, 22, 3, 0, tzinfo=UTC)
SEEN = START + timedelta(hours=6)

FAILED = {
    "PAYDAILY.PAYROLL": ("ABEND", 8),
    "CONTABIL.APURACAO": ("ABEND", 12),
    "DWHNIGHT.DWH_LOAD": ("ABEND", 8),
    "CARDS.EXTRACT_CARDS": ("ABEND", 137),
    "REGULAT.SFTP_BACEN": ("ABEND", 255),
    "POSCLOSE.POS_SETTLE": ("ABEND", 1),
    "BACKUP.BKP_CATALOG": ("FAIL", None),
    "SECOPS.CERT_SYNC": ("ABEND", 60),
    "BKPCRM.BACKUP_DB": ("ABEND", 2),
}


@cache
def plan(seed: int) -> Plan:
    """Made once: nothing changes a plan, only an engine's state."""
    return generate(seed=seed, start=START, run_number=7)


def night(seed: int = 20, until: datetime = SEEN) -> Engine:
    engine = Engine(plan(seed))
    engine.advance(until)
    return engine


def find(engine: Engine, selection: str) -> JobState:
    return next(job for job in engine.jobs.values() if name_of(job) == selection)


def stream(engine: Engine, name: str) -> StreamState:
    return next(one for one in engine.streams.values() if one.plan.name == name)


def name_of(job: JobState) -> str:
    return f"{job.stream.plan.name}.{job.plan.name}"


def order(engine: Engine, action: Action, job: JobState, *, after: timedelta = timedelta(seconds=2)) -> Order:
    return Order(
        at=engine.now,
        applies_at=engine.now + after,
        user="operator",
        action=action,
        job_id=job.plan.id,
        job=name_of(job),
        run_id=job.last.id if action is Action.RERUN else None,
        justification={},
    )


def carry_out(engine: Engine, action: Action, job: JobState) -> None:
    """Gives the order and lets it take effect."""
    given_order = order(engine, action, job)
    assert engine.is_legal(given_order)
    engine.submit(given_order)
    engine.advance(given_order.applies_at)


def pass_time(engine: Engine, **span: float) -> None:
    engine.advance(engine.now + timedelta(**span))


def state_of(engine: Engine) -> str:
    jobs = [
        job_json(engine, job, may_act=True) | {"dependencies": dependencies_json(engine, job)}
        for job in engine.jobs.values()
    ]
    return json.dumps([jobs, [stream_json(engine, one) for one in engine.streams.values()]])
