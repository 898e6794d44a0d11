"""The simulator's engine: one night, seen from inside."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

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
from tws.simulator.orders import Verb


def test_each_night_has_exactly_the_failures_of_the_catalogue(each_night: Engine) -> None:
    failed = {
        name_of(job): (job.status, job.last.return_code) for job in each_night.jobs.values() if job.has_failed
    }
    assert failed == FAILED


def test_each_night_has_every_kind_of_waiting(each_night: Engine) -> None:
    waiting = {
        "CONTABIL.FECHAMENTO": ("HOLD_WAITING_FOR_PREDECESSOR", "predecessor_failed"),
        "POSFIL02.COLETA_CUPONS_F2": ("READY_WAITING_FOR_AGENT", "workstation_unlinked"),
        "LEGADO.EXTRAI_VSAM": ("READY_WAITING_FOR_LIMIT", "workstation_limit_zero"),
        "BKPMAIL.BACKUP_MAILBOX": ("READY_WAITING_FOR_RESOURCES", "resource"),
        "RETBANCO.RECEBE_CNAB240": ("HOLD_WAITING_FOR_FILE", "file"),
        "PAGFORN.LIBERA_REMESSA": ("HOLD_WAITING_FOR_PROMPT", "prompt"),
        "EXPURGO.DROP_PARTICOES": ("HOLD_PRIORITY_ZERO", "held"),
        "SPB.SPB_GRADE": ("HOLD_WAITING_FOR_PREDECESSOR", "predecessor"),
        "ESTORNO.COLETA_ESTORNOS": ("HOLD_WAITING_FOR_TIME", "stream_time"),
    }
    jobs = {name: find(each_night, name) for name in waiting}
    assert {
        name: (job.last.substatus, each_night.reasons(job)[0][0]) for name, job in jobs.items()
    } == waiting
    assert [one.plan.name for one in each_night.streams.values() if one.is_late] == ["POSCLOSE"]


def test_a_plan_is_as_large_as_a_real_night(seen_night: Engine) -> None:
    whole = seen_night.plan
    assert len(whole.jobs) >= 300
    assert len(whole.streams) >= 40
    assert len({job.workstation for job in whole.jobs.values()}) >= 12
    assert all(len(one.name) <= 16 for one in whole.streams.values())
    assert len({one.symphony_id for one in whole.streams.values()}) == len(whole.streams)


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


def test_nothing_shows_before_the_delay() -> None:
    engine = night()
    job = find(engine, "SPB.SPB_GRADE")
    engine.submit(order(engine, Verb.HOLD, job, after=timedelta(seconds=3)))
    pass_time(engine, seconds=2.9)
    assert job.priority == 10
    pass_time(engine, seconds=0.1)
    assert job.priority == 0


@pytest.mark.parametrize("name", sorted(FAILED))
def test_a_rerun_succeeds_only_where_the_cause_went_away(name: str) -> None:
    engine = night()
    job = find(engine, name)
    carry_out(engine, Verb.RERUN, job)
    pass_time(engine, minutes=1)
    healed = {"PAYDAILY.PAYROLL", "POSCLOSE.POS_SETTLE", "BKPCRM.BACKUP_DB"}
    assert (job.status, job.last.return_code) == (("SUCC", 0) if name in healed else FAILED[name])
    assert len(job.runs) == 2


def test_a_stream_with_a_failure_that_blocks_the_rest_is_stuck() -> None:
    engine = night()
    assert stream(engine, "CONTABIL").status == "STUCK"
    assert stream(engine, "BKPERP").status == "SUCC"
    assert stream(engine, "BIVENDAS").status == "HOLD"
    assert stream(engine, "BKPDWH").status == "EXEC"
    carry_out(engine, Verb.RERUN, find(engine, "CONTABIL.APURACAO"))
    assert stream(engine, "CONTABIL").status == "EXEC"


def test_a_stream_follows_another_stream() -> None:
    engine = night()
    first = find(engine, "BIVENDAS.CUBO_VENDAS")
    pass_time(engine, hours=1)
    assert first.status == "HOLD"
    for job in stream(engine, "DWHNIGHT").jobs:
        if not job.is_over:
            carry_out(engine, Verb.CANCEL, job)
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


def test_predecessors_and_successors_are_found_by_depth(seen_night: Engine) -> None:
    job = find(seen_night, "CONTABIL.APURACAO")
    near = [one.plan.name for one in seen_night.predecessors(job, 1)]
    far = [one.plan.name for one in seen_night.predecessors(job, 3)]
    assert near == ["RATEIO_CUSTOS"]
    assert far[:3] == ["RATEIO_CUSTOS", "VALIDA_PLANO_CTAS", "REL_TARIFAS"]
    assert [one.plan.name for one in seen_night.successors(job, 1)] == ["FECHAMENTO"]
    assert [*seen_night.successors(job, 0)] == []
    assert [one.plan.name for one in seen_night.successors(stream(seen_night, "CONTABIL"), 1)] == ["TESOURO"]
