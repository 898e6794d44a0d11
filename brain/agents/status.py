"""Answers what is going on: failed, running, waiting, late; job streams, workstations, one job."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from brain.agents.grammar import Request
from brain.agents.resolve import Found, find_job
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Button, Facts, Table, code, strong, text
from brain.snapshots import PlanSnapshot
from brain.state import Draft, Memory
from brain.times import clock, span
from brain.toolbox import Toolbox
from tws.objects import CommonStatus, Job, JobFilter, JobStream, JobStreamFilter

__all__ = ["answer_status", "overview_table"]

_ROWS = 20
"""Rows shown of a list; the sentence above says how many there are."""
_SCANNED = 10_000
_UNFINISHED = (
    CommonStatus.WAITING,
    CommonStatus.READY,
    CommonStatus.RUNNING,
    CommonStatus.HELD,
    CommonStatus.ERROR,
    CommonStatus.BLOCKED,
)
_OVER = frozenset({CommonStatus.SUCCESSFUL, CommonStatus.CANCELED, CommonStatus.SUPPRESS})
_TOPICS = {
    "failed": (CommonStatus.ERROR,),
    "running": (CommonStatus.RUNNING,),
    "waiting": (CommonStatus.WAITING, CommonStatus.READY),
    "held": (CommonStatus.HELD,),
}


async def answer_status(
    tools: Toolbox, request: Request, memory: Memory, locale: Locale, zone: ZoneInfo
) -> Draft:
    """The part of the plan that was asked for; the whole when nothing in particular was."""
    if request.job or request.job_stream:
        return await _one_job(tools, request, memory, locale, zone)
    match request.topic:
        case "job_streams":
            return await _job_streams(tools, locale, zone)
        case "workstations":
            return await _workstations(tools, locale)
        case "late":
            return await _late(tools, locale, zone)
        case None | "summary":
            return await _summary(tools, locale, zone)
        case topic:
            page = await tools.query_jobs(JobFilter(common_statuses=_TOPICS[topic], limit=_ROWS))
            return _jobs(topic, page.jobs, page.total, locale, zone)


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
        buttons=_why_buttons([job.selection for job in snapshot.failed], locale),
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
        for job in snapshot.failed[:_ROWS]
    )
    columns = tuple(say(locale, key) for key in ("col_job", "col_status", "col_rc", "col_ended"))
    return (Table(columns=columns, rows=rows, title=say(locale, "title_failed")),)


def _jobs(topic: str, jobs: tuple[Job, ...], total: int, locale: Locale, zone: ZoneInfo) -> Draft:
    if not jobs:
        return Draft(agent="status", blocks=(phrase(locale, f"none_{topic}"),))
    now = datetime.now(UTC)
    columns = ("col_job", "col_status", "col_rc", "col_started", "col_elapsed")
    rows = tuple(
        (
            job.selection,
            job.status if job.substatus is None else f"{job.status} ({job.substatus})",
            _code(run.return_code if (run := job.last_run) else None),
            clock(run.started_at if run else None, zone, now=now),
            span(run.elapsed if run else None),
        )
        for job in jobs
    )
    table = Table(columns=tuple(say(locale, key) for key in columns), rows=rows)
    shown = (phrase(locale, "shown_of", shown=str(len(jobs)), total=str(total)),) if total > len(jobs) else ()
    failed = [job.selection for job in jobs if job.has_failed]
    return Draft(
        agent="status",
        blocks=(phrase(locale, f"some_{topic}", count=strong(str(total))), table, *shown),
        buttons=_why_buttons(failed, locale),
    )


async def _late(tools: Toolbox, locale: Locale, zone: ZoneInfo) -> Draft:
    page = await tools.query_jobs(JobFilter(common_statuses=_UNFINISHED, limit=_SCANNED))
    streams = await tools.job_streams(JobStreamFilter(limit=_SCANNED))
    now = datetime.now(UTC)
    late = tuple(job for job in page.jobs if job.is_late or (job.deadline is not None and job.deadline < now))
    late_streams = [
        stream
        for stream in streams
        if stream.common_status not in _OVER
        and (stream.is_late or (stream.deadline is not None and stream.deadline < now))
    ]
    if not late_streams:
        return _jobs("late", late[:_ROWS], len(late), locale, zone)
    sentence = phrase(locale, "some_late_streams", count=strong(str(len(late_streams))))
    jobs = _jobs("late", late[:_ROWS], len(late), locale, zone).blocks if late else ()
    return Draft(agent="status", blocks=(sentence, _stream_table(late_streams, locale, zone), *jobs))


async def _job_streams(tools: Toolbox, locale: Locale, zone: ZoneInfo) -> Draft:
    streams = await tools.job_streams(JobStreamFilter(limit=_SCANNED))
    troubled = [stream for stream in streams if stream.status in {"STUCK", "ABEND"} or stream.is_late]
    sentence = phrase(locale, "streams", count=strong(str(len(streams))), troubled=strong(str(len(troubled))))
    table = (_stream_table(troubled, locale, zone),) if troubled else ()
    return Draft(agent="status", blocks=(sentence, *table))


def _stream_table(streams: list[JobStream], locale: Locale, zone: ZoneInfo) -> Table:
    now = datetime.now(UTC)
    rows = tuple(
        (
            stream.selection,
            stream.status,
            f"{stream.jobs_successful}/{stream.jobs_total}",
            str(stream.jobs_abended + stream.jobs_failed),
            clock(stream.deadline, zone, now=now),
        )
        for stream in streams[:_ROWS]
    )
    columns = ("col_stream", "col_status", "col_done", "col_failed", "col_deadline")
    return Table(columns=tuple(say(locale, key) for key in columns), rows=rows)


async def _workstations(tools: Toolbox, locale: Locale) -> Draft:
    workstations = await tools.workstations()
    yes, no = say(locale, "yes"), say(locale, "no")
    rows = tuple(
        (
            one.name,
            one.type,
            yes if one.is_linked else no,
            yes if one.is_running else no,
            str(one.limit),
            str(one.fence),
        )
        for one in sorted(workstations, key=lambda one: (one.is_linked and one.is_running, one.name))
    )
    away = sum(not (one.is_linked and one.is_running) for one in workstations)
    columns = ("col_workstation", "col_type", "col_linked", "col_running", "col_limit", "col_fence")
    sentence = phrase(locale, "workstations", count=strong(str(len(workstations))), away=strong(str(away)))
    return Draft(
        agent="status",
        blocks=(sentence, Table(columns=tuple(say(locale, key) for key in columns), rows=rows)),
    )


async def _one_job(tools: Toolbox, request: Request, memory: Memory, locale: Locale, zone: ZoneInfo) -> Draft:
    found = await find_job(tools, request, memory, locale)
    if not isinstance(found, Found):
        return found
    job = found.job
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
        buttons=_why_buttons([job.selection] if job.has_failed else [], locale),
        memory=Memory(selection=job.selection),
    )


def _why_buttons(selections: list[str], locale: Locale) -> tuple[Button, ...]:
    return tuple(
        Button(
            label=say(locale, "button_why", job=selection.rpartition(".")[2]),
            verb=Verb.SAY,
            value=say(locale, "say_diagnosis", job=selection),
        )
        for selection in selections[:3]
    )


def _code(return_code: int | None) -> str:
    return "–" if return_code is None else str(return_code)
