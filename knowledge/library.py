"""Puts the parts together that documents are kept and found with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from security.audit import AuditLog

from .cache import AnswerCache
from .embed import ApiEmbedder, Embedder, OnnxEmbedder
from .feedback import FeedbackBook
from .ingest import Ingest
from .rerank import ApiReranker
from .search import Search
from .settings import EmbedderSettings, KnowledgeSettings
from .store import OnRemoved, Store
from .translate import FastTranslator
from .vectors import VectorIndex
from .words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Documents and what finds them."""

    store: Store
    vectors: VectorIndex
    ingest: Ingest
    search: Search
    answers: AnswerCache
    feedback: FeedbackBook


def open_library(
    engine: AsyncEngine,
    settings: KnowledgeSettings,
    *,
    embedder: Embedder | None = None,
    on_removed: Sequence[OnRemoved] = (),
) -> Library:
    """With the models that the settings name, or this one; nothing is loaded before it is used.

    `on_removed` takes away what quotes documents elsewhere.
    """
    builtin = OnnxEmbedder(threads=settings.embedding_threads)
    configured = [_embedder(one, settings.embedding_threads) for one in settings.embedders]
    embedders = [embedder] if embedder else [*configured, builtin]
    vectors = VectorIndex(engine, *embedders)
    store = Store(engine, on_removed)
    ingest = Ingest(store, vectors, settings)
    reranker = (
        ApiReranker(url=str(settings.rerank_url), model=settings.rerank_model, key=settings.rerank_key)
        if settings.rerank_url
        else None
    )
    return Library(
        store=store,
        vectors=vectors,
        ingest=ingest,
        search=Search(engine, vectors, Words(store), FastTranslator(), reranker),
        answers=AnswerCache(engine, embedders[0], settings),
        feedback=FeedbackBook(engine, store=store, ingest=ingest, audit=AuditLog()),
    )


def _embedder(settings: EmbedderSettings, threads: int) -> Embedder:
    if settings.url is not None:
        return ApiEmbedder(
            url=str(settings.url),
            model=settings.model,
            dimensions=settings.dimensions,
            languages=settings.languages,
            key=settings.key,
        )
    return OnnxEmbedder(
        threads=threads,
        model=settings.model,
        dimensions=settings.dimensions,
        languages=settings.languages,
        model_file=settings.model_file,
        tokenizer_file=settings.tokenizer_file,
    )
