"""Answers why a job failed: from the plan, its log and the runbooks."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from brain.agents.evidence import cite_log, cite_passages, cite_text, list_items
from brain.agents.grammar import Request
from brain.agents.offers import action_buttons
from brain.agents.resolve import Found, find_job
from brain.agents.waiting import answer_not_started
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Block, Bullets, Button, Citation, Code, Text, code, strong, text
from brain.state import Draft, Memory, TurnContext
from brain.times import clock
from brain.toolbox import Toolbox
from knowledge.documents import Passage, SearchResult
from tws.errors import TwsError
from tws.joblog import LogFindings, read_log
from tws.objects import Job, JobRun

__all__ = ["answer_diagnosis"]

_PASSAGES = 6
"""Passages looked at; at most two are quoted."""
_STEPS = re.compile(r"\b(steps?|procedure|passos?|procedimento)\b", re.IGNORECASE)
"""Headings under which runbooks say what to do."""
_NO_FINDINGS = LogFindings(exit_status=None, message_ids=(), decisive=())
_log = structlog.get_logger(__name__)


async def answer_diagnosis(
    context: TurnContext, request: Request, memory: Memory, locale: Locale, zone: ZoneInfo
) -> Draft:
    """Why it failed; for a job that has not failed, how it stands instead."""
    tools = context.tools
    found = await find_job(tools, request, memory, locale, prefer=lambda job: job.has_failed)
    if not isinstance(found, Found):
        return found
    job = found.job
    if not job.has_failed:
        return await answer_not_started(tools, job, locale, zone)
    await context.progress(say(locale, "progress_log", job=job.selection))
    findings, log_gap = await _read_log(tools, job)
    await context.progress(say(locale, "progress_documents"))
    result = await tools.search(_question(request, job, findings), k=_PASSAGES)
    return await _explain(tools, found, findings, log_gap=log_gap, result=result, locale=locale, zone=zone)


async def _read_log(tools: Toolbox, job: Job) -> tuple[LogFindings, bool]:
    """What the log of the last run shows, and whether it could not be read."""
    run = job.last_run
    if run is None:
        return _NO_FINDINGS, False
    try:
        log = await tools.job_log(run.id)
    except TwsError as error:
        _log.warning("job_log_unreadable", code=error.code)
        return _NO_FINDINGS, True
    return read_log(log.text, run.return_code), False


def _question(request: Request, job: Job, findings: LogFindings) -> str:
    """What the runbooks are asked: the job, its codes and the decisive lines."""
    run = job.last_run
    parts = [job.name, job.job_stream, *findings.message_ids[:3]]
    if run is not None and run.return_code is not None:
        parts.append(f"RC {run.return_code}")
    parts += [line.text.strip() for line in findings.decisive[:2]]
    return " ".join((*parts, *request.identifiers))


async def _explain(
    tools: Toolbox,
    found: Found,
    findings: LogFindings,
    *,
    log_gap: bool,
    result: SearchResult,
    locale: Locale,
    zone: ZoneInfo,
) -> Draft:
    job = found.job
    run = job.last_run
    blocks: list[Block] = [_headline(job, run, locale, zone)]
    citations: list[Citation] = []
    if run is not None and findings.decisive:
        blocks.append(_decisive(findings, locale))
        citations.append(cite_log(job, run, findings.decisive[0], locale))
    elif log_gap:
        blocks.append(phrase(locale, "log_unreadable"))
    else:
        blocks.append(phrase(locale, "log_says_nothing"))
    if result.answerable:
        quoted, sources = _runbook(result.passages, job, findings, locale, first=len(citations) + 1)
        blocks += quoted
        citations += sources
    else:
        blocks.append(phrase(locale, "no_runbook"))
    blocks.append(await _impact(tools, job, locale))
    if found.others:
        names = ", ".join(other.selection for other in found.others)
        blocks.append(phrase(locale, "others_of_name", name=code(job.name), names=names))
    return Draft(
        agent="diagnosis",
        blocks=tuple(blocks),
        citations=tuple(citations),
        buttons=(*action_buttons(tools, job, locale), *_other_buttons(found.others, locale)),
        degraded=frozenset(result.degraded),
        memory=Memory(selection=job.selection),
    )


def _runbook(
    passages: tuple[Passage, ...], job: Job, findings: LogFindings, locale: Locale, *, first: int
) -> tuple[list[Block], list[Citation]]:
    """The best passage, quoted, and what its document says to do; citations are numbered from `first`."""
    best = passages[0]
    (source,) = cite_passages((best,), _question_for_quote(job, findings))
    title = strong(best.document_title)
    blocks: list[Block] = [phrase(locale, "runbook_says", title=title, quote=source.quote, n=str(first))]
    citations = [source]
    same_document = [passage for passage in passages if passage.document_id == best.document_id]
    steps = next((passage for passage in same_document if _STEPS.search(passage.location)), None)
    items = () if steps is None else list_items(steps.text)
    if steps is not None and items:
        blocks.append(phrase(locale, "runbook_steps", title=title, n=str(first + 1)))
        blocks.append(Bullets(items=tuple(text(item) for item in items), numbered=True))
        citations.append(cite_text(steps, " ".join(items)))
    return blocks, citations


def _headline(job: Job, run: JobRun | None, locale: Locale, zone: ZoneInfo) -> Text:
    return_code = "–" if run is None or run.return_code is None else str(run.return_code)
    ended = clock(run.ended_at if run else None, zone, now=datetime.now(UTC))
    return phrase(
        locale,
        "failed_headline",
        job=strong(job.selection),
        status=strong(job.status),
        rc=strong(return_code),
        ended=ended,
        workstation=code(run.workstation if run else job.workstation),
        attempt=str(run.attempt if run else 0),
    )


def _decisive(findings: LogFindings, locale: Locale) -> Code:
    lines = sorted(findings.decisive, key=lambda line: line.number)
    return Code(
        text="\n".join(f"{line.number:>5}  {line.text.rstrip()}" for line in lines),
        caption=say(locale, "decisive_lines"),
    )


def _question_for_quote(job: Job, findings: LogFindings) -> str:
    lines = " ".join(line.text for line in findings.decisive[:1])
    return f"{job.name} {lines} rerun fix restart corrigir reexecutar"


async def _impact(tools: Toolbox, job: Job, locale: Locale) -> Text:
    try:
        successors = await tools.successors(job.id)
    except TwsError:
        return phrase(locale, "impact_unknown")
    waiting = [
        node.selection for node in successors if not node.canceled and node.status in {"HOLD", "READY"}
    ]
    if not waiting:
        return phrase(locale, "impact_none")
    return phrase(locale, "impact", count=strong(str(len(waiting))), names=", ".join(waiting[:5]))


def _other_buttons(others: tuple[Job, ...], locale: Locale) -> tuple[Button, ...]:
    return tuple(
        Button(
            label=say(locale, "button_status", job=other.selection),
            verb=Verb.SAY,
            value=say(locale, "say_status", job=other.selection),
        )
        for other in others[:2]
    )
