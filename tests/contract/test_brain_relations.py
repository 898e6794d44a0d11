"""Questions about connections in a conversation: impact, owner, earlier incidents, coverage, all that is known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.reply import Citations, Reply, Table
from knowledge.graph import KnowledgeGraph
from knowledge.store import Store
from tests.support.brain_parts import ENGINE, VIEWER, Parts
from tests.support.relations import EVERYTHING, store_document
from tests.support.talk import Talk, table_of
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"
_RUNBOOKS = [path.read_text("utf-8") for path in sorted(Path("manifests/demo/runbooks").glob("*.md"))]


@pytest.fixture
async def known(engine: AsyncEngine, parts: Parts) -> AsyncIterator[Store]:
    """The plan and the runbooks are in the graph."""
    store = Store(engine)
    for runbook in _RUNBOOKS:
        heading, *sections = runbook.split("\n## ")
        words = dict(section.split("\n", 1) for section in sections)
        await store_document(store, heading.partition("\n")[0].removeprefix("# "), words)
    mirror = Mirror(
        engine,
        name=ENGINE,
        source=parts.tws,
        settings=MirrorSettings(),
        metrics=parts.metrics,
        graph=KnowledgeGraph(engine).replace_source,
    )
    await mirror.poll()
    yield store
    await mirror.aclose()


def _quotes(reply: Reply) -> list[tuple[str, str, str]]:
    return [(one.document_title, one.location, one.quote) for one in reply.citations]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("question", "opening"),
    [
        (f"what depends on {_PAYROLL}?", f"Depending on {_PAYROLL}, directly or not: "),
        (f"o que depende do {_PAYROLL}?", f"Dependem de {_PAYROLL}, direta ou indiretamente: "),
        ("what depends on workstation AGT_HR01?", "Depending on AGT_HR01, directly or not: "),
        ("o que depende do recurso FITALTO?", "Dependem de FITALTO, direta ou indiretamente: "),
    ],
)
async def test_what_depends_on_something(talk: Talk, question: str, opening: str) -> None:
    reply = await talk.say(question)
    assert reply.agent == "relations"
    assert reply.plain_text.startswith(opening)
    expected = {
        "FITALTO": "AGT_BKP01#BKPMAIL.BACKUP_MAILBOX",
        "PAYROLL": "AGT_HR01#PAYDAILY.GERA_HOLERITE",
        "AGT_HR01": _PAYROLL,
    }
    name = next(name for key, name in expected.items() if key in question)
    assert (name, "1") in table_of(reply).rows


@pytest.mark.usefixtures("known")
async def test_nothing_depends_on_what_is_last_or_unknown(talk: Talk) -> None:
    assert "I know nothing that is called NOWHERE" in (await talk.say("what depends on NOWHERE?")).plain_text
    assert (await talk.say("what depends on it?")).plain_text == (
        "Which job, job stream, workstation or resource do you mean?"
    )


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("question", ["who owns PAYROLL?", "quem é o dono do PAYROLL?"])
async def test_the_owner_is_named_with_the_runbook_that_says_so(talk: Talk, question: str) -> None:
    reply = await talk.say(question)
    (quote, *_) = _quotes(reply)
    assert quote[0].startswith("PAYROLL (PAYDAILY)")
    assert quote[1:] == ("Whom to call", "Database Services for the space, HR Systems for everything else")
    assert quote[2] in reply.plain_text
    unknown = await talk.say("who owns GERA_HOLERITE?")
    assert unknown.citations != (), "the stream's contact answers for its jobs"
    assert (
        "No document that you may read says who owns NOBODYS"
        in (await talk.say("who owns NOBODYS?")).plain_text
    )


async def test_the_owner_in_a_restricted_runbook_is_told_to_its_readers_only(
    talk: Talk, known: Store
) -> None:
    await store_document(
        known, "Secret", {"CALC_HORAS": "Owner: Secret Team"}, readers=frozenset({"group:hr"})
    )
    asked = "who owns CALC_HORAS?"
    member = replace(VIEWER, groups=frozenset({"hr"}))
    assert "Secret Team" in (await talk.say(asked, by=member)).plain_text
    for question in (asked, "what do you know about CALC_HORAS?"):
        stranger = await talk.say(question, by=VIEWER)
        assert "Secret" not in stranger.plain_text
        assert "Secret" not in str(stranger.citations)


@pytest.mark.usefixtures("known")
async def test_all_that_is_known_of_a_name_now_and_then(talk: Talk) -> None:
    reply = await talk.say("what do you know about PAYROLL?")
    rows = table_of(reply).rows
    assert (_PAYROLL, "belongs to", "AGT_HR01#PAYDAILY", "–") in rows
    title = next(row[3] for row in rows if row[1] == "is handled by")
    assert title.startswith("PAYROLL (PAYDAILY)")
    assert [block for block in reply.blocks if isinstance(block, Citations)]
    falado = await talk.say("o que você sabe sobre o PAYROLL?")
    assert (_PAYROLL, "pertence a", "AGT_HR01#PAYDAILY", "–") in table_of(falado).rows
    then = await talk.say("what did you know about GERA_HOLERITE in the last 2 hours?")
    assert then.plain_text.startswith("At ")
    assert "AGT_HR01#PAYDAILY" not in then.plain_text, "the plan was not read yet"


@pytest.mark.parametrize(
    ("question", "covered"),
    [
        ("which failures have no runbook?", "Every job that failed in the last 30 days has a runbook"),
        ("quais falhas não têm runbook?", "Todo job que falhou nos últimos 30 dias tem um runbook"),
    ],
)
async def test_failures_without_a_runbook_and_names_that_are_gone(
    talk: Talk, known: Store, question: str, covered: str
) -> None:
    payroll = next(one for one in await known.list(EVERYTHING) if one.title.startswith("PAYROLL"))
    assert (await talk.say(question)).plain_text.startswith(covered)
    await known.delete(payroll.id)
    await store_document(known, "Payroll", {"PAYROLL": "RC 99\nOwner: HR\nJob OLD_JOB is gone."})
    gaps, drift = (block for block in (await talk.say(question)).blocks if isinstance(block, Table))
    assert (_PAYROLL, "8", "1", "Payroll") in {(row[0], row[1], row[2], row[4]) for row in gaps.rows}
    assert ("Payroll", "OLD_JOB", "PAYROLL") in drift.rows


@pytest.mark.usefixtures("known")
async def test_a_diagnosis_shows_the_owner(talk: Talk) -> None:
    reply = await talk.say("why did PAYROLL fail?")
    assert reply.agent == "diagnosis"
    assert "to call: Database Services for the space, HR Systems for everything else" in reply.plain_text
