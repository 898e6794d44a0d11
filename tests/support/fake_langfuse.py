"""A Langfuse that remembers the spans it was sent by OTLP over HTTP, or that never answers.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class FakeLangfuse:
    hangs: bool
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    """Set when the first request arrives."""

    async def receive(self, request: web.Request) -> web.Response:
        self.asked.set()
        if self.hangs:
            await asyncio.Event().wait()
        # aiohttp has undone the gzip by now.
        batch = ExportTraceServiceRequest.FromString(await request.read())
        self.authorizations.append(request.headers["Authorization"])
        self.spans.extend(
            span
            for resource in batch.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        )
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )


def attributes(span: Span) -> dict[str, str]:
    """The text attributes of a span."""
    return {
        item.key: item.value.string_value for item in span.attributes if item.value.HasField("string_value")
    }


@asynccontextmanager
async def fake_langfuse(*, hangs: bool = False) -> AsyncIterator[FakeLangfuse]:
    fake = FakeLangfuse(hangs=hangs)
    app = web.Application()
    app.router.add_post("/api/public/otel/v1/traces", fake.receive)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("/"))
        yield fake
