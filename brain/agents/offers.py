"""The buttons under an answer about a job: what may be done next."""

from __future__ import annotations

from brain.actions.policy import Action
from brain.message import Locale, Verb
from brain.phrases import say
from brain.reply import Button
from brain.toolbox import Toolbox
from tws.objects import Job

__all__ = ["action_buttons"]


def action_buttons(tools: Toolbox, job: Job, locale: Locale) -> tuple[Button, ...]:
    """One button for each change that is legal now; pressing it only asks for a proposal."""
    offered = tools.offers(job)
    if job.has_failed:
        # After a failure the way on is a rerun, or to give the job up; the rest is noise at 3 a.m.
        offered = tuple(action for action in offered if action in {Action.RERUN, Action.CANCEL})
    return tuple(
        Button(
            label=say(locale, f"button_{action}"),
            verb=Verb.SAY,
            value=say(locale, f"say_{action}", job=job.selection),
            style="primary" if action is Action.RERUN else "danger" if action is Action.CANCEL else "default",
        )
        for action in offered
    )
