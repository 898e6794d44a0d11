"""Answers why a job failed: from the plan, its log, its earlier runs and the runbooks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from brain.agents.asked import Asked
from brain.agents.evidence import cite_log, cite_passages, cite_text, list_items
from brain.agents.offers import action_buttons, ask_button
from brain.agents.relations import linked
from brain.agents.resolve import Found, find_job
from brain.agents.waiting import answer_not_started, answer_waiting, find_unstarted
from brain.reply import Block, Bullets, Citation, Code, Span, Text, code, strong, text
from brain.state import Draft, Memory
from brain.toolbox import Toolbox
from knowledge.documents import Passage
from tws.errors import TwsError
from tws.failure import Failure, explain
from tws.forecast import forecast
from tws.joblog import LogLine
from tws.mirror.past import PastRun
from tws.objects import Job

_PASSAGES = 6
"""Passages looked at; at most two are quoted."""
_STEPS = re.compile(r"\b(steps?|procedure|passos?|procedimento)\b", re.IGNORECASE)
"""Headings under which runbooks say what to do."""
_STAMP = re.compile(r"^[\d\s:.,/TZ+-]*\d[\d:.,/TZ+-]*\s+")
"""When the line was written."""
_NAMED = 5
"""Jobs in danger that are named."""
_MESSAGES = 2
"""Message ids that are looked up."""
_log = structlog.get_logger(__name__)


async def answer_diagnosis(asked: Asked) -> Draft:
    """Why it failed; for a job that has not failed, how it stands instead."""
    found = await find_job(asked, prefer=lambda job: job.has_failed)
    return await _explained(asked, found) if isinstance(found, Found) else found


async def answer_not_running(asked: Asked) -> Draft:
    """Why it does not run. One that started and failed is what people mean by that, too."""
    found = await find_unstarted(asked)
    if isinstance(found, Found) and found.target.has_failed:
        return await _explained(asked, found)
    return await answer_waiting(asked, found)


async def _explained(asked: Asked, found: Found[Job]) -> Draft:
    tools, job = asked.tools, found.target
    await asked.progress(asked.say("progress_log", job=job.selection))
    log = await _read_log(tools, job) if job.has_failed else None
    past = await tools.past_runs(job.selection) if job.has_failed else ()
    failure = explain(job, log=log or "", past=[_record(job, past)] if past else ())
    if failure is None or job.canceled:
        return await answer_not_started(asked, job)
    blocks = [*_ending(asked, job, failure), _decisive(asked, failure.decisive, is_read=log is not None)]
    citations = [cite_log(job, failure.run, line, asked.locale) for line in failure.decisive[:1]]
    blocks += _history(asked, failure)
    await asked.progress(asked.say("progress_documents"))
    degraded = await _documents(asked, job, failure, blocks, citations)
    blocks += await linked(asked, job.selection, failure.message_ids, citations)
    blocks += [await _impact(asked, job), *await _endangered(asked, job), _confidence(asked, failure)]
    if found.others:
        names = ", ".join(other.selection for other in found.others)
        blocks.append(asked.phrase("others_of_name", name=code(job.name), names=names))
    others = (ask_button("status", other.selection, asked.locale) for other in found.others[:2])
    return Draft(
        agent="diagnosis",
        blocks=tuple(blocks),
        citations=tuple(citations),
        buttons=(*action_buttons(tools, job, asked.locale), *others),
        degraded=degraded,
        memory=Memory(selection=job.selection),
        found=(job.selection,),
        cause=_cause(asked, failure),
    )


def _cause(asked: Asked, failure: Failure) -> str:
    """The line that tells most, without when it was written; else how it ended."""
    if failure.decisive:
        return _STAMP.sub("", failure.decisive[0].text.strip())
    return asked.say(f"ending_{failure.ending}", rc=asked.cell(failure.return_code), condition="", signal="")


async def _read_log(tools: Toolbox, job: Job) -> str | None:
    """The log of the last run; None where it could not be read."""
    try:
        return (await tools.job_log(job.last_run.id)).text if job.last_run else ""
    except TwsError as error:
        _log.warning("job_log_unreadable", code=error.code)
        return None


def _record(job: Job, past: Iterable[PastRun]) -> Job:
    """The job with its runs in earlier plans."""
    known, last = {run.id for run in job.runs}, job.runs[-1]
    runs = (
        replace(
            last,
            id=run.run_id,
            status=run.status,
            return_code=run.return_code,
            workstation=run.workstation,
            started_at=run.started_at,
            ended_at=run.ended_at,
            elapsed=run.ended_at - run.started_at,
        )
        for run in past
        if run.run_id not in known
    )
    return replace(job, runs=tuple(runs))


def _ending(asked: Asked, job: Job, failure: Failure) -> list[Block]:
    run, return_code = failure.run, asked.cell(failure.return_code)
    headline = asked.phrase(
        "failed_headline",
        job=strong(job.selection),
        status=strong(job.status),
        rc=strong(return_code),
        ended=asked.cell(run.ended_at),
        workstation=code(run.workstation),
        attempt=str(run.attempt),
    )
    condition = failure.success_condition or "RC=0"
    values: dict[str, str | Span] = {
        "rc": return_code,
        "condition": code(condition),
        "signal": str(failure.signal or "–"),
    }
    return [headline, asked.phrase(f"ending_{failure.ending}", **values)]


def _decisive(asked: Asked, lines: Sequence[LogLine], *, is_read: bool) -> Block:
    if not lines:
        return asked.phrase("log_says_nothing" if is_read else "log_unreadable")
    in_order = sorted(lines, key=lambda line: line.number)
    shown = "\n".join(f"{line.number:>5}  {line.text.rstrip()}" for line in in_order)
    return Code(text=shown, caption=asked.say("decisive_lines"))


def _history(asked: Asked, failure: Failure) -> list[Block]:
    """The same failure before, and what is not as it was when the job last ran well."""
    blocks: list[Block] = []
    if before := failure.same_before:
        at = asked.cell(before[0].ended_at)
        blocks.append(asked.phrase("same_before", count=strong(str(len(before))), at=at))
    if failure.last_success is not None:
        key = "differences" if failure.differences else "no_differences"
        blocks.append(asked.phrase(key, at=strong(asked.cell(failure.last_success.ended_at))))
    changes = ((item, asked.say(f"field_{item.name.replace('.', '_')}")) for item in failure.differences)
    items = tuple(
        text(f"{label}: {asked.cell(item.before)} → {asked.cell(item.after)}") for item, label in changes
    )
    return [*blocks, *([Bullets(items=items)] if items else [])]


async def _documents(
    asked: Asked, job: Job, failure: Failure, blocks: list[Block], citations: list[Citation]
) -> frozenset[str]:
    """Adds what manuals say of the messages and runbooks of the failure; returns what was away."""
    lines = [line.text.strip() for line in failure.decisive[:2]]
    codes = [] if failure.return_code is None else [f"RC {failure.return_code}"]
    question = (job.name, job.job_stream, *failure.message_ids[:3], *codes, *lines)
    result = await asked.tools.search(" ".join((*question, *asked.request.identifiers)), k=_PASSAGES)
    if result.answerable:
        words = f"{job.name} {' '.join(lines[:1])} rerun fix restart corrigir reexecutar"
        _add_runbook(asked, result.passages, words, blocks, citations)
    else:
        blocks.append(asked.phrase("no_runbook"))
    for message in failure.message_ids[:_MESSAGES]:
        found = (await asked.tools.search(message, k=1)).passages[:1]
        cited = {citation.document_id for citation in citations}
        if found and message in found[0].text and found[0].document_id not in cited:
            citations += cite_passages(found, message)
            quote, number = citations[-1].quote, str(len(citations))
            blocks.append(asked.phrase("message_means", message=code(message), quote=quote, n=number))
    return frozenset(result.degraded)


def _add_runbook(
    asked: Asked, passages: Sequence[Passage], words: str, blocks: list[Block], citations: list[Citation]
) -> None:
    """The best passage, quoted, and what its document says to do."""
    best = passages[0]
    citations += cite_passages((best,), words)
    title = strong(best.document_title)
    blocks.append(asked.phrase("runbook_says", title=title, quote=citations[-1].quote, n=str(len(citations))))
    same_document = (passage for passage in passages if passage.document_id == best.document_id)
    steps = next((passage for passage in same_document if _STEPS.search(passage.location)), None)
    if steps is not None and (items := list_items(steps.text)):
        citations.append(cite_text(steps, " ".join(items)))
        blocks.append(asked.phrase("runbook_steps", title=title, n=str(len(citations))))
        blocks.append(Bullets(items=tuple(text(item) for item in items), numbered=True))


async def _endangered(asked: Asked, job: Job) -> list[Block]:
    """The critical jobs and those with a deadline that this one puts in danger."""
    plan = await asked.tools.plan()
    if plan is None:
        return []
    expected = await asyncio.to_thread(forecast, plan, datetime.now(UTC))
    endangered = [one for hot in expected.hot_list() if hot.job.id == job.id for one in hot.endangers]
    if not endangered:
        return []
    names = ", ".join(
        f"{one.selection} ({asked.cell(one.deadline)})" if one.deadline else one.selection
        for one in endangered[:_NAMED]
    )
    return [asked.phrase("endangered", count=strong(str(len(endangered))), names=names)]


def _confidence(asked: Asked, failure: Failure) -> Block:
    """How sure the cause is: by what bears it out, not by how well it sounds."""
    if not failure.decisive:
        level = "low"
    else:
        level = "high" if failure.same_before or failure.message_ids else "medium"
    return asked.phrase(f"confidence_{level}")


async def _impact(asked: Asked, job: Job) -> Text:
    try:
        successors = await asked.tools.successors(job.id)
    except TwsError:
        return asked.phrase("impact_unknown")
    waiting = [one.selection for one in successors if not one.canceled and one.status in {"HOLD", "READY"}]
    if not waiting:
        return asked.phrase("impact_none")
    return asked.phrase("impact", count=strong(str(len(waiting))), names=", ".join(waiting[:5]))
