"""Objects of the plan for tests: one job that failed in the night, and whatever a test needs to be different."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tws.actions import PlanObject
from tws.contents import PlanContents
from tws.objects import CommonStatus, Dependency, Job, JobRun, JobStream, Prompt, Resource, Workstation
from tws.plan import Plan

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)

_RUN = JobRun(
    id="run-1",
    status="ABEND",
    common_status=CommonStatus.ERROR,
    return_code=8,
    attempt=1,
    is_last=True,
    rerun_type="REGULAR",
    job_number=10421,
    workstation="AGT_HR01",
    started_at=AT,
    ended_at=AT + timedelta(minutes=13),
    elapsed=timedelta(minutes=13),
)

_DEPENDENCY = Dependency(
    type="INTERNAL",
    target="AGT_HR01#PAYDAILY.CALC_HORAS",
    target_id="job-0",
    satisfied=False,
    predecessor_status="EXEC",
)

_JOB = Job(
    id="job-1",
    name="PAYROLL",
    job_stream="PAYDAILY",
    job_stream_id="stream-1",
    job_stream_workstation="AGT_HR01",
    workstation="AGT_HR01",
    key="AGT_HR01#PAYDAILY.PAYROLL",
    folder="/",
    status="ABEND",
    substatus=None,
    common_status=CommonStatus.ERROR,
    canceled=False,
    priority=50,
    scheduled_at=AT,
    starts_after=None,
    latest_start=None,
    deadline=None,
    is_late=False,
    is_critical=False,
    is_monitored=False,
    estimated_duration=timedelta(minutes=25),
    recovery="STOP",
    login="hrbatch",
    task="/opt/hr/payroll.sh",
    description="",
    runs=(_RUN,),
    dependencies=(),
    actions=frozenset(),
)

_STREAM = JobStream(
    id="stream-1",
    name="PAYDAILY",
    workstation="AGT_HR01",
    key="AGT_HR01#PAYDAILY",
    folder="/",
    status="STUCK",
    common_status=CommonStatus.BLOCKED,
    canceled=False,
    priority=10,
    limit=None,
    scheduled_at=AT,
    deadline=None,
    is_late=False,
    jobs_total=6,
    jobs_successful=2,
    jobs_running=0,
    jobs_abended=1,
    jobs_failed=0,
    actions=frozenset(),
)

_WORKSTATION = Workstation(
    id="workstation-1",
    name="AGT_HR01",
    type="AGENT",
    is_linked=True,
    is_running=True,
    limit=10,
    fence=0,
    host="MDM",
    run_number=7,
)

_PROMPT = Prompt(id="prompt-1", name="PAYOK", number=3, text="Pay?", status="ASKED", type="Predefined Prompt")

_RESOURCE = Resource(id="resource-1", name="TAPES", workstation="AGT_HR01", quantity=3, available=1)


def make_run(**changes: Any) -> JobRun:
    return replace(_RUN, **changes)


def make_dependency(**changes: Any) -> Dependency:
    return replace(_DEPENDENCY, **changes)


def make_job(**changes: Any) -> Job:
    return replace(_JOB, **changes)


def make_stream(**changes: Any) -> JobStream:
    return replace(_STREAM, **changes)


def make_workstation(**changes: Any) -> Workstation:
    return replace(_WORKSTATION, **changes)


def make_prompt(**changes: Any) -> Prompt:
    return replace(_PROMPT, **changes)


def make_resource(**changes: Any) -> Resource:
    return replace(_RESOURCE, **changes)


def make_waiting(**changes: Any) -> Job:
    """A job that nobody has launched, and nothing keeps from it."""
    waiting = {"status": "HOLD", "common_status": CommonStatus.WAITING, "runs": (), "priority": 10}
    return replace(_JOB, **(waiting | changes))


def make_contents(*objects: PlanObject, **changes: Any) -> PlanContents:
    """A plan of these objects, with the ordinary workstation if none is given and a stream for each job."""
    jobs = tuple(one for one in objects if isinstance(one, Job))
    streams = {one.id: one for one in objects if isinstance(one, JobStream)}
    for job in jobs:
        named = {"id": job.job_stream_id, "name": job.job_stream, "status": "HOLD"}
        streams.setdefault(job.job_stream_id, make_stream(**named))
    places = tuple(one for one in objects if isinstance(one, Workstation))
    contents = PlanContents(
        engine="PROD",
        read_at=AT,
        run_number=7,
        starts_at=AT - timedelta(hours=3),
        ends_at=AT + timedelta(hours=21),
        jobs=jobs,
        job_streams=tuple(streams.values()),
        workstations=places or (_WORKSTATION,),
        resources=tuple(one for one in objects if isinstance(one, Resource)),
        prompts=tuple(one for one in objects if isinstance(one, Prompt)),
    )
    return replace(contents, **changes)


def make_plan(*objects: PlanObject, **changes: Any) -> Plan:
    return Plan(make_contents(*objects, **changes))
