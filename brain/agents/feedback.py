"""What somebody thinks of an answer, and why it is as it is: presses below answers in chats."""

from __future__ import annotations

from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.ratings import Answered
from brain.reply import Block, Bullets, Button, Buttons, strong, text
from brain.state import Draft, Memory, TurnContext
from knowledge.feedback import Verdict

_QUESTION = 200
"""Characters of it that are repeated."""
RATED = frozenset({"status", "diagnosis", "knowledge", "relations", "assistant", "planner"})
"""Agents of whose answers people say what they think."""


def rating_row(turn_id: str, locale: Locale) -> Buttons:
    """The buttons below an answer."""
    return Buttons(
        items=(
            Button(label="👍", verb=Verb.RATE, value=f"good:{turn_id}"),
            Button(label="👎", verb=Verb.RATE, value=f"bad:{turn_id}", asks_reason=True),
            Button(label=say(locale, "button_explain"), verb=Verb.WHY, value=turn_id),
        )
    )


async def answer_feedback(context: TurnContext, locale: Locale) -> Draft:
    """Only for whoever pressed; and only of answers of the same conversation."""
    press, tools = context.message.button, context.tools
    assert press is not None, "the router looked"
    is_why = press.verb is Verb.WHY
    verdict, _, turn_id = ("", "", press.value) if is_why else press.value.partition(":")
    answered = await tools.ratings.find(turn_id, context.message.conversation)
    if answered is None or not (is_why or verdict in {"good", "bad"}):
        return _private(phrase(locale, "no_such_answer"))
    if is_why:
        return _private(*_why(answered, locale))
    opinion: Verdict = "good" if verdict == "good" else "bad"
    is_taken = await tools.ratings.rate(answered, opinion, press.reason, by=tools.actor)
    thanks = "rated_corrected" if press.reason else "rated"
    return _private(phrase(locale, thanks if is_taken else "rated_before"))


def _private(*blocks: Block) -> Draft:
    return Draft(agent="feedback", blocks=blocks, memory=Memory(), is_private=True)


def _why(answered: Answered, locale: Locale) -> tuple[Block, ...]:
    """Who answered from what; how sure it is says the answer itself."""
    reply, models = answered.reply, answered.models
    sources = [
        f"[{number}] {item.document_title}, {item.place}" for number, item in enumerate(reply.citations, 1)
    ]
    lines = [
        say(locale, "why_agent", agent=say(locale, f"agent_{reply.agent}")),
        say(locale, "why_models", models=", ".join(models)) if models else say(locale, "why_no_model"),
        *([] if sources else [say(locale, "why_no_sources")]),
        *(say(locale, f"degraded_{name}") for name in reply.degraded),
    ]
    title = phrase(locale, "why_title", question=strong(answered.question[:_QUESTION]))
    shown: list[Block] = [title, Bullets(items=tuple(text(line) for line in lines))]
    if sources:
        shown += [phrase(locale, "why_sources"), Bullets(items=tuple(text(line) for line in sources))]
    return tuple(shown)
