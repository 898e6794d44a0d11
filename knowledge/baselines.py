"""What every search has to beat: plain BM25, plain vector search, and the two fused by rank."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import bm25s
import snowballstemmer

from .measures import Ranking
from .terms import language
from .vectors import Asked, VectorIndex

_DEPTH = 100
_DAMPING = 60
"""The constant of the paper."""
_LANGUAGES = {"en": ("english", "en"), "pt": ("portuguese", "pt")}


class PlainWords:
    """bm25s with the stop words and the stemmer of the documents' language; blocking."""

    def __init__(self, documents: Mapping[str, tuple[str, str]]) -> None:
        texts = [f"{title} {text}".strip() for title, text in documents.values()]
        (main, _), *_ = Counter(map(language, texts)).most_common()
        stemmer, self._stop_words = _LANGUAGES[main]
        self._stemmer = snowballstemmer.stemmer(stemmer)
        self._ids = list(documents)
        self._scorer = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        self._scorer.index(
            bm25s.tokenize(texts, stopwords=self._stop_words, stemmer=self._stemmer, show_progress=False),
            show_progress=False,
        )

    def search(self, question: str) -> Ranking:
        """The best hundred."""
        terms = bm25s.tokenize(
            [question],
            stopwords=self._stop_words,
            stemmer=self._stemmer,
            show_progress=False,
            return_ids=False,
        )
        count = min(_DEPTH, len(self._ids))
        places, scores = self._scorer.retrieve(terms, k=count, show_progress=False, n_threads=0)
        return [self._ids[place] for place, score in zip(places[0], scores[0], strict=True) if score > 0]


class PlainVectors:
    """The product's vectors, the question embedded as it was asked; a document counts by its nearest chunk."""

    def __init__(self, vectors: VectorIndex, ids: Mapping[str, str]) -> None:
        self._vectors = vectors
        self._ids = ids

    async def search(self, question: str) -> Ranking:
        """The best hundred."""
        embedder = await self._vectors.answering()
        assert embedder is not None, "the model that stored them is there"
        (vector,) = await embedder.embed([question])
        near = await self._vectors.nearest(Asked(embedder.model, vector), [], among=0, limit=5 * _DEPTH)
        return list(dict.fromkeys(self._ids[str(one.key[0])] for one in near))[:_DEPTH]


def fused_by_rank(*rankings: Sequence[str]) -> Ranking:
    """Reciprocal rank fusion. Source: Cormack, Clarke and Büttcher, SIGIR 2009."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, name in enumerate(ranking, 1):
            scores[name] += 1 / (_DAMPING + rank)
    return sorted(scores, key=lambda name: (-scores[name], name))
