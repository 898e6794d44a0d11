"""Answers from documents, kept while no document changes and given again to questions that ask the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import ARRAY, ColumnElement, Text, delete, exists, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from .documents import Passage, Reader
from .embed import Embedder, Vectors
from .errors import EmbeddingUnavailableError
from .settings import KnowledgeSettings
from .signature import signature
from .store import transaction
from .tables import answers, revision

_LOG = structlog.get_logger(__name__)

SIMILAR = 0.7
"""Cosine of two questions that may share an answer, beside all that their signatures have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An answer that was given before."""

    answer: Mapping[str, Any]
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question as it is looked up and stored, with the state of the documents when it was asked."""

    question: str
    readers: Sequence[str]
    locale: str
    revision: UUID
    known: Known | None
    """What was answered before."""


class AnswerCache:
    """The answers of all processes, in PostgreSQL. Every method may raise `StoreUnavailableError`."""

    def __init__(self, engine: AsyncEngine, embedder: Embedder, settings: KnowledgeSettings) -> None:
        self._engine = engine
        self._embedder = embedder
        self._most = settings.cached_answers
        self._longest = timedelta(minutes=settings.cached_answer_minutes)

    async def look_up(self, question: str, *, reader: Reader, locale: str) -> Asking | None:
        """The question with what is known of it; None where nothing is kept: no documents, readers or limit."""
        if reader.tokens is None or not self._most:
            return None
        readers = sorted(reader.tokens)
        fitting = (
            answers.c.signature == signature(question),
            answers.c.readers == literal(readers, ARRAY(Text)),
            answers.c.locale == locale,
            answers.c.model == self._embedder.model,
            answers.c.created_at > func.now() - self._longest,
        )
        async with transaction(self._engine) as connection:
            current = (await connection.execute(select(revision.c.value))).scalar()
            is_known = (await connection.execute(select(exists().where(*fitting)))).scalar()
        if current is None:
            return None
        known = await self._nearest(question, fitting) if is_known else None
        return Asking(question=question, readers=readers, locale=locale, revision=current, known=known)

    async def keep(self, asking: Asking, answer: Mapping[str, Any], sources: Sequence[Passage]) -> bool:
        """Stores the answer unless a document has changed since it was asked; says whether it did.

        What rests on a document that is about to be out of date is not stored.
        """
        last_day = (datetime.now(UTC) + self._longest).date()
        if any(passage.valid_to and passage.valid_to <= last_day for passage in sources):
            return False
        vector = await self._embed(asking.question)
        if vector is None:
            return False
        same = select(revision.c.value).where(revision.c.value == asking.revision).with_for_update(read=True)
        row = {
            "id": uuid4(),
            "question": asking.question,
            "signature": signature(asking.question),
            "readers": asking.readers,
            "locale": asking.locale,
            "model": self._embedder.model,
            "embedding": vector,
            "answer": dict(answer),
        }
        surplus = select(answers.c.id).order_by(answers.c.created_at.desc()).offset(self._most)
        async with transaction(self._engine) as connection:
            # whoever changes a document locks this row first, and deletes the answers after that
            if (await connection.execute(same)).scalar() is None:
                return False
            await connection.execute(insert(answers).values(row))
            await connection.execute(delete(answers).where(answers.c.id.in_(surplus)))
        return True

    async def _nearest(self, question: str, fitting: Iterable[ColumnElement[bool]]) -> Known | None:
        vector = await self._embed(question)
        if vector is None:
            return None
        distance = answers.c.embedding.cosine_distance(vector)
        age = (func.now() - answers.c.created_at).label("age")
        nearest = select(answers.c.answer, age).where(*fitting, distance <= 1 - SIMILAR).order_by(distance)
        async with transaction(self._engine) as connection:
            found = (await connection.execute(nearest.limit(1))).one_or_none()
        return Known(answer=found.answer, age=found.age) if found else None

    async def _embed(self, question: str) -> Vectors | None:
        try:
            vector: Vectors = (await self._embedder.embed([question]))[0]
        except EmbeddingUnavailableError as error:
            _LOG.warning("cache_without_embeddings", code=error.code, model=error.model)
            return None
        return vector
