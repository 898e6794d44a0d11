"""Answers which job streams got slower, and why one of them did, from the runs that the mirror remembers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from brain.agents.asked import Asked
from brain.reply import Block, Bullets, strong, text
from brain.state import Draft, Memory, status
from tws.mirror.past import Effort
from tws.slower import SlowerJob, SlowerStream, slower_streams

_SPAN = timedelta(days=1)
_BACK = (timedelta(days=7), timedelta(days=1))
"""The same day of the week before; the day before where nothing is known of that."""
_JOBS = 3
"""Jobs of a stream that are named."""


async def answer_slower(asked: Asked) -> Draft:
    """The job streams whose last day took longer than the same a week ago."""
    compared = await _compare(asked)
    if compared is None:
        return status(asked.phrase("no_runs_to_compare"))
    streams, back = compared
    until = asked.cell(datetime.now(UTC) - back)
    if not streams:
        return status(asked.phrase("none_slower", until=until))
    sentence = asked.phrase("some_slower", count=strong(str(len(streams))), until=until)
    return status(sentence, asked.table("slower", streams), found=(one.selection for one in streams))


async def answer_why_slower(asked: Asked) -> Draft:
    """What in the job stream took longer: its jobs, repeated runs, or waiting."""
    name = str(asked.request.selection or asked.request.job_stream or asked.request.job or "").upper()
    compared = await _compare(asked)
    if compared is None:
        return status(asked.phrase("no_runs_to_compare"))
    stream = next(
        (one for one in compared[0] if name in {one.selection, one.selection.partition("#")[2]}), None
    )
    if stream is None:
        return status(asked.phrase("not_slower", stream=strong(name)))
    return _explained(asked, stream)


def _explained(asked: Asked, stream: SlowerStream) -> Draft:
    sentence = asked.phrase(
        "slower_stream",
        stream=strong(stream.selection),
        now=strong(asked.cell(stream.now)),
        before=asked.cell(stream.before),
    )
    reasons = [_reason(asked, job) for job in stream.jobs[:_JOBS]]
    if stream.waited >= stream.growth / 2:
        reasons.append(asked.say("slower_waited", waited=asked.cell(stream.waited)))
    blocks: list[Block] = [sentence, Bullets(items=tuple(text(reason) for reason in reasons))]
    return Draft(
        agent="diagnosis",
        blocks=tuple(blocks if reasons else blocks[:1]),
        memory=Memory(),
        found=(stream.selection,),
        cause=reasons[0] if reasons else "",
    )


def _reason(asked: Asked, job: SlowerJob) -> str:
    values = {"job": job.now.selection, "growth": asked.cell(job.growth)}
    if job.now.runs > job.before.runs:
        return asked.say("slower_repeated", runs=job.now.runs, failed=job.now.failed, **values)
    return asked.say("slower_job", now=asked.cell(job.now.busy), before=asked.cell(job.before.busy), **values)


async def _compare(asked: Asked) -> tuple[tuple[SlowerStream, ...], timedelta] | None:
    """The slower streams and how far back they were compared with; None where no earlier run is known."""
    now = datetime.now(UTC)
    lately: tuple[Effort, ...] = await asked.tools.efforts(now - _SPAN, now)
    for back in _BACK:
        before = await asked.tools.efforts(now - back - _SPAN, now - back)
        if before and lately:
            return slower_streams(before, lately), back
    return None
