"""Lets a language model answer with the tools; without one, or when it fails, the other agents answer."""

from __future__ import annotations

from dataclasses import replace

import structlog

from brain.agents.asked import Asked
from brain.agents.model_tools import Evidence, model_tools
from brain.agents.readers import READERS
from brain.agents.router import completed
from brain.claims import FOREIGN, Foreign, unnamed
from brain.grounding import Spoken, grounded, stands_in
from brain.llm.loop import ToolLoop
from brain.llm.model import ModelUnavailableError
from brain.llm.prompt import load_prompt
from brain.markdown import to_blocks
from brain.message import Locale
from brain.reply import Notice, code, strong, to_plain
from brain.state import Draft, Memory, TurnContext

_MOST_NAMED = 20
_log = structlog.get_logger(__name__)


async def answer_with_model(loop: ToolLoop, context: TurnContext, asked: Asked) -> Draft:
    """The model's answer with what its tools found. Raises `ModelUnavailableError`."""
    evidence = Evidence()
    tools = model_tools(asked, evidence, context.message.text)
    known = _known(context.message.text, asked.memory)

    async def on_progress(_tool: str) -> None:
        await asked.progress(asked.say("progress_model"))

    result = await loop.run(
        load_prompt("assistant").text + _situation(asked.memory, asked.locale),
        (),
        completed(context.message.text, asked.memory),
        tools,
        Spoken(evidence.told, known, context.delta),
        on_progress,
    )
    if not evidence.told and asked.request.kind in READERS:
        raise ModelUnavailableError("it answered without a look at the plan", retryable=False)
    said_by: dict[Foreign, str] = {origin: asked.say(f"said_by_{origin}") for origin in FOREIGN}
    found = grounded(to_blocks(result.text), evidence.told, known, said_by)
    if not found.blocks and evidence.card is None:
        raise ModelUnavailableError("nothing in the answer is borne out by a tool", retryable=False)
    blocks = found.blocks
    if found.left_out:
        _log.warning("model_answer_cut", sentences=len(found.left_out))
        left_out = asked.say("left_out", count=len(found.left_out))
        blocks = (*blocks, Notice(text=left_out, level="warning"))
    words = to_plain(blocks)
    for job in evidence.failed.values():
        if not (stands_in(job.status, words) and stands_in(job.name, words)):
            # Whatever the model makes of it, what the plan says is read too.
            blocks = (*blocks, asked.phrase("plan_says", job=strong(job.selection), status=code(job.status)))
    if missing := unnamed(words, evidence.lists, evidence.asked_list):
        _log.warning("model_answer_incomplete", missing=len(missing))
        names = ", ".join(missing[:_MOST_NAMED]) + (" …" if len(missing) > _MOST_NAMED else "")
        sentence = asked.say("not_named", count=len(missing), names=names)
        blocks = (*blocks, Notice(text=sentence, level="warning"))
    draft = Draft(
        agent="assistant",
        blocks=blocks,
        citations=tuple(evidence.citations),
        buttons=evidence.buttons,
        degraded=result.degraded | evidence.degraded,
        tokens=result.tokens,
        memory=_remembered(evidence),
    )
    card = evidence.card
    if card is None:
        return draft
    # What an approver reads comes from the plan, not from the model's retelling.
    return replace(draft, blocks=(*blocks, *card.blocks), buttons=card.buttons, proposal=card.proposal)


def _remembered(evidence: Evidence) -> Memory:
    if not evidence.selection:
        return Memory()
    if evidence.origin in FOREIGN:
        return Memory(selection=evidence.selection, origin=evidence.origin)
    return Memory(selection=evidence.selection)


def _known(words: str, memory: Memory) -> str:
    """What the model may name without a tool having named it."""
    return f"{words}\n{memory.get('selection', '')}"


def _situation(memory: Memory, locale: Locale) -> str:
    selection = memory.get("selection", "")
    about = f"\nThe job last spoken of: {selection}." if selection else ""
    return f"\n\nThe person's language: {locale}.{about}\n"
