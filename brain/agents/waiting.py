"""Answers why a job has not started: what it waits for, followed to the first cause."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from brain.agents.evidence import cite_passages
from brain.agents.grammar import Request
from brain.agents.offers import action_buttons
from brain.agents.resolve import Found, find_job
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Block, Bullets, Button, Text, code, strong
from brain.state import Draft, Memory, TurnContext
from brain.times import clock, span
from brain.toolbox import Toolbox
from tws.errors import TwsNotFoundError
from tws.objects import Dependency, Job

__all__ = ["answer_not_started", "answer_waiting"]

_DEPTH = 8
"""How far a chain of waiting predecessors is followed."""
_FREE = frozenset({"READY", "FENCE"})
_UNSTARTED = _FREE | {"ADD", "HOLD", "SCHED", "WAIT"}


async def answer_waiting(
    context: TurnContext, request: Request, memory: Memory, locale: Locale, zone: ZoneInfo
) -> Draft:
    """Why the job of the request has not started."""
    tools = context.tools
    found = await find_job(tools, request, memory, locale, prefer=lambda job: job.status in _UNSTARTED)
    if not isinstance(found, Found):
        return found
    return await answer_not_started(tools, found.job, locale, zone)


async def answer_not_started(tools: Toolbox, job: Job, locale: Locale, zone: ZoneInfo) -> Draft:
    """How a job stands that has not failed: what it waits for, or that it runs, ended or was cancelled."""
    if job.status not in _UNSTARTED or job.canceled:
        return _has_started(tools, job, locale, zone)
    reasons = [_reason(job, item, locale) for item in job.dependencies if not item.satisfied]
    reasons += await _own_reasons(tools, job, locale, zone)
    root = await _root(tools, job)
    blocks: list[Block] = [
        phrase(locale, "not_started", job=strong(job.selection), status=strong(_status(job))),
    ]
    if not reasons and job.status not in _FREE:
        # TWS keeps the job waiting for nothing of its own: what is missing is missing to the whole stream.
        reasons = [phrase(locale, "waits_stream", stream=code(job.job_stream))]
    if reasons:
        blocks.append(Bullets(items=tuple(reasons)))
    else:
        blocks.append(phrase(locale, "nothing_holds"))
    if root is not None:
        blocks.append(_root_cause(root, locale))
    subject = root or job
    result = await tools.search(f"{subject.name} {subject.job_stream} {_search_words(subject)}", k=1)
    citations = cite_passages(result.passages[:1], subject.name) if result.answerable else ()
    blocks += [
        phrase(locale, "runbook_says", title=strong(source.document_title), quote=source.quote, n="1")
        for source in citations
    ]
    return Draft(
        agent="diagnosis",
        blocks=tuple(blocks),
        citations=citations,
        buttons=(*_root_buttons(root, locale), *action_buttons(tools, job, locale)),
        degraded=frozenset(result.degraded),
        memory=Memory(selection=job.selection),
    )


def _has_started(tools: Toolbox, job: Job, locale: Locale, zone: ZoneInfo) -> Draft:
    run, now = job.last_run, datetime.now(UTC)
    key = "is_cancelled" if job.canceled else "has_failed" if job.has_failed else "has_started"
    sentence = phrase(
        locale,
        key,
        job=strong(job.selection),
        status=strong(job.status),
        started=clock(run.started_at if run else None, zone, now=now),
        elapsed=span(run.elapsed if run else None),
    )
    why = say(locale, "button_why", job=job.name), say(locale, "say_diagnosis", job=job.selection)
    buttons = (Button(label=why[0], verb=Verb.SAY, value=why[1]),) if job.has_failed else ()
    return Draft(
        agent="diagnosis",
        blocks=(sentence,),
        buttons=buttons or action_buttons(tools, job, locale),
        memory=Memory(selection=job.selection),
    )


def _reason(job: Job, dependency: Dependency, locale: Locale) -> Text:
    match dependency.type:
        case "FILE":
            return phrase(locale, "waits_file", target=code(dependency.target))
        case "PROMPT":
            return phrase(locale, "waits_prompt", target=code(dependency.target))
        case "RESOURCE":
            return phrase(locale, "waits_resource", target=code(dependency.target))
        case _:
            status = dependency.predecessor_status or "?"
            return phrase(
                locale, "waits_predecessor", target=code(dependency.target or job.job_stream), status=status
            )


async def _own_reasons(tools: Toolbox, job: Job, locale: Locale, zone: ZoneInfo) -> list[Text]:
    """Reasons that lie in the job, its time or its workstation rather than in a dependency."""
    reasons = []
    now = datetime.now(UTC)
    if job.priority == 0:
        reasons.append(phrase(locale, "waits_held"))
    earliest = max((at for at in (job.starts_after, job.scheduled_at) if at is not None), default=now)
    if earliest > now:
        reasons.append(phrase(locale, "waits_time", at=strong(clock(earliest, zone, now=now))))
    if job.latest_start is not None and job.latest_start < now:
        reasons.append(phrase(locale, "until_passed", at=clock(job.latest_start, zone, now=now)))
    for workstation in await tools.workstations():
        if workstation.name != job.workstation:
            continue
        name = code(workstation.name)
        if not workstation.is_linked:
            reasons.append(phrase(locale, "waits_unlinked", workstation=name))
        elif not workstation.is_running:
            reasons.append(phrase(locale, "waits_stopped", workstation=name))
        if workstation.limit == 0:
            reasons.append(phrase(locale, "waits_limit", workstation=name))
        if job.priority and workstation.fence >= job.priority:
            reasons.append(
                phrase(
                    locale,
                    "waits_fence",
                    workstation=name,
                    fence=str(workstation.fence),
                    priority=str(job.priority),
                )
            )
    return reasons


async def _root(tools: Toolbox, job: Job) -> Job | None:
    """The first cause up the chain of open predecessors: a job that failed or waits by itself."""
    current, seen = job, {job.id}
    for _ in range(_DEPTH):
        target = next(
            (item for item in current.dependencies if not item.satisfied and item.target_id is not None), None
        )
        if target is None or target.target_id is None or target.target_id in seen:
            break
        seen.add(target.target_id)
        try:
            current = await tools.job(target.target_id)
        except TwsNotFoundError:
            # It is a job stream, or has left the plan: the dependency itself is all that can be said.
            break
        if current.has_failed:
            return current
    return None if current is job else current


def _root_cause(root: Job, locale: Locale) -> Text:
    run = root.last_run
    key = "root_failed" if root.has_failed else "root_waits"
    return phrase(
        locale,
        key,
        job=strong(root.selection),
        status=strong(_status(root)),
        rc="–" if run is None or run.return_code is None else str(run.return_code),
    )


def _root_buttons(root: Job | None, locale: Locale) -> tuple[Button, ...]:
    if root is None:
        return ()
    kind = "diagnosis" if root.has_failed else "not_started"
    return (
        Button(
            label=say(locale, "button_why", job=root.name),
            verb=Verb.SAY,
            value=say(locale, f"say_{kind}", job=root.selection),
            style="primary",
        ),
    )


def _search_words(job: Job) -> str:
    """What a runbook about the wait would be called."""
    open_types = " ".join(item.type.lower() for item in job.dependencies if not item.satisfied)
    return f"{job.workstation} {job.substatus or job.status} {open_types}".replace("_", " ")


def _status(job: Job) -> str:
    return job.status if job.substatus is None else f"{job.status} ({job.substatus})"
