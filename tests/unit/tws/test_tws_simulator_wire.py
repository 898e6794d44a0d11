"""The JSON of the plan's objects: the vendor's schema allows all of it, and it says what the engine knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.night import START, carry_out, find, may, night, objects_of, pass_time, small, stream
from tests.support.openapi import validate_response
from tws.simulator.engine import Engine
from tws.simulator.generator import generated
from tws.simulator.maker import generate
from tws.simulator.orders import Kind, Verb
from tws.simulator.runs import Node
from tws.simulator.wire import (
    dependencies_json,
    job_json,
    prompt_json,
    resource_json,
    stream_json,
    workstation_json,
)

PATHS = {
    "JobInPlanV2": "/plan/job/{job_id}",
    "JobStreamInPlanV2": "/plan/jobstream/{jobstream_id}",
    "WorkstationInPlanV2": "/plan/workstation/{workstation_id}",
    "ResourceInPlanV2": "/plan/resource/{resource_id}",
}


def job_of(engine: Engine, selection: str) -> dict[str, Any]:
    job = find(engine, selection)
    return job_json(engine, job, may=may) | {"dependencies": dependencies_json(engine, job)}


@pytest.mark.usefixtures("shared_folder")
@pytest.mark.parametrize("seed", range(3))
def test_every_object_is_as_the_vendor_specifies(seed: int) -> None:
    engine = Engine(generate(generated(80, seed, features="all"), seed=seed, start=START, run_number=7))
    for _ in range(3):
        pass_time(engine, minutes=100)
        for schema, path in PATHS.items():
            for one in objects_of(engine)[schema]:
                validate_response("GET", path, 200, one)


DEPENDENCIES = """
streams:
  S: {workstation: AGT1, starts: 0, steps: [A], jobs: {A: {minutes: 60, needs: {TAPE: 2}}}}
  T:
    workstation: AGT1
    starts: 0
    steps: [B, C]
    jobs:
      B: {minutes: 30}
      C:
        follows: [S, {name: S.A, when: [ABEND]}, {name: Z.X, is_pending: true}, {name: Y, is_orphan: true}]
        joins: [{name: J, needed: 1, follows: [S.A, S]}]
        internetwork: [{agent: NET, name: W#S.J}]
        asks: {prompt: P, text: Go}
        opens: {/x: null}
        needs: [TAPE]
"""


def test_each_dependency_says_what_it_is_on() -> None:
    engine = small(DEPENDENCIES, minutes=5)
    found = job_of(engine, "T.C")["dependencies"]
    (prompt,), (tape,) = engine.prompts.values(), engine.resources.values()
    names = ["INTERNAL", "EXTERNAL_JOBSTREAM", "EXTERNAL_JOB", "EXTERNAL_JOB", "EXTERNAL_JOBSTREAM"]
    assert [one["dependencyType"] for one in found] == [
        *names,
        "JOIN",
        "INTERNETWORK",
        "PROMPT",
        "FILE",
        "RESOURCE",
    ]
    internal, whole, conditional, pending, orphan, join, outside, asked, file, needed = found
    assert (internal["jobName"], internal["predecessorStatus"]["status"]) == ("B", "EXEC")
    assert (whole["jobStreamName"], whole["predecessorStatus"]["status"]) == ("S", "EXEC")
    assert (conditional["jobName"], conditional["statusConditions"]) == ("A", ["ABEND"])
    assert (pending["pending"], pending["zombie"], pending["jobName"]) == (True, False, "X")
    assert (orphan["pending"], orphan["zombie"], orphan["jobStreamName"]) == (False, True, "Y")
    assert (join["joinQuantity"], join["criteria"]) == (1, "AT_LEAST")
    assert [one["dependencyType"] for one in join["members"]] == ["EXTERNAL_JOB", "EXTERNAL_JOBSTREAM"]
    assert (outside["networkAgent"], outside["jobInPlanCompositeStatus"]["status"]) == ("NET", "EXTRN")
    assert (asked["id"], asked["number"], asked["promptStatus"]) == (prompt.id, prompt.number, "NOT_ASKED")
    assert file["file"]["name"] == "/x"
    assert [needed[name] for name in ("quantity", "available", "totalQuantity", "satisfied")] == [
        1,
        0,
        2,
        False,
    ]
    assert not any(one["satisfied"] for one in found)
    assert len({one["id"] for one in found}) == 10
    holders = resource_json(engine, tape, may=may)["holders"]
    assert [(one["job"], one["quantity"]) for one in holders] == [("A", 2)]


SPECIAL = """
streams:
  S:
    workstation: AGT1
    starts: 0
    steps: [A, B]
    jobs:
      A: {minutes: 60, until: 70, deadline: 90, on_late: kill, max_minutes: 80, requires_confirmation: true, is_critical: true}
      B: {every: 15, is_nop: true, priority: 33, recovery: {option: RERUN, prompt: Again, every: 5, times: 3, job: FIX}}
"""


def test_a_job_shows_its_times_and_options() -> None:
    job = job_of(small(SPECIAL, minutes=5), "S.A")
    assert job["timeRestrictions"] == {
        "timeDependent": False,
        "latestStartTime": "2025-11-22T04:10:00.000Z",
        "latestStartSatisfied": True,
        "lateStartAction": "doNotRun",
        "deadlineTime": "2025-11-22T04:30:00.000Z",
        "deadlineSatisfied": True,
        "lateAction": "kill",
        "maxDuration": "PT1H20M",
        "maxDurationAction": "continue",
    }
    options = {"noOperation": False, "critical": True, "requiresConfirmation": True, "every": False}
    assert job["jobOptions"] == options


def test_a_job_shows_its_recovery_and_definition() -> None:
    engine = small(SPECIAL, minutes=5)
    job = job_of(engine, "S.B")
    assert (job["jobOptions"]["noOperation"], job["repeatInterval"], job["priority"]) == (True, "PT15M", 33)
    definition = job["jobDefinition"]
    assert (definition["recoveryOption"], definition["abendPromptText"]) == ("RERUN_PROMPT", "Again")
    assert (definition["recoveryRepeatInterval"], definition["recoveryRepeatOccurrences"]) == ("PT5M", 3)
    assert definition["recoveryJob"] == "/AGT1#/FIX"
    assert definition["jobDefinitionModelId"] == find(engine, "S.B").plan.model_id


def test_flags_follow_the_state() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, steps: [A, B], jobs: {A: {minutes: 60}, B: {until: 2, on_until: continue}}}}",
        minutes=5,
    )
    carry_out(engine, Verb.CANCEL_PENDING, find(engine, "S.B"))
    job = job_of(engine, "S.B")
    assert (job["jobStatusFlags"]["untilGone"], job["lastRunCompositeStatus"]["cancelPending"]) == (
        True,
        True,
    )
    carry_out(engine, Verb.CANCEL, stream(engine, "S"))
    assert [job_of(engine, f"S.{name}")["jobStatusFlags"]["jobStreamCancelled"] for name in "AB"] == [
        True,
        True,
    ]
    status = stream_json(engine, stream(engine, "S"), may=may)
    assert (status["compositeStatus"]["status"], status["commonStatus"]) == ("CANCL", "CANCELED")


@pytest.mark.parametrize(
    ("verb", "states", "limit_fence"),
    [
        (None, {"LINKED", "JOBMAN_UP"}, (10, 0)),
        (Verb.UNLINK, {"JOBMAN_UP"}, (10, 0)),
        (Verb.STOP, {"LINKED"}, (10, 0)),
        (Verb.SET_LIMIT, {"LINKED", "JOBMAN_UP"}, (7, 0)),
        (Verb.SET_FENCE, {"LINKED", "JOBMAN_UP"}, (10, 7)),
    ],
)
def test_a_workstation_shows_links_processes_limit_and_fence(
    verb: Verb | None, states: set[str], limit_fence: tuple[int, int]
) -> None:
    engine = small("streams: {S: {workstation: AGT1, starts: 0, steps: [A]}}", minutes=5)
    agent = next(one for one in engine.workstations.values() if one.name == "AGT1")
    if verb:
        carry_out(engine, verb, agent, limit=7, fence=7)
    found = workstation_json(engine, agent, may=may)
    assert set(found["activeStates"]) & {"LINKED", "JOBMAN_UP"} == states
    assert (found["limit"], found["fence"]) == limit_fence


def test_a_prompt_belongs_to_its_owner_unless_it_has_a_name() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, asks: {prompt: P, text: Begin}, steps: [A], jobs: {A: {asks: {text: Go}}}}}"
    )
    named, local = (prompt_json(engine, one, may=may) for one in engine.prompts.values())
    assert (named["name"], named["type"], named["status"]) == ("P", "Predefined Prompt", "ASKED")
    assert "jobId" not in named
    assert (local["type"], local["jobId"]) == ("Ad Hoc Prompt", find(engine, "S.A").plan.id)


def test_actions_follow_from_the_state_and_the_rights() -> None:
    engine = night()
    failed, held = find(engine, "CONTABIL.APURACAO"), find(engine, "EXPURGO.DROP_PARTICOES")
    keys = [one["key"] for one in job_json(engine, failed, may=may)["actions"]]
    assert keys == ["GET_JOB_LOG", "RERUN_JOB", "CANCEL_JOB", "CONFIRM_SUCC_JOB"]
    waiting = [one["key"] for one in job_json(engine, held, may=may)["actions"]]
    assert set(waiting) >= {
        "HOLD_JOB",
        "RELEASE_JOB",
        "RELEASE_ALL_DEPENDENCIES_JOB",
        "CANCEL_PENDING_JOB",
        "UPDATE_PRIORITY_JOB",
    }

    def may_rerun(kind: Kind, verb: Verb) -> bool:
        return (kind, verb) == (Kind.JOB, Verb.RERUN)

    found = job_json(engine, failed, may=may_rerun)["actions"]
    assert found == [{"key": "GET_JOB_LOG", "id": failed.last.id}, {"key": "RERUN_JOB", "id": failed.last.id}]
    assert job_json(engine, held, may=may_rerun)["actions"] == []


def test_rows_change_only_with_their_version() -> None:
    engine = Engine(generate(generated(150, 4, features="all"), seed=4, start=START, run_number=7))
    rows: dict[str, tuple[int, Any]] = {}
    for _ in range(60):
        pass_time(engine, minutes=7)
        found: list[tuple[Node, Any]] = [
            (one, job_json(engine, one, may=may)) for one in engine.jobs.values()
        ]
        found += [(one, stream_json(engine, one, may=may)) for one in engine.streams.values()]
        for node, row in found:
            version, before = rows.get(node.plan.id, (-1, None))
            assert version != node.version or before == row
            rows[node.plan.id] = (node.version, row)
