"""Dependencies of jobs and streams as JSON of REST API V2 (`DependencyInPlanV2` and its members)."""

from __future__ import annotations

from typing import Any

from .engine import Engine
from .plan import Asks, Dependency, Follows, Needs, Opens
from .runs import JobState, StreamState
from .wire import ROOT, composite_status, in_root, instant, stream_status

__all__ = ["dependencies_json"]

_Json = dict[str, Any]


def dependencies_json(engine: Engine, owner: JobState | StreamState) -> list[_Json]:
    """The dependencies of a job or of a stream itself, in the order of the definition."""
    return [
        _dependency(engine, owner, number, dependency)
        for number, dependency in enumerate(owner.gate.dependencies)
    ]


def _dependency(engine: Engine, owner: JobState | StreamState, number: int, one: Dependency) -> _Json:
    is_satisfied = number not in owner.gate.waiting
    place = owner.plan.workstation if isinstance(owner, StreamState) else owner.stream.plan.workstation
    common = {
        "id": f"{owner.plan.id}-{number}",
        "dependencyStatus": "SATISFIED" if is_satisfied else "UNSATISFIED",
        "satisfied": is_satisfied,
        "depSequence": number + 1,
    }
    match one:
        case Follows():
            return common | _predecessor(engine, owner, one)
        case Opens():
            file = {
                "name": one.path,
                "workstation": in_root(place),
                "workstationId": engine.plan.workstations[place].id,
                "qualifier": "-f %p",
                "status": "Exists" if is_satisfied else "Unavailable",
            }
            return {"dependencyType": "FILE", **common, "file": file}
        case Asks():
            return {
                "dependencyType": "PROMPT",
                **common,
                "promptName": one.prompt,
                "text": one.text,
                "number": one.number,
                "promptStatus": "ANSWERED_YES" if is_satisfied else "ASKED",
                "promptType": "Predefined Prompt",
            }
        case Needs():
            return _resource_dependency(engine, owner, one, common)


def _predecessor(engine: Engine, owner: JobState | StreamState, one: Follows) -> _Json:
    stream = engine.streams[one.stream_id]
    reference: _Json = {
        "jobStreamName": stream.plan.name,
        "jobStreamWorkstation": in_root(stream.plan.workstation),
        "jobStreamSchedTime": instant(stream.plan.scheduled_at),
        "jobStreamFolder": ROOT,
    }
    if one.job_id is None:
        return reference | {
            "dependencyType": "EXTERNAL_JOBSTREAM",
            "jobStreamId": stream.plan.id,
            "predecessorStatus": stream_status(stream),
        }
    job = engine.jobs[one.job_id]
    reference |= {
        "jobId": job.plan.id,
        "jobName": job.plan.name,
        "predecessorStatus": composite_status(job, job.last),
    }
    if isinstance(owner, JobState) and owner.stream is stream:
        return reference | {"dependencyType": "INTERNAL"}
    return reference | {
        "dependencyType": "EXTERNAL_JOB",
        "jobStreamId": stream.plan.id,
        "jobWorkstationName": job.plan.workstation,
    }


def _resource_dependency(engine: Engine, owner: JobState | StreamState, one: Needs, common: _Json) -> _Json:
    resource = engine.plan.resources[one.resource]
    available = resource.quantity - engine.units_in_use(resource.name)
    holds = isinstance(owner, JobState) and owner.is_running
    is_satisfied = holds or available >= one.quantity
    return {
        "dependencyType": "RESOURCE",
        **common,
        "dependencyStatus": "SATISFIED" if is_satisfied else "UNSATISFIED",
        "satisfied": is_satisfied,
        "name": resource.name,
        "workstation": in_root(resource.workstation),
        "quantity": one.quantity,
        "quantityHeld": one.quantity if holds else 0,
        "available": available,
        "totalQuantity": resource.quantity,
    }
