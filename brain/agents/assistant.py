"""Lets a language model answer with the tools; without one, or when it fails, the other agents answer."""

from __future__ import annotations

from brain.agents.grammar import Request
from brain.agents.model_tools import Evidence, model_tools
from brain.agents.offers import action_buttons
from brain.llm.loop import ToolLoop
from brain.llm.prompt import load_prompt
from brain.markdown import to_blocks
from brain.message import Locale, Verb
from brain.phrases import say
from brain.reply import Bullets, Button, text
from brain.state import Draft, Memory, TurnContext

__all__ = ["answer_with_model"]


async def answer_with_model(
    loop: ToolLoop, context: TurnContext, request: Request, memory: Memory, locale: Locale
) -> Draft:
    """The model's answer with what its tools found. Raises `ModelUnavailableError`."""
    evidence = Evidence()
    tools = model_tools(context.tools, request, locale, evidence)

    async def on_progress(_tool: str) -> None:
        await context.progress(say(locale, "progress_model"))

    result = await loop.run(
        load_prompt("assistant").text + _situation(memory, locale),
        (),
        _question(context.message.text, request, memory, locale),
        tools,
        context.delta,
        on_progress,
    )
    proposal = evidence.proposal
    blocks = to_blocks(result.text)
    if proposal is not None:
        # What an approver reads comes from the plan, not from the model's retelling.
        blocks += (Bullets(items=tuple(text(line) for line in proposal.consequences)),)
        buttons: tuple[Button, ...] = (
            Button(
                label=say(locale, "button_approve"), verb=Verb.APPROVE, value=proposal.id, style="primary"
            ),
            Button(label=say(locale, "button_reject"), verb=Verb.REJECT, value=proposal.id),
        )
    else:
        buttons = () if evidence.job is None else action_buttons(context.tools, evidence.job, locale)
    return Draft(
        agent="assistant",
        blocks=blocks,
        citations=tuple(evidence.citations),
        buttons=buttons,
        proposal=None if proposal is None else proposal.view,
        degraded=frozenset(evidence.degraded),
        memory=Memory(selection=evidence.job.selection) if evidence.job else Memory(),
    )


def _question(words: str, request: Request, memory: Memory, locale: Locale) -> str:
    """The person's words; the whole sentence where they only answer "which one?"."""
    answers = bool(memory.get("candidates")) and request.kind == memory.get("pending_kind")
    if not answers:
        return words
    selection = ".".join(name for name in (request.job_stream, request.job) if name)
    return say(locale, f"say_{request.kind}", job=selection)


def _situation(memory: Memory, locale: Locale) -> str:
    selection = memory.get("selection", "")
    about = f"\nThe job last spoken of: {selection}." if selection else ""
    return f"\n\nThe person's language: {locale}.{about}\n"
