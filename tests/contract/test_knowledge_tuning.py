"""Thresholds: what others would do to judged questions, and the switch that somebody makes."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import Properties, Reader
from knowledge.feedback import Decision, Verdict
from knowledge.library import Library, open_library
from knowledge.settings import KnowledgeSettings
from knowledge.tuning import Tuning
from security.audit import AuditLog
from security.tables import audit_log
from tests.support.brain_parts import EMBEDDER

_ANSWERED = "what does ORA-01653 mean for PAYROLL?"
_WRONGLY = "what is the colour of the tablespace?"
_REFUSED = "who feeds the quokka of the office?"
_EVERYTHING = Reader(None)


@pytest.fixture
async def library(engine: AsyncEngine) -> Library:
    library = open_library(engine, KnowledgeSettings(), embedder=EMBEDDER)
    await library.ingest.ingest_bytes(
        "payroll.md", b"# PAYROLL\n\nORA-01653 means that the tablespace is full.", properties=Properties()
    )
    return library


async def _judge(
    library: Library, question: str, verdict: Verdict, *, cited: bool, correction: str = ""
) -> None:
    given = await library.feedback.give(
        f"turn {question} {verdict}",
        "ann",
        verdict,
        question=question,
        correction=correction,
        sources=["d1"] if cited else [],
    )
    if correction:
        assert await library.feedback.decide(str(given), Decision(accept=True), by="sue", reader=_EVERYTHING)


async def test_the_report_shows_each_threshold_and_only_a_switch_changes_anything(
    engine: AsyncEngine, library: Library
) -> None:
    tuning = Tuning(engine, library.search, AuditLog())
    await _judge(library, _ANSWERED, "good", cited=True)
    await _judge(library, _WRONGLY, "bad", cited=True)
    await _judge(library, _REFUSED, "bad", cited=False, correction="Bob feeds the quokka of the office.")
    await _judge(library, "is there nothing?", "good", cited=False)
    await _judge(library, "nobody knows what was wanted", "bad", cited=False)
    before, effects = await tuning.report()
    assert before == await library.search.threshold()
    assert [one.threshold for one in effects] == sorted({before, *(one.threshold for one in effects)})
    for one in effects:
        assert one.answered_right + one.refused_wrong == 2
        assert one.answered_wrong + one.refused_right == 2
    assert effects[0].answered_right == 2

    assert (await library.search.search(_ANSWERED, reader=_EVERYTHING)).answerable
    await tuning.switch(1.0, by="sue")
    await tuning.switch(1.0, by="sue")
    assert not (await library.search.search(_ANSWERED, reader=_EVERYTHING)).answerable
    assert (await tuning.report())[0] == 1.0
    async with engine.connect() as connection:
        rows = await connection.execute(
            select(audit_log.c.actor_id, audit_log.c.target, audit_log.c.detail)
            .where(audit_log.c.action == "set_threshold")
            .order_by(audit_log.c.seq)
        )
        assert [tuple(row) for row in rows] == [
            ("sue", "answerable", {"before": "default", "after": "1.0"}),
            ("sue", "answerable", {"before": "1.0", "after": "1.0"}),
        ]


@pytest.mark.parametrize("value", [-0.1, 1.1])
async def test_a_threshold_that_is_none_is_refused(
    engine: AsyncEngine, library: Library, value: float
) -> None:
    tuning = Tuning(engine, library.search, AuditLog())
    before = await library.search.threshold()
    with pytest.raises(ValueError, match="between 0 and 1"):
        await tuning.switch(value, by="sue")
    assert await library.search.threshold() == before
