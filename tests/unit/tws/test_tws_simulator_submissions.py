"""What is submitted into the plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.night import (
    causes,
    find,
    give,
    pass_time,
    place,
    small,
    stream,
)
from tws.simulator.orders import Kind, Order, Verb

CHAIN = "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 30%s}, B: {minutes: 10}}}}"


def submission(kind: Kind, object_id: str, now: Any, **arguments: Any) -> Order:
    return Order(
        at=now,
        applies_at=now + timedelta(seconds=2),
        user="operator",
        verb=Verb.SUBMIT,
        kind=kind,
        object_id=object_id,
        arguments=arguments,
    )


def test_a_submitted_stream_is_a_new_instance() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 5}}}}", minutes=60
    )
    (model_id,) = engine.plan.stream_definitions
    given = submission(Kind.JOB_STREAM_DEFINITION, model_id, engine.now, alias="AGAIN")
    give(engine, given)
    new = engine.streams[engine.submission_id(given)]
    assert (new.plan.name, new.plan.definition_name, new.plan.starts_at) == ("AGAIN", "S", engine.now)
    pass_time(engine, seconds=10)
    assert [job.status for job in new.jobs] == ["EXEC", "HOLD"]


def test_a_submitted_stream_waits_for_the_time_it_was_given() -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 0, steps: [A]}}", minutes=60)
    (model_id,) = engine.plan.stream_definitions
    at = (engine.now + timedelta(hours=1)).isoformat()
    given = submission(Kind.JOB_STREAM_DEFINITION, model_id, engine.now, at=at)
    give(engine, given)
    assert engine.reasons(engine.streams[engine.submission_id(given)].jobs[0]) == [("stream_time", "stream")]


def test_a_submitted_job_lands_in_the_stream_jobs_of_its_workstation() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 60, steps: [A], jobs: {A: {minutes: 5}}}}", minutes=1
    )
    (model_id,) = engine.plan.job_definitions
    given = submission(Kind.JOB_DEFINITION, model_id, engine.now)
    assert engine.submission_id(given) == "AGT1;JOBS;A"
    give(engine, given)
    pass_time(engine, seconds=5)
    assert find(engine, "JOBS.A").status == "EXEC"
    assert engine.why_illegal(given) == "the job stream has a job of that name"
    give(engine, submission(Kind.JOB_DEFINITION, model_id, engine.now, alias="A2", priority=80))
    assert (find(engine, "JOBS.A2").priority, find(engine, "JOBS.A2").plan.position) == (80, 2)


def test_an_ad_hoc_job_runs_its_task() -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 60, steps: [A]}}", minutes=1)
    agent = place(engine, "AGT2")
    give(engine, submission(Kind.TASK, agent.id, engine.now, name="SLEEP", task="sleep 120", login="wauser"))
    job = find(engine, "JOBS.SLEEP")
    assert (job.plan.script, job.plan.login, job.workstation) == ("sleep 120", "wauser", agent)
    pass_time(engine, minutes=5)
    assert (job.status, stream(engine, "JOBS").status) == ("SUCC", "SUCC")


def test_a_job_may_be_submitted_into_a_stream() -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 60, steps: [A]}}", minutes=1)
    into = stream(engine, "S")
    agent = place(engine, "AGT1")
    give(
        engine, submission(Kind.TASK, agent.id, engine.now, name="B", task="true", job_stream_id=into.plan.id)
    )
    assert causes(engine, "S.B") == [("stream_time", "stream")]
    missing = submission(Kind.TASK, agent.id, engine.now, name="C", job_stream_id="nothing")
    assert engine.why_illegal(missing) == "there is no such job stream"
