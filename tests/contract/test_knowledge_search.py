"""Documents in, passages out, on real PostgreSQL with the real embedding model."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from knowledge.documents import Properties, Reader
from knowledge.embed import OnnxEmbedder
from knowledge.errors import FilterRejectedError, StoreUnavailableError
from knowledge.ingest import Ingest
from knowledge.library import Library, open_library
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.tables import vectors
from knowledge.vectors import VectorIndex
from tests.support.knowledge_questions import ANSWERABLE, UNANSWERABLE, UNRELATED

_RUNBOOKS = Path("manifests/demo/runbooks")
_SETTINGS = KnowledgeSettings(max_document_bytes=50_000)
_ALL = Reader(None)
_NO_MODEL = OnnxEmbedder(threads=1, model_file=Path("/nowhere/model.onnx"))


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder(threads=2)


@pytest.fixture
def library(engine: AsyncEngine, embedder: OnnxEmbedder) -> Library:
    return open_library(engine, _SETTINGS, embedder=embedder)


@pytest.fixture
def store(library: Library) -> Store:
    return library.store


@pytest.fixture
def ingest(library: Library) -> Ingest:
    return library.ingest


@pytest.fixture
def search(library: Library) -> Search:
    return library.search


async def test_the_right_runbook_comes_first_in_both_languages_and_nonsense_has_no_answer(
    store: Store, ingest: Ingest, search: Search
) -> None:
    await ingest.ingest_paths([_RUNBOOKS])
    names = {document.id: Path(document.source).name for document in await store.list(_ALL)}
    found = {question: await search.search(question, reader=_ALL) for question in ANSWERABLE}
    first = {question: names[result.passages[0].document_id] for question, result in found.items()}
    assert first == ANSWERABLE
    assert [question for question, result in found.items() if not result.answerable] == []
    answered = [
        question for question in UNANSWERABLE if (await search.search(question, reader=_ALL)).answerable
    ]
    assert answered == []


async def test_other_subjects_and_absent_products_are_refused(ingest: Ingest, search: Search) -> None:
    """On other documents than those that the confidence was fitted on."""
    await ingest.ingest_paths([_RUNBOOKS])
    answered = [question for question in UNRELATED if (await search.search(question, reader=_ALL)).answerable]
    assert len(answered) <= len(UNRELATED) // 10, answered


async def test_without_the_model_the_rest_answers_and_says_so(engine: AsyncEngine) -> None:
    library = open_library(engine, _SETTINGS, embedder=_NO_MODEL)
    await library.ingest.ingest_paths([_RUNBOOKS])
    result = await library.search.search("por que o job PAYROLL falhou?", reader=_ALL)
    assert result.degraded == ("embeddings",)
    assert result.answerable
    assert result.passages[0].document_title.startswith("PAYROLL")
    assert result.passages[0].matched == {"identifier", "words"}


async def test_among_many_sections_with_a_name_the_words_decide(ingest: Ingest, search: Search) -> None:
    for number in range(70):
        about = "restore the catalogue" if number == 69 else f"routine step {number}"
        await ingest.ingest_bytes(f"{number}.md", f"PAYROLL_D010 needs this: {about}.".encode())
    result = await search.search("how do I restore the catalogue of PAYROLL_D010?", reader=_ALL)
    assert result.passages[0].document_title == "69"
    assert result.answerable


async def test_an_identifier_beats_words(ingest: Ingest, search: Search) -> None:
    words = "The message says that the backup of the catalogue failed in the night. " * 3
    await ingest.ingest_bytes("words.md", words.encode())
    await ingest.ingest_bytes("name.md", b"Something short about AWSBHT001E.")
    result = await search.search(
        "backup of the catalogue failed in the night with message AWSBHT001E", reader=_ALL
    )
    assert [passage.document_title for passage in result.passages] == ["name", "words"]
    assert result.passages[0].matched == {"identifier", "words", "vector"}


async def test_scores_fall_and_stay_between_zero_and_one(ingest: Ingest, search: Search) -> None:
    await ingest.ingest_paths([_RUNBOOKS / "pos-settle.md", _RUNBOOKS / "payroll.md"])
    scores = [
        passage.score for passage in (await search.search("disk full on RC 1", k=8, reader=_ALL)).passages
    ]
    assert len(scores) == 8
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


async def test_a_section_gives_one_passage(ingest: Ingest, search: Search) -> None:
    text = "# Guide\n\n## Long\n\n" + "\n\n".join(f"Paragraph about tapes. {'tape ' * 100}" for _ in range(5))
    report = await ingest.ingest_bytes("guide.md", f"{text}\n\n## Short\n\nA tape.".encode())
    assert report.chunks > 4
    locations = [passage.location for passage in (await search.search("tape", reader=_ALL)).passages]
    assert sorted(locations) == ["Long", "Short"]


async def test_filters_narrow_every_way_of_searching(store: Store, ingest: Ingest, search: Search) -> None:
    await ingest.ingest_paths([_RUNBOOKS / "pos-settle.md", _RUNBOOKS / "payroll.md"])
    target = next(
        document for document in await store.list(_ALL) if document.source.endswith("pos-settle.md")
    )
    result = await search.search("PAYROLL ORA-01653 rerun", filters={"document_id": target.id}, reader=_ALL)
    assert {passage.document_id for passage in result.passages} == {target.id}
    assert not result.answerable
    assert (await search.search("PAYROLL", filters={"media_type": "text/html"}, reader=_ALL)).passages == ()


@pytest.mark.parametrize("name", ["PAYR@", "PAYROL?", "AGT01#PAYR*.@"])
async def test_a_wildcard_finds_what_has_such_a_name(ingest: Ingest, search: Search, name: str) -> None:
    await ingest.ingest_bytes("a.md", b"# Notes\n\nAGT01#PAYROLL ends late, says PAYROLL.")
    await ingest.ingest_bytes("b.md", b"# Others\n\nBILLING ends late.")
    result = await search.search(f"what about {name}", reader=_ALL)
    assert result.passages[0].document_title == "Notes"
    assert "identifier" in result.passages[0].matched


async def test_a_restricted_document_is_found_by_its_readers_only(ingest: Ingest, search: Search) -> None:
    secret = Properties(readers=frozenset({"group:sap"}))
    await ingest.ingest_bytes("a.md", b"# Secret\n\nThe vault KEY_VAULT opens at noon.", properties=secret)
    await ingest.ingest_bytes("b.md", b"# Open\n\nThe door opens at noon.")

    async def titles(*tokens: str) -> set[str]:
        result = await search.search("when does KEY_VAULT open at noon", reader=Reader(frozenset(tokens)))
        return {passage.document_title for passage in result.passages}

    assert await titles("role:admin") == {"Open"}
    assert await titles("role:viewer", "group:sap") == {"Open", "Secret"}


async def test_an_outdated_document_comes_after_one_that_holds(ingest: Ingest, search: Search) -> None:
    await ingest.ingest_paths([_RUNBOOKS])
    old = Properties(valid_to=date(2020, 1, 1))
    await ingest.ingest_bytes("old.md", b"# Old limits\n\nThe job limit of AGT01 is 10.", properties=old)
    await ingest.ingest_bytes("new.md", b"# New limits\n\nThe job limit of AGT01 is 20.")
    result = await search.search("job limit of AGT01", reader=_ALL)
    assert [passage.document_title for passage in result.passages][:2] == ["New limits", "Old limits"]


async def test_another_model_answers_when_it_has_embedded_everything(
    engine: AsyncEngine, library: Library
) -> None:
    await library.ingest.ingest_bytes("a.md", b"The robot moves cartridges.")
    await library.vectors.rebuild()
    other = OnnxEmbedder(threads=1, model="other")
    changed = VectorIndex(engine, other, OnnxEmbedder(threads=1))
    before = await changed.answering()
    await changed.rebuild()
    after = await changed.answering()
    assert before is not None
    assert before.model != other.model
    assert after is other
    assert await library.vectors.answering() is None
    async with engine.connect() as connection:
        kept = await connection.execute(select(vectors.c.model).distinct())
        assert kept.scalars().all() == [other.model]


async def test_an_unknown_filter_is_refused(search: Search) -> None:
    with pytest.raises(FilterRejectedError, match="colour"):
        await search.search("x", filters={"colour": "red"}, reader=_ALL)


async def test_an_empty_store_answers_nothing(search: Search) -> None:
    result = await search.search("why did PAYROLL fail?", reader=_ALL)
    assert (result.passages, result.answerable) == ((), False)


async def test_another_process_sees_the_change_at_its_next_question(
    database_url: str, engine: AsyncEngine, ingest: Ingest, embedder: OnnxEmbedder
) -> None:
    other_engine = create_async_engine(database_url)
    other = open_library(other_engine, _SETTINGS, embedder=embedder).search
    try:
        assert (await other.search("robot cartridges", reader=_ALL)).passages == ()
        report = await ingest.ingest_bytes("a.md", b"The robot moves cartridges.")
        assert (await other.search("robot cartridges", reader=_ALL)).passages[0].matched == {
            "words",
            "vector",
        }
        assert report.document_id is not None
        await Store(engine).delete(report.document_id)
        assert (await other.search("robot cartridges", reader=_ALL)).passages == ()
    finally:
        await other_engine.dispose()


async def test_a_database_that_is_away_is_said_so(embedder: OnnxEmbedder) -> None:
    engine = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    library = open_library(engine, _SETTINGS, embedder=embedder)
    with pytest.raises(StoreUnavailableError):
        await library.search.search("anything", reader=_ALL)
    with pytest.raises(StoreUnavailableError):
        await library.store.list(_ALL)
    await engine.dispose()
