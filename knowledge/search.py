"""Finds passages: exact identifiers, words and vectors, added up to one ranking of sections."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain, islice
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, cast, column, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from .documents import Language, Reader, SearchResult
from .embed import Embedder
from .entries import entries
from .errors import EmbeddingUnavailableError, FilterRejectedError
from .evidence import Evidence, Scale
from .passages import passages_of, section_text
from .question import Question
from .rerank import Reranker
from .signature import is_of_moment
from .spelling import spelled_out
from .store import Key, readable, transaction
from .tables import chunks, documents, thresholds
from .terms import extract, is_generic, language, proper_nouns, tokenize, written_out
from .translate import Translator, translate_around_names
from .vectors import Asked, Near, VectorIndex
from .words import Closeness, WordIndex, Words, WordScores

_DEPTH = 50
"""How far down each search is looked at; sections below never reach the first few."""
_RERANKED = 20
THRESHOLD = "answerable"
"""Name of the row that a site sets it with."""
_ANSWERABLE = 0.5
"""Confidence from which on a question counts as answered, where the site sets no other."""
_PAIRS = 0.3
"""Of the words' scores: pairs of words say again what the words said."""
_MOST_EXPANDED = 50
"""Names that one wildcard may stand for."""
_MOST_NAMED = 500
"""Chunks looked at for one name: what more of them have tells nothing apart."""
_COLUMNS = (
    *(chunks.c.id, chunks.c.document_id, chunks.c.section, chunks.c.location, chunks.c.page, chunks.c.text),
    *(chunks.c.digest, chunks.c.identifiers, documents.c.title, documents.c.link, documents.c.kind),
    *(
        documents.c.language,
        documents.c.weight,
        documents.c.ingested_at,
        documents.c.valid_from,
        documents.c.valid_to,
    ),
)
_WILDCARD = re.compile(r"(?<!\S)(?=\S*(?:[*@]|\?\S)|[A-Z0-9_#./-]*\?)[\w#./*@?-]*\w[\w#./*@?-]*(?!\S)")
"""A question mark at the end stands for a letter only after capitals: otherwise it ends the question."""

FILTERS: Mapping[str, ColumnElement[str]] = {
    "document_id": cast(documents.c.id, sa.Text),
    "title": documents.c.title,
    "source": documents.c.source,
    "media_type": documents.c.media_type,
    "kind": documents.c.kind,
    "language": documents.c.language,
}
"""What a search can be narrowed by, each with the exact value."""

_Conditions: TypeAlias = Sequence[ColumnElement[bool]]
_Row: TypeAlias = sa.Row[Any]


class Search:
    """The search over all documents; safe to use from many tasks at once."""

    def __init__(
        self,
        engine: AsyncEngine,
        vectors: VectorIndex,
        words: Words,
        translator: Translator,
        reranker: Reranker | None = None,
    ) -> None:
        self._engine = engine
        self._vectors = vectors
        self._words = words
        self._translator = translator
        self._reranker = reranker
        self._known: tuple[UUID | None, Sequence[str]] | None = None

    async def search(
        self, query: str, *, reader: Reader, k: int = 5, filters: Mapping[str, str] | None = None
    ) -> SearchResult:
        """The `k` best passages that the reader may see, at most one of a section.

        What is away (the embedding model, the translator) is said in `degraded`; the answer comes from the rest.
        Raises `FilterRejectedError` for a filter not in `FILTERS`, and `StoreUnavailableError`.
        """
        conditions = [readable(reader), *_conditions(filters or {})]
        index = await self._words.current()
        question = await self._understand(query, index)
        allowed = await asyncio.to_thread(
            index.allowed, reader, await self._documents(conditions) if filters else None
        )
        embedder = await self._vectors.answering()
        scores, (named, rarity), asked_near = await asyncio.gather(
            asyncio.to_thread(index.scores, question.terms),
            self._by_name(question.names, conditions),
            self._nearest(embedder, question, conditions, int(allowed.sum())),
        )
        best_words = _best(np.where(allowed, scores.words, 0.0), index)
        nearest = {one.key for one in asked_near[1]} if asked_near else set[Key]()
        keys = [key for key in {*best_words, *named, *nearest} if key in index.places]
        rows = await self._rows(keys, conditions)
        near, scale, degraded = await self._likeness(asked_near, len(index.keys), rows)
        evidence = _weighed(
            rows,
            index,
            scores,
            await asyncio.to_thread(_closeness, index, rows, question),
            question.names,
            rarity,
            near,
            scale,
            languages=embedder.languages if embedder else (),
        )
        ranked = sorted(evidence, key=lambda key: (-evidence[key].merit, str(key)))
        ranked = await self._rerank(query, ranked, rows)
        passages = passages_of(ranked, rows, evidence, question, near, k)
        sure = question.confidence(evidence[ranked[0]]) if ranked else 0.0
        return SearchResult(
            passages=tuple(passages),
            answerable=bool(passages) and sure >= await self.threshold(),
            confidence=sure,
            degraded=(*question.degraded, *degraded),
        )

    async def _understand(self, query: str, index: WordIndex) -> Question:
        """The question in each language that documents are in, and the names in it."""
        asked: Language = language(query)
        other: Language = "en" if asked == "pt" else "pt"
        written = await asyncio.to_thread(spelled_out, query, index.knows) if asked == "pt" else query
        texts: dict[Language, str] = {asked: written, other: written}
        degraded: tuple[str, ...] = ()
        if query.strip() and other in index.languages:
            translated = await translate_around_names(self._translator, written, asked, other)
            texts[other] = translated or written
            degraded = () if translated else ("translation",)
        texts["en"] = written_out(texts["en"])
        wildcards = _WILDCARD.findall(query)
        expanded = (
            await asyncio.to_thread(_expanded, wildcards, await self._names()) if wildcards else frozenset()
        )
        return Question(
            texts=texts,
            terms={lang: tokenize(text) for lang, text in texts.items()},
            names=extract(query).union(expanded),
            has_unknown=not all(map(index.knows, proper_nouns(query))),
            is_of_moment=is_of_moment(query),
            degraded=degraded,
        )

    async def _names(self) -> Sequence[str]:
        """All names in documents, in order; read again when documents changed."""
        revision = self._words.revision
        if self._known is None or self._known[0] != revision:
            query = select(func.unnest(chunks.c.identifiers).label("name")).distinct()
            async with transaction(self._engine) as connection:
                names = (await connection.execute(query)).scalars().all()
            self._known = revision, sorted(names)
        return self._known[1]

    async def _documents(self, conditions: _Conditions) -> Collection[UUID]:
        async with transaction(self._engine) as connection:
            return (await connection.execute(select(documents.c.id).where(*conditions))).scalars().all()

    async def _by_name(
        self, names: frozenset[str], conditions: _Conditions
    ) -> tuple[Sequence[Key], Mapping[str, float]]:
        """Sections that have names of the question, those with the rarest first, and how rare each name is."""
        if not names:
            return (), {}
        named = (
            select(chunks.c.document_id, chunks.c.section, chunks.c.identifiers)
            .join_from(chunks, documents)
            .where(chunks.c.identifiers.op("@>")(literal([name], ARRAY(sa.Text))), *conditions)
            .order_by(chunks.c.id)
            .limit(_MOST_NAMED)
            for name in sorted(names)
        )
        query = union_all(*(select(one.subquery()) for one in named))
        shared: dict[Key, set[str]] = defaultdict(set)
        async with transaction(self._engine) as connection:
            async for document_id, section, identifiers in await connection.stream(query):
                shared[document_id, section] |= names & set(identifiers)
        spread = Counter(name for own in shared.values() for name in own)
        rarity = {name: 1 / count for name, count in spread.items()}
        best = sorted(shared, key=lambda key: (-_rarity(shared[key], rarity), str(key)))
        return best[:_DEPTH], rarity

    async def _nearest(
        self, embedder: Embedder | None, question: Question, conditions: _Conditions, among: int
    ) -> tuple[Asked, list[Near]] | None:
        """The question as a vector and the chunks nearest to it; None while the embedding model is away."""
        if embedder is None:
            return None
        text = question.texts["en" if "en" in embedder.languages else "pt"]
        try:
            asked = Asked(embedder.model, (await embedder.embed([text]))[0])
        except EmbeddingUnavailableError:
            return None
        return asked, await self._vectors.nearest(asked, conditions, among=among, limit=_DEPTH)

    async def _likeness(
        self, asked_near: tuple[Asked, list[Near]] | None, sections: int, rows: Mapping[Key, list[_Row]]
    ) -> tuple[dict[Key, Near], Scale, tuple[str, ...]]:
        """The nearest chunk of each of the sections, and what likeness is usual."""
        if asked_near is None:
            return {}, Scale(0.0, 0.0), ("embeddings",)
        asked, found = asked_near
        sample = await self._vectors.sample(asked.model, self._words.revision)
        if not len(sample):
            return {}, Scale(0.0, 0.0), ()
        scale = Scale.of(sample @ asked.vector, len(sample) / max(sections, len(sample)))
        nearest = {one.key for one in found}
        others = [row for key, some in rows.items() if key not in nearest for row in some]
        cosines = await self._vectors.likeness(asked, {row.digest for row in others})
        further = [
            Near(row.id, (row.document_id, row.section), cosines[row.digest])
            for row in others
            if row.digest in cosines
        ]
        near: dict[Key, Near] = {}
        for one in sorted([*found, *further], key=lambda one: one.cosine):
            near[one.key] = one
        return near, scale, ()

    async def _rows(self, keys: Collection[Key], conditions: _Conditions) -> dict[Key, list[_Row]]:
        """The chunks of the sections in reading order, without sections that were replaced in the meantime."""
        wanted = (
            func.unnest(
                literal([document_id for document_id, _ in keys], ARRAY(sa.Uuid)),
                literal([section for _, section in keys], ARRAY(sa.Integer)),
            )
            .table_valued(column("document_id", sa.Uuid), column("section", sa.Integer), name="wanted")
            .render_derived()
        )
        is_wanted = and_(chunks.c.document_id == wanted.c.document_id, chunks.c.section == wanted.c.section)
        query = (
            select(*_COLUMNS)
            .join_from(wanted, chunks, is_wanted)
            .join(documents, documents.c.id == chunks.c.document_id)
            .where(*conditions)
            .order_by(chunks.c.document_id, chunks.c.position)
        )
        found: dict[Key, list[_Row]] = defaultdict(list)
        async with transaction(self._engine) as connection:
            rows: Sequence[Any] = (await connection.execute(query)).all() if keys else ()
        for row in rows:
            found[row.document_id, row.section].append(row)
        return found

    async def _rerank(self, query: str, ranked: list[Key], rows: Mapping[Key, list[_Row]]) -> list[Key]:
        if self._reranker is None or not ranked:
            return ranked
        first = ranked[:_RERANKED]
        scores = await self._reranker.rerank(query, [section_text(rows[key]) for key in first])
        if scores is None:
            return ranked
        order = sorted(zip(first, scores, strict=True), key=lambda pair: -pair[1])
        return [key for key, _ in order] + ranked[_RERANKED:]

    async def threshold(self) -> float:
        """The confidence from which on a question counts as answered."""
        query = select(thresholds.c.value).where(thresholds.c.name == THRESHOLD)
        async with transaction(self._engine) as connection:
            value = await connection.scalar(query)
        return _ANSWERABLE if value is None else value


def _conditions(filters: Mapping[str, str]) -> _Conditions:
    unknown = tuple(sorted(set(filters) - set(FILTERS)))
    if unknown:
        raise FilterRejectedError(unknown, tuple(FILTERS))
    return [FILTERS[name] == value for name, value in filters.items()]


def _expanded(wildcards: Iterable[str], names: Sequence[str]) -> frozenset[str]:
    """The names that `PAY*`, `PAY@` or `PAY?1` stands for; at most 50 for each."""
    found: set[str] = set()
    for wildcard in wildcards:
        wanted = wildcard.upper().removesuffix(".@").replace("@", "*")
        if wanted.removesuffix("?") not in names:
            found.update(islice((name for name in names if fnmatchcase(name, wanted)), _MOST_EXPANDED))
    return frozenset(found)


def _best(scores: npt.NDArray[np.float32], index: WordIndex) -> list[Key]:
    count = min(_DEPTH, len(scores))
    places = np.argpartition(-scores, count - 1)[:count] if count else ()
    return [index.keys[place] for place in places if scores[place] > 0]


def _tells(names: Iterable[str]) -> bool:
    """Whether any of the names says something on its own."""
    return not all(map(is_generic, names))


def _rarity(names: Iterable[str], rarity: Mapping[str, float]) -> float:
    return sum(rarity.get(name, 0.0) for name in names)


def _closeness(index: WordIndex, rows: Mapping[Key, list[_Row]], question: Question) -> Closeness:
    described = {
        key: entries((some[0].location or some[0].title).rpartition(" > ")[2], section_text(some))
        for key, some in rows.items()
    }
    return index.closeness(described, question.terms)


def _weighed(
    rows: Mapping[Key, list[_Row]],
    index: WordIndex,
    scores: WordScores,
    closeness: Closeness,
    names: frozenset[str],
    rarity: Mapping[str, float],
    near: Mapping[Key, Near],
    scale: Scale,
    *,
    languages: Collection[str],
) -> dict[Key, Evidence]:
    total = scores.words.copy()
    total[[index.places[key] for key in rows]] += _PAIRS * closeness.pairs
    words, titles = Scale.of(total), Scale.of(scores.titles)
    today = datetime.now(UTC).date()
    shared = {
        key: names.intersection(chain.from_iterable(row.identifiers for row in some))
        for key, some in rows.items()
    }
    most = max((_rarity(own, rarity) for own in shared.values()), default=0.0) or 1.0
    found = {}
    for number, (key, (first, *_)) in enumerate(rows.items()):
        place = index.places[key]
        cosine = near[key].cosine if key in near else None
        found[key] = Evidence(
            words=words.place(total[place]),
            titles=titles.place(scores.titles[place]),
            likeness=0.0 if cosine is None else scale.place(cosine),
            cosine=cosine or 0.0,
            is_compared=cosine is not None and first.language in languages,
            coverage=float(scores.coverage[place]),
            together=float(closeness.together[number]),
            entries=float(closeness.entries[number]),
            name=_rarity(shared[key], rarity) / most,
            is_told=_tells(shared[key]),
            lacks_name=_tells(names) and not _tells(shared[key]),
            weight=first.weight,
            is_outdated=bool(first.valid_to and first.valid_to < today)
            or bool(first.valid_from and first.valid_from > today),
        )
    return found
