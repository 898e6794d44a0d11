"""What is handed in is read, whoever dies; folders and pages are kept in step by one process of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TypeAlias

import pytest
from aiohttp import web
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import Properties, Reader
from knowledge.embed import OnnxEmbedder
from knowledge.ingest import Ingest
from knowledge.librarian import Librarian
from knowledge.orders import Orders, OrderStatus
from knowledge.settings import KnowledgeSettings, WatchedFolder, WatchedPage
from knowledge.store import Store
from knowledge.tables import ingests, vectors
from knowledge.vectors import VectorIndex
from tests.support.killing import Killed, killed_at
from tests.support.office import make_zip
from tests.support.waiting import eventually

_ALL = Reader(None)
_NOTHING = Properties()

Make: TypeAlias = Callable[..., Librarian]


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder(threads=1)


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)


@pytest.fixture
def orders(engine: AsyncEngine) -> Orders:
    return Orders(engine)


@pytest.fixture
async def make(
    engine: AsyncEngine, postgres_dsn: str, store: Store, orders: Orders, embedder: OnnxEmbedder
) -> AsyncIterator[Make]:
    """Librarians with settings, closed in the end."""
    made: list[Librarian] = []

    def make(**settings: object) -> Librarian:
        chosen = KnowledgeSettings(**settings)  # type: ignore[arg-type]  # checked by pydantic
        ingest = Ingest(store, VectorIndex(engine, embedder), chosen)
        made.append(Librarian(orders, ingest, chosen, dsn=postgres_dsn, sweep=timedelta(seconds=0.2)))
        return made[-1]

    yield make
    for librarian in made:
        await librarian.aclose()


async def _hand_in(orders: Orders, source: str, data: bytes | None, properties: Properties = _NOTHING) -> str:
    return await orders.accept(source, data, properties=properties, requested_by="ana")


async def _finished(orders: Orders, order_id: str) -> OrderStatus:
    status = await orders.get(order_id, "ana", wait_seconds=20)
    assert status is not None
    assert status.finished_at is not None
    return status


async def test_what_is_handed_in_is_read_with_its_properties(
    orders: Orders, store: Store, make: Make
) -> None:
    make().start()
    properties = Properties(readers=frozenset({"group:hr"}), language="pt")
    status = await _finished(orders, await _hand_in(orders, "a.md", b"about a", properties))
    assert (status.state, [report.outcome for report in status.reports]) == ("done", ["added"])
    (document,) = await store.list(_ALL)
    assert (document.readers, document.language) == ({"group:hr"}, "pt")


async def test_an_archive_reports_each_document(orders: Orders, make: Make) -> None:
    make().start()
    data = make_zip({"a.md": "about a", "b.pdf": "no PDF"})
    status = await _finished(orders, await _hand_in(orders, "x.zip", data))
    assert status.state == "done"
    assert [(report.source, report.outcome) for report in status.reports] == [
        ("x.zip!/a.md", "added"),
        ("x.zip!/b.pdf", "rejected"),
    ]


async def test_what_is_refused_has_failed_and_its_data_is_gone(
    engine: AsyncEngine, orders: Orders, make: Make
) -> None:
    make().start()
    status = await _finished(orders, await _hand_in(orders, "a.pdf", b"no PDF"))
    assert (status.state, status.reports[0].detail) == ("failed", "named as PDF but is none")
    async with engine.connect() as connection:
        assert (await connection.execute(select(ingests.c.data))).scalars().all() == [None]


async def test_orders_of_one_source_are_read_in_turn(orders: Orders, store: Store, make: Make) -> None:
    ids = [await _hand_in(orders, "a.md", f"version {number}".encode()) for number in range(5)]
    make().start()
    make().start()
    outcomes = [(await _finished(orders, order_id)).reports[0].outcome for order_id in ids]
    assert outcomes == ["added", *["replaced"] * 4]
    (document,) = await store.list(_ALL)
    (chunk,) = await store.read(document.id, _ALL)
    assert chunk.text == "version 4"


async def test_only_who_handed_it_in_sees_how_far_it_is(orders: Orders) -> None:
    order_id = await _hand_in(orders, "a.md", b"about a")
    assert await orders.get(order_id, "bob") is None
    assert await orders.recent("bob") == []
    assert [status.id for status in await orders.recent("ana")] == [order_id]
    waiting = await orders.get(order_id, "ana", wait_seconds=0.2)
    assert waiting is not None
    assert (waiting.state, waiting.finished_at) == ("queued", None)


async def test_whoever_dies_with_an_order_another_one_finishes_it(
    engine: AsyncEngine, orders: Orders, store: Store, make: Make
) -> None:
    statement, death = 0, None
    while death is None or death.has_come:
        statement += 3
        order_id = await _hand_in(orders, f"{statement}.md", f"about {statement}".encode())
        with killed_at(engine, statement) as death, suppress(Killed):
            await _work_once(make(), f"{statement}.md")
        rescuer = make()
        rescuer.start()
        status = await _finished(orders, order_id)
        assert status.reports[0].outcome in {"added", "unchanged"}
        await rescuer.aclose()
    assert statement > 10
    assert len(await store.list(_ALL)) == statement / 3


async def _work_once(librarian: Librarian, source: str) -> None:
    librarian._waiting.put_nowait(source)
    await librarian._work_off()


async def test_an_order_that_processes_die_with_is_given_up(
    engine: AsyncEngine, orders: Orders, make: Make
) -> None:
    order_id = await _hand_in(orders, "a.md", b"about a")
    async with engine.begin() as connection:
        await connection.execute(update(ingests).values(attempts=3, state="running"))
    make().start()
    status = await _finished(orders, order_id)
    assert (status.state, status.reports[0].detail) == ("failed", "given up after 3 attempts")


async def test_finished_orders_are_forgotten_after_a_month(
    engine: AsyncEngine, orders: Orders, make: Make
) -> None:
    make().start()
    await _finished(orders, await _hand_in(orders, "a.md", b"about a"))
    async with engine.begin() as connection:
        await connection.execute(update(ingests).values(finished_at=func.now() - timedelta(days=31)))
    new = await _finished(orders, await _hand_in(orders, "b.md", b"about b"))
    assert [status.id for status in await orders.recent("ana")] == [new.id]


async def test_a_folder_is_kept_in_step(tmp_path: Path, store: Store, make: Make) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "notes.md").write_text("hidden")
    (tmp_path / "a.md").write_text("about a")
    folder = WatchedFolder(path=tmp_path, readers=frozenset({"group:hr"}))
    make(folders=(folder,), folder_seconds=0.1).start()

    async def titles() -> set[tuple[str, frozenset[str]]]:
        return {(document.title, document.readers) for document in await store.list(_ALL)}

    hr = frozenset({"group:hr"})
    await eventually(_is(titles, {("a", hr)}))
    (tmp_path / "b.md").write_text("about b")
    await eventually(_is(titles, {("a", hr), ("b", hr)}))
    (tmp_path / "a.md").unlink()
    await eventually(_is(titles, {("b", hr)}))


async def test_only_one_process_looks_after_folders(
    tmp_path: Path, orders: Orders, store: Store, make: Make
) -> None:
    (tmp_path / "a.md").write_text("about a")
    librarian = make(folders=(WatchedFolder(path=tmp_path),))
    async with orders.hold("watched") as is_held:
        assert is_held
        await librarian.refresh()
        assert await store.list(_ALL) == ()
    await librarian.refresh()
    assert len(await store.list(_ALL)) == 1


async def test_a_page_is_read_again_in_its_time_and_leaves_with_its_server(store: Store, make: Make) -> None:
    pages = ["<h1>First</h1>text", "<h1>Second</h1>text"]

    async def answer(_request: web.Request) -> web.Response:
        if not pages:
            raise web.HTTPGone
        return web.Response(text=pages.pop(0), content_type="text/html")

    app = web.Application()
    app.router.add_get("/guide", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/guide"
    allowed = {"page_hosts": ["127.0.0.1"], "page_networks": [ip_network("127.0.0.0/8")]}
    patient = make(pages=(WatchedPage(url=address),), page_minutes=60, **allowed)
    eager = make(pages=(WatchedPage(url=address),), page_minutes=1e-9, **allowed)

    async def found() -> list[tuple[str, str | None]]:
        return [(document.title, document.link) for document in await store.list(_ALL)]

    try:
        await patient.refresh()
        await patient.refresh()
        assert await found() == [("First", address)]
        await eager.refresh()
        assert await found() == [("Second", address)]
        await eager.refresh()
        assert await found() == []
    finally:
        await runner.cleanup()


async def test_texts_that_lost_their_vector_get_it_again(
    engine: AsyncEngine, orders: Orders, make: Make
) -> None:
    librarian = make()
    librarian.start()
    await _finished(orders, await _hand_in(orders, "a.md", b"about a"))
    await librarian.aclose()
    async with engine.begin() as connection:
        await connection.execute(delete(vectors))
    make().start()

    async def count() -> int | None:
        async with engine.connect() as connection:
            return await connection.scalar(select(func.count()).select_from(vectors))

    await eventually(count)


async def test_closing_does_not_wait_for_a_long_document(orders: Orders, store: Store, make: Make) -> None:
    librarian = make()
    librarian.start()
    order_id = await _hand_in(orders, "a.html", (b"<p>" + b"<i>" * 900 + b"x</p>") * 2000)
    await eventually(lambda: _state(orders, order_id, "running"))
    async with asyncio.timeout(5):
        await librarian.aclose()
    assert await store.list(_ALL) == ()
    assert await orders.waiting(older_than=timedelta(0)) == ["a.html"]


async def _state(orders: Orders, order_id: str, wanted: str) -> bool:
    status = await orders.get(order_id, "ana")
    return status is not None and status.state == wanted


def _is(read: Callable[[], Awaitable[object]], wanted: object) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await read() == wanted

    return check
