"""Answers from manuals and runbooks: quotations with their source, or that nothing is known."""

from __future__ import annotations

from brain.agents.evidence import cite_passages
from brain.message import Locale
from brain.phrases import phrase
from brain.reply import Bullets, code, strong, text
from brain.state import Draft, TurnContext

__all__ = ["answer_knowledge"]

_PASSAGES = 3


async def answer_knowledge(context: TurnContext, locale: Locale) -> Draft:
    """The best passages, quoted; without a good one, says so and names the nearest sections."""
    question = context.message.text
    result = await context.tools.search(question, k=_PASSAGES)
    degraded = frozenset(result.degraded)
    if not result.answerable:
        nearest = tuple(
            text(passage.document_title, ": ", code(passage.location)) for passage in result.passages
        )
        hint = (phrase(locale, "nearest_sections"), Bullets(items=nearest)) if nearest else ()
        return Draft(agent="knowledge", blocks=(phrase(locale, "do_not_know"), *hint), degraded=degraded)
    citations = cite_passages(result.passages, question)
    quotes = tuple(
        phrase(locale, "passage_says", title=strong(source.document_title), quote=source.quote, n=str(number))
        for number, source in enumerate(citations, 1)
    )
    return Draft(agent="knowledge", blocks=quotes, citations=citations, degraded=degraded)
