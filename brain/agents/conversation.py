"""Greetings and help: what this person can ask and do here. And the wish that a conversation be forgotten."""

from __future__ import annotations

from brain.agents.grammar import Kind
from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Bullets, Button, Code
from brain.state import Draft
from brain.toolbox import Toolbox
from security.roles import Permission

_EXAMPLES = ("example_failed", "example_late", "example_message")


def answer_conversation(kind: Kind, tools: Toolbox, locale: Locale) -> Draft:
    """What can be asked; or that the conversation is forgotten, which the brain sees to before it says so."""
    if kind == "forget":
        return Draft(agent="conversation", blocks=(phrase(locale, "forgotten"),), forgets=True)
    return answer_help(tools, locale)


def answer_help(tools: Toolbox, locale: Locale, *, opening: str = "help", problem: str = "") -> Draft:
    """What can be asked; changes are named only to those who may propose them. `problem` is shown as it is."""
    if problem:
        return Draft(agent="clarify", blocks=(phrase(locale, "no_selection"), Code(text=problem)))
    first = phrase(locale, opening, person=tools.actor.display_name)
    items = [phrase(locale, key) for key in ("help_why", "help_status", "help_several", "help_knowledge")]
    if tools.may_write and tools.actor.may(Permission.PROPOSE):
        items.append(phrase(locale, "help_action"))
    items.append(phrase(locale, "help_forget"))
    examples = [say(locale, key) for key in _EXAMPLES]
    return Draft(
        agent="conversation" if opening == "help" else "clarify",
        blocks=(first, Bullets(items=tuple(items))),
        buttons=tuple(Button(label=example, verb=Verb.SAY, value=example) for example in examples),
    )
