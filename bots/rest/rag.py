"""The documents: `/api/v1/rag`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from bots.problems import ProblemError
from knowledge.answer import quote
from knowledge.documents import Section
from knowledge.errors import FilterRejectedError, KnowledgeError
from knowledge.ingest import Ingest
from knowledge.search import Search
from knowledge.store import Store

from .body import UploadedFile, read_file, read_json
from .endpoint import json_response
from .idempotency import IdempotencyKeys
from .models import DocumentContent, Documents, Ingested, PassageView, QueryAnswer, QueryRequest

__all__ = ["RagRoutes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RagRoutes:
    """Asking the documents, adding, listing and removing them."""

    search: Search
    store: Store
    ingest: Ingest
    keys: IdempotencyKeys
    max_bytes: int

    async def query(self, request: web.Request) -> web.Response:
        """Ask the documents: the best passages, and a quotation from the first if it is close enough."""
        body = await read_json(request, QueryRequest)
        return await self.keys.once(request, body.model_dump_json().encode(), lambda: self._answer(body))

    async def add(self, request: web.Request) -> web.Response:
        """Add (201) or replace (200) a document: Markdown, text, HTML or PDF."""
        file = await read_file(request, "file", max_bytes=self.max_bytes)
        # The boundary of a form differs with each attempt, the file does not.
        content = file.name.encode() + b"\x00" + file.data
        return await self.keys.once(request, content, lambda: self._store_file(file))

    async def list(self, _request: web.Request) -> web.Response:
        """The documents, by title."""
        with _problems():
            documents = await self.store.list()
        return json_response(Documents(documents=list(documents)))

    async def get(self, request: web.Request) -> web.Response:
        """A document and its passages in reading order, so that a citation can be read in its place."""
        document_id = request.match_info["document_id"]
        with _problems():
            document = await self.store.get(document_id)
            chunks = await self.store.read(document_id)
        if document is None:
            raise _not_found()
        passages = [Section(location=chunk.location, text=chunk.text) for chunk in chunks]
        return json_response(DocumentContent(document=document, passages=passages))

    async def remove(self, request: web.Request) -> web.Response:
        """Remove a document and its passages."""
        with _problems():
            is_removed = await self.store.delete(request.match_info["document_id"])
        if not is_removed:
            raise _not_found()
        return web.Response(status=204)

    async def _answer(self, body: QueryRequest) -> web.Response:
        with _problems():
            found = await self.search.search(body.query, k=body.k, filters=body.filters)
        answer = quote(found.passages[0].text, body.query) if found.answerable else None
        passages = [PassageView.model_validate(passage) for passage in found.passages]
        return json_response(QueryAnswer(answerable=found.answerable, answer=answer, passages=passages))

    async def _store_file(self, file: UploadedFile) -> web.Response:
        with _problems():
            report = await self.ingest.ingest_bytes(file.name, file.data, media_type=file.media_type)
        if report.outcome == "rejected":
            raise ProblemError(422, "document_rejected", report.detail)
        return json_response(
            Ingested.model_validate(report), status=201 if report.outcome == "added" else 200
        )


def _not_found() -> ProblemError:
    return ProblemError(404, "document_not_found", "There is no such document.")


@contextmanager
def _problems() -> Iterator[None]:
    """What the knowledge package raises, as problems."""
    try:
        yield
    except FilterRejectedError as error:
        errors = [{"field": "filters", "message": str(error)}]
        raise ProblemError(422, error.code, str(error), errors=errors) from error
    except KnowledgeError as error:
        detail = "The documents cannot be reached now; try again later."
        raise ProblemError(503, error.code, detail) from error
