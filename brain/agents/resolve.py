"""From the name somebody typed to one job of the plan, or to a question with candidates."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brain.agents.grammar import Request
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Button, code
from brain.state import Draft, Memory
from brain.toolbox import Toolbox
from tws.objects import CommonStatus, Job, JobFilter

__all__ = ["CANDIDATES", "Found", "ask", "ask_nearest", "find_job"]

CANDIDATES = 6
"""How many candidates a question offers."""
_SCANNED = 10_000
"""How many jobs are looked through for similar names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The job that is meant, and others of that name that were not chosen."""

    job: Job
    others: tuple[Job, ...] = ()


async def find_job(
    tools: Toolbox,
    request: Request,
    memory: Memory,
    locale: Locale,
    *,
    prefer: Callable[[Job], bool] | None = None,
) -> Found | Draft:
    """The job of the request, or of the conversation so far.

    Of several jobs with the name the one that `prefer` singles out is taken, otherwise the reply asks.
    An unknown name gets the nearest ones.
    """
    wanted = _wanted(request, memory)
    if wanted is None:
        return await _ask_which(tools, request, locale)
    jobs = await _query(tools, wanted)
    for word in () if jobs or request.job else request.candidates[1:]:
        jobs = jobs or await _query(tools, JobFilter(name=word.upper(), limit=50))
    if not jobs:
        return await ask_nearest(tools, request, wanted.name or wanted.job_stream or "", locale)
    if len(jobs) > 1 and prefer is not None:
        preferred = [job for job in jobs if prefer(job)]
        if len(preferred) == 1:
            others = tuple(job for job in jobs if job.id != preferred[0].id)
            return Found(job=await tools.job(preferred[0].id), others=others)
        jobs = preferred or jobs
    if len(jobs) > 1:
        is_one_name = len({job.name for job in jobs}) == 1
        name = jobs[0].name if is_one_name else wanted.name or wanted.job_stream or ""
        selections = [job.selection for job in jobs]
        return ask(request, selections, name, locale, key="which_of" if is_one_name else "which_among")
    return Found(job=await tools.job(jobs[0].id))


def _wanted(request: Request, memory: Memory) -> JobFilter | None:
    if request.job or request.job_stream:
        return JobFilter(
            name=(request.job or "").upper() or None,
            job_stream=(request.job_stream or "").upper() or None,
            workstation=None,
            limit=50,
        )
    if request.candidates:
        return JobFilter(name=request.candidates[0].upper(), limit=50)
    selection = memory.get("selection", "")
    return _selected(selection) if selection else None


def _selected(selection: str) -> JobFilter:
    stream, _, name = selection.rpartition(".")
    return JobFilter(name=name, job_stream=stream.rpartition("#")[2], limit=50)


async def _query(tools: Toolbox, wanted: JobFilter) -> list[Job]:
    page = await tools.query_jobs(wanted)
    if not page.jobs and wanted.job_stream is None and wanted.name:
        # People say the name of the stream and mean what is wrong in it.
        page = await tools.query_jobs(JobFilter(job_stream=wanted.name, limit=50))
    newest: dict[str, Job] = {}
    for job in page.jobs:
        known = newest.get(job.selection)
        if known is None or _when(job) > _when(known):
            newest[job.selection] = job
    return list(newest.values())


def _when(job: Job) -> float:
    return job.scheduled_at.timestamp() if job.scheduled_at else 0.0


async def _ask_which(tools: Toolbox, request: Request, locale: Locale) -> Draft:
    failed = await tools.query_jobs(JobFilter(common_statuses=(CommonStatus.ERROR,), limit=CANDIDATES))
    return ask(request, [job.selection for job in failed.jobs], "", locale, key="which_job")


async def ask_nearest(tools: Toolbox, request: Request, name: str, locale: Locale) -> Draft:
    """That nothing has this name, and what has a similar one."""
    page = await tools.query_jobs(JobFilter(limit=_SCANNED))
    names = {job.name for job in page.jobs} | {job.job_stream for job in page.jobs}
    near = difflib.get_close_matches(name, sorted(names), n=CANDIDATES, cutoff=0.6)
    near += [known for known in sorted(names) if name in known and known not in near]
    selections = [job.selection for job in page.jobs if job.name in near[:CANDIDATES]]
    key = "unknown_job_near" if near else "unknown_job"
    return ask(request, selections or near, name, locale, key=key)


def ask(request: Request, selections: Sequence[str], name: str, locale: Locale, *, key: str) -> Draft:
    """A question with candidates; the next message may name one or give its number."""
    offered = list(selections[:CANDIDATES])
    return Draft(
        agent="clarify",
        blocks=(phrase(locale, key, name=code(name), count=str(len(selections))),),
        buttons=tuple(
            Button(label=selection, verb=Verb.SAY, value=_completed(request, selection, locale))
            for selection in offered
        ),
        memory=Memory(
            pending_kind=request.kind, pending_action=request.action, candidates=offered, selection=""
        ),
    )


def _completed(request: Request, selection: str, locale: Locale) -> str:
    """The sentence a person would have typed had they known the name."""
    key = f"say_{request.action}" if request.kind == "action" else f"say_{request.kind}"
    return say(locale, key, job=selection)
