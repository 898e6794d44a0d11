"""Takes files into the store: read, cut, embed, write. Idempotent by content."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import structlog

from .documents import Chunk, IngestReport
from .embed import MiniLmEmbedder, Vectors
from .errors import DocumentRejectedError, EmbeddingUnavailableError
from .parse import SUFFIXES, Parsed, parse
from .settings import KnowledgeSettings
from .split import split
from .store import Store

__all__ = ["Ingest"]

_LOG = structlog.get_logger(__name__)

_RECIPE = b"1"
"""Part of each content hash; raised when files are read or cut differently, so that all are taken anew."""


class Ingest:
    """Takes documents, one after the other. Every method may raise `StoreUnavailableError`."""

    def __init__(self, store: Store, embedder: MiniLmEmbedder, settings: KnowledgeSettings) -> None:
        self._store = store
        self._embedder = embedder
        self._settings = settings

    async def ingest_bytes(self, name: str, data: bytes, *, media_type: str | None = None) -> IngestReport:
        """Takes one document; `name` is its source and replaces what came from there before.

        Content that the store already has costs nothing. When the embedding model is away the words are
        stored, and the vectors follow when the same content is taken again.
        """
        digest = hashlib.sha256(_RECIPE + b"\0" + data).hexdigest()
        known = await self._store.find(name)
        is_same = known is not None and known.content_hash == digest
        if known and is_same and await self._store.has_vectors(known.id, self._embedder.model):
            return IngestReport(source=name, outcome="unchanged", document_id=known.id, chunks=known.chunks)
        try:
            parsed, pieces = await asyncio.to_thread(self._read, name, data, media_type)
        except DocumentRejectedError as error:
            return _rejected(name, str(error))
        vectors = await self._embed(parsed.title, pieces)
        written = await self._store.write(
            title=parsed.title,
            source=name,
            media_type=parsed.media_type,
            content_hash=digest,
            pieces=pieces,
            vectors=vectors,
            model=self._embedder.model,
        )
        return IngestReport(
            source=name,
            outcome="replaced" if known else "added",
            document_id=written.id,
            chunks=written.chunks,
            detail="" if vectors is not None else "without vectors: the embedding model is away",
        )

    async def ingest_paths(
        self, paths: Iterable[Path], on_progress: Callable[[IngestReport], None] | None = None
    ) -> list[IngestReport]:
        """Takes files and folders; a folder gives its documents by name, hidden files left out.

        The source of a document is its absolute path. One report a file, in order; what cannot be read is
        reported as rejected.
        """
        reports: list[IngestReport] = []
        for path in await asyncio.to_thread(_walk, list(paths)):
            report = await self._ingest_file(path)
            _LOG.info("document_ingested", source=report.source, outcome=report.outcome, chunks=report.chunks)
            reports.append(report)
            if on_progress:
                on_progress(report)
        return reports

    async def _ingest_file(self, path: Path) -> IngestReport:
        try:
            # one byte more than allowed tells a file that is too large without reading all of it
            data = await asyncio.to_thread(_read_start, path, self._settings.max_document_bytes + 1)
        except OSError as error:
            return _rejected(str(path), error.strerror or type(error).__name__)
        return await self.ingest_bytes(str(path), data)

    def _read(self, name: str, data: bytes, media_type: str | None) -> tuple[Parsed, tuple[Chunk, ...]]:
        parsed = parse(name, data, media_type=media_type, max_bytes=self._settings.max_document_bytes)
        return parsed, split(parsed.title, parsed.sections)

    async def _embed(self, title: str, pieces: Sequence[Chunk]) -> Vectors | None:
        # the headings say what a list of steps is about
        texts = [f"{title}. {piece.location}. {piece.text}" for piece in pieces]
        try:
            return await self._embedder.embed(texts)
        except EmbeddingUnavailableError as error:
            _LOG.warning("ingest_without_embeddings", code=error.code, model=error.model)
            return None


def _rejected(source: str, reason: str) -> IngestReport:
    return IngestReport(source=source, outcome="rejected", document_id=None, chunks=0, detail=reason)


def _read_start(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes)


def _walk(paths: Sequence[Path]) -> list[Path]:
    return [file for path in paths for file in _files(path.resolve())]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        is_hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES and not is_hidden and file.is_file():
            yield file
