"""Turns a wish to change something into a proposal, or tells what the change would do; nothing is done here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from brain.actions.consequences import sentences
from brain.actions.proposal import Proposal
from brain.actions.proposer import Refusal
from brain.actions.readback import facts
from brain.agents.asked import Asked
from brain.agents.grammar import ALL
from brain.agents.lists import JOB_TOPICS, UNFINISHED
from brain.agents.moments import next_time
from brain.agents.offers import action_buttons, change_button, proposal_card, wording
from brain.agents.resolve import ask, ask_nearest, find_object, select_jobs
from brain.agents.waiting import as_of
from brain.reply import Bullets, Notice, strong, text
from brain.state import Draft, Memory
from tws.actions import ACTIONS_OF, VALUES, Action, Change, ObjectKind, is_legal, legal_actions
from tws.impact import consequences
from tws.objects import CommonStatus, Job, JobStream
from tws.selection import Selection, parse

_MEANT: Mapping[Action, tuple[CommonStatus, ...]] = {
    Action.RERUN: JOB_TOPICS["failed"],
    Action.RELEASE: JOB_TOPICS["held"],
    Action.HOLD: JOB_TOPICS["waiting"],
}
"""Jobs that people mean when they want an action on all and do not say which."""


async def answer_action(asked: Asked) -> Draft:
    """A proposal with its consequences, or why there can be none."""
    request = asked.request
    if request.further or request.job == ALL or (request.selection and request.selection.is_pattern):
        return await _many(asked)
    wanted = await _wanted(asked)
    if isinstance(wanted, Draft):
        return wanted
    change, target = wanted
    origin = _origin(asked)
    proposed = await asked.tools.propose(change, asked.locale, reason=request.reason, origin=origin)
    return _shown(asked, proposed, [target])


def _origin(asked: Asked) -> str:
    """Whose text named the object, where the person did not."""
    if asked.request.is_quoted:
        return "chat"
    is_typed = asked.request.job and "selection" in asked.memory
    return "" if is_typed else asked.memory.get("origin", "")


async def answer_what_if(asked: Asked) -> Draft:
    """What the change would do, worked out on the plan, and a button to ask for it."""
    wanted = await _wanted(asked)
    if isinstance(wanted, Draft):
        return wanted
    (change, target), plan = wanted, await asked.tools.plan()
    words = wording(change.action, change.kind, change.selection, asked.locale, change.arguments)
    heading = asked.phrase("what_if", change=strong(words))
    if plan is None or change.action is Action.SUBMIT:
        return Draft(agent="diagnosis", blocks=(heading, asked.phrase("consequences_unknown")))
    lines = sentences(consequences(plan.replaced(target), change, datetime.now(UTC)), asked.locale)
    offered = change.action in asked.tools.offers(target)
    return Draft(
        agent="diagnosis",
        blocks=(heading, Bullets(items=tuple(text(line) for line in lines)), as_of(asked, plan)),
        buttons=(change_button(change, asked.locale),) if offered else (),
        memory=_remember(target),
    )


async def _wanted(asked: Asked) -> tuple[Change, Any] | Draft:
    """The change that is asked for, and its object; a refusal where it is illegal, else what is missing as a question."""
    found = await find_object(asked)
    if isinstance(found, Draft):
        return found
    request, action, target = asked.request, asked.request.action, found.target
    assert action is not None
    is_definition = action is Action.SUBMIT and action in ACTIONS_OF[found.kind]
    if not is_definition and not is_legal(action, target):
        sentence = asked.phrase(
            "illegal_action",
            action=asked.say(f"button_{action}"),
            job=strong(target.selection),
            status=strong(target.status if isinstance(target, Job | JobStream) else facts(target)),
            legal=", ".join(asked.say(f"button_{other}") for other in legal_actions(target)) or "–",
        )
        buttons = action_buttons(asked.tools, target, asked.locale)
        return Draft(agent="action", blocks=(sentence,), buttons=buttons, memory=_remember(target))
    words = wording(action, found.kind, target.selection, asked.locale, request.arguments)
    if VALUES.get(action, "") not in {"", *request.arguments}:
        question = asked.phrase(f"ask_{VALUES[action]}", job=strong(target.selection))
        return Draft(agent="clarify", blocks=(question,), memory=Memory(unfinished=words))
    arguments = dict(request.arguments)
    if "at" in arguments:
        arguments["at"] = next_time(str(arguments["at"]), asked.zone).isoformat()
    change = Change(
        action=action, kind=found.kind, object_id=target.id, selection=target.selection, arguments=arguments
    )
    return change, target


async def _many(asked: Asked) -> Draft:
    """One proposal for all jobs that are meant and are in a state for it."""
    tools, request, action = asked.tools, asked.request, asked.request.action
    assert action is not None
    first = ".".join(name for name in (request.job_stream, request.job) if name)
    names = [str(request.selection or first), *request.further]
    if action in VALUES or action not in ACTIONS_OF[ObjectKind.JOB]:
        return ask(asked, names, "one_at_a_time")
    jobs = []
    for name in names if request.further else ():
        named = await select_jobs(asked, parse(name))
        if not named:
            return await ask_nearest(asked, name.upper())
        jobs += named
    if not request.further:
        jobs = await _all(asked)
    legal = [job for job in jobs if is_legal(action, job)]
    if not legal:
        title = asked.say(f"button_{action}")
        return Draft(agent="action", blocks=(asked.phrase("none_legal", action=title, count=str(len(jobs))),))
    if len(legal) == 1:
        legal = [await tools.job(legal[0].id)]
    origin = _origin(asked)
    proposed = await tools.propose_bulk(action, legal, asked.locale, reason=request.reason, origin=origin)
    skipped = len(jobs) - len(legal)
    notes = [Notice(text=asked.say("bulk_skipped", count=skipped))] if skipped else []
    return _shown(asked, proposed, legal, notes)


async def _all(asked: Asked) -> list[Job]:
    """All jobs of the selection, or of the stream or workstation, in the state and with the return code that is meant."""
    request = asked.request
    selection = request.selection or Selection(job=ALL, job_stream=request.job_stream)
    jobs = await select_jobs(asked, selection)
    if request.workstation and request.selection is None:
        jobs = [job for job in jobs if job.workstation == request.workstation.upper()]
    states = JOB_TOPICS[request.topic] if request.topic else ()
    if not states and not selection.qualifiers:
        states = _MEANT.get(request.action or Action.RERUN, UNFINISHED)
    codes = {int(one.removeprefix("RC ")) for one in request.identifiers if one.startswith("RC ")}
    return [
        job
        for job in jobs
        if (not states or job.common_status in states)
        and (not codes or (job.last_run is not None and job.last_run.return_code in codes))
    ]


def _shown(
    asked: Asked, proposed: Proposal | Refusal, targets: Sequence[Any], notes: Sequence[Notice] = ()
) -> Draft:
    """The card, or why there is none and what is possible instead."""
    memory = _remember(targets[0]) if len(targets) == 1 else Memory()
    if isinstance(proposed, Proposal):
        return replace(proposal_card(proposed, asked.locale, notes), memory=memory)
    has_others = proposed.legal and len(targets) == 1
    buttons = action_buttons(asked.tools, targets[0], asked.locale) if has_others else ()
    notice = Notice(text=proposed.detail, level="warning")
    return Draft(agent="action", blocks=(notice,), buttons=buttons, memory=memory)


def _remember(target: Any) -> Memory:
    return Memory(selection=target.selection) if isinstance(target, Job | JobStream) else Memory()
