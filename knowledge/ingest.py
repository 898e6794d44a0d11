"""Takes files, folders and pages into the store: read, cut, embed, write. Idempotent by content."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NoReturn, TypeAlias

import structlog

from .archive import unpack
from .documents import Document, IngestReport, Outcome, Properties
from .errors import DocumentRejectedError, PageGoneError
from .pages import PageReader
from .parse import ARCHIVE, SUFFIXES
from .properties import completed, dump_properties
from .reading import read
from .settings import KnowledgeSettings
from .split import embedded, split
from .store import Store
from .terms import language
from .vectors import VectorIndex

_LOG = structlog.get_logger(__name__)

_RECIPE = "2"
"""Part of each content hash; raised when files are read or cut differently, so that all are taken anew."""
_NONE = Properties()
_EMBEDDED_AT_ONCE = 128
"""Passages between two signs of progress."""

Embedded: TypeAlias = Callable[[str, int, int], None]
"""Told of a source how many of its passages are embedded, and of how many."""
Stamps: TypeAlias = MutableMapping[str, tuple[int, int]]
"""Time of change (ns) and size (bytes) of files that were looked into."""


class Ingest:
    """Takes documents, one after the other. Every method may raise `StoreUnavailableError`."""

    def __init__(
        self,
        store: Store,
        vectors: VectorIndex,
        settings: KnowledgeSettings,
        on_embedded: Embedded = lambda _source, _done, _all: None,
    ) -> None:
        self._store = store
        self.vectors = vectors
        self._settings = settings
        self._pages = PageReader(
            hosts=settings.page_hosts, networks=settings.page_networks, max_bytes=settings.max_document_bytes
        )
        self._on_embedded = on_embedded

    def telling(self, on_embedded: Embedded) -> Ingest:
        """The same, with somebody who is told of the progress."""
        return Ingest(self._store, self.vectors, self._settings, on_embedded)

    async def ingest_bytes(
        self, name: str, data: bytes, *, media_type: str | None = None, properties: Properties = _NONE
    ) -> IngestReport:
        """Takes one document; `name` is its source and replaces what came from there before.

        Content that the store already has with these properties costs nothing. What is declared here goes
        before what the document says itself. When the embedding model is away the words are stored.
        """
        digest, limits = _digest(data, media_type, properties), self._settings
        known = await self._store.find(name)
        if known and known.content_hash == digest:
            return report(name, "unchanged", known)
        try:
            parsed = await read(
                name,
                data,
                media_type,
                max_bytes=limits.max_document_bytes,
                max_seconds=limits.max_read_seconds,
            )
        except DocumentRejectedError as error:
            return report(name, "rejected", detail=str(error))
        pieces = await asyncio.to_thread(split, parsed.title, parsed.sections)
        texts = {piece.digest: embedded(parsed.title, piece.location, piece.text) for piece in pieces}
        is_embedded = await self._embed(name, texts)
        found = completed(properties, parsed.properties)
        written = await self._store.write(
            title=parsed.title,
            source=name,
            media_type=parsed.media_type,
            content_hash=digest,
            language=found.language or language(" ".join(piece.text for piece in pieces)),
            properties=found,
            pieces=pieces,
        )
        detail = "" if is_embedded else "without vectors: the embedding model is away"
        return report(name, "replaced" if known else "added", written, detail)

    async def ingest(
        self, name: str, data: bytes, *, media_type: str | None = None, properties: Properties = _NONE
    ) -> list[IngestReport]:
        """Takes a document, or each one in an archive with the source `archive.zip!/path`.

        An archive is refused as a whole or replaces all that came out of it before.
        """
        if not name.lower().endswith(ARCHIVE):
            return [await self.ingest_bytes(name, data, media_type=media_type, properties=properties)]
        reports: list[IngestReport] = []
        members = unpack(data, max_bytes=self._settings.max_archive_bytes)
        try:
            while (member := await asyncio.to_thread(next, members, None)) is not None:
                if PurePath(member[0]).suffix.lower() in {ARCHIVE, *SUFFIXES}:
                    source = f"{name}!/{member[0]}"
                    reports.append(await self.ingest_bytes(source, member[1], properties=properties))
        except DocumentRejectedError as error:
            return [report(name, "rejected", detail=str(error))]
        if not reports:
            return [report(name, "rejected", detail="no document in it")]
        return [*reports, *await self._remove(f"{name}!/", {one.source for one in reports})]

    async def ingest_page(self, address: str, *, properties: Properties = _NONE) -> list[IngestReport]:
        """Takes a web page, or removes it where its server has it no more."""
        try:
            data, media_type = await self._pages.read(address)
        except DocumentRejectedError as error:
            is_gone = isinstance(error, PageGoneError) and await self._store.delete_source(address)
            return [report(address, "removed" if is_gone else "rejected", detail=str(error))]
        linked = replace(properties, link=properties.link or address)
        return await self.ingest(address, data, media_type=media_type, properties=linked)

    async def ingest_paths(
        self,
        paths: Iterable[Path | str],
        *,
        properties: Properties = _NONE,
        sync: bool = False,
        stamps: Stamps | None = None,
    ) -> list[IngestReport]:
        """Takes files, folders and addresses; a folder gives its documents by name, hidden files left out.

        The source of a document is its absolute path or its address. With `sync`, what was taken from a folder
        before and is not there any more is removed. Files with the same stamp as before are left out; new
        stamps are added. One report a document, in order; what cannot be read is reported as rejected.
        """
        reports: list[IngestReport] = []
        for path in paths:
            if isinstance(path, str) and path.lower().startswith(("http://", "https://")):
                reports += await self.ingest_page(path, properties=properties)
                continue
            try:
                root, files = await asyncio.to_thread(_files, Path(path))
            except OSError as error:
                reports.append(report(str(path), "rejected", detail=error.strerror or ""))
                continue
            for file in files:
                reports += await self._ingest_file(file, properties, {} if stamps is None else stamps)
            if sync and files != [root]:
                archives = tuple(f"{file}!/" for file in files if file.suffix.lower() == ARCHIVE)
                reports += await self._remove(f"{root}{os.sep}", set(map(str, files)), archives)
        return reports

    async def _ingest_file(self, path: Path, properties: Properties, stamps: Stamps) -> list[IngestReport]:
        limits = self._settings
        most = limits.max_archive_bytes if path.suffix.lower() == ARCHIVE else limits.max_document_bytes
        try:
            status = await asyncio.to_thread(path.stat)
            if stamps.get(str(path)) == (stamp := (status.st_mtime_ns, status.st_size)):
                return []
            # one byte more than allowed tells a file that is too large without reading all of it
            data = await asyncio.to_thread(_read_start, path, most + 1)
        except OSError as error:
            return [report(str(path), "rejected", detail=error.strerror or "")]
        reports = await self.ingest(str(path), data, properties=properties)
        stamps[str(path)] = stamp
        return reports

    async def _embed(self, source: str, texts: dict[str, str]) -> bool:
        items = list(texts.items())
        for start in range(0, len(items), _EMBEDDED_AT_ONCE):
            if not await self.vectors.ensure(dict(items[start : start + _EMBEDDED_AT_ONCE])):
                return False
            self._on_embedded(source, min(start + _EMBEDDED_AT_ONCE, len(items)), len(items))
        return True

    async def _remove(self, under: str, kept: set[str], archives: tuple[str, ...] = ()) -> list[IngestReport]:
        """Removes what came from there, but for these sources and what came out of these archives."""
        sources = sorted(await self._store.sources(under) - kept)
        gone = [source for source in sources if not source.startswith(archives)]
        return [report(source, "removed") for source in gone if await self._store.delete_source(source)]


def report(source: str, outcome: Outcome, document: Document | None = None, detail: str = "") -> IngestReport:
    """How a source fared; that is also logged."""
    chunks = document.chunks if document else 0
    _LOG.info("document_ingested", source=source, outcome=outcome, chunks=chunks)
    document_id = document.id if document else None
    return IngestReport(source=source, outcome=outcome, document_id=document_id, chunks=chunks, detail=detail)


def _digest(data: bytes, media_type: str | None, properties: Properties) -> str:
    declared = json.dumps([_RECIPE, media_type, dump_properties(properties)], sort_keys=True)
    return hashlib.sha256(declared.encode() + b"\0" + data).hexdigest()


def _read_start(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes)


def _files(path: Path) -> tuple[Path, list[Path]]:
    """The path made absolute, and itself or the documents in it; not what links lead to outside of it."""
    root = path.resolve()
    if not root.is_dir():
        return root, [root]
    found: list[Path] = []
    for folder, folders, names in os.walk(root, onerror=_fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(folder, name)
            is_document = file.suffix.lower() in {ARCHIVE, *SUFFIXES} and not name.startswith(".")
            if is_document and file.is_file() and file.resolve().is_relative_to(root):
                found.append(file)
    return root, sorted(found)


def _fail(error: OSError) -> NoReturn:
    """A folder that cannot be read must not look like an empty one."""
    raise error
