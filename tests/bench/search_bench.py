"""Measures search over 100,000 chunks. `python -m tests.bench.search_bench`; takes about six minutes.

The texts are sentences of the passages in `bench-data`, mixed anew; the vector of a chunk is the mean of those of
the passages that it was mixed from, and a little noise, so that neighbourhoods are like those of real texts.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sqlalchemy import ColumnElement, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import migrations
from embedded import embedded_postgres
from knowledge.documents import Chunk, Properties, Reader
from knowledge.embed import OnnxEmbedder, Vectors
from knowledge.library import Library, open_library
from knowledge.settings import KnowledgeSettings
from knowledge.tables import documents, vectors
from knowledge.terms import extract
from knowledge.vectors import EXACT_UP_TO, Asked, Near

_SHARED = Path(os.environ.get("RESYNC_SHARED", "../shared"))
_DOCUMENTS, _CHUNKS_A_DOCUMENT = 100, 1000
_PASSAGES = 2000
"""Whose vectors are computed."""
_MIXED = 3
_NOISE = 0.01
_QUESTIONS = 150
_ALL = Reader(None)
_K = 10
_DEPTH = 50
"""How far down search looks at the vectors."""


@dataclass(frozen=True, slots=True)
class _Collection:
    digests: list[str]
    matrix: Vectors
    """One row a chunk."""


def _lines(name: str, file: str) -> list[dict[str, Any]]:
    text = (_SHARED / "bench-data" / name / file).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _questions() -> list[str]:
    """English and Portuguese, mixed."""
    asked = [*_lines("tws-manuals", "queries.jsonl"), *_lines("pira-dev-pt2en", "queries.jsonl")]
    return [row["text"] for row in asked][:_QUESTIONS]


async def _fill(engine: AsyncEngine, library: Library, embedder: OnnxEmbedder) -> _Collection:
    rows = [*_lines("tws-manuals", "corpus.jsonl"), *_lines("pira-dev-en", "corpus.jsonl")]
    random = np.random.default_rng(7)
    texts = [rows[place]["text"] for place in random.permutation(len(rows))[:_PASSAGES]]
    base = await embedder.embed(texts)
    sentences = [[part for part in text.split(". ") if part.strip()] or ["nothing"] for text in texts]
    all_digests: list[str] = []
    matrices = []
    for document in range(_DOCUMENTS):
        mixes = random.integers(0, _PASSAGES, (_CHUNKS_A_DOCUMENT, _MIXED))
        weights = random.dirichlet([0.5] * _MIXED, _CHUNKS_A_DOCUMENT)
        noise = random.normal(0, _NOISE, (_CHUNKS_A_DOCUMENT, embedder.dimensions))
        mixed = np.einsum("cm,cmd->cd", weights, base[mixes]) + noise
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        pieces = []
        for position, mix in enumerate(mixes):
            words = ". ".join(random.choice(sentences[one]) for one in mix)
            text = f"{words} [{document}/{position}]"
            digest = hashlib.sha256(text.encode()).hexdigest()
            pieces.append(
                Chunk(
                    position=position,
                    section=position,
                    location=f"Part {position}",
                    page=None,
                    text=text,
                    identifiers=extract(text),
                    digest=digest,
                )
            )
        digests = [piece.digest for piece in pieces]
        values = [
            {"digest": digest, "model": embedder.model, "embedding": vector}
            for digest, vector in zip(digests, mixed.astype(np.float32), strict=True)
        ]
        async with engine.begin() as connection:
            await connection.execute(insert(vectors).on_conflict_do_nothing(), values)
        await library.store.write(
            title=f"Document {document}",
            source=f"bench/{document}",
            media_type="text/plain",
            content_hash=str(document),
            language="en",
            properties=Properties(),
            pieces=pieces,
        )
        all_digests += digests
        matrices.append(mixed.astype(np.float32))
    return _Collection(all_digests, np.concatenate(matrices))


async def _settle(engine: AsyncEngine) -> None:
    """What the server would do by and by after so much was written, and what else would run beside the questions."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in ("VACUUM ANALYZE kb_vectors", "VACUUM ANALYZE kb_chunks", "CHECKPOINT"):
            await connection.execute(text(statement))


async def _timed(work: Callable[[str], Awaitable[object]], questions: Sequence[str]) -> list[float]:
    await work(questions[0])
    seconds = []
    for question in questions:
        start = time.perf_counter()
        await work(question)
        seconds.append(time.perf_counter() - start)
    return seconds


def _figures(seconds: Sequence[float]) -> str:
    milliseconds = 1000 * np.array(seconds)
    return f"{np.median(milliseconds):.1f} ms | {np.percentile(milliseconds, 95):.1f} ms"


async def _vector_part(
    library: Library, collection: _Collection, asked: Sequence[Asked], share: float
) -> tuple[list[float], float]:
    """Times, and the share of the true ten nearest that were found, among so many of the documents.

    The second round counts: in the first one the server reads pages from the disk. What is true is worked out
    before: it would take the processor's caches from what is measured.
    """
    conditions = _conditions(share)
    rows = round(_DOCUMENTS * share) * _CHUNKS_A_DOCUMENT
    kept = collection.matrix[:rows]
    least = [np.partition(kept @ one.vector, -_K)[-_K] - 1e-3 for one in asked]  # stored with half the digits
    seconds, found = [], []
    for one, tenth in [*zip(asked, least, strict=True)] * 2:
        start = time.perf_counter()
        near: list[Near] = await library.vectors.nearest(one, conditions, among=rows, limit=_DEPTH)
        seconds.append(time.perf_counter() - start)
        found.append(min(_K, sum(each.cosine >= tenth for each in near[:_K])) / _K)
    return seconds[len(asked) :], float(np.mean(found[len(asked) :]))


def _conditions(share: float) -> list[ColumnElement[bool]]:
    kept = [f"Document {number}" for number in range(round(_DOCUMENTS * share))]
    return [documents.c.title.in_(kept)] if share < 1 else []


async def _inside(engine: AsyncEngine, library: Library, asked: Sequence[Asked]) -> list[list[float]]:
    """Seconds that the server takes for planning and for execution of each lookup in the whole index."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    for one in asked:
        await library.vectors.nearest(one, [], among=EXACT_UP_TO + 1, limit=_DEPTH)
    event.remove(engine.sync_engine, "before_cursor_execute", note)
    taken = []
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for (settings, values), (statement, parameters) in zip(sent[::2], sent[1::2], strict=True):
            async with driver.transaction():
                await driver.fetch(settings, *values)
                explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
                told = (await driver.fetchval(explain, *parameters))[0]
                taken.append([told["Planning Time"] / 1000, told["Execution Time"] / 1000])
    return [list(one) for one in zip(*taken, strict=True)]


async def _measure(folder: Path) -> str:
    load = os.getloadavg()[0]
    settings = KnowledgeSettings()
    embedder = OnnxEmbedder(threads=settings.embedding_threads)
    async with embedded_postgres(folder) as dsn:
        await migrations.upgrade(dsn)
        engine = create_async_engine(migrations.sqlalchemy_url(dsn))
        library = open_library(engine, settings, embedder=embedder)
        try:
            start = time.perf_counter()
            collection = await _fill(engine, library, embedder)
            filled = time.perf_counter()
            await library.vectors.rebuild()
            built = time.perf_counter()
            await _settle(engine)
            questions = _questions()
            before = psutil.Process().memory_info().rss
            await library.search.search(questions[0], reader=_ALL)
            first = time.perf_counter()
            lines = [
                f"{len(collection.digests):,} chunks in {_DOCUMENTS} documents; {len(questions)} questions in both languages.",
                f"Load of the machine before: {load:.1f}.",
                "",
                "| | median | p95 | recall@10 |",
                "|---|---|---|---|",
            ]
            whole = await _timed(lambda one: library.search.search(one, reader=_ALL), questions)
            lines.append(f"| whole search, with translation and embedding | {_figures(whole)} | |")
            narrow = {"title": "Document 7"}
            filtered = await _timed(
                lambda one: library.search.search(one, reader=_ALL, filters=narrow), questions
            )
            lines.append(f"| whole search, filtered to 1 % | {_figures(filtered)} | |")
            asked = [Asked(embedder.model, (await embedder.embed([question]))[0]) for question in questions]
            for share in (1.0, 0.3, 0.01):
                seconds, recall = await _vector_part(library, collection, asked, share)
                lines.append(f"| vectors, {share:.0%} of the chunks | {_figures(seconds)} | {recall:.3f} |")
            planning, execution = await _inside(engine, library, asked)
            lines.append(f"| … of which the server plans | {_figures(planning)} | |")
            lines.append(f"| … and executes | {_figures(execution)} | |")
            grown = (psutil.Process().memory_info().rss - before) / 1e6
            lines += [
                "",
                f"Stored in {filled - start:.0f} s, HNSW index in {built - filled:.0f} s; the first question made the",
                f"word index in {first - built:.0f} s and {grown:.0f} MB.",
            ]
            return "\n".join(lines)
        finally:
            await engine.dispose()


def main() -> None:
    if not (_SHARED / "bench-data").exists():
        sys.exit(f"the texts are not there: {_SHARED / 'bench-data'}; RESYNC_SHARED names another folder")
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder:
        sys.stdout.write(asyncio.run(_measure(Path(folder))) + "\n")


if __name__ == "__main__":
    main()
