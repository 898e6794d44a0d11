"""The simulator's master: time, journal, users."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.support.simulator import API_KEYS, PASSWORD, USERS, SteppingClock
from tws.simulator.master import IllegalActionError, Master
from tws.simulator.orders import Action
from tws.simulator.rights import Users
from tws.simulator.runs import JobState
from tws.simulator.server import SimulatorSettings
from tws.simulator.wire import job_json


def open_master(
    clock: SteppingClock, folder: Path | None = None, *, seed: int = 20, speed: float = 1.0
) -> Master:
    return Master(SimulatorSettings(data_dir=folder, seed=seed, speed=speed), clock)


def find(master: Master, stream: str, name: str) -> JobState:
    return next(
        job for job in master.engine.jobs.values() if (job.stream.plan.name, job.plan.name) == (stream, name)
    )


def rerun(master: Master, stream: str, name: str) -> None:
    job = find(master, stream, name)
    master.accept(Action.RERUN, job, user="operator", run_id=job.last.id, justification={"ticket": "INC1"})


def state_of(master: Master) -> list[dict[str, Any]]:
    engine = master.engine
    return [job_json(engine, job, may_act=True) for job in engine.jobs.values()]


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
    rerun(master, "PAYDAILY", "PAYROLL")
    order = master.orders[0]
    assert 1 <= (order.applies_at - order.at).total_seconds() <= 3
    assert len(find(master, "PAYDAILY", "PAYROLL").runs) == 1
    clock.step(seconds=3)
    assert len(find(master, "PAYDAILY", "PAYROLL").runs) == 2


def test_an_illegal_order_is_not_kept(tmp_path: Path) -> None:
    clock = SteppingClock()
    master = open_master(clock, tmp_path)
    with pytest.raises(IllegalActionError):
        master.accept(
            Action.KILL, find(master, "CONTABIL", "APURACAO"), user="a", run_id=None, justification={}
        )
    assert master.orders == ()
    assert open_master(clock, tmp_path).orders == ()


def test_a_restart_comes_back_to_the_same_state(tmp_path: Path) -> None:
    clock = SteppingClock()
    first = open_master(clock, tmp_path)
    rerun(first, "PAYDAILY", "PAYROLL")
    clock.step(minutes=7)
    job = find(first, "CONTABIL", "FECHAMENTO")
    first.accept(Action.HOLD, job, user="operator", run_id=None, justification={})
    clock.step(seconds=1)
    second = open_master(clock, tmp_path, seed=99, speed=5.0)
    assert state_of(second) == state_of(first)
    assert second.orders == first.orders
    clock.step(hours=2)
    assert state_of(second) == state_of(first)


def test_a_line_torn_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    clock = SteppingClock()
    rerun(open_master(clock, tmp_path), "PAYDAILY", "PAYROLL")
    journal = tmp_path / "plan.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"at":"2025-')
    again = open_master(clock, tmp_path)
    assert len(again.orders) == 1
    rerun(again, "CONTABIL", "APURACAO")
    assert [order.job for order in open_master(clock, tmp_path).orders] == [
        "AGT_HR01#PAYDAILY.PAYROLL",
        "AGT_FIN01#CONTABIL.APURACAO",
    ]


@pytest.mark.parametrize("is_restarted", [True, False])
def test_a_plan_ends_after_a_day(tmp_path: Path, is_restarted: bool) -> None:  # noqa: FBT001 - a test's parameter
    clock = SteppingClock()
    master = open_master(clock, tmp_path)
    rerun(master, "PAYDAILY", "PAYROLL")
    old = master.engine.plan
    clock.step(hours=17, minutes=50)
    assert master.engine.plan is old
    clock.step(minutes=10)
    if is_restarted:
        master = open_master(clock, tmp_path)
    plan = master.engine.plan
    assert plan.run_number == old.run_number + 1
    assert not plan.jobs.keys() & old.jobs.keys()
    assert master.orders == ()
    assert find(master, "PAYDAILY", "PAYROLL").has_failed
    assert open_master(clock, tmp_path).engine.plan == plan


def test_without_a_folder_nothing_is_kept() -> None:
    clock = SteppingClock()
    rerun(open_master(clock), "PAYDAILY", "PAYROLL")
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


def test_delays_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="apply_delay"):
        SimulatorSettings(apply_delay=(3.0, 1.0))
    assert all(field.description for field in SimulatorSettings.model_fields.values())
