"""A press on Approve or Reject: hands it to the approval and says what became of it."""

from __future__ import annotations

from typing import Literal

from brain.message import Locale
from brain.phrases import phrase, say
from brain.reply import DecisionOutcome, DecisionState, Notice, code, strong
from brain.state import Draft, Memory, TurnContext

__all__ = ["answer_decision"]

_LEVELS: dict[DecisionState, Literal["info", "good", "warning", "danger"]] = {
    "confirmed": "good",
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
        await context.progress(say(locale, "progress_decision", job=proposal.target.selection))
    result = await tools.decide(button.value, button.verb, reason=button.reason, locale=locale)
    state = say(locale, f"state_{result.state}")
    outcome = DecisionOutcome(proposal_id=button.value, state=result.state, detail=result.detail)
    notice = Notice(text=f"{state} {result.detail}", level=_LEVELS[result.state])
    if proposal is None:
        return Draft(agent="action", blocks=(notice,), outcome=outcome)
    title = phrase(
        locale,
        "decision_title",
        action=strong(say(locale, f"button_{proposal.action}")),
        job=code(proposal.target.selection),
        person=tools.actor.display_name,
    )
    return Draft(
        agent="action",
        blocks=(title, notice),
        outcome=outcome,
        memory=Memory(selection=proposal.target.selection),
    )
