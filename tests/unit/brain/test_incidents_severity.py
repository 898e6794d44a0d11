"""How bad an incident is: by what is at stake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from brain.incidents.troubles import Severity, endangered, severity_of, waiting_for
from tests.support.plan import AT, make_dependency, make_job, make_plan, make_stream, make_waiting
from tws.objects import CommonStatus, Job

MINUTE = timedelta(minutes=1)


def _failed() -> Job:
    return make_job(id="a", name="A", status="ABEND", common_status=CommonStatus.ERROR)


def _after(job: Job, **changes: Any) -> Job:
    waits = (make_dependency(id=job.id, target_id=job.id),)
    return make_waiting(id="b", name="B", dependencies=waits, estimated_duration=10 * MINUTE, **changes)


def _severity(*jobs: Job, **stream: Any) -> Severity:
    failed = _failed()
    plan = make_plan(failed, *(jobs or ()), *([make_stream(**stream)] if stream else []))
    held = waiting_for(plan, "job:a", "a")
    return severity_of(plan, failed, held, AT, endangered(plan, AT))


def test_the_more_is_at_stake_the_worse_it_is() -> None:
    failed = _failed()
    assert _severity() == "low"
    assert _severity(_after(failed)) == "medium"
    assert _severity(_after(failed, deadline=AT + 60 * MINUTE)) == "high"
    assert _severity(_after(failed, deadline=AT - MINUTE)) == "critical"
    assert _severity(_after(failed, is_critical=True)) == "critical"


def test_the_deadline_of_the_job_stream_counts_too() -> None:
    waiting = _after(_failed())
    assert _severity(waiting, id=waiting.job_stream_id, deadline=AT - MINUTE) == "critical"
