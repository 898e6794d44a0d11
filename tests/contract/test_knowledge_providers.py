"""Models behind HTTP: embeddings as OpenAI's API gives them, reranking as Cohere's does, and what happens without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import Reader
from knowledge.embed import ApiEmbedder
from knowledge.errors import EmbeddingUnavailableError
from knowledge.library import open_library
from knowledge.rerank import ApiReranker
from knowledge.settings import EmbedderSettings, KnowledgeSettings
from knowledge.translate import FastTranslator, translate_around_names

_TOPICS = ("robot", "payroll", "certificate")
_ALL = Reader(None)


class Models:
    """A server with both APIs; `answers` replaces what it says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str | None, dict[str, Any]]] = []
        self.answers: Callable[[], web.Response] | None = None
        self.url = ""

    async def embeddings(self, request: web.Request) -> web.Response:
        body = await self._note(request)
        rows = [[float(text.lower().count(topic)) + 0.01 for topic in _TOPICS] for text in body["input"]]
        data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
        return self.answers() if self.answers else web.json_response({"object": "list", "data": data[::-1]})

    async def rerank(self, request: web.Request) -> web.Response:
        body = await self._note(request)
        scored = [
            {"index": index, "relevance_score": len(text)} for index, text in enumerate(body["documents"])
        ]
        return self.answers() if self.answers else web.json_response({"id": "r", "results": scored})

    async def _note(self, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.requests.append((request.headers.get("Authorization"), body))
        return body


@pytest.fixture
async def models() -> AsyncIterator[Models]:
    known = Models()
    app = web.Application()
    app.router.add_post("/v1/embeddings", known.embeddings)
    app.router.add_post("/rerank", known.rerank)
    async with TestServer(app) as server:
        known.url = str(server.make_url("/"))
        yield known


def _embedder(models: Models) -> ApiEmbedder:
    return ApiEmbedder(
        url=f"{models.url}v1",
        model="topics-3",
        dimensions=len(_TOPICS),
        languages=frozenset({"en"}),
        key=SecretStr("the-key"),
    )


async def test_vectors_come_in_order_and_at_length_one(models: Models) -> None:
    vectors = await _embedder(models).embed(["a robot", "a certificate"])
    assert np.argmax(vectors, axis=1).tolist() == [0, 2]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    ((key, body),) = models.requests
    assert key == "Bearer the-key"
    assert (body["model"], body["input"]) == ("topics-3", ["a robot", "a certificate"])


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="no JSON"),
        lambda: web.json_response({"data": [{"index": 0, "embedding": [1.0]}]}),
        lambda: web.json_response({"data": []}),
    ],
    ids=["500", "nonsense", "another length", "none"],
)
async def test_an_answer_that_is_no_vectors_is_the_model_being_away(
    models: Models, answer: Callable[[], web.Response]
) -> None:
    models.answers = answer
    with pytest.raises(EmbeddingUnavailableError) as raised:
        await _embedder(models).embed(["a robot"])
    assert "the-key" not in str(raised.value)


async def test_the_configured_models_embed_and_put_the_passages_in_order(
    engine: AsyncEngine, models: Models
) -> None:
    settings = KnowledgeSettings.model_validate(
        {
            "embedders": [{"model": "topics-3", "dimensions": 3, "url": f"{models.url}v1", "key": "k"}],
            "rerank_url": f"{models.url}rerank",
            "rerank_model": "longest-first",
            "rerank_key": "r",
        }
    )
    library = open_library(engine, settings)
    await library.ingest.ingest_bytes("short.md", b"# Short\n\nThe robot moves.")
    await library.ingest.ingest_bytes(
        "long.md", b"# Long\n\nThe robot moves cartridges of all kinds all night."
    )
    found = await library.search.search("robot", reader=_ALL)
    assert [passage.document_title for passage in found.passages] == ["Long", "Short"]
    assert found.passages[0].matched >= {"words", "vector"}
    assert models.requests[-1][1]["model"] == "longest-first"
    assert found.degraded == ()


async def test_without_the_reranker_the_order_stays(models: Models) -> None:
    models.answers = lambda: web.Response(status=503)
    reranker = ApiReranker(url=f"{models.url}rerank", model="m", key=None)
    assert await reranker.rerank("robot", ["a", "b"]) is None


def test_an_embedder_needs_a_place() -> None:
    with pytest.raises(ValidationError, match="either url, or model_file and tokenizer_file"):
        EmbedderSettings(model="m", dimensions=3)


@pytest.mark.parametrize(
    "name", ["FECHAMENTO_MES", "AWSBHT023E", "AGT01#PAYROLL.EXTRACT_01", "ORA-01653", "localopts.txt", "FTA"]
)
async def test_names_survive_translation(name: str) -> None:
    translated = await translate_around_names(FastTranslator(), f"por que o {name} não começou?", "pt", "en")
    assert translated is not None
    assert name in translated
    assert "start" in translated or "begin" in translated or "begun" in translated


async def test_a_pasted_log_is_translated_in_its_beginning_only() -> None:
    text = "o job parou de novo. " * 200
    translated = await FastTranslator().translate(text, "pt", "en")
    assert translated is not None
    assert translated.startswith("the job stopped again. the job stopped again.")
    assert translated.endswith(text[1500:])


_LOOPS = """
import asyncio
from knowledge.translate import FastTranslator

async def ask(number):
    translator = FastTranslator()
    both = ((f"o job {number} parou", "pt", "en"), (f"job {number} stopped", "en", "pt"))
    return await asyncio.gather(*(translator.translate(*one) for one in both))

for number in range(10):
    assert all(asyncio.run(ask(number)))
"""


def test_translation_outlives_threads_and_event_loops() -> None:
    """In a process of its own: what went wrong ended the process."""
    subprocess.run([sys.executable, "-c", _LOOPS], check=True, timeout=60)
