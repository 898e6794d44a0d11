"""Turns a wish to change something into a proposal; nothing is done here."""

from __future__ import annotations

from brain.actions.policy import Action, is_legal, legal_actions
from brain.agents.grammar import ALL, Request
from brain.agents.resolve import CANDIDATES, Found, ask, find_job
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Bullets, Button, Notice, code, strong, text
from brain.state import Draft, Memory, TurnContext
from brain.toolbox import NotPermittedError, Toolbox
from tws.objects import CommonStatus, JobFilter

__all__ = ["answer_action"]

_MEANT = {
    Action.RERUN: (CommonStatus.ERROR,),
    Action.CANCEL: (CommonStatus.ERROR,),
    Action.HOLD: (CommonStatus.READY, CommonStatus.WAITING),
    Action.RELEASE: (CommonStatus.HELD,),
}
"""Jobs that people mean when they want an action on all."""


async def answer_action(context: TurnContext, request: Request, memory: Memory, locale: Locale) -> Draft:
    """A proposal with its consequences, or why there can be none."""
    tools = context.tools
    assert request.action is not None
    action = Action(request.action)
    if request.further or request.job == ALL:
        return await _one_at_a_time(tools, action, request, locale)
    found = await find_job(tools, request, memory, locale)
    if not isinstance(found, Found):
        return found
    job = found.job
    if not is_legal(action, job):
        legal = ", ".join(say(locale, f"button_{other}") for other in legal_actions(job))
        sentence = phrase(
            locale,
            "illegal_action",
            action=say(locale, f"button_{action}"),
            job=strong(job.selection),
            status=strong(job.status),
            legal=legal or "–",
        )
        return Draft(agent="action", blocks=(sentence,), memory=Memory(selection=job.selection))
    if not tools.may_write:
        return _refused(say(locale, "read_only"))
    try:
        proposal = await tools.propose(action, job, locale, reason=request.reason)
    except NotPermittedError:
        return _refused(say(locale, "refused_not_permitted"))
    title = phrase(
        locale, "proposal_title", action=strong(say(locale, f"button_{action}")), job=code(job.selection)
    )
    needs = say(locale, f"requires_{proposal.requires}")
    return Draft(
        agent="action",
        blocks=(
            title,
            Bullets(items=tuple(text(line) for line in proposal.consequences)),
            Notice(text=needs, level="info" if proposal.requires == "self" else "warning"),
        ),
        buttons=(
            Button(
                label=say(locale, "button_approve"), verb=Verb.APPROVE, value=proposal.id, style="primary"
            ),
            Button(label=say(locale, "button_reject"), verb=Verb.REJECT, value=proposal.id),
        ),
        proposal=proposal.view,
        memory=Memory(selection=job.selection),
    )


async def _one_at_a_time(tools: Toolbox, action: Action, request: Request, locale: Locale) -> Draft:
    """Which one first? Those that were named, or those that the action is usually meant for."""
    if request.further:
        first = ".".join(name for name in (request.job_stream, request.job) if name)
        candidates = [first, *request.further]
    else:
        page = await tools.query_jobs(JobFilter(common_statuses=_MEANT[action], limit=CANDIDATES))
        candidates = [job.selection for job in page.jobs]
    return ask(request, candidates, "", locale, key="one_at_a_time")


def _refused(sentence: str) -> Draft:
    return Draft(agent="action", blocks=(Notice(text=sentence, level="warning"),))
