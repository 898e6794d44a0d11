"""The documents: `/api/v1/rag`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from bots.problems import ProblemError
from knowledge.answer import quote
from knowledge.errors import FilterRejectedError, KnowledgeError
from knowledge.ingest import Ingest
from knowledge.search import Search
from knowledge.store import Store
from security.roles import Permission

from .body import UploadedFile, read_file, read_json
from .endpoint import Endpoint
from .idempotency import IdempotencyKeys
from .models import (
    DocumentContent,
    Documents,
    Ingested,
    PassageView,
    QueryAnswer,
    QueryRequest,
    SectionView,
    Upload,
)
from .settings import RestSettings
from .turns import json_response

__all__ = ["RagRoutes"]

_PATH = "/api/v1/rag/documents"


class RagRoutes:
    """Asking the documents, adding, listing and removing them."""

    def __init__(
        self, search: Search, store: Store, ingest: Ingest, keys: IdempotencyKeys, settings: RestSettings
    ) -> None:
        self._search = search
        self._store = store
        self._ingest = ingest
        self._keys = keys
        self._settings = settings

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="POST",
                path="/api/v1/rag/query",
                handle=self.query,
                summary="Ask the documents",
                tag="rag",
                permission=Permission.ASK,
                request=QueryRequest,
                responses={200: QueryAnswer},
                problems=(503,),
                idempotent=True,
            ),
            Endpoint(
                method="POST",
                path=_PATH,
                handle=self.add,
                summary="Add or replace a document (Markdown, text, HTML or PDF)",
                tag="rag",
                permission=Permission.MANAGE_DOCUMENTS,
                request=Upload,
                media_type="multipart/form-data",
                responses={200: Ingested, 201: Ingested},
                problems=(503,),
                idempotent=True,
            ),
            Endpoint(
                method="GET",
                path=_PATH,
                handle=self.list,
                summary="The documents",
                tag="rag",
                permission=Permission.ASK,
                responses={200: Documents},
                problems=(503,),
            ),
            Endpoint(
                method="GET",
                path=_PATH + "/{document_id}",
                handle=self.get,
                summary="A document and its passages in reading order",
                tag="rag",
                permission=Permission.ASK,
                responses={200: DocumentContent},
                problems=(503,),
            ),
            Endpoint(
                method="DELETE",
                path=_PATH + "/{document_id}",
                handle=self.remove,
                summary="Remove a document",
                tag="rag",
                permission=Permission.MANAGE_DOCUMENTS,
                responses={204: None},
                problems=(503,),
            ),
        )

    async def query(self, request: web.Request) -> web.Response:
        """The best passages, and a quotation from the first if it is close enough."""
        body = await read_json(request, QueryRequest, max_bytes=self._settings.max_body)
        return await self._keys.once(request, body.model_dump_json().encode(), lambda: self._answer(body))

    async def add(self, request: web.Request) -> web.Response:
        """201 for a new document, 200 for one that was there."""
        file = await read_file(request, "file", max_bytes=self._settings.upload_max)
        # The boundary of a form differs with each attempt, the file does not.
        content = file.name.encode() + b"\x00" + file.data
        return await self._keys.once(request, content, lambda: self._store_file(file))

    async def list(self, _request: web.Request) -> web.Response:
        """All documents, by title."""
        with _problems():
            documents = await self._store.list()
        return json_response(Documents(documents=list(documents)))

    async def get(self, request: web.Request) -> web.Response:
        """What a document says, so that a citation can be read in its place."""
        document_id = request.match_info["document_id"]
        with _problems():
            document = await self._store.get(document_id)
            chunks = await self._store.read(document_id)
        if document is None:
            raise _not_found()
        passages = [SectionView(location=chunk.location, text=chunk.text) for chunk in chunks]
        return json_response(DocumentContent(document=document, passages=passages))

    async def remove(self, request: web.Request) -> web.Response:
        """Removes the document and its passages."""
        with _problems():
            is_removed = await self._store.delete(request.match_info["document_id"])
        if not is_removed:
            raise _not_found()
        return web.Response(status=204)

    async def _answer(self, body: QueryRequest) -> web.Response:
        with _problems():
            found = await self._search.search(body.query, k=body.k, filters=body.filters)
        answer = quote(found.passages[0].text, body.query) if found.answerable else None
        return json_response(
            QueryAnswer(
                answerable=found.answerable,
                answer=answer,
                passages=[PassageView.of(passage) for passage in found.passages],
            )
        )

    async def _store_file(self, file: UploadedFile) -> web.Response:
        with _problems():
            report = await self._ingest.ingest_bytes(file.name, file.data, media_type=file.media_type)
        if report.outcome == "rejected":
            raise ProblemError(422, "document_rejected", report.detail)
        return json_response(Ingested.of(report), status=201 if report.outcome == "added" else 200)


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
        raise ProblemError(
            503, error.code, "The documents cannot be reached now; try again later."
        ) from error
