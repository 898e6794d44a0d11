"""Answers what is going on: failed, running, waiting, late; job streams, workstations, one job."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from brain.agents.grammar import Request
from brain.agents.lists import (
    ROWS,
    job_table,
    list_jobs,
    list_streams,
    list_workstations,
    stream_table,
    why_buttons,
    workstation_table,
)
from brain.agents.resolve import Found, find_job
from brain.message import Locale
from brain.phrases import phrase, say
from brain.reply import Facts, Table, code, strong, text
from brain.snapshots import PlanSnapshot
from brain.state import Draft, Memory
from brain.times import clock
from brain.toolbox import Toolbox
from tws.objects import CommonStatus, Job, JobFilter, JobStreamFilter

__all__ = ["answer_status", "overview_table"]


async def answer_status(
    tools: Toolbox, request: Request, memory: Memory, locale: Locale, zone: ZoneInfo
) -> Draft:
    """The part of the plan that was asked for; the whole when nothing in particular was."""
    match request.topic:
        case "workstations":
            return await list_workstations(tools, request, locale)
        case "job_streams" if request.job_stream is None:
            return await list_streams(tools, locale, zone)
        case "failed" | "running" | "waiting" | "held" | "late" if request.job is None:
            return await list_jobs(tools, request, request.topic, locale, zone)
    # A question about one job that names none means the job spoken of before.
    is_about_one = request.kind == "status" and request.topic is None
    if request.job or request.job_stream or is_about_one:
        return await _one(tools, request, memory, locale, zone)
    return await _summary(tools, locale, zone)


async def _summary(tools: Toolbox, locale: Locale, zone: ZoneInfo) -> Draft:
    snapshot = await tools.overview()
    total = sum(snapshot.counts.values())
    failed = snapshot.counts[CommonStatus.ERROR]
    return Draft(
        agent="status",
        blocks=(
            phrase(locale, "summary", total=strong(str(total)), failed=strong(str(failed))),
            Facts(items=tuple((status, str(count)) for status, count in snapshot.counts.items())),
            *overview_table(snapshot, locale, zone),
        ),
        buttons=why_buttons([job.selection for job in snapshot.failed], locale),
    )


def overview_table(snapshot: PlanSnapshot, locale: Locale, zone: ZoneInfo) -> tuple[Table, ...]:
    """The failed jobs of a snapshot as a table; nothing when there are none."""
    if not snapshot.failed:
        return ()
    rows = tuple(
        (
            job.selection,
            job.status,
            _code(job.return_code),
            clock(job.ended_at, zone, now=snapshot.taken_at),
        )
        for job in snapshot.failed[:ROWS]
    )
    columns = tuple(say(locale, key) for key in ("col_job", "col_status", "col_rc", "col_ended"))
    return (Table(columns=columns, rows=rows, title=say(locale, "title_failed")),)


async def _one(tools: Toolbox, request: Request, memory: Memory, locale: Locale, zone: ZoneInfo) -> Draft:
    found = await find_job(tools, request, memory, locale)
    if isinstance(found, Found):
        return _one_job(found.job, locale, zone)
    name = (request.job_stream or request.job or "").upper()
    if not name:
        return found
    # People say a name and leave it to us what it is the name of.
    other = await _one_stream(tools, name, locale, zone) or await _one_workstation(tools, name, locale)
    return other or found


async def _one_stream(tools: Toolbox, name: str, locale: Locale, zone: ZoneInfo) -> Draft | None:
    """How the job stream of that very name stands; None if there is none."""
    streams = [one for one in await tools.job_streams(JobStreamFilter(name=name)) if one.name == name]
    if not streams:
        return None
    page = await tools.query_jobs(JobFilter(job_stream=name, limit=ROWS))
    return Draft(
        agent="status",
        blocks=(stream_table(streams, locale, zone), job_table(page.jobs, locale, zone)),
        buttons=why_buttons([job.selection for job in page.jobs if job.has_failed], locale),
        memory=Memory(selection=""),
    )


async def _one_workstation(tools: Toolbox, name: str, locale: Locale) -> Draft | None:
    named = [one for one in await tools.workstations() if one.name == name]
    return Draft(agent="status", blocks=(workstation_table(named, locale),)) if named else None


def _one_job(job: Job, locale: Locale, zone: ZoneInfo) -> Draft:
    run, now = job.last_run, datetime.now(UTC)
    items = [
        ("fact_status", job.status if job.substatus is None else f"{job.status} ({job.substatus})"),
        ("fact_workstation", job.workstation),
        ("fact_scheduled", clock(job.scheduled_at, zone, now=now)),
        ("fact_priority", str(job.priority)),
    ]
    if run is not None:
        items += [
            ("fact_started", clock(run.started_at, zone, now=now)),
            ("fact_ended", clock(run.ended_at, zone, now=now)),
            ("fact_rc", _code(run.return_code)),
            ("fact_attempt", str(run.attempt)),
        ]
    if job.deadline is not None:
        items.append(("fact_deadline", clock(job.deadline, zone, now=now)))
    open_dependencies = [item.target for item in job.dependencies if not item.satisfied]
    if open_dependencies:
        items.append(("fact_waits_for", ", ".join(open_dependencies)))
    return Draft(
        agent="status",
        blocks=(
            text(code(job.selection), ": ", strong(job.status)),
            Facts(items=tuple((say(locale, key), value) for key, value in items)),
        ),
        buttons=why_buttons([job.selection] if job.has_failed else [], locale),
        memory=Memory(selection=job.selection),
    )


def _code(return_code: int | None) -> str:
    return "–" if return_code is None else str(return_code)
