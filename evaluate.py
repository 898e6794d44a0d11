"""`resync eval`: how good the product is on given questions, on a database of its own."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import create_async_engine

import migrations
from embedded import embedded_postgres
from knowledge.embed import Embedder, OnnxEmbedder, Vectors
from knowledge.evaluation import QuestionSet, load, measure
from knowledge.library import open_library
from knowledge.settings import KnowledgeSettings

_COLUMNS = {
    "set": "name",
    "nDCG@10": "ndcg_at_10",
    "BM25": "bm25_ndcg_at_10",
    "vector": "vector_ndcg_at_10",
    "RRF": "rrf_ndcg_at_10",
    "recall@10": "recall_at_10",
    "MRR": "mrr",
    "first right": "right_first",
    "p50 ms": "p50_ms",
    "p95 ms": "p95_ms",
    "answerable refused": "answerable_refused",
    "unanswerable refused": "unanswerable_refused",
}


def evaluate(folders: Sequence[Path], kept: Path | None) -> list[dict[str, Any]]:
    """The figures of each set, one after the other."""
    return [asyncio.run(_measure(load(folder), kept)) for folder in folders]


def table(sets: Sequence[dict[str, Any]]) -> str:
    """The figures as a table in Markdown."""
    rows = [["–" if one[name] is None else str(one[name]) for name in _COLUMNS.values()] for one in sets]
    return "\n".join(f"| {' | '.join(row)} |" for row in (list(_COLUMNS), ["---"] * len(_COLUMNS), *rows))


async def _measure(questions: QuestionSet, kept: Path | None) -> dict[str, Any]:
    settings = KnowledgeSettings()
    with (
        tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder,
        closing(connect(kept or ":memory:", check_same_thread=False)) as database,
        Progress(console=Console(stderr=True)) as progress,
    ):
        embedder = OnnxEmbedder(threads=settings.embedding_threads)
        task = progress.add_task(questions.name, total=len(questions.documents))
        async with embedded_postgres(Path(folder)) as dsn:
            await migrations.upgrade(dsn)
            engine = create_async_engine(migrations.sqlalchemy_url(dsn))
            try:
                return await measure(
                    questions,
                    open_library(engine, settings, embedder=embedder),
                    filled_by=open_library(engine, settings, embedder=KeptVectors(embedder, database)),
                    on_progress=lambda done: progress.update(task, completed=done),
                )
            finally:
                await engine.dispose()


class KeptVectors:
    """An embedder that looks up what it embedded before, in a file of SQLite."""

    def __init__(self, embedder: Embedder, database: Connection) -> None:
        self.model = embedder.model
        self.dimensions = embedder.dimensions
        self.languages = embedder.languages
        self._embedder = embedder
        self._database = database
        database.execute("CREATE TABLE IF NOT EXISTS vectors (digest TEXT PRIMARY KEY, vector BLOB)")

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Embedder` says."""
        digests = [hashlib.sha256(f"{self.model}\n{text}".encode()).hexdigest() for text in texts]
        found = {digest: self._find(digest) for digest in digests}
        missing = {digest: text for digest, text in zip(digests, texts, strict=True) if found[digest] is None}
        for digest, vector in zip(missing, await self._embedder.embed(list(missing.values())), strict=True):
            found[digest] = vector
            self._database.execute("INSERT INTO vectors VALUES (?, ?)", (digest, vector.tobytes()))
        self._database.commit()
        return np.array([found[digest] for digest in digests], dtype=np.float32)

    def _find(self, digest: str) -> Vectors | None:
        row = self._database.execute("SELECT vector FROM vectors WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype=np.float32)
