"""Answers why a job has not started: every reason with its proof, the first causes behind, and what would clear them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from brain.agents.asked import Asked
from brain.agents.evidence import cite_passages
from brain.agents.offers import action_buttons, ask_button, change_button
from brain.agents.reasons import reason_sentence
from brain.agents.resolve import Found, find_job
from brain.agents.tables import status_of
from brain.message import Locale
from brain.reply import Block, Bullets, Button, Text, strong, text, to_plain
from brain.state import Draft, Memory
from brain.times import span
from brain.toolbox import Toolbox
from tws.contents import PlanContents
from tws.objects import Job, JobStream
from tws.plan import Plan
from tws.why import FirstCause, Reason, first_causes, reasons, why_absent

_UNSTARTED = frozenset({"ADD", "HOLD", "SCHED", "WAIT", "WAITD", "READY", "FENCE", "SUPPR"})
_BUTTONS = 4
_DEPTH = 8
"""How far a chain of predecessors is followed where there is no mirror."""


async def find_unstarted(asked: Asked) -> Found[Job] | Draft:
    """As `find_job`; of several jobs with the name the one that has not started."""
    return await find_job(asked, prefer=lambda job: job.status in _UNSTARTED)


async def answer_waiting(asked: Asked, found: Found[Job] | Draft) -> Draft:
    """Why the job that was found has not started, or why it is not in the plan."""
    if isinstance(found, Found):
        return await answer_not_started(asked, found.target)
    plan, request = await asked.tools.plan(), asked.request
    name = (request.job or request.job_stream or "").upper()
    absent = why_absent(plan, name, datetime.now(UTC)) if plan and name else None
    if plan is None or absent is None:
        return found
    sentence = text(reason_sentence(absent, asked.locale, asked.zone))
    return Draft(
        agent=found.agent,
        blocks=(sentence, *found.blocks[1:], as_of(asked, plan)),
        buttons=found.buttons,
        memory=found.memory,
    )


async def answer_not_started(asked: Asked, job: Job) -> Draft:
    """How a job stands that has not failed: what it waits for, or that it runs, ended or was cancelled."""
    if job.status not in _UNSTARTED or job.canceled:
        return _has_started(asked, job)
    plan, now = await _plan_with(asked.tools, job), datetime.now(UTC)
    found = reasons(plan, job, now)
    behind = [cause for cause in first_causes(plan, job, now) if len(cause.chain) > 1]
    blocks: list[Block] = [
        asked.phrase("not_started", job=strong(job.selection), status=strong(status_of(job)))
    ]
    if found:
        blocks.append(
            Bullets(items=tuple(text(reason_sentence(one, asked.locale, asked.zone)) for one in found))
        )
    else:
        blocks.append(asked.phrase("nothing_holds"))
    blocks += [_first_cause(asked, cause) for cause in behind[:3]]
    subject = behind[0].chain[-1] if behind else job
    words = " ".join(one.cause.replace("_", " ") for one in found[:2])
    result = await asked.tools.search(f"{subject.name} {subject.selection} {job.workstation} {words}", k=1)
    citations = cite_passages(result.passages[:1], subject.name) if result.answerable else ()
    blocks += [
        asked.phrase("runbook_says", title=strong(source.document_title), quote=source.quote, n="1")
        for source in citations
    ]
    all_reasons = [*(cause.reason for cause in behind), *found]
    causes = [reason_sentence(one, asked.locale, asked.zone) for one in all_reasons[:1]]
    buttons = (*_why_buttons(all_reasons, asked.locale), *_clearing(asked, plan, all_reasons))
    own = [
        button
        for button in action_buttons(asked.tools, job, asked.locale)
        if button.value not in {one.value for one in buttons}
    ]
    return Draft(
        agent="diagnosis",
        blocks=(*blocks, as_of(asked, plan)),
        citations=citations,
        buttons=(*buttons, *own),
        degraded=frozenset(result.degraded),
        memory=Memory(selection=job.selection),
        cause="".join(causes),
    )


async def _plan_with(tools: Toolbox, job: Job) -> Plan:
    """The mirrored plan with the job as it is now; without a mirror what can be read about the job."""
    plan = await tools.plan()
    if plan is not None:
        return plan.replaced(job)
    before, stream = await tools.predecessors(job.id, _DEPTH), await tools.job_stream(job.job_stream_id)
    return Plan(
        PlanContents(
            engine="",
            read_at=datetime.now(UTC),
            run_number=None,
            starts_at=None,
            ends_at=None,
            jobs=(job, *(one for one in before if isinstance(one, Job))),
            job_streams=(stream, *(one for one in before if isinstance(one, JobStream))),
            workstations=await tools.workstations(),
            resources=await tools.resources(),
            prompts=await tools.prompts(),
        )
    )


def as_of(asked: Asked, plan: Plan) -> Text:
    """How old the data is."""
    return asked.phrase("as_of", at=asked.cell(plan.read_at), age=span(datetime.now(UTC) - plan.read_at))


def _first_cause(asked: Asked, cause: FirstCause) -> Text:
    via = " → ".join(owner.selection for owner in cause.chain[1:-1])
    return asked.phrase(
        "first_cause",
        job=strong(cause.chain[-1].selection),
        sentence=reason_sentence(cause.reason, asked.locale, asked.zone),
        via=asked.say("via", chain=via) if via else "",
    )


def _why_buttons(found: Iterable[Reason], locale: Locale) -> tuple[Button, ...]:
    """Asks why the first job failed that others wait for."""
    failed = (one.about for one in found if isinstance(one.about, Job) and one.about.has_failed)
    return tuple(ask_button("why", job.selection, locale, "primary") for job in list(failed)[:1])


def _clearing(asked: Asked, plan: Plan, found: Iterable[Reason]) -> tuple[Button, ...]:
    """What would clear the reasons, as far as this person may."""
    changes = {(one.clears.action, one.clears.object_id): one.clears for one in found if one.clears}
    offered = []
    for change in changes.values():
        target = plan.find(change.object_id)
        if target is not None and change.action in asked.tools.offers(target):
            offered.append(change_button(change, asked.locale, with_name=True))
    return tuple(offered[:_BUTTONS])


def _has_started(asked: Asked, job: Job) -> Draft:
    run = job.last_run
    key = "is_cancelled" if job.canceled else "has_failed" if job.has_failed else "has_started"
    sentence = asked.phrase(
        key,
        job=strong(job.selection),
        status=strong(job.status),
        started=asked.cell(run.started_at if run else None),
        elapsed=asked.cell(run.elapsed if run else None),
    )
    buttons = (ask_button("why", job.selection, asked.locale),) if job.has_failed else ()
    return Draft(
        agent="diagnosis",
        blocks=(sentence,),
        buttons=buttons or action_buttons(asked.tools, job, asked.locale),
        memory=Memory(selection=job.selection),
        cause=to_plain((sentence,)),
    )
