"""Resolved incidents become cases: from a failure, a change that was approved, and a good end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from structlog.testing import capture_logs

from brain.cases import Case, CaseMaker, record
from knowledge.documents import Document, Reader
from knowledge.graph import KnowledgeGraph
from knowledge.ingest import Ingest
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.vectors import VectorIndex
from tests.support.brain_parts import EMBEDDER, ENGINE, SUPERVISOR, Parts, open_parts, skip
from tests.support.talk import Talk, open_talk
from tests.support.waiting import eventually
from tws.actions import Action
from tws.engines import Engines
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings
from tws.objects import Job

_JOB = "AGT_SEC01#SECOPS.CERT_SYNC"
_ALL = Reader(None)


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)


@pytest.fixture
def ingest(engine: AsyncEngine, store: Store) -> Ingest:
    return Ingest(store, VectorIndex(engine, EMBEDDER), KnowledgeSettings())


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url) as opened:
        yield opened


@pytest.fixture
async def talk(parts: Parts, postgres_dsn: str) -> AsyncIterator[Talk]:
    async with open_talk(parts, postgres_dsn) as opened:
        yield opened


@pytest.fixture
async def mirror(engine: AsyncEngine, parts: Parts) -> AsyncIterator[Mirror]:
    graph = KnowledgeGraph(engine).replace_source
    options = {"name": ENGINE, "source": parts.tws, "settings": MirrorSettings(), "metrics": parts.metrics}
    opened = Mirror(engine, **options, graph=graph)  # type: ignore[arg-type]  # options by name
    yield opened
    await opened.aclose()


def _maker(parts: Parts, store: Store, ingest: Ingest) -> CaseMaker:
    engines = Engines({ENGINE: parts.tws}, default=ENGINE)
    return CaseMaker(parts.engine, engines=engines, plans=Plans(parts.engine), store=store, ingest=ingest)


async def _cases(store: Store) -> list[Document]:
    return [document for document in await store.list(_ALL) if document.kind == "case"]


async def _rerun(parts: Parts, mirror: Mirror, tws_url: str, name: str, job_stream: str) -> Job:
    """Reruns the job as the product does and lets it end; gives it as it is then."""
    job = await parts.job(name, job_stream)
    result = await parts.decide(
        await parts.propose(Action.RERUN, job, reason="Vera (vera@example.com) asked")
    )
    assert result.state == "confirmed", result.detail
    for _ in range(20):
        await mirror.poll()
        job = await parts.job(name, job_stream)
        if job.status in {"SUCC", "ABEND"}:
            break
        await skip(tws_url, seconds=600)
    await mirror.poll()
    return job


async def test_a_failure_that_was_repaired_here_becomes_one_case(
    talk: Talk, parts: Parts, mirror: Mirror, store: Store, ingest: Ingest, tws_url: str
) -> None:
    await mirror.poll()
    makers = [_maker(parts, store, ingest) for _ in range(3)]
    assert await makers[0].run_once() == 0, "nothing was repaired"
    assert (await _rerun(parts, mirror, tws_url, "PAYROLL", "PAYDAILY")).status == "SUCC"
    assert sum(await asyncio.gather(*(maker.run_once() for maker in makers))) == 1
    assert await makers[1].run_once() == 0, "once is enough"
    (case,) = await _cases(store)
    assert case.title.startswith("AGT_HR01#PAYDAILY.PAYROLL: ABEND, RC 8 (")
    words = "\n".join(chunk.text for chunk in await store.read(case.id, _ALL))
    for expected in ("ORA-01653: unable to extend table HR.PAY_TRANS", "rerun", "operator"):
        assert expected in words
    for personal in ("Vera", "example.com", "Otto"):
        assert personal not in words
    for question in ("has this happened before?", "já aconteceu antes?"):
        await talk.say("status of PAYROLL")
        reply = await talk.say(question)
        (cited,) = reply.citations
        assert (cited.document_id, cited.quote) == (case.id, "rerun")
        assert cited.document_title in reply.plain_text


async def test_all_changes_before_the_good_end_are_the_fix(
    parts: Parts, mirror: Mirror, store: Store, ingest: Ingest, tws_url: str
) -> None:
    await mirror.poll()
    maker = _maker(parts, store, ingest)
    failed = await _rerun(parts, mirror, tws_url, "CERT_SYNC", "SECOPS")
    assert failed.status == "ABEND"
    assert await maker.run_once() == 0, "it has not ended well yet"
    confirmed = await parts.decide(
        await parts.propose(Action.CONFIRM_SUCC, failed, by=SUPERVISOR), by=SUPERVISOR
    )
    assert confirmed.state == "confirmed", confirmed.detail
    await mirror.poll()
    maker.start()
    (case,) = await eventually(lambda: _cases(store))
    await maker.aclose()
    words = "\n".join(chunk.text for chunk in await store.read(case.id, _ALL))
    assert "rerun → confirm_succ" in words
    assert "operator, supervisor" in words
    assert "curl: (60)" in words


async def test_a_case_is_found_by_search_as_a_diagnosis_shows_it_and_goes_when_deleted(
    talk: Talk, mirror: Mirror, store: Store, ingest: Ingest
) -> None:
    await mirror.poll()
    case = Case(
        id="TWS:1",
        subject=_JOB,
        symptom="ABEND, RC 60",
        details="AWSBHT023E\n    curl: (60) certificate has expired; user: jdoe, phone +55 11 98765-4321",
        root="The certificate of the mail gateway had expired.",
        fix="rerun after the PKI team renewed the certificate",
        by="operator, PKI team",
        lasted=timedelta(minutes=35),
        resolved_at=datetime(2026, 3, 2, 3, 10, tzinfo=UTC),
    )
    first = await record(ingest, case)
    assert (await record(ingest, case)).outcome == "unchanged"
    found = await talk.say("what do you know about AWSBHT023E?")
    assert "ABEND, RC 60 (2026-03-02 03:10 UTC)" in found.plain_text
    diagnosis = await talk.say("why did CERT_SYNC fail?")
    assert "fixed by rerun after the PKI team renewed the certificate" in diagnosis.plain_text
    assert first.document_id is not None
    words = "\n".join(chunk.text for chunk in await store.read(first.document_id, _ALL))
    assert "jdoe" not in words
    assert "98765" not in words
    assert "Lasted / Durou: 35m 00s" in words
    await store.delete(first.document_id)
    assert "I know of no resolved incident" in (await talk.say("has CERT_SYNC failed before?")).plain_text


async def test_feedback_weighs_a_document_within_bounds(store: Store, ingest: Ingest) -> None:
    report = await ingest.ingest_bytes("a.md", b"# A\n\nRead the log.")
    assert report.document_id is not None

    async def weighed() -> float:
        (document,) = await store.list(_ALL)
        return document.weight

    before = await store.revision()
    await store.weigh(report.document_id, "good")
    assert await weighed() == 1.25
    assert await store.revision() != before, "what was answered with another weight is forgotten"
    for _ in range(10):
        await store.weigh(report.document_id, "good")
    assert await weighed() == 2
    for _ in range(20):
        await store.weigh(report.document_id, "bad")
    assert await weighed() == 0.5
    await store.weigh("no such document", "good")


async def test_a_maker_goes_on_while_the_database_is_away(parts: Parts, store: Store, ingest: Ingest) -> None:
    away = create_async_engine("postgresql+asyncpg://127.0.0.1:1/none")
    maker = CaseMaker(
        away,
        engines=Engines({ENGINE: parts.tws}, default=ENGINE),
        plans=Plans(away),
        store=store,
        ingest=ingest,
        interval=timedelta(milliseconds=1),
    )
    with capture_logs() as logs:
        maker.start()
        await eventually(lambda: asyncio.sleep(0, len(logs) > 2))
        await maker.aclose()
    assert {entry["event"] for entry in logs} == {"cases_round_failed"}
    await away.dispose()
