"""Documents in, passages out, on real PostgreSQL with the real embedding model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from knowledge.documents import IngestReport
from knowledge.embed import MiniLmEmbedder
from knowledge.errors import FilterRejectedError, StoreUnavailableError
from knowledge.ingest import Ingest
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.tables import chunks, documents
from knowledge.words import Words
from tests.support.knowledge_questions import ANSWERABLE, UNANSWERABLE

_RUNBOOKS = Path("manifests/demo/runbooks")
_SETTINGS = KnowledgeSettings(max_document_bytes=50_000)
_NO_MODEL = MiniLmEmbedder(threads=1, model_file=Path("/nowhere/model.onnx"))


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder(threads=2)


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)


@pytest.fixture
def ingest(store: Store, embedder: MiniLmEmbedder) -> Ingest:
    return Ingest(store, embedder, _SETTINGS)


@pytest.fixture
def search(engine: AsyncEngine, store: Store, embedder: MiniLmEmbedder) -> Search:
    return Search(engine, embedder, Words(store))


async def _count(engine: AsyncEngine) -> tuple[int, int]:
    async with engine.connect() as connection:
        rows = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (documents, chunks)
        ]
    return rows[0], rows[1]


async def test_the_right_runbook_comes_first_in_both_languages_and_nonsense_has_no_answer(
    store: Store, ingest: Ingest, search: Search
) -> None:
    await ingest.ingest_paths([_RUNBOOKS])
    names = {document.id: Path(document.source).name for document in await store.list()}
    found = {question: await search.search(question) for question in ANSWERABLE}
    first = {question: names[result.passages[0].document_id] for question, result in found.items()}
    assert first == ANSWERABLE
    assert [question for question, result in found.items() if not result.answerable] == []
    answered = [question for question in UNANSWERABLE if (await search.search(question)).answerable]
    assert answered == []


async def test_without_the_model_the_rest_answers_and_says_so(engine: AsyncEngine, store: Store) -> None:
    await Ingest(store, _NO_MODEL, _SETTINGS).ingest_paths([_RUNBOOKS])
    result = await Search(engine, _NO_MODEL, Words(store)).search("por que o job PAYROLL falhou?")
    assert result.degraded == ("embeddings",)
    assert result.answerable
    assert result.passages[0].document_title.startswith("PAYROLL")
    assert result.passages[0].matched == {"identifier", "words"}


async def test_an_identifier_beats_words(ingest: Ingest, search: Search) -> None:
    words = "The message says that the backup of the catalogue failed in the night. " * 3
    await ingest.ingest_bytes("words.md", words.encode())
    await ingest.ingest_bytes("name.md", b"Something short about AWSBHT001E.")
    result = await search.search("backup of the catalogue failed in the night with message AWSBHT001E")
    assert [passage.document_title for passage in result.passages] == ["name", "words"]
    assert result.passages[0].matched == {"identifier", "words", "vector"}


async def test_scores_fall_and_stay_between_zero_and_one(ingest: Ingest, search: Search) -> None:
    await ingest.ingest_paths([_RUNBOOKS / "pos-settle.md", _RUNBOOKS / "payroll.md"])
    scores = [passage.score for passage in (await search.search("disk full on RC 1", k=8)).passages]
    assert len(scores) == 8
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


async def test_a_section_gives_one_passage(ingest: Ingest, search: Search) -> None:
    text = "# Guide\n\n## Long\n\n" + "\n\n".join(f"Paragraph about tapes. {'tape ' * 100}" for _ in range(5))
    report = await ingest.ingest_bytes("guide.md", f"{text}\n\n## Short\n\nA tape.".encode())
    assert report.chunks > 4
    locations = [passage.location for passage in (await search.search("tape")).passages]
    assert sorted(locations) == ["Long", "Short"]


async def test_filters_narrow_every_way_of_searching(store: Store, ingest: Ingest, search: Search) -> None:
    await ingest.ingest_paths([_RUNBOOKS / "pos-settle.md", _RUNBOOKS / "payroll.md"])
    target = next(document for document in await store.list() if document.source.endswith("pos-settle.md"))
    result = await search.search("PAYROLL ORA-01653 rerun", filters={"document_id": target.id})
    assert {passage.document_id for passage in result.passages} == {target.id}
    assert not result.answerable
    assert (await search.search("PAYROLL", filters={"media_type": "text/html"})).passages == ()


async def test_an_unknown_filter_is_refused(search: Search) -> None:
    with pytest.raises(FilterRejectedError, match="colour"):
        await search.search("x", filters={"colour": "red"})


async def test_an_empty_store_answers_nothing(search: Search) -> None:
    result = await search.search("why did PAYROLL fail?")
    assert (result.passages, result.answerable) == ((), False)


async def test_the_same_content_twice_changes_nothing(store: Store, ingest: Ingest) -> None:
    paths = [_RUNBOOKS / "pos-settle.md", _RUNBOOKS / "payroll.md"]
    first = await ingest.ingest_paths(paths)
    revision = await store.revision()
    second = await ingest.ingest_paths(paths)
    assert {report.outcome for report in first} == {"added"}
    assert {report.outcome for report in second} == {"unchanged"}
    assert [report.document_id for report in first] == [report.document_id for report in second]
    assert await store.revision() == revision


async def test_replacing_keeps_the_id_and_leaves_nothing_old(
    engine: AsyncEngine, store: Store, ingest: Ingest, search: Search
) -> None:
    old = await ingest.ingest_bytes("a.md", b"# Old\n\nabout OLD_NAME\n\n## More\n\nold")
    new = await ingest.ingest_bytes("a.md", b"# New\n\nabout NEW_NAME")
    assert (new.outcome, new.document_id, new.chunks) == ("replaced", old.document_id, 1)
    assert await _count(engine) == (1, 1)
    assert new.document_id is not None
    document = await store.get(new.document_id)
    assert document is not None
    assert (document.title, document.chunks) == ("New", 1)
    assert [chunk.identifiers for chunk in await store.read(new.document_id)] == [{"NEW_NAME"}]
    assert not (await search.search("OLD_NAME")).answerable


async def test_a_failed_write_leaves_the_old_document(store: Store, ingest: Ingest) -> None:
    report = await ingest.ingest_bytes("a.md", b"# Old\n\ntext")
    assert report.document_id is not None
    pieces = await store.read(report.document_id)
    with pytest.raises(StoreUnavailableError):
        await store.write(
            title="New",
            source="a.md",
            media_type="text/markdown",
            content_hash="other",
            pieces=[*pieces, *pieces],
            vectors=None,
            model="none",
        )
    document = await store.get(report.document_id)
    assert document is not None
    assert document.title == "Old"
    assert await store.read(report.document_id) == pieces


async def test_writers_of_one_source_take_turns(engine: AsyncEngine, ingest: Ingest) -> None:
    versions = [f"# Version {number}\n\ntext {number}".encode() for number in range(6)]
    reports = await asyncio.gather(*(ingest.ingest_bytes("a.md", version) for version in versions))
    assert len({report.document_id for report in reports}) == 1
    assert await _count(engine) == (1, 1)


async def test_deleting_leaves_nothing(
    engine: AsyncEngine, store: Store, ingest: Ingest, search: Search
) -> None:
    report = await ingest.ingest_bytes("a.md", b"about PAYROLL")
    assert (await search.search("PAYROLL")).answerable
    assert report.document_id is not None
    assert await store.delete(report.document_id)
    assert not await store.delete(report.document_id)
    assert await _count(engine) == (0, 0)
    assert await store.get(report.document_id) is None
    assert await store.read(report.document_id) == ()
    assert (await search.search("PAYROLL")).passages == ()


async def test_what_is_no_id_is_no_document(store: Store) -> None:
    assert await store.get("../etc/passwd") is None
    assert await store.read("1") == ()
    assert not await store.delete("' or true --")


async def test_vectors_are_filled_in_once_the_model_is_back(
    store: Store, ingest: Ingest, search: Search
) -> None:
    content = b"# Tapes\n\nThe robot moves cartridges between the drives."
    away = await Ingest(store, _NO_MODEL, _SETTINGS).ingest_bytes("a.md", content)
    assert away.outcome == "added"
    assert "without vectors" in away.detail
    passages = (await search.search("robot cartridges")).passages
    assert [passage.matched for passage in passages] == [{"words"}]
    back = await ingest.ingest_bytes("a.md", content)
    assert (back.outcome, back.document_id, back.detail) == ("replaced", away.document_id, "")
    assert (await search.search("robot cartridges")).passages[0].matched == {"words", "vector"}
    assert (await ingest.ingest_bytes("a.md", content)).outcome == "unchanged"


async def test_another_process_sees_the_change_at_its_next_question(
    database_url: str, engine: AsyncEngine, ingest: Ingest, embedder: MiniLmEmbedder
) -> None:
    other_engine = create_async_engine(database_url)
    other = Search(other_engine, embedder, Words(Store(other_engine)))
    try:
        assert (await other.search("robot cartridges")).passages == ()
        report = await ingest.ingest_bytes("a.md", b"The robot moves cartridges.")
        assert (await other.search("robot cartridges")).passages[0].matched == {"words", "vector"}
        assert report.document_id is not None
        await Store(engine).delete(report.document_id)
        assert (await other.search("robot cartridges")).passages == ()
    finally:
        await other_engine.dispose()


async def test_folders_give_their_documents_and_files_their_fate(tmp_path: Path, ingest: Ingest) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.md").write_text("about a")
    (tmp_path / "sub" / "b.txt").write_text("about b")
    (tmp_path / "sub" / "c.exe").write_bytes(b"MZ")
    (tmp_path / ".git" / "d.md").write_text("hidden")
    (tmp_path / "large.md").write_text("x" * 50_001)
    lone = tmp_path / "sub" / "c.exe"
    seen: list[IngestReport] = []
    reports = await ingest.ingest_paths([tmp_path, lone, tmp_path / "missing.md"], seen.append)
    assert seen == reports
    assert [(Path(report.source).name, report.outcome, report.detail) for report in reports] == [
        ("a.md", "added", ""),
        ("large.md", "rejected", "larger than 50000 bytes"),
        ("b.txt", "added", ""),
        ("c.exe", "rejected", "unknown type .exe"),
        ("missing.md", "rejected", "No such file or directory"),
    ]


async def test_a_database_that_is_away_is_said_so(embedder: MiniLmEmbedder) -> None:
    engine = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    store = Store(engine)
    with pytest.raises(StoreUnavailableError):
        await Search(engine, embedder, Words(store)).search("anything")
    with pytest.raises(StoreUnavailableError):
        await store.list()
    await engine.dispose()
