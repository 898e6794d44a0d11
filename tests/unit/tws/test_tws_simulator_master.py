"""The simulator's master: time, journal, plans that follow each other, users."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.simulator import API_KEYS, PASSWORD, USERS, SteppingClock
from tws.simulator.catalogue import CatalogueError
from tws.simulator.desk import order_for
from tws.simulator.master import IllegalActionError, Master, OutageError
from tws.simulator.orders import Kind, Verb
from tws.simulator.rights import Users
from tws.simulator.runs import JobState
from tws.simulator.settings import SimulatorSettings
from tws.simulator.wire import job_json, stream_json


def open_master(clock: SteppingClock, folder: Path | None = None, **settings: Any) -> Master:
    return Master(SimulatorSettings(data_dir=folder, **settings), clock)


def find(master: Master, stream: str, name: str) -> JobState:
    return next(
        job for job in master.engine.jobs.values() if (job.stream.plan.name, job.plan.name) == (stream, name)
    )


def give(master: Master, verb: Verb, stream: str, name: str, *, late: float = 0.0) -> None:
    master.accept(order_for(verb, Kind.JOB, find(master, stream, name)), late=late)


def rerun(master: Master) -> None:
    give(master, Verb.RERUN, "PAYDAILY", "PAYROLL")


def state_of(master: Master) -> list[dict[str, Any]]:
    engine = master.engine
    jobs = [job_json(engine, job, may=lambda *_: True) for job in engine.jobs.values()]
    return jobs + [stream_json(engine, one, may=lambda *_: True) for one in engine.streams.values()]


def test_time_runs_at_the_chosen_speed() -> None:
    clock = SteppingClock()
    master = open_master(clock, speed=60.0)
    before = master.engine.now
    assert before == clock.now
    clock.step(seconds=10)
    assert (master.engine.now - before).total_seconds() == 600


def test_an_order_takes_effect_after_the_delay() -> None:
    clock = SteppingClock()
    master = open_master(clock)
    rerun(master)
    order = master.orders[0]
    assert 1 <= (order.applies_at - order.at).total_seconds() <= 3
    assert len(find(master, "PAYDAILY", "PAYROLL").runs) == 1
    clock.step(seconds=3)
    assert len(find(master, "PAYDAILY", "PAYROLL").runs) == 2


def test_an_illegal_order_is_not_kept(tmp_path: Path) -> None:
    clock = SteppingClock()
    master = open_master(clock, tmp_path)
    with pytest.raises(IllegalActionError, match="ABEND"):
        give(master, Verb.KILL, "CONTABIL", "APURACAO")
    assert master.orders == ()
    assert open_master(clock, tmp_path).orders == ()


def test_a_restart_comes_back_to_the_same_state(tmp_path: Path) -> None:
    clock = SteppingClock()
    first = open_master(clock, tmp_path)
    rerun(first)
    clock.step(minutes=7)
    give(first, Verb.HOLD, "CONTABIL", "FECHAMENTO", late=30.0)
    first.skip(45.0)
    clock.step(seconds=1)
    second = open_master(clock, tmp_path, seed=99, speed=5.0)
    assert state_of(second) == state_of(first)
    assert second.orders == first.orders
    clock.step(hours=2)
    assert state_of(second) == state_of(first)


def test_a_line_torn_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    clock = SteppingClock()
    rerun(open_master(clock, tmp_path))
    journal = tmp_path / "plan.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"at":"2025-')
    again = open_master(clock, tmp_path)
    assert len(again.orders) == 1
    give(again, Verb.RERUN, "CONTABIL", "APURACAO")
    assert [order.label for order in open_master(clock, tmp_path).orders] == [
        "AGT_HR01#PAYDAILY.PAYROLL",
        "AGT_FIN01#CONTABIL.APURACAO",
    ]


def test_a_plan_follows_the_other_and_takes_over_what_has_not_ended(tmp_path: Path) -> None:
    clock = SteppingClock()
    master = open_master(clock, tmp_path)
    give(master, Verb.HOLD, "CONTABIL", "FECHAMENTO")
    old, failed = master.engine.plan, find(master, "PAYDAILY", "PAYROLL").plan.id
    clock.step(hours=17, minutes=50)
    assert master.engine.plan is old
    clock.step(minutes=11)
    engine = master.engine
    assert engine.plan.run_number == old.run_number + 1
    assert engine.plan.start - old.start == timedelta(days=1)
    assert failed in engine.jobs
    assert failed not in engine.plan.jobs
    ended = next(job.id for job in old.jobs.values() if job.name == "EXTRAI_CLIENTES")
    assert ended not in engine.jobs


def test_a_restart_after_the_end_of_the_plan_comes_back_to_the_same_state(tmp_path: Path) -> None:
    clock = SteppingClock()
    first = open_master(clock, tmp_path)
    give(first, Verb.HOLD, "CONTABIL", "FECHAMENTO")
    clock.step(hours=18, minutes=30)
    rerun_late = find(first, "CONTABIL", "APURACAO")
    first.accept(order_for(Verb.RERUN, Kind.JOB, rerun_late))
    clock.step(hours=3)
    second = open_master(clock, tmp_path)
    assert state_of(second) == state_of(first)
    clock.step(days=2)
    assert state_of(second) == state_of(first)


def test_the_plan_before_can_be_read_and_older_ones_not() -> None:
    clock = SteppingClock()
    master = open_master(clock)
    first = master.engine.plan.id
    clock.step(hours=19)
    kept = master.engine_of(first)
    assert kept is not None
    assert kept.plan.id == first
    assert master.engine_of("current") is master.engine
    clock.step(hours=24)
    assert master.engine_of(first) is None


def test_while_the_next_plan_begins_nobody_is_served() -> None:
    clock = SteppingClock()
    master = open_master(clock, outage=60.0)
    clock.step(hours=18)  # the plan began a little more than six hours ago
    with pytest.raises(OutageError):
        master.engine_of("current")
    clock.step(minutes=1)
    assert master.engine_of("current") is not None


def test_a_plan_whose_extension_fails_goes_on() -> None:
    clock = SteppingClock()
    master = open_master(clock, scenario="plan-extension-failed")
    plan = master.engine.plan
    clock.step(days=2)
    assert master.engine.plan is plan


def test_a_master_that_was_down_for_long_begins_afresh(tmp_path: Path) -> None:
    clock = SteppingClock()
    rerun(open_master(clock, tmp_path))
    clock.step(days=30)
    master = open_master(clock, tmp_path)
    assert master.orders == ()
    assert master.engine.plan.run_number == 1231
    assert find(master, "PAYDAILY", "PAYROLL").has_failed


def test_another_scenario_begins_another_plan(tmp_path: Path) -> None:
    clock = SteppingClock()
    night = open_master(clock, tmp_path)
    rerun(night)
    other = open_master(clock, tmp_path, scenario="storm")
    assert other.orders == ()
    assert other.engine.jobs.keys() != night.engine.jobs.keys()
    assert len(open_master(clock, tmp_path, jobs=100).engine.jobs) >= 90


def test_a_broken_scenario_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("workstations: {}\nstreams:\n  A: {workstation: NOWHERE, starts: 0, steps: [B]}\n")
    with pytest.raises(CatalogueError, match=r"broken\.yaml:3:"):
        open_master(SteppingClock(), scenario=str(file))


def test_without_a_folder_nothing_is_kept() -> None:
    clock = SteppingClock()
    rerun(open_master(clock))
    assert open_master(clock).orders == ()


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "name", "may_act"),
    [
        (basic(f"viewer:{PASSWORD}"), "viewer", False),
        (basic(f"operator:{PASSWORD}"), "operator", True),
        (basic(f"resync:{PASSWORD}").replace("Basic", "basic"), "resync", True),
        ("Bearer key-of-resync", "resync", True),
        ("Bearer key-of-viewer", "viewer", False),
    ],
)
def test_callers_are_known_by_password_or_key(authorization: str, name: str, may_act: bool) -> None:  # noqa: FBT001
    caller = Users(USERS, API_KEYS).authenticate(authorization)
    assert caller is not None
    assert (caller.name, caller.may_act) == (name, may_act)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic w6k=",
        "Basic /w==",
        basic("viewer"),
        basic("viewer:"),
        basic("viewer:wrong"),
        basic(f"nobody:{PASSWORD}"),
        basic("nobody:"),
        basic("empty:"),
        "Bearer",
        "Bearer wrong",
        "Bearer \udcff",
        "Digest key-of-resync",
        PASSWORD,
    ],
)
def test_everyone_else_is_refused(authorization: str) -> None:
    assert Users(USERS | {"empty": ("", "admin")}, API_KEYS).authenticate(authorization) is None


def test_a_role_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="king"):
        Users({"a": ("b", "king")})


def test_a_user_may_have_less_than_the_role() -> None:
    caller = Users(USERS, rights={"operator": frozenset({"JOB.RERUN", "CPU.LINK"})}).authenticate(
        basic(f"operator:{PASSWORD}")
    )
    assert caller is not None
    given = {(kind, verb) for kind in Kind for verb in Verb if caller.may(kind, verb)}
    assert {(Kind.JOB, Verb.RERUN), (Kind.WORKSTATION, Verb.LINK)} <= given
    assert not caller.may(Kind.JOB, Verb.CANCEL)
    assert caller.permissions()["JOB"] == "DISPLAY,LIST,RERUN"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"apply_delay": (3.0, 1.0)}, "apply_delay"),
        ({"tls": True}, "ca_file"),
        ({"overflow": "all"}, "overflow"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        SimulatorSettings(**values)


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in SimulatorSettings.model_fields.values())
