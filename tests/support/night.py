"""Plans of the simulator, seen from inside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import yaml

from tws.simulator.catalogue import scenario
from tws.simulator.definition import PlanDefinition
from tws.simulator.engine import Engine
from tws.simulator.maker import generate
from tws.simulator.orders import Kind, Order, Verb
from tws.simulator.plan import Plan
from tws.simulator.runs import JobState, StreamState
from tws.simulator.waits import PromptState, ResourceState, WorkstationState
from tws.simulator.wire import (
    dependencies_json,
    job_json,
    prompt_json,
    resource_json,
    stream_json,
    workstation_json,
)

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

PLACES = """
workstations:
  MDM: {type: MANAGER, os: LINUX, limit: 10, description: Master}
  AGT1: {type: AGENT, os: LINUX, limit: 10, description: First}
  AGT2: {type: AGENT, os: LINUX, limit: 1, description: Second}
  POOL: {type: POOL, os: OTHER, limit: 10, description: Both, members: [AGT1, AGT2]}
resources:
  TAPE: {workstation: AGT1, quantity: 2}
"""

Target = JobState | StreamState | WorkstationState | ResourceState | PromptState
_KINDS = {
    JobState: Kind.JOB,
    StreamState: Kind.JOB_STREAM,
    WorkstationState: Kind.WORKSTATION,
    ResourceState: Kind.RESOURCE,
    PromptState: Kind.PROMPT,
}


@cache
def plan(seed: int) -> Plan:
    """Made once: nothing changes a plan, only an engine's state."""
    return generate(scenario("night"), seed=seed, start=START, run_number=7)


def night(seed: int = 20, until: datetime = SEEN) -> Engine:
    engine = Engine(plan(seed))
    engine.advance(until)
    return engine


def definition(text: str) -> PlanDefinition:
    """Streams (and what else there is) written as YAML, over a few workstations and a resource with two units."""
    return PlanDefinition.model_validate(yaml.safe_load(PLACES) | yaml.safe_load(text))


def small(text: str, *, minutes: float = 0) -> Engine:
    """A small plan so many minutes after its start."""
    engine = Engine(generate(definition(text), seed=1, start=START, run_number=7))
    engine.advance(START + timedelta(minutes=minutes))
    return engine


def find(engine: Engine, selection: str) -> JobState:
    return next(job for job in engine.jobs.values() if name_of(job) == selection)


def stream(engine: Engine, name: str) -> StreamState:
    return next(one for one in engine.streams.values() if one.plan.name == name)


def place(engine: Engine, name: str) -> WorkstationState:
    return next(one for one in engine.workstations.values() if one.name == name)


def name_of(job: JobState) -> str:
    return f"{job.stream.plan.name}.{job.plan.name}"


def states(engine: Engine) -> dict[str, str]:
    """By job name; `CANCL` where it is cancelled."""
    return {job.plan.name: "CANCL" if job.is_canceled else job.status for job in engine.jobs.values()}


def causes(engine: Engine, selection: str) -> list[tuple[str, str]]:
    return engine.reasons(find(engine, selection))


def order(
    engine: Engine, verb: Verb, target: Target, *, after: timedelta = timedelta(seconds=2), **arguments: Any
) -> Order:
    return Order(
        at=engine.now,
        applies_at=engine.now + after,
        user="operator",
        verb=verb,
        kind=_KINDS[type(target)],
        object_id=target.plan.id if isinstance(target, JobState | StreamState) else target.id,
        arguments=arguments,
        run_id=target.last.id if verb is Verb.RERUN and isinstance(target, JobState) else None,
    )


def carry_out(engine: Engine, verb: Verb, target: Target, **arguments: Any) -> None:
    """Gives the order and lets it take effect."""
    give(engine, order(engine, verb, target, **arguments))


def give(engine: Engine, given_order: Order) -> None:
    assert engine.why_illegal(given_order) is None
    engine.submit(given_order)
    engine.advance(given_order.applies_at)


def pass_time(engine: Engine, **span: float) -> None:
    engine.advance(engine.now + timedelta(**span))


def may(_: Kind, __: Verb) -> bool:
    return True


def objects_of(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """By schema: every object of the plan as JSON."""
    return {
        "JobInPlanV2": [
            job_json(engine, one, may=may) | {"dependencies": dependencies_json(engine, one)}
            for one in engine.jobs.values()
        ],
        "JobStreamInPlanV2": [
            stream_json(engine, one, may=may) | {"dependencies": dependencies_json(engine, one)}
            for one in engine.streams.values()
        ],
        "WorkstationInPlanV2": [
            workstation_json(engine, one, may=may) for one in engine.workstations.values()
        ],
        "ResourceInPlanV2": [resource_json(engine, one, may=may) for one in engine.resources.values()],
        "PromptInPlanV2": [prompt_json(engine, one, may=may) for one in engine.prompts.values()],
    }


def state_of(engine: Engine) -> str:
    return json.dumps(objects_of(engine))
