"""A press on Approve or Reject: hands it to the approval and says what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from brain.actions.proposal import Proposal
from brain.agents.offers import proposal_card
from brain.message import Locale
from brain.phrases import phrase, say
from brain.reply import DecisionOutcome, DecisionState, Notice, code, strong
from brain.state import Draft, Memory, TurnContext
from tws.objects import Job, JobStream

_LEVELS: dict[DecisionState, Literal["info", "good", "warning", "danger"]] = {
    "confirmed": "good",
    "running": "info",
    "different": "danger",
    "unknown": "warning",
    "rejected": "info",
    "refused": "warning",
    "expired": "info",
}


async def answer_decision(context: TurnContext, locale: Locale) -> Draft:
    """The outcome as the plan shows it."""
    button = context.message.decision
    assert button is not None
    tools = context.tools
    proposal = await tools.proposal(button.value)
    if proposal is not None:
        await context.progress(say(locale, "progress_decision", job=proposal.selection))
    result = await tools.decide(button.value, button.verb, reason=button.reason, locale=locale)
    state = say(locale, f"state_{result.state}")
    outcome = DecisionOutcome(proposal_id=button.value, state=result.state, detail=result.detail)
    notice = Notice(text=f"{state} {result.detail}", level=_LEVELS[result.state])
    if proposal is None:
        return Draft(agent="action", blocks=(notice,), outcome=outcome, is_private=True)
    title = phrase(
        locale,
        "decision_title",
        action=strong(say(locale, f"button_{proposal.action}")),
        job=code(proposal.selection),
        person=tools.actor.display_name,
    )
    decided = Draft(agent="action", blocks=(title, notice), outcome=outcome, memory=_spoken_of(proposal))
    if result.is_private:
        return replace(decided, blocks=(notice,), is_private=True)
    if result.fresh is None:
        return decided
    # What became void or stopped half way is offered again as it is now.
    card = proposal_card(result.fresh, locale)
    return replace(
        decided, blocks=(*decided.blocks, *card.blocks), buttons=card.buttons, proposal=card.proposal
    )


def _spoken_of(proposal: Proposal) -> Memory:
    target = proposal.items[0].before
    is_one = len(proposal.items) == 1 and isinstance(target, Job | JobStream)
    return Memory(selection=proposal.selection) if is_one else Memory()
