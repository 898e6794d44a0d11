"""Documents in and out of the store, on real PostgreSQL with the real embedding model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import IngestReport, Properties, Reader
from knowledge.embed import OnnxEmbedder
from knowledge.errors import StoreUnavailableError
from knowledge.ingest import Ingest, Stamps
from knowledge.library import Library, open_library
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.tables import answers, chunks, documents, vectors
from tests.support.killing import Killed, killed_at
from tests.support.office import make_zip

_RUNBOOKS = Path("manifests/demo/runbooks")
_SETTINGS = KnowledgeSettings(max_document_bytes=50_000, max_archive_bytes=100_000)
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


async def _stored(engine: AsyncEngine) -> dict[str, list[Any]]:
    """What documents are made of, but for ids and times."""
    queries = {
        "documents": select(documents.c.source, documents.c.title, documents.c.content_hash),
        "chunks": select(documents.c.source, chunks.c.position, chunks.c.text).join_from(chunks, documents),
        "vectors": select(vectors.c.digest),
    }
    async with engine.connect() as connection:
        return {name: sorted(map(tuple, await connection.execute(query))) for name, query in queries.items()}


def _fates(reports: Sequence[IngestReport]) -> list[tuple[str, str, str]]:
    return [(Path(report.source).name, report.outcome, report.detail) for report in reports]


async def test_the_same_content_twice_changes_nothing(store: Store, ingest: Ingest) -> None:
    paths = [_RUNBOOKS / "pos-settle.md", _RUNBOOKS / "payroll.md"]
    first = await ingest.ingest_paths(paths)
    revision = await store.revision()
    second = await ingest.ingest_paths(paths)
    assert {report.outcome for report in first} == {"added"}
    assert {report.outcome for report in second} == {"unchanged"}
    assert [report.document_id for report in first] == [report.document_id for report in second]
    assert await store.revision() == revision


async def test_other_properties_make_it_another_document(store: Store, ingest: Ingest) -> None:
    first = await ingest.ingest_bytes("a.md", b"# A\n\nO arquivo de folha chega tarde.")
    restricted = Properties(readers=frozenset({"group:hr"}), link="https://wiki/a")
    again = await ingest.ingest_bytes(
        "a.md", b"# A\n\nO arquivo de folha chega tarde.", properties=restricted
    )
    assert (again.outcome, again.document_id) == ("replaced", first.document_id)
    document = await store.find("a.md")
    assert document is not None
    assert (document.readers, document.link, document.language) == ({"group:hr"}, "https://wiki/a", "pt")


async def test_only_readers_find_a_restricted_document_in_the_store(store: Store, ingest: Ingest) -> None:
    report = await ingest.ingest_bytes("a.md", b"---\nreaders: group:hr\n---\nsalaries")
    assert report.document_id is not None
    for tokens, is_seen in (
        (frozenset({"role:viewer"}), False),
        (frozenset({"group:hr"}), True),
        (None, True),
    ):
        reader = Reader(tokens)
        assert bool(await store.list(reader)) is is_seen
        assert bool(await store.get(report.document_id, reader)) is is_seen
        assert bool(await store.read(report.document_id, reader)) is is_seen
        assert await store.is_taken("a.md", reader) is not is_seen


async def test_replacing_keeps_the_id_and_leaves_nothing_old(
    engine: AsyncEngine, store: Store, ingest: Ingest, search: Search
) -> None:
    old = await ingest.ingest_bytes("a.md", b"# Old\n\nabout OLD_NAME\n\n## More\n\nold")
    new = await ingest.ingest_bytes("a.md", b"# New\n\nabout NEW_NAME")
    assert (new.outcome, new.document_id, new.chunks) == ("replaced", old.document_id, 1)
    assert {name: len(rows) for name, rows in (await _stored(engine)).items()} == {
        "documents": 1,
        "chunks": 1,
        "vectors": 1,
    }
    assert new.document_id is not None
    document = await store.get(new.document_id, _ALL)
    assert document is not None
    assert (document.title, document.chunks) == ("New", 1)
    assert [chunk.identifiers for chunk in await store.read(new.document_id, _ALL)] == [{"NEW_NAME"}]
    assert not (await search.search("OLD_NAME", reader=_ALL)).answerable


async def test_a_failed_write_leaves_the_old_document(
    engine: AsyncEngine, store: Store, ingest: Ingest
) -> None:
    report = await ingest.ingest_bytes("a.md", b"# Old\n\ntext")
    assert report.document_id is not None
    pieces = await store.read(report.document_id, _ALL)
    before = await _stored(engine)
    with pytest.raises(StoreUnavailableError):
        await store.write(
            title="New",
            source="a.md",
            media_type="text/markdown",
            content_hash="other",
            language="en",
            properties=Properties(),
            pieces=[*pieces, *pieces],
        )
    assert await _stored(engine) == before


async def test_writers_of_one_source_take_turns(engine: AsyncEngine, ingest: Ingest) -> None:
    versions = [f"# Version {number}\n\ntext {number}".encode() for number in range(6)]
    reports = await asyncio.gather(*(ingest.ingest_bytes("a.md", version) for version in versions))
    assert len({report.document_id for report in reports}) == 1
    stored = await _stored(engine)
    assert (len(stored["documents"]), len(stored["chunks"])) == (1, 1)


async def test_deleting_leaves_nothing(
    engine: AsyncEngine, store: Store, ingest: Ingest, search: Search
) -> None:
    report = await ingest.ingest_bytes("a.md", b"about PAYROLL")
    assert (await search.search("PAYROLL", reader=_ALL)).answerable
    async with engine.begin() as connection:
        row = {"id": "0" * 32, "question": "q", "signature": "s", "readers": [], "locale": "en", "model": "m"}
        await connection.execute(answers.insert().values(**row, embedding=[1.0], answer={}))
    assert report.document_id is not None
    assert await store.delete(report.document_id)
    assert not await store.delete(report.document_id)
    assert not any((await _stored(engine)).values())
    async with engine.connect() as connection:
        assert (await connection.execute(select(answers))).all() == []
    assert await store.get(report.document_id, _ALL) is None
    assert await store.read(report.document_id, _ALL) == ()
    assert (await search.search("PAYROLL", reader=_ALL)).passages == ()


async def test_a_text_that_another_document_has_keeps_its_vector(
    engine: AsyncEngine, store: Store, ingest: Ingest
) -> None:
    await ingest.ingest_bytes("a.md", b"# Same\n\nshared text\n\n## Own\n\nonly here")
    await ingest.ingest_bytes("b.md", b"# Same\n\nshared text")
    assert len((await _stored(engine))["vectors"]) == 2
    assert await store.delete_source("a.md")
    assert len((await _stored(engine))["vectors"]) == 1
    assert await store.delete_source("b.md")
    assert (await _stored(engine))["vectors"] == []


async def test_the_weight_that_a_document_has_earned_outlives_its_text(store: Store, ingest: Ingest) -> None:
    report = await ingest.ingest_bytes("a.md", b"old")
    assert report.document_id is not None
    await store.weigh(report.document_id, "good")
    await ingest.ingest_bytes("a.md", b"new")
    document = await store.find("a.md")
    assert document is not None
    assert document.weight > 1


async def test_what_is_no_id_is_no_document(store: Store) -> None:
    assert await store.get("../etc/passwd", _ALL) is None
    assert await store.read("1", _ALL) == ()
    assert not await store.delete("' or true --")


async def test_without_the_model_the_words_are_stored(engine: AsyncEngine, search: Search) -> None:
    away = open_library(engine, _SETTINGS, embedder=_NO_MODEL).ingest
    report = await away.ingest_bytes("a.md", b"# Tapes\n\nThe robot moves cartridges between the drives.")
    assert report.outcome == "added"
    assert "without vectors" in report.detail
    passages = (await search.search("robot cartridges", reader=_ALL)).passages
    assert [passage.matched for passage in passages] == [{"words"}]


async def test_folders_give_their_documents_and_files_their_fate(tmp_path: Path, ingest: Ingest) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.md").write_text("about a")
    (tmp_path / "sub" / "b.txt").write_text("about b")
    (tmp_path / "sub" / "c.exe").write_bytes(b"MZ")
    (tmp_path / ".git" / "d.md").write_text("hidden")
    (tmp_path / "large.md").write_text("x" * 50_001)
    (tmp_path / "passwd.txt").symlink_to("/etc/passwd")
    lone = tmp_path / "sub" / "c.exe"
    reports = await ingest.ingest_paths([tmp_path, lone, tmp_path / "missing.md"])
    assert _fates(reports) == [
        ("a.md", "added", ""),
        ("large.md", "rejected", "larger than 50000 bytes"),
        ("b.txt", "added", ""),
        ("c.exe", "rejected", "unknown type .exe"),
        ("missing.md", "rejected", "No such file or directory"),
    ]


async def test_each_file_of_an_archive_is_a_document_of_its_own(store: Store, ingest: Ingest) -> None:
    first = make_zip(
        {"a.md": "about a", "sub/b.csv": "Code,Means\n8,full", "c.png": "no document", "d.pdf": "none"}
    )
    again = make_zip({"a.md": "about a", "e.md": "about e", "f.zip": make_zip({"g.md": "deep"})})
    sources = [
        (report.source, report.outcome, report.detail) for report in await ingest.ingest("x.zip", first)
    ]
    assert sources == [
        ("x.zip!/a.md", "added", ""),
        ("x.zip!/d.pdf", "rejected", "named as PDF but is none"),
        ("x.zip!/sub/b.csv", "added", ""),
    ]
    sources = [
        (report.source, report.outcome, report.detail) for report in await ingest.ingest("x.zip", again)
    ]
    assert sources == [
        ("x.zip!/a.md", "unchanged", ""),
        ("x.zip!/e.md", "added", ""),
        ("x.zip!/f.zip", "rejected", "an archive inside an archive"),
        ("x.zip!/sub/b.csv", "removed", ""),
    ]
    assert await store.sources("x.zip") == {"x.zip!/a.md", "x.zip!/e.md"}


async def test_a_bad_archive_leaves_the_documents_of_the_good_one(store: Store, ingest: Ingest) -> None:
    await ingest.ingest("x.zip", make_zip({"a.md": "about a"}))
    (report,) = await ingest.ingest("x.zip", make_zip({"a.md": "new", "../b.md": "bad"}))
    assert (report.source, report.outcome) == ("x.zip", "rejected")
    (large,) = await ingest.ingest("x.zip", make_zip({"a.md": "x" * 100_001}))
    assert large.detail == "unpacks to more than 100000 bytes"
    (empty,) = await ingest.ingest("x.zip", make_zip({"a.png": "picture"}))
    assert empty.detail == "no document in it"
    assert [document.title for document in await store.list(_ALL)] == ["a"]


async def test_what_left_a_folder_leaves_the_store_only_when_asked(
    tmp_path: Path, store: Store, ingest: Ingest
) -> None:
    beside = tmp_path.with_name(f"{tmp_path.name} beside.md")
    beside.write_text("not in the folder")
    (tmp_path / "a.md").write_text("about a")
    (tmp_path / "b.zip").write_bytes(make_zip({"c.md": "about c"}))
    await ingest.ingest_paths([tmp_path, beside], sync=True)
    (tmp_path / "a.md").unlink()
    assert _fates(await ingest.ingest_paths([tmp_path])) == [("c.md", "unchanged", "")]
    assert _fates(await ingest.ingest_paths([tmp_path], sync=True)) == [
        ("c.md", "unchanged", ""),
        ("a.md", "removed", ""),
    ]
    (tmp_path / "b.zip").unlink()
    assert _fates(await ingest.ingest_paths([tmp_path], sync=True)) == [("c.md", "removed", "")]
    assert await store.sources("/") == {str(beside)}


async def test_a_folder_that_cannot_be_read_removes_nothing(
    tmp_path: Path, store: Store, ingest: Ingest
) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "a.md").write_text("about a")
    await ingest.ingest_paths([folder], sync=True)
    folder.rename(tmp_path / "away")
    assert _fates(await ingest.ingest_paths([folder], sync=True)) == [
        ("runbooks", "rejected", "No such file or directory")
    ]
    assert await store.sources("/") == {str(folder / "a.md")}


async def test_a_file_with_the_same_stamp_is_not_even_opened(tmp_path: Path, ingest: Ingest) -> None:
    file = tmp_path / "a.md"
    file.write_text("about a")
    stamps: Stamps = {}
    assert _fates(await ingest.ingest_paths([tmp_path], stamps=stamps)) == [("a.md", "added", "")]
    assert await ingest.ingest_paths([tmp_path], stamps=stamps) == []
    file.write_text("about b and c")
    assert _fates(await ingest.ingest_paths([tmp_path], stamps=stamps)) == [("a.md", "replaced", "")]


async def test_progress_counts_the_embedded_passages(ingest: Ingest) -> None:
    told: list[tuple[str, int, int]] = []
    text = "\n\n".join(f"# H{number}\n\ntext {number}" for number in range(200))
    await ingest.telling(lambda *progress: told.append(progress)).ingest_bytes("a.md", text.encode())
    assert told == [("a.md", 128, 200), ("a.md", 200, 200)]


async def test_killed_anywhere_and_run_again_it_comes_to_the_same(
    tmp_path: Path, engine: AsyncEngine, store: Store, ingest: Ingest
) -> None:
    async def build() -> None:
        for source in await store.sources(""):
            await store.delete_source(source)
        (tmp_path / "a.md").write_text("about a")
        (tmp_path / "b.md").write_text("about b")
        (tmp_path / "c.zip").write_bytes(make_zip({"d.md": "about d"}))
        await ingest.ingest_paths([tmp_path], sync=True)
        (tmp_path / "a.md").write_text("about a and more")
        (tmp_path / "b.md").unlink()
        (tmp_path / "c.zip").write_bytes(make_zip({"f.md": "about f"}))

    await build()
    await ingest.ingest_paths([tmp_path], sync=True)
    expected = await _stored(engine)
    assert len(expected["documents"]) == 2
    statement, death = 0, None
    while death is None or death.has_come:
        statement += 1
        await build()
        with killed_at(engine, statement) as death, suppress(Killed):
            await ingest.ingest_paths([tmp_path], sync=True)
        await ingest.ingest_paths([tmp_path], sync=True)
        assert await _stored(engine) == expected, statement
    assert statement > 20
