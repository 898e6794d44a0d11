"""Answers a request of several parts: the tree worked off, what changed meanwhile, and at most one proposal."""

from __future__ import annotations

from dataclasses import replace

from brain.agents.action import answer_action
from brain.agents.asked import Asked
from brain.agents.grammar import Request
from brain.reply import Block, Notice, Steps, StepView
from brain.state import Draft
from tws.errors import TwsError
from tws.objects import CommonStatus, JobFilter

from .graph import Answering, Dividing, Planner
from .parting import whole, wish
from .task import ROOT, Tasks, in_order, missing

_LOOKED_AT = 500
"""Failed jobs that are looked at again."""
_SAID = 4
"""Missing parts that are named."""


async def answer_request(
    planner: Planner, asked: Asked, words: str, answer: Answering, divide: Dividing | None = None
) -> Draft:
    """The answer of the whole, its steps, and the proposal where a change was asked for beside questions."""
    tasks = await planner.work_off(whole(words, asked), asked, answer, divide)
    draft = tasks[ROOT].draft or Draft(agent="planner", blocks=())
    blocks = (*draft.blocks, *await _since_then(asked, tasks), *_partial(asked, tasks), _steps(asked, tasks))
    draft = replace(draft, agent="planner", blocks=blocks)
    wanted = wish(words, asked.locale)
    return draft if wanted is None else await _with_proposal(draft, wanted, asked)


async def _with_proposal(draft: Draft, wanted: Request, asked: Asked) -> Draft:
    """The answer and the card of the change, or why there is none: what was found is told in any case."""
    try:
        # What is changed is asked for by the person's own words, never by what the parts found.
        card = await answer_action(replace(asked, request=wanted, memory={**asked.memory, **draft.memory}))
    except TwsError as error:
        notice = Notice(text=asked.say("tws_refuses", reason=str(error)), level="warning")
        return replace(draft, blocks=(*draft.blocks, notice))
    return replace(
        draft,
        blocks=(*draft.blocks, *card.blocks),
        buttons=card.buttons or draft.buttons,
        proposal=card.proposal,
        memory={**draft.memory, **card.memory},
    )


async def _since_then(asked: Asked, tasks: Tasks) -> list[Block]:
    """What the plan says now of the jobs whose failure was explained, where it is no failure any more."""
    told = {
        name
        for one in tasks.values()
        if one.draft is not None
        and one.request.kind == "diagnosis"
        and one.request.topic is None
        and not one.each_of
        for name in one.draft.found
    }
    if not told:
        return []
    asked.tools.forget()
    wanted = JobFilter(common_statuses=(CommonStatus.ERROR,), limit=_LOOKED_AT)
    try:
        page = await asked.tools.query_jobs(wanted)
    except TwsError as error:
        return [Notice(text=asked.say("not_looked_again", reason=str(error)), level="warning")]
    gone = sorted(told - {job.selection for job in page.jobs})
    if not gone or page.total > _LOOKED_AT:
        return []
    return [Notice(text=asked.say("failed_no_more", names=", ".join(gone)))]


def _partial(asked: Asked, tasks: Tasks) -> list[Block]:
    wanting = missing(tasks)
    if not wanting:
        return []
    said = "; ".join(f"{one.title} ({one.problem})" for one in wanting[:_SAID])
    more = asked.say("task_more", count=len(wanting) - _SAID) if len(wanting) > _SAID else ""
    return [
        Notice(text=asked.say("plan_partial", missing=" ".join(filter(None, (said, more)))), level="warning")
    ]


def _steps(asked: Asked, tasks: Tasks) -> Steps:
    views = (
        StepView(title=one.title, state=one.state, depth=one.depth, detail=one.problem)
        for one in in_order(tasks)
        if one.id != ROOT and one.state in {"done", "failed", "skipped"}
    )
    return Steps(items=tuple(views), title=asked.say("plan_steps"))
