"""The simulator's engine: one night, seen from inside."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.night import (
    FAILED,
    SEEN,
    START,
    carry_out,
    find,
    name_of,
    night,
    order,
    pass_time,
    plan,
    state_of,
    stream,
)
from tws.simulator.engine import Engine
from tws.simulator.orders import Action, may_apply
from tws.simulator.wire import job_json


def test_each_night_has_exactly_the_failures_of_the_catalogue(each_night: Engine) -> None:
    failed = {
        name_of(job): (job.status, job.last.return_code) for job in each_night.jobs.values() if job.has_failed
    }
    assert failed == FAILED


def test_each_night_has_every_kind_of_waiting(each_night: Engine) -> None:
    waiting = {
        "CONTABIL.FECHAMENTO": "HOLD_WAITING_FOR_PREDECESSOR",
        "POSFIL02.COLETA_CUPONS_F2": "READY_WAITING_FOR_AGENT",
        "LEGADO.EXTRAI_VSAM": "READY_WAITING_FOR_LIMIT",
        "BKPMAIL.BACKUP_MAILBOX": "READY_WAITING_FOR_RESOURCES",
        "RETBANCO.RECEBE_CNAB240": "HOLD_WAITING_FOR_FILE",
        "PAGFORN.LIBERA_REMESSA": "HOLD_WAITING_FOR_PROMPT",
        "EXPURGO.DROP_PARTICOES": "HOLD_PRIORITY_ZERO",
        "SPB.SPB_GRADE": "HOLD_WAITING_FOR_PREDECESSOR",
        "ESTORNO.COLETA_ESTORNOS": "HOLD_WAITING_FOR_TIME",
    }
    assert {name: find(each_night, name).last.substatus for name in waiting} == waiting
    assert [one.plan.name for one in each_night.streams.values() if one.is_late] == ["POSCLOSE"]


def test_a_plan_is_as_large_as_a_real_night(seen_night: Engine) -> None:
    whole = seen_night.plan
    assert len(whole.jobs) >= 300
    assert len(whole.streams) >= 40
    assert len({job.workstation for job in whole.jobs.values()}) >= 12
    assert all(len(one.name) <= 16 for one in whole.streams.values())


def test_a_name_may_stand_for_several_jobs(seen_night: Engine) -> None:
    backups = {name_of(job): job.status for job in seen_night.jobs.values() if job.plan.name == "BACKUP_DB"}
    assert backups == {"BKPERP.BACKUP_DB": "SUCC", "BKPCRM.BACKUP_DB": "ABEND", "BKPDWH.BACKUP_DB": "EXEC"}


def test_jobs_keep_moving() -> None:
    engine = night()
    for _ in range(6):
        before = {job.plan.id: job.version for job in engine.jobs.values()}
        pass_time(engine, minutes=30)
        changes = sum(job.version - before[job.plan.id] for job in engine.jobs.values())
        assert changes >= 30


def test_steps_do_not_matter_only_time_does() -> None:
    jumped, walked = night(), night(until=START)
    while walked.now < SEEN:
        pass_time(walked, seconds=97)
    walked.advance(SEEN)
    jumped.advance(walked.now)
    assert state_of(walked) == state_of(jumped)


def test_seeds_give_different_nights_with_different_ids() -> None:
    one, other = night(1), night(2)
    plan.cache_clear()
    assert state_of(one) == state_of(night(1))
    assert not one.jobs.keys() & other.jobs.keys()


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Action)), st.integers(0, 10_000), st.integers(0, 400)), max_size=12
    )
)
def test_the_same_orders_give_the_same_state(wishes: list[tuple[Action, int, int]]) -> None:
    first = night()
    jobs = list(first.jobs.values())
    orders = []
    for action, which, seconds in wishes:
        pass_time(first, seconds=seconds)
        wish = order(first, action, jobs[which % len(jobs)])
        if first.is_legal(wish):
            first.submit(wish)
            orders.append(wish)
    end = first.now + timedelta(hours=1)
    first.advance(end)
    second = night(until=START)
    for wish in orders:
        second.advance(wish.at)
        second.submit(wish)
    second.advance(end)
    assert state_of(first) == state_of(second)


TABLE = {
    # status: rerun, kill, hold, release, cancel, confirm SUCC, as the User's Guide tabulates them
    "ADD": "--YYY-",
    "HOLD": "--YYY-",
    "SCHED": "--YYY-",
    "WAIT": "--YYY-",
    "READY": "--Y-Y-",
    "FENCE": "--Y-Y-",
    "INTRO": "----Y-",
    "EXEC": "-Y--YY",
    "PEND": "----YY",
    "SUCCP": "-Y--Y-",
    "ABENP": "-Y--YY",
    "SUCC": "Y---Y-",
    "ABEND": "Y---YY",
    "FAIL": "Y---Y-",
    "DONE": "Y---YY",
    "SUPPR": "Y---YY",
    "CANCL": "Y-----",
    "CANCLP": "Y--YY-",
    "EXTRN": "----YY",
    "ERROR": "Y---YY",
}


@pytest.mark.parametrize("status", TABLE)
def test_actions_are_legal_as_the_vendor_tabulates_them(status: str) -> None:
    assert "".join("Y" if may_apply(action, status) else "-" for action in Action) == TABLE[status]


def test_a_rerun_appends_a_run_and_keeps_the_old_one() -> None:
    engine = night()
    job = find(engine, "PAYDAILY.PAYROLL")
    carry_out(engine, Action.RERUN, job)
    first, second = job.runs
    assert (first.status, first.return_code, first.rerun_type) == ("ABEND", 8, "REGULAR")
    assert (second.attempt, second.rerun_type, second.status) == (2, "RERUN", "INTRO")
    pass_time(engine, minutes=1)
    assert (job.status, job.last.return_code) == ("SUCC", 0)
    assert find(engine, "PAYDAILY.GERA_HOLERITE").is_running


@pytest.mark.parametrize("name", sorted(FAILED))
def test_a_rerun_succeeds_only_where_the_cause_went_away(name: str) -> None:
    engine = night()
    job = find(engine, name)
    carry_out(engine, Action.RERUN, job)
    pass_time(engine, minutes=1)
    healed = {"PAYDAILY.PAYROLL", "POSCLOSE.POS_SETTLE", "BKPCRM.BACKUP_DB"}
    assert (job.status, job.last.return_code) == (("SUCC", 0) if name in healed else FAILED[name])
    assert len(job.runs) == 2


def test_an_old_run_cannot_be_rerun() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    old = order(engine, Action.RERUN, job)
    carry_out(engine, Action.RERUN, job)
    pass_time(engine, minutes=1)
    assert job.status == "ABEND"
    assert not engine.is_legal(old)


def test_two_reruns_given_at_once_make_one_run() -> None:
    engine = night()
    job = find(engine, "PAYDAILY.PAYROLL")
    for _ in range(2):
        engine.submit(order(engine, Action.RERUN, job))
    pass_time(engine, minutes=2)
    assert len(job.runs) == 2


def test_nothing_shows_before_the_delay() -> None:
    engine = night()
    job = find(engine, "SPB.SPB_GRADE")
    engine.submit(order(engine, Action.HOLD, job, after=timedelta(seconds=3)))
    pass_time(engine, seconds=2.9)
    assert job.priority == 10
    pass_time(engine, seconds=0.1)
    assert job.priority == 0


def test_hold_is_priority_zero_and_release_gives_it_back() -> None:
    engine = night()
    job = find(engine, "CONTABIL.FECHAMENTO")
    carry_out(engine, Action.HOLD, job)
    assert (job.priority, job.last.substatus) == (0, "HOLD_PRIORITY_ZERO")
    assert job_json(engine, job, may_act=True)["lastRunCommonStatus"] == "HELD"
    carry_out(engine, Action.RELEASE, job)
    assert (job.priority, job.last.substatus) == (60, "HOLD_WAITING_FOR_PREDECESSOR")


def test_release_of_a_waiting_job_lets_it_start() -> None:
    engine = night()
    job = find(engine, "CONTABIL.FECHAMENTO")
    carry_out(engine, Action.RELEASE, job)
    assert job.is_running


def test_a_held_job_does_not_start_when_its_time_comes() -> None:
    engine = night()
    job = find(engine, "ESTORNO.COLETA_ESTORNOS")
    carry_out(engine, Action.HOLD, job)
    pass_time(engine, minutes=30)
    assert job.status == "HOLD"
    assert not find(engine, "ESTORNO.VALIDA_ESTORNOS").is_running


def test_cancel_releases_the_successors_at_once() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    carry_out(engine, Action.CANCEL, job)
    assert job.is_canceled
    assert job_json(engine, job, may_act=True)["lastRunCommonStatus"] == "CANCELED"
    assert find(engine, "CONTABIL.FECHAMENTO").is_running


def test_a_cancelled_job_that_runs_keeps_running() -> None:
    engine = night()
    job = find(engine, "BKPDWH.BACKUP_DB")
    carry_out(engine, Action.CANCEL, job)
    assert job.status == "EXEC"
    assert find(engine, "BKPDWH.VERIFY_DWH").is_running


def test_kill_ends_in_abend_and_releases_nobody() -> None:
    engine = night()
    job = find(engine, "BKPDWH.BACKUP_DB")
    carry_out(engine, Action.KILL, job)
    assert (job.status, job.last.return_code, job.last.ended_at) == ("ABEND", 9, engine.now)
    assert find(engine, "BKPDWH.VERIFY_DWH").last.substatus == "HOLD_WAITING_FOR_PREDECESSOR"
    pass_time(engine, hours=8)
    assert job.status == "ABEND"


def test_the_end_of_a_holder_gives_the_resource_to_the_next() -> None:
    engine = night()
    waiting = find(engine, "BKPMAIL.BACKUP_MAILBOX")
    assert engine.units_in_use["FITALTO"] == 1
    carry_out(engine, Action.KILL, find(engine, "BKPDWH.BACKUP_DB"))
    assert waiting.is_running
    assert engine.units_in_use["FITALTO"] == 1


def test_confirming_success_of_a_failed_job_releases_its_successors() -> None:
    engine = night()
    job = find(engine, "CONTABIL.APURACAO")
    carry_out(engine, Action.CONFIRM_SUCC, job)
    assert job.status == "SUCC"
    assert find(engine, "CONTABIL.FECHAMENTO").is_running


def test_confirming_success_of_a_running_job_waits_for_its_end() -> None:
    engine = night()
    carry_out(engine, Action.RERUN, job := find(engine, "CONTABIL.APURACAO"))
    pass_time(engine, seconds=3)
    carry_out(engine, Action.CONFIRM_SUCC, job)
    assert job.status == "SUCCP"
    pass_time(engine, minutes=1)
    assert (job.status, job.last.return_code) == ("SUCC", 12)


def test_a_stream_with_a_failure_that_blocks_the_rest_is_stuck() -> None:
    engine = night()
    assert stream(engine, "CONTABIL").status == "STUCK"
    assert stream(engine, "BKPERP").status == "SUCC"
    assert stream(engine, "BIVENDAS").status == "HOLD"
    assert stream(engine, "BKPDWH").status == "EXEC"
    carry_out(engine, Action.RERUN, find(engine, "CONTABIL.APURACAO"))
    assert stream(engine, "CONTABIL").status == "EXEC"


def test_a_stream_follows_another_stream() -> None:
    engine = night()
    first = find(engine, "BIVENDAS.CUBO_VENDAS")
    pass_time(engine, hours=1)
    assert first.status == "HOLD"
    for job in stream(engine, "DWHNIGHT").jobs:
        if not job.is_over:
            carry_out(engine, Action.CANCEL, job)
    assert first.is_running


def test_no_workstation_runs_more_than_its_limit() -> None:
    engine = night(until=START)
    while engine.now < SEEN:
        pass_time(engine, minutes=5)
        running = Counter(job.plan.workstation for job in engine.jobs.values() if job.is_running)
        assert all(count <= engine.plan.workstations[name].limit for name, count in running.items())


def test_a_stream_runs_no_more_jobs_than_its_limit() -> None:
    engine = night(until=START + timedelta(minutes=21))
    third = find(engine, "CARDS.RECEIVE_ELO")
    assert sum(job.is_running for job in stream(engine, "CARDS").jobs) == 2
    assert third.last.substatus == "READY_WAITING_FOR_LIMIT"
    pass_time(engine, minutes=15)
    assert third.last.started_at is not None


def test_predecessors_end_before_successors_start(seen_night: Engine) -> None:
    for one in seen_night.streams.values():
        for before, after in pairwise(one.jobs):
            is_chained = any(before.plan.id == getattr(d, "job_id", None) for d in after.plan.dependencies)
            if is_chained and after.last.started_at:
                assert before.last.ended_at is not None
                assert before.last.ended_at <= after.last.started_at


def test_a_deadline_that_passes_makes_a_job_late_once() -> None:
    engine = night()
    job = find(engine, "CONTABIL.FECHAMENTO")
    assert not job.is_late
    pass_time(engine, hours=4, minutes=1)
    assert job.is_late
