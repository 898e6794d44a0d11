"""BM25 over the sections of all documents, in memory, following the store.

PostgreSQL's own text ranking knows no document frequencies and finds a third of what BM25 finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TypeAlias
from uuid import UUID

import bm25s
import numpy as np
import numpy.typing as npt
from bm25s.tokenization import Tokenized

from .documents import Language, Reader
from .store import Key, SectionRow, Store, WordRows
from .terms import synonym_map, tokenize

_SYNONYM_WEIGHT = 0.6
"""A glossary word counts less than the word itself."""
_K1, _B = 1.2, 0.75
"""Lucene's."""
_GAP = -1
"""Token that no word is: between sections."""
_WINDOW = 30
"""Words, about two sentences."""
_PATIENCE = 2.0
"""Seconds that a question waits for changed documents to be indexed before the index from before answers."""

_Floats: TypeAlias = npt.NDArray[np.float32]
_Tokens: TypeAlias = tuple[list[int], list[int]]
"""Of the headings and of the whole section, as numbers of the vocabulary."""


@dataclass(frozen=True, slots=True)
class WordScores:
    """What each section of the index, in its order, has of a question."""

    words: _Floats
    """BM25 of headings and text, 0 without a common word."""
    titles: _Floats
    """BM25 of the headings alone."""
    coverage: _Floats
    """0 to 1: share of the question's words, rare ones counting more; words that no section has count most."""


@dataclass(frozen=True, slots=True)
class Closeness:
    """Where sections have the words of a question: how close together, and whether as their entries."""

    pairs: _Floats
    """How often words that are neighbours in the question are so in the section, as BM25 counts."""
    together: _Floats
    """0 to 1: share of the question's known words, rare ones counting more, that some thirty words of it have."""
    entries: _Floats
    """0 to 1: share of the question's words, rare ones counting more, that are entries of it as they are."""


@dataclass(frozen=True, slots=True)
class _Text:
    """Some sections one after the other, with gaps wider than any window."""

    tokens: npt.NDArray[np.int32]
    sections: npt.NDArray[np.int64]
    """The section of each token, counted from 0."""
    lengths: npt.NDArray[np.float64]
    """Of each section, against the mean of all."""


class WordIndex:
    """An immutable index of sections. Pure and blocking."""

    def __init__(
        self,
        rows: Sequence[SectionRow],
        tokens: Sequence[_Tokens],
        vocabulary: Mapping[str, int],
        notions: Sequence[str],
    ) -> None:
        self.keys: list[Key] = [(row.document_id, row.section) for row in rows]
        self.places = {key: place for place, key in enumerate(self.keys)}
        self._synonyms = synonym_map(notions)
        self._is_portuguese = np.array([row.language == "pt" for row in rows], dtype=bool)
        self._documents = {row.document_id: number for number, row in enumerate(rows)}
        self._document_of = np.array([self._documents[row.document_id] for row in rows], dtype=np.int64)
        readers = [frozenset(row.readers) for row in rows]
        self._readers = list(dict.fromkeys(readers))
        codes = {one: code for code, one in enumerate(self._readers)}
        self._reader_of = np.array([codes[one] for one in readers], dtype=np.int64)
        self.languages = frozenset(row.language for row in rows)
        """What documents are written in."""
        self._vocabulary = vocabulary
        self._lengths = np.array([len(whole) for _, whole in tokens], dtype=np.int64)
        self._starts = np.concatenate(([0], np.cumsum(self._lengths)))
        self._flat = np.fromiter(
            chain.from_iterable(whole for _, whole in tokens), dtype=np.int32, count=self._starts[-1]
        )
        self._titles = _scorer([heading for heading, _ in tokens], vocabulary)
        self._words = _scorer([whole for _, whole in tokens], vocabulary)

    def allowed(self, reader: Reader, documents: Collection[UUID] | None) -> npt.NDArray[np.bool_]:
        """Which sections the reader may see, of those documents only where given."""
        may = [not one or reader.tokens is None or not one.isdisjoint(reader.tokens) for one in self._readers]
        allowed: npt.NDArray[np.bool_] = np.array(may, dtype=bool)[self._reader_of]
        if documents is not None:
            wanted = [self._documents[one] for one in documents if one in self._documents]
            allowed &= np.isin(self._document_of, wanted)
        return allowed

    def knows(self, word: str) -> bool:
        """Whether documents have it."""
        return all(term in self._vocabulary for term in tokenize(word))

    def scores(self, questions: Mapping[Language, Sequence[str]]) -> WordScores:
        """Each section is compared with the terms of the question in its document's language."""
        english = self._scores(questions["en"])
        if not self._is_portuguese.any() or questions["en"] == questions["pt"]:
            return english
        portuguese = self._scores(questions["pt"])
        choose = self._is_portuguese
        return WordScores(
            words=np.where(choose, portuguese.words, english.words),
            titles=np.where(choose, portuguese.titles, english.titles),
            # a Portuguese document may quote an English message
            coverage=np.maximum(portuguese.coverage, english.coverage),
        )

    def closeness(
        self,
        sections: Mapping[Key, Collection[tuple[str, ...]]],
        questions: Mapping[Language, Sequence[str]],
    ) -> Closeness:
        """How close together each of these sections, given with its entries, has the words of the question.

        For some sections only: an index of pairs would be larger than that of words.
        """
        places = np.array([self.places[key] for key in sections], dtype=np.int64)
        all_entries = list(sections.values())
        pairs, together, entries = np.zeros((3, len(places)), dtype=np.float32)
        for lang in dict.fromkeys(questions):
            mine = np.flatnonzero(self._is_portuguese[places] == (lang == "pt"))
            terms = [term for term in questions[lang] if term in self._vocabulary]
            if terms and len(mine):
                text = self._text(places[mine])
                pairs[mine] = self._pairs(text, terms)
                together[mine] = self._together(text, terms)
                entries[mine] = self._entries([all_entries[one] for one in mine], questions[lang])
        return Closeness(pairs, together, entries)

    def _text(self, places: npt.NDArray[np.int64]) -> _Text:
        slices = [
            np.append(self._flat[self._starts[place] : self._starts[place + 1]], [_GAP] * _WINDOW)
            for place in places
        ]
        lengths = self._lengths[places] / max(self._lengths.mean(), 1.0)
        return _Text(
            np.concatenate(slices), np.repeat(np.arange(len(places)), [len(one) for one in slices]), lengths
        )

    def _pairs(self, text: _Text, terms: Sequence[str]) -> _Floats:
        close = np.zeros(len(text.lengths), dtype=np.float32)
        for first, second in {pair for pair in pairwise(terms) if pair[0] != pair[1]}:
            is_first, is_second = (text.tokens == self._vocabulary[term] for term in (first, second))
            count = sum(
                weight * np.bincount(text.sections[:-step], one[:-step] & other[step:], len(close))
                for one, other, order in ((is_first, is_second, 1.0), (is_second, is_first, 0.5))
                for step, weight in ((1, order), (2, order / 2))
            )
            norm = _K1 * (1 - _B + _B * text.lengths)
            close += (self._idf(first) + self._idf(second)) * count / (count + norm)
        return close

    def _together(self, text: _Text, terms: Sequence[str]) -> _Floats:
        positions = np.arange(len(text.tokens))
        best, total = np.zeros(len(positions)), 0.0
        for term in dict.fromkeys(terms):
            rare = self._idf(term)
            last = np.maximum.accumulate(np.where(text.tokens == self._vocabulary[term], positions, -_WINDOW))
            best += rare * (positions - last < _WINDOW)
            total += rare
        starts = np.flatnonzero(np.diff(text.sections, prepend=-1))
        return (np.maximum.reduceat(best, starts) / total).astype(np.float32)

    def _entries(self, sections: Sequence[Collection[tuple[str, ...]]], terms: Sequence[str]) -> list[float]:
        rare = {term: self._idf(term) for term in terms}
        asked = [{term for one in entries if rare.keys() >= set(one) for term in one} for entries in sections]
        return [sum(rare[term] for term in some) / sum(rare.values()) for some in asked]

    def _idf(self, term: str) -> float:
        scores = self._get_scores(self._words, term)
        return _rarity(scores)

    def _scores(self, terms: Sequence[str]) -> WordScores:
        nothing = np.zeros(len(self.keys), dtype=np.float32)
        terms = list(dict.fromkeys(terms))
        if self._words is None or not terms:
            return WordScores(nothing, nothing, nothing)
        by_term = [self._term_scores(self._words, term) for term in terms]
        rarity = np.array([_rarity(scores) for scores in by_term], dtype=np.float32)
        titles = nothing
        if self._titles is not None:
            titles = sum((self._term_scores(self._titles, term) for term in terms), nothing)
        return WordScores(
            words=sum(by_term, nothing),
            titles=titles,
            coverage=sum(
                (rare * (scores > 0) for rare, scores in zip(rarity / rarity.sum(), by_term, strict=True)),
                nothing,
            ),
        )

    def _term_scores(self, scorer: bm25s.BM25, term: str) -> _Floats:
        """The score of each section for a word of the question or, for less, its best synonym."""
        scores = self._get_scores(scorer, term)
        for synonym in self._synonyms.get(term, ()):
            if synonym in self._vocabulary:
                scores = np.maximum(scores, _SYNONYM_WEIGHT * self._get_scores(scorer, synonym))
        return scores

    def _get_scores(self, scorer: bm25s.BM25, term: str) -> _Floats:
        number = self._vocabulary.get(term)
        if number is None:
            return np.zeros(len(self.keys), dtype=np.float32)
        scores: _Floats = scorer.get_scores_from_ids([number])
        return scores


def _scorer(tokens: list[list[int]], vocabulary: Mapping[str, int]) -> bm25s.BM25 | None:
    if not any(tokens):  # bm25s divides by the mean length
        return None
    scorer = bm25s.BM25(method="lucene", k1=_K1, b=_B)
    scorer.index(Tokenized(ids=tokens, vocab=dict(vocabulary)), show_progress=False)
    return scorer


def _rarity(scores: _Floats) -> float:
    """Lucene's inverse document frequency."""
    frequency = np.count_nonzero(scores)
    return float(np.log1p((len(scores) - frequency + 0.5) / (frequency + 0.5)))


class Words:
    """The index of what the store holds now; one a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index: WordIndex | None = None
        self.revision: UUID | None = None
        """Of the documents as the index has them."""
        self._tokens: dict[int, _Tokens] = {}
        self._vocabulary: dict[str, int] = {"": 0}
        self._refreshing: asyncio.Task[None] | None = None

    async def current(self) -> WordIndex:
        """The index, renewed if any process changed a document since. May raise `StoreUnavailableError`.

        Asking costs one read of one row, below a millisecond; nothing is missed when a connection was lost.
        Where indexing takes longer than two seconds the index from before answers once more.
        """
        if self._index is None or self.revision != await self._store.revision():
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._refresh())
            refreshing = self._refreshing
            await asyncio.wait({refreshing}, timeout=_PATIENCE if self._index is not None else None)
            if refreshing.done():
                refreshing.result()
        assert self._index is not None, "the first refresh was waited for"
        return self._index

    async def _refresh(self) -> None:
        rows = await self._store.load_words(self._tokens)
        self._index = await asyncio.to_thread(self._build, rows)
        self.revision = rows.revision

    def _build(self, rows: WordRows) -> WordIndex:
        for number, (heading, text) in rows.texts.items():
            headings = self._numbers(heading)
            self._tokens[number] = headings, headings + self._numbers(text)
        self._tokens = {row.id: self._tokens[row.id] for row in rows.sections}
        tokens = [self._tokens[row.id] for row in rows.sections]
        # numbered anew, without the terms of removed documents
        used = sorted(set().union(*(whole for _, whole in tokens)))
        terms = list(self._vocabulary)
        vocabulary = {terms[number]: place for place, number in enumerate(used)}
        places = {number: place for place, number in enumerate(used)}
        dense = [
            ([places[number] for number in heading], [places[number] for number in whole])
            for heading, whole in tokens
        ]
        return WordIndex(rows.sections, dense, vocabulary, rows.notions)

    def _numbers(self, text: str) -> list[int]:
        return [self._vocabulary.setdefault(term, len(self._vocabulary)) for term in tokenize(text)]
