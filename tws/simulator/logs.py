"""Job logs as jobman and the scripts write them: banner, output, trailer. Lines are made when they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import chain
from zlib import crc32

from .catalogue import FOLDER, load
from .runs import JobState, Run

_LOCAL_TIME = timezone(timedelta(hours=-3), "-03")
"""São Paulo; no daylight saving time since 2019."""

_ORDINARY = load(FOLDER / "plans" / "ordinary.yaml", tuple[str, ...])
_KILLED = "{t} jobman: the job was killed on request of an operator, signal 9"
_REPEATED = re.compile(r"(\d+)\* (.*)")
_RULE = "=" * 63


class JobLog:
    """The log of one run as it is at a moment. However long it is, only what is read is made."""

    def __init__(self, job: JobState, run: Run, *, now: datetime, content_only: bool = False) -> None:
        """Without lines before the launch; of a running job those that are written by `now`."""
        self._run = run
        ordinary = _ORDINARY[crc32(job.plan.name.encode()) % len(_ORDINARY)]
        self._parts = list(_parts(run.fault.script if run.fault else ordinary))
        self._planned = sum(count for _, count in self._parts)
        self._told = self._count(now)
        # Whoever kills a job has the last word.
        self._written = self._told + (run.ended_at is not None and self._told < self._planned)
        has_frame = run.started_at is not None and not content_only
        self._head = list(_banner(job, run)) if has_frame else []
        self._tail = list(_trailer(run)) if has_frame else []

    def __len__(self) -> int:
        return len(self._head) + self._written + len(self._tail)

    def window(self, first: int, last: int) -> Iterator[str]:
        """The lines from the first to the last one, both counted from 1 and included."""
        before, after = len(self._head), len(self._head) + self._written
        start, stop = max(first, 1) - 1, max(min(last, len(self)), 0)
        body = self._lines(range(max(start - before, 0), max(min(stop, after) - before, 0)))
        return chain(self._head[start:stop], body, self._tail[max(start - after, 0) : max(stop - after, 0)])

    def _count(self, now: datetime) -> int:
        """How many lines of the script are written: they are spread over the time that the run takes."""
        run = self._run
        if run.started_at is None:
            return 0
        until = now if run.ended_at is None else min(now, run.ended_at)
        share = (until - run.started_at) / run.takes if run.takes else 1.0
        return max(min(int(share * (self._planned + 1)), self._planned), 0)

    def _lines(self, numbers: range) -> Iterator[str]:
        """Lines of the script, counted from 0."""
        passed = 0
        for text, count in self._parts:
            for number in range(max(numbers.start - passed, 0), min(numbers.stop - passed, count)):
                yield self._line(text, passed + number, number + 1)
            passed += count

    def _line(self, text: str, position: int, number: int) -> str:
        run = self._run
        if position == self._told and run.ended_at:
            return _KILLED.format(t=f"{_local(run.ended_at):%H:%M:%S}")
        at = (run.started_at or run.submitted_at) + run.takes * ((position + 1) / (self._planned + 1))
        chance = 10_000 + crc32(f"{run.id}/{position}".encode()) % 90_000
        return text.format(t=f"{_local(at):%H:%M:%S}", i=number, n=chance)


def _banner(job: JobState, run: Run) -> Iterator[str]:
    plan, stream = job.plan, job.stream.plan
    yield _RULE
    instance = f"[({_local(stream.starts_at):%H%M %m/%d/%y}),({stream.symphony_id})]"
    yield f"= JOB       : {stream.workstation}#{stream.name}{instance}.{plan.name}"
    yield f"= USER      : {plan.login}"
    yield f"= TASK      : {plan.script}"
    yield f"= AGENT     : {run.workstation}"
    yield f"= Job Number: {run.job_number}"
    yield f"= {_local(run.started_at or run.submitted_at):%a %b %d %H:%M:%S %Z %Y}"
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
    yield f"= {_local(run.ended_at):%a %b %d %H:%M:%S %Z %Y}"
    yield _RULE


def _parts(script: str) -> Iterator[tuple[str, int]]:
    """Templates and how many times each is printed."""
    for line in script.splitlines():
        repeated = _REPEATED.fullmatch(line)
        yield (repeated[2], int(repeated[1])) if repeated else (line, 1)


def _local(time: datetime) -> datetime:
    return time.astimezone(_LOCAL_TIME)
