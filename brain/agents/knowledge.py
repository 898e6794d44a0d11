"""Answers from manuals and runbooks: quotations or, with a model, sentences that are checked against them.

Nothing a document says can do anything: no tool is offered while the model writes, and its words only become text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from brain.agents.asked import Asked
from brain.agents.evidence import Sources, list_items, told
from brain.agents.router import completed, split_again
from brain.llm.data_block import to_data_block
from brain.llm.loop import ToolLoop
from brain.llm.model import ModelUnavailableError
from brain.llm.prompt import load_prompt
from brain.markdown import to_blocks
from brain.message import Verb
from brain.reply import (
    Block,
    Bullets,
    Button,
    Citations,
    Notice,
    Reply,
    code,
    from_jsonable,
    strong,
    text,
    to_jsonable,
)
from brain.state import Draft, Memory
from brain.times import span
from knowledge.answer import Quote, answer, quote
from knowledge.cache import Known
from knowledge.citations import supported_claims
from knowledge.documents import Passage, SearchResult
from knowledge.doubts import doubts

_PASSAGES = 5
_NEAREST = 3
_BYPASS = ("again", "de novo")
"""Words after an answer that was kept; they stand for its question, to be answered anew."""
_LASTING = frozenset({"translation"})
"""What may be missing for good, so that answers without it are kept."""
_MOST_SAID = 1000
"""Characters of a question that a button repeats."""
_log = structlog.get_logger(__name__)


async def answer_knowledge(asked: Asked, words: str, loop: ToolLoop | None) -> Draft:
    """What the documents say; an answer that was given before, with its age; or that nothing is known."""
    question, is_again = split_again(completed(words, asked.memory))
    # Whatever else came here (a change that was only spoken of, say) is not kept.
    is_kept = asked.request.kind == "knowledge"
    asking = await asked.tools.look_up(question, asked.locale) if is_kept else None
    if asking is not None and asking.known is not None and not is_again:
        return _known(asked, question, asking.known)
    await asked.progress(asked.say("progress_documents"))
    result = await asked.tools.search(question, k=_PASSAGES)
    if not result.answerable:
        return _not_known(asked, result)
    draft = await _answered(asked, question, result.passages, loop)
    draft = replace(draft, degraded=draft.degraded | set(result.degraded))
    if asking is not None and draft.degraded <= _LASTING:
        blocks = (*draft.blocks, Citations(items=draft.citations))
        reply = Reply(blocks=blocks, plain_text="", degraded=tuple(draft.degraded))
        await asked.tools.keep_answer(asking, to_jsonable(reply), result.passages)
    return draft


async def _answered(asked: Asked, question: str, passages: Sequence[Passage], loop: ToolLoop | None) -> Draft:
    sources, away = Sources(), frozenset[str]()
    blocks: list[Block] = []
    tokens = 0
    if loop is not None:
        try:
            blocks, away, tokens = await _composed(asked, question, passages, loop, sources)
        except ModelUnavailableError as error:
            _log.warning("model_unavailable", reason=error.reason)
            away = frozenset({error.part})
    if not blocks:
        quotes = answer(question, passages, datetime.now(UTC).date())
        blocks.append(asked.phrase("documents_say"))
        blocks += [block for found in quotes for block in _quoted(asked, found, sources)]
    blocks += _doubted(asked, question, passages, sources)
    return Draft(
        agent="knowledge",
        blocks=tuple(blocks),
        citations=tuple(sources.citations),
        degraded=away,
        tokens=tokens,
    )


async def _composed(
    asked: Asked, question: str, passages: Sequence[Passage], loop: ToolLoop, sources: Sources
) -> tuple[list[Block], frozenset[str], int]:
    """Sentences of the model that the passages bear out, what was away meanwhile, and the tokens.

    Raises `ModelUnavailableError` when there are none.
    """

    async def hold_back(_piece: str) -> None:
        """Nothing is shown before it is checked."""

    await asked.progress(asked.say("progress_model"))
    shown = told(passages)
    data = to_data_block("documents", "\n\n".join(f"[{number}] {one}" for number, one in enumerate(shown, 1)))
    result = await loop.run(
        f"{load_prompt('documents').text}\n\nThe person's language: {asked.locale}.",
        (),
        f"{question}\n\n{data}",
        (),
        hold_back,
        asked.progress,
    )
    claims = supported_claims(result.text, shown)
    if not claims:
        raise ModelUnavailableError("nothing that the sources bear out", retryable=False)
    for number in dict.fromkeys(number for claim in claims for number in claim.cited):
        said = " ".join(claim.text for claim in claims if number in claim.cited)
        sources.cite(passages[number - 1], quote(passages[number - 1].text, said))
    lines = (
        " ".join((claim.text, *(f"[{sources.number(passages[number - 1])}]" for number in claim.cited)))
        for claim in claims
    )
    words = "\n".join(f"- {line}" for line in lines) if len(claims) > 1 else next(lines)
    return list(to_blocks(words)), result.degraded, result.tokens


def _quoted(asked: Asked, found: Quote, sources: Sources) -> list[Block]:
    title = strong(found.passage.document_title)
    if not found.is_steps:
        number = sources.cite(found.passage, found.text)
        return [asked.phrase("passage_says", title=title, quote=found.text, n=str(number))]
    steps = list_items(found.text)
    number = sources.cite(found.passage, " ".join(steps))
    items = Bullets(items=tuple(map(text, steps)), numbered=True)
    return [asked.phrase("steps_say", title=title, n=str(number)), items]


def _doubted(asked: Asked, question: str, passages: Sequence[Passage], sources: Sources) -> Iterator[Block]:
    """What speaks against the sources that are cited; one that says otherwise is cited too."""
    for doubt in doubts(passages, datetime.now(UTC).date()):
        compared = [passages[index] for index in (doubt.passage, doubt.other) if index is not None]
        if any(map(sources.number, compared if doubt.kind == "conflict" else compared[:1])):
            numbers = [
                sources.number(passage) or sources.cite(passage, quote(passage.text, question))
                for passage in compared
            ]
            sentence = asked.say(
                "sources_conflict" if doubt.kind == "conflict" else f"source_{doubt.kind}",
                n=numbers[0],
                other=numbers[-1],
                date=compared[0].valid_to,
                value=doubt.value,
                other_value=doubt.other_value,
            )
            yield Notice(text=sentence, level="warning")


def _not_known(asked: Asked, result: SearchResult) -> Draft:
    nearest = tuple(
        text(passage.document_title, ": ", code(passage.location)) for passage in result.passages[:_NEAREST]
    )
    hint = (asked.phrase("nearest_sections"), Bullets(items=nearest)) if nearest else ()
    blocks = (asked.phrase("do_not_know"), *hint)
    return Draft(agent="knowledge", blocks=blocks, degraded=frozenset(result.degraded))


def _known(asked: Asked, question: str, known: Known) -> Draft:
    """The answer as it was given, with its age and the way to a new one."""
    reply = from_jsonable(dict(known.answer))
    words = asked.say("again", question=question)
    button = Button(label=asked.say("ask_again"), verb=Verb.SAY, value=words)
    return Draft(
        agent="knowledge",
        blocks=(
            *(block for block in reply.blocks if not isinstance(block, Citations)),
            Notice(text=asked.say("answered_before", age=span(known.age))),
        ),
        citations=reply.citations,
        degraded=frozenset(reply.degraded),
        buttons=(button,) if len(words) <= _MOST_SAID else (),
        memory=Memory(candidates=list(_BYPASS), sentences=[words] * len(_BYPASS)),
    )
