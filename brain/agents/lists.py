"""Tables of the plan: jobs by topic, job streams, workstations; of everything or of one stream or workstation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from brain.agents.grammar import Request, Topic
from brain.agents.resolve import ask_nearest
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Button, Span, Table, Text, code, strong
from brain.state import Draft
from brain.times import clock, span
from brain.toolbox import Toolbox
from tws.objects import CommonStatus, Job, JobFilter, JobStream, JobStreamFilter, Workstation

__all__ = [
    "ROWS",
    "job_table",
    "list_jobs",
    "list_streams",
    "list_workstations",
    "stream_table",
    "why_buttons",
    "workstation_table",
]

ROWS = 20
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
_TOPICS: dict[Topic, tuple[CommonStatus, ...]] = {
    "failed": (CommonStatus.ERROR,),
    "running": (CommonStatus.RUNNING,),
    "waiting": (CommonStatus.WAITING, CommonStatus.READY),
    "held": (CommonStatus.HELD,),
    "late": _UNFINISHED,
}


async def list_jobs(tools: Toolbox, request: Request, topic: Topic, locale: Locale, zone: ZoneInfo) -> Draft:
    """The jobs of a topic; where the request names a stream or a workstation, theirs alone."""
    wanted = JobFilter(
        job_stream=_name(request.job_stream),
        workstation=_name(request.workstation),
        common_statuses=_TOPICS[topic],
        limit=_SCANNED if topic == "late" else ROWS,
    )
    page = await tools.query_jobs(wanted)
    if not page.jobs and not await _exists(tools, wanted):
        # "None failed" of a stream that is not there would be false comfort.
        return await ask_nearest(tools, request, wanted.job_stream or wanted.workstation or "", locale)
    place = " ".join(name for name in (wanted.job_stream, wanted.workstation) if name)
    if topic == "late":
        return await _late(tools, wanted, page.jobs, place, locale, zone)
    return _jobs(topic, page.jobs, page.total, place, locale, zone)


async def list_streams(tools: Toolbox, locale: Locale, zone: ZoneInfo) -> Draft:
    """How many job streams there are, and those in trouble."""
    streams = await tools.job_streams(JobStreamFilter(limit=_SCANNED))
    troubled = [stream for stream in streams if stream.status in {"STUCK", "ABEND"} or stream.is_late]
    sentence = phrase(locale, "streams", count=strong(str(len(streams))), troubled=strong(str(len(troubled))))
    table = (stream_table(troubled, locale, zone),) if troubled else ()
    return Draft(agent="status", blocks=(sentence, *table))


async def list_workstations(tools: Toolbox, request: Request, locale: Locale) -> Draft:
    """All workstations, those in trouble first, or the ones that the request names."""
    workstations = await tools.workstations()
    if request.workstation is None:
        away = sum(not _is_up(one) for one in workstations)
        count = strong(str(len(workstations)))
        sentence = phrase(locale, "workstations", count=count, away=strong(str(away)))
        return Draft(agent="status", blocks=(sentence, workstation_table(workstations, locale)))
    pattern = re.escape(request.workstation).replace("@", ".*").replace(r"\?", ".")
    named = [one for one in workstations if re.fullmatch(pattern, one.name, re.IGNORECASE)]
    if named:
        return Draft(agent="status", blocks=(workstation_table(named, locale),))
    sentence = phrase(locale, "unknown_workstation", name=code(request.workstation))
    return Draft(agent="status", blocks=(sentence, workstation_table(workstations, locale)))


def job_table(jobs: Sequence[Job], locale: Locale, zone: ZoneInfo) -> Table:
    """One row a job, with its last run."""
    now = datetime.now(UTC)
    columns = ("col_job", "col_status", "col_rc", "col_started", "col_elapsed")
    rows = tuple(
        (
            job.selection,
            job.status if job.substatus is None else f"{job.status} ({job.substatus})",
            "–" if run is None or run.return_code is None else str(run.return_code),
            clock(run.started_at if run else None, zone, now=now),
            span(run.elapsed if run else None),
        )
        for job, run in ((job, job.last_run) for job in jobs)
    )
    return Table(columns=tuple(say(locale, key) for key in columns), rows=rows)


def stream_table(streams: Sequence[JobStream], locale: Locale, zone: ZoneInfo) -> Table:
    """One row a job stream: done, failed, deadline."""
    now = datetime.now(UTC)
    rows = tuple(
        (
            stream.selection,
            stream.status,
            f"{stream.jobs_successful}/{stream.jobs_total}",
            str(stream.jobs_abended + stream.jobs_failed),
            clock(stream.deadline, zone, now=now),
        )
        for stream in streams[:ROWS]
    )
    columns = ("col_stream", "col_status", "col_done", "col_failed", "col_deadline")
    return Table(columns=tuple(say(locale, key) for key in columns), rows=rows)


def workstation_table(workstations: Sequence[Workstation], locale: Locale) -> Table:
    """One row a workstation, those in trouble first."""
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
        for one in sorted(workstations, key=lambda one: (_is_up(one), one.name))
    )
    columns = ("col_workstation", "col_type", "col_linked", "col_running", "col_limit", "col_fence")
    return Table(columns=tuple(say(locale, key) for key in columns), rows=rows)


def why_buttons(selections: Sequence[str], locale: Locale) -> tuple[Button, ...]:
    """Asks why the first of these jobs failed."""
    return tuple(
        Button(
            label=say(locale, "button_why", job=selection.rpartition(".")[2]),
            verb=Verb.SAY,
            value=say(locale, "say_diagnosis", job=selection),
        )
        for selection in selections[:3]
    )


async def _exists(tools: Toolbox, wanted: JobFilter) -> bool:
    if wanted.job_stream is None and wanted.workstation is None:
        return True
    place = JobFilter(job_stream=wanted.job_stream, workstation=wanted.workstation, limit=1)
    return bool((await tools.query_jobs(place)).jobs)


def _name(typed: str | None) -> str | None:
    return typed.upper() if typed else None


def _jobs(topic: Topic, jobs: Sequence[Job], total: int, place: str, locale: Locale, zone: ZoneInfo) -> Draft:
    if not jobs:
        return Draft(agent="status", blocks=(_at(place, phrase(locale, f"none_{topic}")),))
    sentence = _at(place, phrase(locale, f"some_{topic}", count=strong(str(total))))
    shown = (phrase(locale, "shown_of", shown=str(len(jobs)), total=str(total)),) if total > len(jobs) else ()
    failed = [job.selection for job in jobs if job.has_failed]
    return Draft(
        agent="status",
        blocks=(sentence, job_table(jobs, locale, zone), *shown),
        buttons=why_buttons(failed, locale),
    )


async def _late(
    tools: Toolbox, wanted: JobFilter, unfinished: Sequence[Job], place: str, locale: Locale, zone: ZoneInfo
) -> Draft:
    streams = await tools.job_streams(
        JobStreamFilter(name=wanted.job_stream, workstation=wanted.workstation, limit=_SCANNED)
    )
    late = [job for job in unfinished if _is_late(job)]
    late_streams = [one for one in streams if one.common_status not in _OVER and _is_late(one)]
    jobs = _jobs("late", late[:ROWS], len(late), place, locale, zone)
    if not late_streams:
        return jobs
    sentence = _at(place, phrase(locale, "some_late_streams", count=strong(str(len(late_streams)))))
    late_jobs = jobs.blocks if late else ()
    return Draft(
        agent="status",
        blocks=(sentence, stream_table(late_streams, locale, zone), *late_jobs),
        buttons=jobs.buttons,
    )


def _is_late(node: Job | JobStream) -> bool:
    return node.is_late or (node.deadline is not None and node.deadline < datetime.now(UTC))


def _at(place: str, sentence: Text) -> Text:
    """The sentence, said of one stream or workstation where one was named."""
    return Text(spans=(code(place), Span(": "), *sentence.spans)) if place else sentence


def _is_up(workstation: Workstation) -> bool:
    return workstation.is_linked and workstation.is_running
