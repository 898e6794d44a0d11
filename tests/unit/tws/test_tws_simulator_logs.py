"""The job logs of the simulator."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.night import (
    FAILED,
    carry_out,
    find,
    name_of,
    night,
    pass_time,
    small,
)
from tws.simulator.engine import Engine
from tws.simulator.logs import JobLog
from tws.simulator.orders import Verb

DECISIVE = {
    "PAYDAILY.PAYROLL": "ORA-01653: unable to extend table HR.PAY_TRANS by 8192 in tablespace PAY_DATA",
    "CONTABIL.APURACAO": "CTB0042E Trailer do arquivo LANCTOS informa 184220 registros, lidos 184219",
    "DWHNIGHT.DWH_LOAD": "rejected rows limit exceeded",
    "CARDS.EXTRACT_CARDS": "Out of memory: Killed process",
    "REGULAT.SFTP_BACEN": "Permission denied (publickey)",
    "POSCLOSE.POS_SETTLE": "No space left on device",
    "BACKUP.BKP_CATALOG": "AWSBDW002E",
    "SECOPS.CERT_SYNC": "certificate has expired",
    "BKPCRM.BACKUP_DB": "Exiting with failure status",
}


def read_log(engine: Engine, name: str) -> list[str]:
    job = find(engine, name)
    return whole(JobLog(job, job.last, now=engine.now))


def whole(log: JobLog) -> list[str]:
    lines = list(log.window(1, len(log)))
    assert len(lines) == len(log)
    return lines


@pytest.mark.parametrize("name", sorted(DECISIVE))
def test_a_failed_job_leaves_a_log_with_its_reason(seen_night: Engine, name: str) -> None:
    lines = read_log(seen_night, name)
    assert 60 <= len(lines) <= 200
    assert DECISIVE[name] in "\n".join(lines)
    assert any("0 err" in line for line in lines)
    assert lines[1].startswith(f"= JOB       : {find(seen_night, name).plan.workstation}#")
    status, return_code = FAILED[name]
    assert (f"= Exit Status           : {return_code}" in lines) == (status == "ABEND")


def test_every_log_can_be_written(seen_night: Engine) -> None:
    started = [job for job in seen_night.jobs.values() if job.last.started_at]
    assert all(not has_placeholder(read_log(seen_night, name_of(job))) for job in started)


def has_placeholder(lines: Iterable[str]) -> bool:
    return any("{" in line for line in lines)


def test_the_log_of_a_running_job_grows() -> None:
    engine = night()
    before = read_log(engine, "BKPDWH.BACKUP_DB")
    pass_time(engine, hours=1)
    after = read_log(engine, "BKPDWH.BACKUP_DB")
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert not any("Exit Status" in line for line in after)


def test_a_killed_job_says_so_in_its_log() -> None:
    engine = night()
    carry_out(engine, Verb.KILL, find(engine, "BKPDWH.BACKUP_DB"))
    lines = read_log(engine, "BKPDWH.BACKUP_DB")
    assert any("signal 9" in line for line in lines)
    assert "= Exit Status           : 9" in lines


def test_a_job_that_was_not_launched_has_no_log(seen_night: Engine) -> None:
    assert read_log(seen_night, "CONTABIL.FECHAMENTO") == []


LONG = """
streams:
  BIG:
    workstation: AGT1
    starts: 0
    steps: [TALK]
faults:
  BIG.TALK: {return_code: 8, minutes: 5, script: "begin\\n1000000000* {t} line {i} of many {n}\\nend"}
"""


def test_a_window_of_a_very_long_log_is_made_without_the_rest() -> None:
    engine = small(LONG, minutes=10)
    job = find(engine, "BIG.TALK")
    log = JobLog(job, job.last, now=engine.now)
    last = list(log.window(len(log) - 7, len(log)))
    assert len(log) > 1_000_000_000
    assert last[0].split(" of many ")[0].endswith("line 1000000000")
    assert last[1] == "end"
    assert "= Exit Status           : 8" in last


@given(st.integers(-5, 250), st.integers(-5, 250))
def test_a_window_is_a_part_of_the_whole(first: int, last: int) -> None:
    job = find(seen(), "PAYDAILY.PAYROLL")
    for content_only in (False, True):
        log = JobLog(job, job.last, now=seen().now, content_only=content_only)
        assert list(log.window(first, last)) == whole(log)[max(first, 1) - 1 : max(last, 0)]


@cache
def seen() -> Engine:
    return night()
