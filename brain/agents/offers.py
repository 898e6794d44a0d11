"""Buttons: what may be done next, in the words a person would type, and the card of a proposal."""

from collections.abc import Iterable, Mapping

from brain.actions.proposal import Proposal
from brain.agents.grammar.arguments import Arguments
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Bullets, Button, ButtonStyle, Notice, code, strong, text
from brain.state import Draft
from brain.toolbox import Toolbox
from tws.actions import Action, Change, ObjectKind, PlanObject, kind_of
from tws.objects import Job

_COMMON = (
    Action.RERUN,
    Action.HOLD,
    Action.RELEASE,
    Action.CANCEL,
    Action.KILL,
    Action.CONFIRM_SUCC,
    Action.CONFIRM_ABEND,
    Action.LINK,
    Action.START,
    Action.REPLY_YES,
    Action.REPLY_NO,
)
"""What is worth a button wherever an object is shown; the rest is asked for in words."""
_AFTER_FAILURE = (Action.RERUN, Action.CANCEL)
"""After a failure the way on is a rerun, or to give the job up; the rest is noise at 3 a.m."""
_STYLES: Mapping[Action, ButtonStyle] = {
    Action.RERUN: "primary",
    **dict.fromkeys((Action.CANCEL, Action.KILL, Action.CONFIRM_ABEND, Action.REPLY_NO), "danger"),
}


def wording(action: Action, kind: ObjectKind, name: str, locale: Locale, arguments: Arguments) -> str:
    """How a person would ask for the change: what a button says for them."""
    sentence = say(locale, f"say_{action}", kind=say(locale, f"kind_{kind}"), job=name)
    return sentence + "".join(say(locale, f"arg_{key}", value=value) for key, value in arguments.items())


def action_buttons(tools: Toolbox, target: PlanObject, locale: Locale) -> tuple[Button, ...]:
    """One button for each change that is legal now; pressing it only asks for a proposal."""
    worth = _AFTER_FAILURE if isinstance(target, Job) and target.has_failed else _COMMON
    changes = (
        Change(action=action, kind=kind_of(target), object_id=target.id, selection=target.selection)
        for action in tools.offers(target)
        if action in worth
    )
    return tuple(change_button(change, locale) for change in changes)


def change_button(change: Change, locale: Locale, *, with_name: bool = False) -> Button:
    """A button that asks for the change; with the object's name where several objects are spoken of."""
    title, name = say(locale, f"button_{change.action}"), change.selection.rpartition(".")[2]
    return Button(
        label=f"{title} {name}" if with_name else title,
        verb=Verb.SAY,
        value=wording(change.action, change.kind, change.selection, locale, change.arguments),
        style=_STYLES.get(change.action, "default"),
    )


def ask_button(key: str, selection: str, locale: Locale, style: ButtonStyle = "default") -> Button:
    """A button that asks about a job: `why`, `status`."""
    words = say(locale, "say_diagnosis" if key == "why" else f"say_{key}", job=selection)
    name = selection.rpartition(".")[2] if key == "why" else selection
    return Button(label=say(locale, f"button_{key}", job=name), verb=Verb.SAY, value=words, style=style)


def proposal_card(proposal: Proposal, locale: Locale, notes: Iterable[Notice] = ()) -> Draft:
    """The proposal with its consequences and the buttons to decide it."""
    title = phrase(
        locale,
        "proposal_title",
        action=strong(say(locale, f"button_{proposal.action}")),
        job=code(proposal.selection),
        arguments="".join(
            say(locale, f"arg_{name}", value=value) for name, value in proposal.changes[0].arguments.items()
        ),
    )
    needs = say(locale, f"requires_{proposal.requires}")
    return Draft(
        agent="action",
        blocks=(
            *notes,
            title,
            Bullets(items=tuple(text(line) for line in proposal.consequences)),
            Notice(text=needs, level="info" if proposal.requires == "self" else "warning"),
        ),
        # Who approves for somebody else says why, and so does who rejects.
        buttons=(
            Button(
                label=say(locale, "button_approve"),
                verb=Verb.APPROVE,
                value=proposal.id,
                style="primary",
                asks_reason=proposal.requires == "second_person",
            ),
            Button(label=say(locale, "button_reject"), verb=Verb.REJECT, value=proposal.id, asks_reason=True),
        ),
        proposal=proposal.view,
    )
