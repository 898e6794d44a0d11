"""Answers from the knowledge graph: what depends on what, who owns it, what happened before, what runbooks leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from brain.agents.asked import Asked
from brain.agents.moments import moment_of
from brain.agents.tables import ROWS
from brain.reply import Block, Citation, code, strong
from brain.state import Draft, Memory
from knowledge.relations import Known, Source

_CITED = 5
"""Documents quoted; of more, the newest."""
_OWNERS, _CASES = ("owned_by", "escalates_to"), ("fixed_by",)


async def answer_relations(asked: Asked) -> Draft:
    """The question about what is connected, of the name in it or of the job spoken of before."""
    if asked.request.topic == "coverage":
        return await _coverage(asked)
    names = _named(asked)
    if not names:
        return _draft(asked.phrase("which_name"))
    at = moment_of(asked.request.arguments, asked.zone) if asked.request.arguments else None
    answers = {"impact": _impact, "owner": _owner, "incidents": _incidents}
    draft = await answers.get(asked.request.topic or "", _known)(asked, names, at)
    if at is None or not draft.blocks:
        return draft
    return _draft(asked.phrase("then", at=strong(asked.cell(at))), *draft.blocks, citations=draft.citations)


async def linked(
    asked: Asked, selection: str, messages: Iterable[str], citations: list[Citation]
) -> list[Block]:
    """What a diagnosis adds: a runbook of the job or a message that is not cited yet, the owner, the last fix."""
    cited = {citation.document_id for citation in citations}
    told: dict[str, Known] = {}
    for known in await asked.tools.facts(selection, *messages, relations=("about", *_OWNERS, *_CASES)):
        source = known.source
        if source is None or (source.kind == "case") is not (known.relation in _CASES):
            continue
        if known.relation != "about" or source.document_id not in cited:
            told.setdefault(known.relation, known)
    if "owned_by" in told:
        told.pop("escalates_to", None)
    return _quoted(asked, told.values(), citations)


def _named(asked: Asked) -> tuple[str, ...]:
    request, spoken_of = asked.request, asked.memory.get("selection", "")
    name = ".".join(filter(None, (request.job_stream, request.job)))
    if name and request.selection is not None and request.workstation:
        name = f"{request.workstation}#{name}"
    alone = (
        name or request.workstation or request.resource or request.prompt or "".join(request.candidates[:1])
    )
    # A name that ends with a wildcard ended a question.
    named = (alone.rstrip("?"), *request.identifiers)
    return tuple(filter(None, named)) or tuple(filter(None, (spoken_of,)))


async def _impact(asked: Asked, names: Collection[str], at: datetime | None) -> Draft:
    (name, *_) = names
    impact = await asked.tools.impact(name, at)
    reached = [one for one in impact.reached if one.depth]
    if not impact.reached:
        return _draft(asked.phrase("not_in_graph", name=code(name)))
    if not reached:
        return _draft(asked.phrase("nothing_depends", name=code(name)))
    count = strong(f"{len(reached)}+" if impact.is_cut else str(len(reached)))
    blocks: list[Block] = [
        asked.phrase("depend", name=code(name), count=count),
        asked.table("reached", reached),
    ]
    if len(reached) > ROWS:
        blocks.append(asked.phrase("shown_of", shown=str(ROWS), total=str(len(reached))))
    return _draft(*blocks)


async def _owner(asked: Asked, names: Collection[str], at: datetime | None) -> Draft:
    facts = await asked.tools.facts(*names, at=at, relations=(*_OWNERS, "belongs_to"))
    owners = [known for known in facts if known.relation in _OWNERS]
    if not owners:
        # Who looks after a job stream looks after its jobs.
        streams = {known.target[1] for known in facts if known.target[1] not in names}
        owners = list(await asked.tools.facts(*streams, at=at, relations=_OWNERS)) if streams else []
    owners.sort(key=lambda known: known.relation != "owned_by")
    citations: list[Citation] = []
    blocks = _quoted(asked, owners, citations) or [asked.phrase("no_owner", name=code(", ".join(names)))]
    return _draft(*blocks, citations=citations)


async def _incidents(asked: Asked, names: Collection[str], at: datetime | None) -> Draft:
    facts = await asked.tools.facts(*names, at=at, relations=_CASES)
    cases = [known for known in facts if known.source and known.source.kind == "case"]
    name = code(", ".join(names))
    if not cases:
        return _draft(asked.phrase("no_cases", name=name))
    citations: list[Citation] = []
    count = strong(str(len({known.source for known in cases})))
    return _draft(
        asked.phrase("cases", name=name, count=count), *_quoted(asked, cases, citations), citations=citations
    )


async def _known(asked: Asked, names: Collection[str], at: datetime | None) -> Draft:
    facts = await asked.tools.facts(*names, at=at)
    name = code(", ".join(names))
    if not facts:
        return _draft(asked.phrase("not_in_graph", name=name))
    rows = [
        (
            known.start[1],
            asked.say(f"rel_{known.relation}"),
            known.target[1],
            known.source and known.source.title,
        )
        for known in facts
    ]
    sources = {known.source: _cite(known, known.source) for known in reversed(facts) if known.source}
    count = strong(str(len(facts)))
    blocks: list[Block] = [asked.phrase("known", name=name, count=count), asked.table("known", rows)]
    if len(rows) > ROWS:
        blocks.append(asked.phrase("shown_of", shown=str(ROWS), total=str(len(rows))))
    return _draft(*blocks, citations=[*reversed(sources.values())][:_CITED])


async def _coverage(asked: Asked) -> Draft:
    found = await asked.tools.coverage()
    gaps, drift = found.gaps, found.drift
    blocks: list[Block] = [asked.phrase("gaps" if gaps else "no_gaps", count=strong(str(len(gaps))))]
    if gaps:
        blocks.append(asked.table("gap", gaps))
    blocks.append(asked.phrase("drift" if drift else "no_drift", count=strong(str(len(drift)))))
    if drift:
        blocks.append(asked.table("drift", drift))
    return _draft(*blocks)


def _quoted(asked: Asked, facts: Iterable[Known], citations: list[Citation]) -> list[Block]:
    """A sentence for each statement of a document, with its citation; the same statement once."""
    blocks: dict[tuple[str, str, str], Block] = {}
    for known in facts:
        if known.source is None or len(blocks) == _CITED:
            continue
        key = (known.source.title, known.relation, known.target[1])
        if key not in blocks:
            citations.append(_cite(known, known.source))
            title, _, said = key
            blocks[key] = asked.phrase(
                f"says_{known.relation}", title=strong(title), said=said, n=str(len(citations))
            )
    return list(blocks.values())


def _cite(known: Known, source: Source) -> Citation:
    return Citation(
        document_id=source.document_id,
        document_title=source.title,
        location=known.evidence,
        quote=known.target[1],
    )


def _draft(*blocks: Block, citations: Iterable[Citation] = ()) -> Draft:
    return Draft(agent="relations", blocks=blocks, citations=tuple(citations), memory=Memory())
