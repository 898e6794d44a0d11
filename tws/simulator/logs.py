"""Job logs as jobman and the scripts write them: banner, output, trailer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from random import Random
from zlib import crc32

from .catalogue import FOLDER, load
from .runs import JobState, Run

__all__ = ["render"]

_LOCAL_TIME = timezone(timedelta(hours=-3), "-03")
"""São Paulo; no daylight saving time since 2019."""

_ORDINARY = load(FOLDER / "plans" / "ordinary.yaml", tuple[str, ...])
_KILLED = "{t} jobman: the job was killed on request of an operator, signal 9"
_REPEATED = re.compile(r"(\d+)\* (.*)")
_RULE = "=" * 63


def render(job: JobState, run: Run, *, now: datetime, content_only: bool = False) -> list[str]:
    """The log's lines; of a running job those that are written by `now`. Empty before the launch."""
    if run.started_at is None:
        return []
    body = [line for at, line in _body(job, run, run.started_at) if at <= now]
    return body if content_only else [*_banner(job, run, run.started_at), *body, *_trailer(run)]


def _banner(job: JobState, run: Run, started_at: datetime) -> Iterator[str]:
    plan, stream = job.plan, job.stream.plan
    yield _RULE
    instance = f"[({stream.starts_at.astimezone(_LOCAL_TIME):%H%M %m/%d/%y}),({stream.symphony_id})]"
    yield f"= JOB       : {stream.workstation}#{stream.name}{instance}.{plan.name}"
    yield f"= USER      : {plan.login}"
    yield f"= TASK      : {plan.script}"
    yield f"= AGENT     : {plan.workstation}"
    yield f"= Job Number: {run.job_number}"
    yield f"= {started_at.astimezone(_LOCAL_TIME):%a %b %d %H:%M:%S %Z %Y}"
    yield _RULE
    if run.fault is None or run.fault.is_launched:
        yield f"= AWSBIS307I Starting /opt/wa/TWS/jobmanrc {plan.script}"


def _trailer(run: Run) -> Iterator[str]:
    if run.ended_at is None or run.elapsed is None or run.return_code is None:
        return
    elapsed = int(run.elapsed.total_seconds())
    clock = f"{elapsed // 3600:02}:{elapsed // 60 % 60:02}:{elapsed % 60:02}"
    yield _RULE
    yield f"= Exit Status           : {run.return_code}"
    yield f"= System Time (Seconds) : {elapsed // 40}     Elapsed Time (hh:mm:ss) : {clock}"
    yield f"= User Time (Seconds)   : {elapsed // 9}"
    yield f"= {run.ended_at.astimezone(_LOCAL_TIME):%a %b %d %H:%M:%S %Z %Y}"
    yield _RULE


def _body(job: JobState, run: Run, started_at: datetime) -> Iterator[tuple[datetime, str]]:
    """The script's lines with their times, spread over the time the run takes."""
    ordinary = _ORDINARY[crc32(job.plan.name.encode()) % len(_ORDINARY)]
    lines = list(_lines(run.fault.script if run.fault else ordinary))
    random = Random(run.id)
    for count, (text, number) in enumerate(lines, start=1):
        at = started_at + run.takes * (count / (len(lines) + 1))
        if run.ended_at is not None and at > run.ended_at:
            yield run.ended_at, _KILLED.format(t=f"{run.ended_at.astimezone(_LOCAL_TIME):%H:%M:%S}")
            return
        clock = f"{at.astimezone(_LOCAL_TIME):%H:%M:%S}"
        yield at, text.format(t=clock, i=number, n=random.randint(10000, 99999))


def _lines(script: str) -> Iterator[tuple[str, int]]:
    for line in script.splitlines():
        if repeated := _REPEATED.fullmatch(line):
            yield from ((repeated[2], number) for number in range(1, int(repeated[1]) + 1))
        else:
            yield line, 1
