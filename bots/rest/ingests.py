"""Handing documents in, and how far they are: `/api/v1/rag/documents`, `/pages` and `/ingests`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from bots.problems import ProblemError
from knowledge.documents import EVERYONE, Language, Link, Properties, Reader, Readers
from knowledge.orders import Orders, OrderStatus
from knowledge.properties import dump_properties, read_properties
from knowledge.store import Store

from .body import read_file, read_json
from .endpoint import ACTOR, json_response
from .idempotency import IdempotencyKeys
from .models import Request, View
from .rag import problems


class _Declared(Request):
    """What is declared of a document."""

    readers: Readers = EVERYONE
    """`role:operator` (and every role above), `group:sap`; empty: whoever may ask."""
    language: Language | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    link: Link | None = None
    """Where people read the original."""


class Upload(_Declared):
    """A document, or a ZIP file of documents, as multipart form data."""

    media_type = "multipart/form-data"

    file: Annotated[str, Field(json_schema_extra={"contentMediaType": "application/octet-stream"})]


class PageRequest(_Declared):
    """A web page of an allowed host."""

    url: Link


class Ingested(View):
    """How a document fared."""

    document_id: str
    source: str
    outcome: Literal["added", "replaced", "unchanged"]
    chunks: int


class Ingests(BaseModel):
    """What the caller handed in, the newest first."""

    ingests: list[OrderStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRoutes:
    """Documents go through the durable queue; whoever handed one in waits for it a little."""

    orders: Orders
    store: Store
    keys: IdempotencyKeys
    max_bytes: int
    wait: timedelta

    async def add(self, request: web.Request) -> web.Response:
        """Add (201) or replace (200) a document, or hand in what takes longer or is many (202)."""
        file = await read_file(request, "file", max_bytes=self.max_bytes)
        with problems():
            properties = read_properties(file.fields)
        return await self._once(request, file.name, file.data, file.media_type, properties)

    async def add_page(self, request: web.Request) -> web.Response:
        """Add a web page of an allowed host."""
        body = await read_json(request, PageRequest)
        with problems():
            properties = read_properties(body.model_dump())
        return await self._once(request, body.url, None, None, properties)

    async def progress(self, request: web.Request) -> web.Response:
        """How far something is that you handed in."""
        with problems():
            status = await self.orders.get(request.match_info["ingest_id"], request[ACTOR].actor_id)
        if status is None:
            raise ProblemError(404, "ingest_not_found", "You have handed in no such thing.")
        return json_response(status)

    async def recent(self, request: web.Request) -> web.Response:
        """What you handed in, the newest first."""
        with problems():
            found = await self.orders.recent(request[ACTOR].actor_id)
        return json_response(Ingests(ingests=found))

    async def _once(
        self,
        request: web.Request,
        source: str,
        data: bytes | None,
        media_type: str | None,
        properties: Properties,
    ) -> web.Response:
        actor = request[ACTOR]

        async def order() -> web.Response:
            with problems():
                if await self.store.is_taken(source, Reader(actor.readers)):
                    detail = "There is a document of this name that you may not read."
                    raise ProblemError(409, "source_taken", detail)
                order_id = await self.orders.accept(
                    source, data, media_type=media_type, properties=properties, requested_by=actor.actor_id
                )
                status = await self.orders.get(
                    order_id, actor.actor_id, wait_seconds=self.wait.total_seconds()
                )
            assert status is not None, "orders are kept for weeks"
            return _answer(status)

        # The boundary of a form differs with each attempt, the file does not.
        declared = json.dumps([source, dump_properties(properties)], sort_keys=True)
        return await self.keys.once(request, declared.encode() + b"\x00" + (data or b""), order)


def _answer(status: OrderStatus) -> web.Response:
    report = status.reports[0] if len(status.reports) == 1 else None
    if report and report.outcome == "rejected":
        raise ProblemError(422, "document_rejected", report.detail)
    if report and report.document_id:
        added = Ingested.model_validate(report)
        return json_response(added, status=201 if report.outcome == "added" else 200)
    return json_response(status, status=202)
