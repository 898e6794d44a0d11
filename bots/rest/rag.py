"""The documents: `/api/v1/rag`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from bots.problems import ProblemError
from knowledge.answer import quote
from knowledge.documents import Reader, Section
from knowledge.errors import DocumentRejectedError, FilterRejectedError, KnowledgeError
from knowledge.search import Search
from knowledge.store import Store

from .body import read_json
from .endpoint import ACTOR, json_response
from .idempotency import IdempotencyKeys
from .models import DocumentContent, Documents, PassageView, QueryAnswer, QueryRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RagRoutes:
    """Asking the documents, listing and removing them."""

    search: Search
    store: Store
    keys: IdempotencyKeys

    async def query(self, request: web.Request) -> web.Response:
        """Ask the documents: the best passages, and a quotation from the first if it is close enough."""
        body = await read_json(request, QueryRequest)
        reader = Reader(request[ACTOR].readers)
        return await self.keys.once(
            request, body.model_dump_json().encode(), lambda: self._answer(body, reader)
        )

    async def list(self, request: web.Request) -> web.Response:
        """The documents that you may read, by title."""
        with problems():
            documents = await self.store.list(Reader(request[ACTOR].readers))
        return json_response(Documents(documents=list(documents)))

    async def get(self, request: web.Request) -> web.Response:
        """A document and its passages in reading order, so that a citation can be read in its place."""
        document_id, reader = request.match_info["document_id"], Reader(request[ACTOR].readers)
        with problems():
            document = await self.store.get(document_id, reader)
            chunks = await self.store.read(document_id, reader)
        if document is None:
            raise _not_found()
        passages = [Section(location=chunk.location, text=chunk.text, page=chunk.page) for chunk in chunks]
        return json_response(DocumentContent(document=document, passages=passages))

    async def remove(self, request: web.Request) -> web.Response:
        """Remove a document and its passages."""
        document_id = request.match_info["document_id"]
        with problems():
            is_there = await self.store.get(document_id, Reader(request[ACTOR].readers)) is not None
            if not (is_there and await self.store.delete(document_id)):
                raise _not_found()
        return web.Response(status=204)

    async def _answer(self, body: QueryRequest, reader: Reader) -> web.Response:
        with problems():
            found = await self.search.search(body.query, reader=reader, k=body.k, filters=body.filters)
        answer = quote(found.passages[0].text, body.query) if found.answerable else None
        passages = [PassageView.model_validate(passage) for passage in found.passages]
        return json_response(QueryAnswer(answerable=found.answerable, answer=answer, passages=passages))


def _not_found() -> ProblemError:
    return ProblemError(404, "document_not_found", "There is no such document.")


@contextmanager
def problems() -> Iterator[None]:
    """What the knowledge package raises, as problems."""
    try:
        yield
    except FilterRejectedError as error:
        errors = [{"field": "filters", "message": str(error)}]
        raise ProblemError(422, error.code, str(error), errors=errors) from error
    except DocumentRejectedError as error:
        raise ProblemError(422, error.code, str(error)) from error
    except KnowledgeError as error:
        detail = "The documents cannot be reached now; try again later."
        raise ProblemError(503, error.code, detail) from error
